import type { Express, Request, Response } from 'express';
import { otherMethods } from './http-mount.ts';
import { stateOf } from './http-state.ts';

/** Mounts something that is read by GET and is not part of the API: a page and what belongs to it. */
export function mountPage(app: Express, path: string, serve: (request: Request, response: Response) => void): void {
  app
    .route(path)
    .get((request, response) => {
      stateOf(response).route = path;
      serve(request, response);
    })
    .all(otherMethods(path, 'GET, HEAD, OPTIONS'));
}

/** Text as HTML shows it literally. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
