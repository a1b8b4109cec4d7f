import { createHash } from 'node:crypto';
import type { Express, Response } from 'express';
import type { ProblemCode } from './failure.ts';
import { Failure, problems } from './failure.ts';
import { escapeHtml, mountPage } from './http-page.ts';
import type { ProblemGuide, ProblemGuides } from './problem-guide.ts';

const style =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}code{background:#eee;padding:.1em .3em}dt{font-weight:600;margin-top:1rem}dd{margin-left:1rem}';
const styleHash = createHash('sha256').update(style).digest('base64');
const pagePolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** `/problems` and one page for each type: where the `type` of a problem document leads. HTML, or JSON for those who ask for it. */
export function mountProblemPages(app: Express, guides: ProblemGuides): void {
  mountPage(app, '/problems', (request, response) => {
    const list = codes().map((code) => ({ type: `/problems/${code}`, ...problems[code] }));
    if (request.accepts(['html', 'json']) === 'json') sendJson(response, list);
    else sendHtml(response, indexPage());
  });
  mountPage(app, '/problems/:slug', (request, response) => {
    const code = codes().find((candidate) => candidate === request.params.slug);
    if (code === undefined)
      throw new Failure('not-found', { detail: 'There is no such type of problem: /problems lists them all.' });
    if (request.accepts(['html', 'json']) === 'json') sendJson(response, asJson(code, guides[code]));
    else sendHtml(response, problemPage(code, guides[code]));
  });
}

function codes(): readonly ProblemCode[] {
  // the keys of a constant object are what its type says
  return Object.keys(problems) as ProblemCode[];
}

function asJson(code: ProblemCode, { meaning, advice, members = {} }: ProblemGuide) {
  const described = Object.fromEntries(Object.entries(members).map(([name, schema]) => [name, schema.meta()?.description ?? '']));
  return { type: `/problems/${code}`, ...problems[code], meaning, advice, members: described };
}

function indexPage(): string {
  const entries = codes().map(
    (code) =>
      `<dt><a href="/problems/${code}"><code>${code}</code></a></dt><dd>${problems[code].status} ${escapeHtml(problems[code].title)}</dd>`,
  );
  return page(
    'Problems',
    `<p>Every error is a problem document (RFC 9457). Its <code>type</code> is one of these.</p><dl>${entries.join('')}</dl>`,
  );
}

function problemPage(code: ProblemCode, { meaning, advice, members = {} }: ProblemGuide): string {
  const { status, title } = problems[code];
  const rows = Object.entries(members).map(
    ([name, schema]) => `<dt><code>${escapeHtml(name)}</code></dt><dd>${escapeHtml(schema.meta()?.description ?? '')}</dd>`,
  );
  const extra = rows.length === 0 ? '' : `<h2>Further members</h2><dl>${rows.join('')}</dl>`;
  return page(
    title,
    `<p><code>${code}</code>, status ${status}</p><h2>What it means</h2><p>${escapeHtml(meaning)}</p><h2>What to do</h2><p>${escapeHtml(advice)}</p>${extra}<p><a href="/problems">All problems</a></p>`,
  );
}

function page(title: string, content: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title><style>${style}</style></head><body><h1>${escapeHtml(title)}</h1>${content}</body></html>`;
}

function sendHtml(response: Response, html: string): void {
  response.setHeader('Content-Security-Policy', pagePolicy);
  send(response, 'text/html; charset=utf-8', html);
}

function sendJson(response: Response, value: unknown): void {
  send(response, 'application/json', JSON.stringify(value));
}

function send(response: Response, type: string, text: string): void {
  response.setHeader('Content-Type', type);
  response.setHeader('Cache-Control', 'public, max-age=3600');
  response.vary('Accept');
  response.end(text);
}
