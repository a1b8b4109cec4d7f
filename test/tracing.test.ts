import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import supertest from 'supertest';
import { temporaryFolder } from './child-process.ts';
import { eventually } from './harness/eventually.ts';
import { type ServerProcess, startServer } from './harness/server-process.ts';

interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

/** A collector of OTLP over HTTP that keeps what it gets. */
async function startCollector() {
  const spans: ReceivedSpan[] = [];
  const server: Server = createServer(async (request, response) => {
    // the exporter's own JSON (opentelemetry-proto)
    const body = (await json(request)) as { resourceSpans: { scopeSpans: { spans: ReceivedSpan[] }[] }[] };
    for (const { scopeSpans } of body.resourceSpans) for (const scope of scopeSpans) spans.push(...scope.spans);
    response.end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return { spans, url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const callerId = '00f067aa0ba902b7';
const folder = temporaryFolder();
afterAll(() => folder.remove());

describe('a shop that is traced', () => {
  let server: ServerProcess;
  let collector: Awaited<ReturnType<typeof startCollector>>;
  beforeAll(async () => {
    collector = await startCollector();
    server = await startServer({ DATA_DIR: folder.path, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  });
  afterAll(async () => {
    expect(await server.kill('SIGTERM')).toBe(0);
    collector.close();
  });

  it('tells what a request did, in the trace of its caller', async () => {
    const { headers } = await supertest(server.url)
      .post('/api/auth/register')
      .set('traceparent', `00-${traceId}-${callerId}-01`)
      .send({ username: 'ada', password: 'a canary for every desk' })
      .expect(201);
    const trace = () => collector.spans.filter((span) => span.traceId === traceId);
    await eventually(async () => expect(trace().map(({ name }) => name)).toContain('POST /api/auth/register'));
    const request = trace().find(({ name }) => name === 'POST /api/auth/register');
    expect(request?.parentSpanId).toBe(callerId);
    const attributes = Object.fromEntries((request?.attributes ?? []).map(({ key, value }) => [key, Object.values(value)[0]]));
    expect(attributes).toMatchObject({ 'http.response.status_code': 201, 'shop.request_id': headers['x-request-id'] });
    expect(trace().filter(({ name, parentSpanId }) => name === 'dynamodb' && parentSpanId === request?.spanId)).not.toEqual([]);
    expect(JSON.stringify(collector.spans)).not.toContain('canary');
  });

  it('begins a trace of its own for anybody else, down to the statements', async () => {
    await supertest(server.url).get('/api/products?q=canary').set('traceparent', 'nonsense').expect(200);
    const request = () => collector.spans.find(({ name }) => name === 'GET /api/products');
    await eventually(async () => expect(request()).toBeDefined());
    expect(request()?.parentSpanId ?? '').toBe('');
    const steps = collector.spans.filter((span) => span.traceId === request()?.traceId && span.name === 'sql');
    expect(steps.map(({ parentSpanId }) => parentSpanId)).toEqual([request()?.spanId]);
    expect(JSON.stringify(collector.spans)).not.toContain('canary');
  });
});

describe('a shop whose collector is down', () => {
  it('goes on, and stops in time', async () => {
    const server = await startServer({ DATA_DIR: folder.path, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' });
    await supertest(server.url).get('/api/products').expect(200);
    expect(await server.kill('SIGTERM')).toBe(0);
  });
});
