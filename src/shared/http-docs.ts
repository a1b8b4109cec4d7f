import type { Express, Response } from 'express';
import getSwaggerFolder from 'swagger-ui-dist/absolute-path.js';
import { escapeHtml, mountPage } from './http-page.ts';

/** Everything comes from this server; the interface draws its icons from data URLs in its style sheet. */
const docsPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const assets = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'] as const;

const startScript = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  validatorUrl: null,
  tryItOutEnabled: true,
  persistAuthorization: false,
  syntaxHighlight: { activated: false },
});
`;

/** `/docs`: the interactive reference, from files of this installation only, so it works without a network. */
export function mountDocs(app: Express, title: string): void {
  const page = docsPage(title);
  mountPage(app, '/docs', (_request, response) => send(response, 'text/html; charset=utf-8', page));
  mountPage(app, '/docs/start.js', (_request, response) => send(response, 'text/javascript; charset=utf-8', startScript));
  for (const name of assets) {
    mountPage(app, `/docs/${name}`, (_request, response) => {
      response.sendFile(name, { root: getSwaggerFolder(), maxAge: 3_600_000 });
    });
  }
}

function docsPage(title: string): string {
  const name = escapeHtml(title);
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${name}</title><link rel="icon" href="/docs/favicon-32x32.png"><link rel="stylesheet" href="/docs/swagger-ui.css"></head><body><div id="reference"></div><noscript>The reference needs JavaScript; <a href="/openapi.json">openapi.json</a> holds the same.</noscript><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body></html>`;
}

function send(response: Response, type: string, text: string): void {
  response.setHeader('Content-Security-Policy', docsPolicy);
  response.setHeader('Content-Type', type);
  response.setHeader('Cache-Control', 'no-cache');
  response.end(text);
}
