import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { problems } from '../src/shared/failure.ts';
import type { Agent } from './harness/checked-agent.ts';
import { fetchDocument, type OpenApiDocument } from './harness/documented-answers.ts';
import { startFront } from './harness/front.ts';
import { type Shop, startShop } from './harness/shop.ts';

let shop: Shop;
let document: OpenApiDocument;
beforeAll(async () => {
  shop = await startShop();
  document = await fetchDocument(shop.url);
});
afterAll(() => shop.stop());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
const call = (agent: Agent, method: string, path: string) => {
  if (method === 'get') return agent.get(path);
  if (method === 'post') return agent.post(path);
  if (method === 'put') return agent.put(path);
  return method === 'patch' ? agent.patch(path) : agent.delete(path);
};
const concrete = (path: string) => path.replaceAll(/\{\w+\}/g, '019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f');

describe('the OpenAPI document', () => {
  it('passes the strict rules of redocly', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'openapi-'));
    try {
      const file = join(folder, 'openapi.json');
      writeFileSync(file, JSON.stringify(document));
      const lint = promisify(execFile)(
        process.execPath,
        [require.resolve('@redocly/cli/bin/cli.js'), 'lint', file, '--config', 'redocly.yaml'],
        {
          env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
        },
      );
      const { stderr } = await lint.catch((error: { stdout: string }) => Promise.reject(new Error(error.stdout)));
      expect(stderr).toContain('Your API description is valid');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('describes the calls of the wire contract', () => {
    const described = operations().map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(described).toEqual(expect.arrayContaining(wireContract));
    expect(described.sort()).toEqual([...wireContract].sort());
  });

  it('names for every call what it can be refused with', () => {
    for (const { path, method, operation } of operations()) {
      const statuses = Object.keys(operation.responses);
      expect([path, method, statuses]).toEqual([path, method, expect.arrayContaining(['400', '500', '503'])]);
      const refusals = Object.entries(operation.responses).filter(([status]) => Number(status) >= 400);
      for (const [, { content }] of refusals) expect(Object.keys(content ?? {})).toEqual(['application/problem+json']);
    }
  });

  it('marks exactly those calls as protected that answer 401 without a token', async () => {
    for (const { path, method, operation } of operations()) {
      const { status } = await call(shop.api, method, concrete(path));
      const needsToken = operation.security.length === 1;
      expect([method, path, status === 401]).toEqual([method, path, needsToken]);
    }
  });

  it('lets nobody but staff and admins through where it says 403', async () => {
    const { api } = await shop.signUp();
    const guarded = operations().filter(({ operation }) => operation.responses['403'] !== undefined);
    expect(guarded.length).toBeGreaterThan(10);
    for (const { path, method } of guarded) {
      const { status } = await call(api, method, concrete(path));
      expect([method, path, status]).toEqual([method, path, 403]);
    }
  });
});

describe('the pages', () => {
  const external = /(?:src|href|action|url)\s*[=(]\s*["']?(?:https?:)?\/\//i;

  it('are an interactive reference that loads nothing from elsewhere', async () => {
    const { text, headers } = await shop.api.get('/docs').expect(200);
    expect(headers['content-security-policy']).toMatch(/default-src 'none'; script-src 'self'; style-src 'self';/);
    expect(headers['content-security-policy']).not.toMatch(/unsafe|https?:/);
    expect(text).not.toMatch(external);
    expect(text).not.toMatch(/<script>|<style| style=| on\w+=/i);
    const parts = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '');
    expect(parts.length).toBeGreaterThan(3);
    for (const path of parts) await shop.api.get(path).expect(200);
  });

  it('explain every type of problem, in HTML and in JSON', async () => {
    const { text: index } = await shop.api.get('/problems').set('Accept', 'text/html').expect(200);
    for (const [slug, { status, title }] of Object.entries(problems)) {
      expect(index).toContain(`href="/problems/${slug}"`);
      const { text, headers } = await shop.api
        .get(`/problems/${slug}`)
        .set('Accept', 'text/html')
        .expect(200)
        .expect('Content-Type', /html/);
      expect(text).toContain(title);
      expect(text).not.toMatch(external);
      expect(headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none';/);
      const { body } = await shop.api.get(`/problems/${slug}`).set('Accept', 'application/json').expect(200);
      expect(body).toMatchObject({ type: `/problems/${slug}`, status, title });
      expect(body.meaning.length).toBeGreaterThan(20);
      expect(body.advice.length).toBeGreaterThan(10);
    }
    await shop.api.get('/problems/unheard-of').expect(404);
  });

  it('show text of ours as text', async () => {
    const front = await startFront({ info: { title: '<script>alert(1)</script>', version: '1', description: '', tags: {} } });
    const { text } = await front.as().get('/docs');
    await front.stop();
    expect(text).not.toContain('<script>alert');
  });
});

const wireContract = [
  'POST /api/auth/register',
  'POST /api/auth/login',
  'POST /api/auth/refresh',
  'POST /api/auth/logout',
  'POST /api/auth/delete',
  'PUT /api/auth/delete',
  'GET /api/auth/me',
  'GET /api/auth/me/export',
  'PUT /api/auth/password',
  'GET /api/auth/sessions',
  'DELETE /api/auth/sessions/{id}',
  'GET /api/auth/users',
  'GET /api/auth/users/{id}',
  'PUT /api/auth/users/{id}/roles',
  'POST /api/auth/users/{id}/restore',
  'POST /api/auth/users/{id}/reset-password',
  'GET /.well-known/jwks.json',
  'GET /api/products',
  'POST /api/products',
  'POST /api/products/import',
  'GET /api/products/export',
  'GET /api/products/{id}',
  'PUT /api/products/{id}',
  'PATCH /api/products/{id}',
  'DELETE /api/products/{id}',
  'GET /api/products/{id}/stock',
  'PUT /api/products/{id}/stock',
  'POST /api/products/{id}/stock/adjustments',
  'GET /api/products/{id}/stock/movements',
  'POST /api/orders',
  'GET /api/orders',
  'GET /api/orders/summary',
  'GET /api/orders/{id}',
  'GET /api/orders/{id}/events',
  'POST /api/orders/{id}/cancel',
  'POST /api/orders/{id}/ship',
  'POST /api/orders/{id}/deliver',
  'GET /livez',
  'GET /readyz',
];
