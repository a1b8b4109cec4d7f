import { AsyncLocalStorage } from 'node:async_hooks';
import type { Attributes, Span, SpanContext } from '@opentelemetry/api';
import type { RequestHandler } from 'express';
import type { Database, Sql } from './database.ts';
import type { Dynamo } from './dynamo.ts';
import { stateOf } from './http-state.ts';

/** Tells a collector what a request does and how long each part takes (OpenTelemetry). */
export interface Tracing {
  /** Begins what a request from outside asks for, as a part of the caller's trace when there is one (W3C Trace Context). */
  begin(traceparent: string | undefined): { run(work: () => void): void; end(name: string, attributes: Attributes): void };
  /** A part of what is under way; where nothing is, the work alone. */
  step<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T>;
  /** sends what was not sent yet */
  close(): Promise<void>;
}

export interface TracingSettings {
  /** of the collector, OTLP over HTTP, without `/v1/traces` */
  readonly endpoint: string;
  /** part of the traces that begin here, 0 to 1; one that somebody else has begun is followed as he decided */
  readonly ratio: number;
}

const exportTimeoutMs = 2000;

/** The libraries are loaded here: a shop that traces nothing does not know them. */
export async function openTracing({ endpoint, ratio }: TracingSettings): Promise<Tracing> {
  const [{ ROOT_CONTEXT, SpanKind, SpanStatusCode, trace }, sdk, { OTLPTraceExporter }, { resourceFromAttributes }] =
    await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
    ]);
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces`, timeoutMillis: exportTimeoutMs });
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'shop' }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter, exportTimeoutMillis: exportTimeoutMs })],
  });
  const tracer = provider.getTracer('shop');
  const current = new AsyncLocalStorage<Span>();
  const fail = (span: Span, error: unknown) =>
    span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : 'unknown' });

  return {
    begin: (traceparent) => {
      const caller = contextIn(traceparent);
      const parent = caller === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, caller);
      const span = tracer.startSpan('request', { kind: SpanKind.SERVER }, parent);
      return {
        run: (work) => current.run(span, work),
        end: (name, attributes) => {
          span.updateName(name).setAttributes(attributes).end();
        },
      };
    },
    step: async (name, attributes, work) => {
      const parent = current.getStore();
      if (parent === undefined) return work();
      const span = tracer.startSpan(name, { attributes, kind: SpanKind.CLIENT }, trace.setSpan(ROOT_CONTEXT, parent));
      try {
        return await current.run(span, work);
      } catch (error) {
        fail(span, error);
        throw error;
      } finally {
        span.end();
      }
    },
    close: () => provider.shutdown(),
  };
}

const traceparentForm = /^[0-9a-f]{2}-(?<traceId>[0-9a-f]{32})-(?<spanId>[0-9a-f]{16})-(?<flags>[0-9a-f]{2})$/;

function contextIn(traceparent = ''): SpanContext | undefined {
  const { traceId, spanId, flags } = traceparentForm.exec(traceparent)?.groups ?? {};
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
}

/** Every request becomes a span, named by its method and route. */
export function traceRequests(tracing: Tracing): RequestHandler {
  return (request, response, next) => {
    const traceparent = request.headers.traceparent;
    const span = tracing.begin(typeof traceparent === 'string' ? traceparent : undefined);
    response.once('close', () => {
      const { route = 'none', requestId } = stateOf(response);
      span.end(`${request.method} ${route}`, {
        'http.request.method': request.method,
        'http.route': route,
        'http.response.status_code': response.statusCode,
        'shop.request_id': requestId,
      });
    });
    span.run(() => next());
  };
}

/** Each statement and transaction is a step; of a statement its text is told, never what is bound to it. */
export function traceDatabase(db: Database, tracing: Tracing): Database {
  const statements = (sql: Sql): Pick<Sql, 'rows' | 'run'> => ({
    rows: (text, params) => tracing.step('sql', { 'db.query.text': text }, () => sql.rows(text, params)),
    run: (text, params) => tracing.step('sql', { 'db.query.text': text }, () => sql.run(text, params)),
  });
  return {
    ...db,
    ...statements(db),
    transaction: (work, options) =>
      tracing.step('transaction', {}, () => db.transaction((tx) => work({ ...tx, ...statements(tx) }), options)),
  };
}

/** Each request to the key-value store is a step. */
export function traceDynamo({ client }: Dynamo, tracing: Tracing): void {
  client.middlewareStack.add(
    (next, { commandName = 'unknown' }) =>
      (args) =>
        tracing.step('dynamodb', { 'rpc.method': commandName }, () => next(args)),
    { step: 'initialize', name: 'tracing' },
  );
}
