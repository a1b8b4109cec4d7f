import type { DestinationStream } from 'pino';
import { problemGuides } from '../../src/problem-guides.ts';
import { Failure } from '../../src/shared/failure.ts';
import { createFront, type FrontOptions } from '../../src/shared/http-front.ts';
import { createHttpServer } from '../../src/shared/http-server.ts';
import { createShedding } from '../../src/shared/http-shedding.ts';
import { createLoadLimiter, type LoadLimiter } from '../../src/shared/load-limiter.ts';
import { createLogger } from '../../src/shared/logger.ts';
import type { Role } from '../../src/shared/principal.ts';
import { createReadiness, type StoreCheck } from '../../src/shared/readiness.ts';
import { type Agent, checkedAgent } from './checked-agent.ts';
import { documentedAnswers, fetchDocument } from './documented-answers.ts';
import { sampleRoutes } from './sample-routes.ts';

const sampleInfo = {
  title: 'Harbour',
  version: '1.0.0',
  description: 'Boats.',
  tags: { Boats: 'They swim', Operations: 'For machines' },
};

/** A front over the sample routes on a port of its own. Tokens are `<role>-<user>`. */
export async function startFront({
  checks = {},
  ...options
}: Partial<FrontOptions> & { checks?: Record<string, StoreCheck> } = {}) {
  const lines: string[] = [];
  const stream: DestinationStream = { write: (line) => void lines.push(line) };
  const log = createLogger({ level: 'info', stream });
  const readiness = createReadiness({ checks, log });
  const limiter: LoadLimiter = createLoadLimiter({ log });
  const { routes = sampleRoutes, corsOrigins = [] } = options;
  const { handler, messages } = createFront({
    authenticate,
    trustProxyHops: 0,
    limiter,
    readiness,
    info: sampleInfo,
    guides: problemGuides,
    log,
    ...options,
    routes,
    corsOrigins,
  });
  const shed = createShedding({ routes, limiter, readiness, corsOrigins });
  const http = createHttpServer({ handler, messages, readiness, log, shed });
  const port = await http.listen({ port: 0, host: '127.0.0.1' });
  readiness.become('ready');
  const url = `http://127.0.0.1:${port}`;
  const check = documentedAnswers(await fetchDocument(url));
  return {
    as: (token?: string): Agent => checkedAgent({ url, check, ...(token !== undefined && { token }) }),
    http,
    limiter,
    port,
    readiness,
    lines,
    url,
    stop: async () => {
      limiter.close();
      await http.drain({ delayMs: 0, timeoutMs: 100 });
    },
  };
}

async function authenticate(token: string) {
  const [role = '', userId = ''] = token.split('-');
  if (!isRole(role)) throw new Failure('unauthenticated', { detail: 'The access token is not valid.' });
  return { userId, sessionId: 's', roles: [role], tokenVersion: 1 };
}

function isRole(value: string): value is Role {
  return value === 'customer' || value === 'staff' || value === 'admin';
}

export type Front = Awaited<ReturnType<typeof startFront>>;
