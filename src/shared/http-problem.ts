import type { ErrorRequestHandler, Request, Response } from 'express';
import type { Logger } from 'pino';
import { Failure, type ProblemCode, problems, unavailable } from './failure.ts';
import { closeGently } from './http-linger.ts';
import { type RequestState, stateOf } from './http-state.ts';
import { noteSecurity, type SecurityEvent } from './security-log.ts';
import { isStoreDown } from './store-errors.ts';

/** The body of every error (RFC 9457). `instance` is the request id. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly [member: string]: unknown;
}

/** The problem document of a refusal. Members of the failure never replace the standard ones. */
export function problemOf(failure: Failure, requestId: string): Problem {
  const { status, title } = problems[failure.code];
  return { ...failure.members, type: `/problems/${failure.code}`, title, status, detail: failure.message, instance: requestId };
}

/** Whatever was thrown as the refusal that the client is told: nothing of an unexpected error reaches him. */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (isStoreDown(error)) return unavailable('A store does not answer. Try again.', error);
  if (error instanceof URIError) return new Failure('malformed', { detail: 'The path is not well encoded.', cause: error });
  return new Failure('internal', { detail: 'The fault was logged under the request id.', cause: error });
}

/** The last handler: the only place where errors become answers. */
export function createProblemHandler({ log }: { readonly log: Logger }): ErrorRequestHandler {
  // biome-ignore lint/complexity/useMaxParams: Express knows an error handler by its four parameters
  return (error, request, response, _next) => {
    const failure = toFailure(error);
    stateOf(response).problem = failure.code;
    report({ failure, log, state: stateOf(response) });
    if (response.headersSent) response.destroy();
    else sendProblem(request, response, failure);
  };
}

/** Which refusals are events of security by themselves; a wrong password is told by who has looked at it. */
const securityEvents: Partial<Record<ProblemCode, SecurityEvent>> = {
  unauthenticated: 'unauthenticated',
  forbidden: 'forbidden',
  throttled: 'throttled',
  'invalid-refresh-token': 'refresh-refused',
};

function report({ failure, log, state }: { failure: Failure; log: Logger; state: RequestState }): void {
  const { requestId, address, userId, operationId } = state;
  const event = securityEvents[failure.code];
  if (event !== undefined) noteSecurity(log, event, { requestId, address, userId, operationId, reason: failure.message });
  if (failure.code === 'internal') log.error({ requestId, error: failure.cause ?? failure }, 'unexpected error');
  // an overload has no cause to look for, the line of the request says it all, and each line more adds to it
  else if (problems[failure.code].status >= 500 && failure.code !== 'overloaded')
    log.warn({ requestId, problem: failure.code, error: failure.cause ?? failure }, 'refused');
}

function sendProblem(request: Request, response: Response, failure: Failure): void {
  const problem = problemOf(failure, stateOf(response).requestId);
  for (const [name, value] of Object.entries(failure.headers)) response.setHeader(name, value);
  if (problem.status === 401) response.setHeader('WWW-Authenticate', challenge(request, failure));
  if (problem.status === 503 && !response.hasHeader('Retry-After')) response.setHeader('Retry-After', '1');
  const body = Buffer.from(JSON.stringify(problem));
  response.statusCode = problem.status;
  response.setHeader('Content-Type', 'application/problem+json');
  response.setHeader('Content-Length', body.length);
  response.setHeader('Cache-Control', 'private, no-store');
  if (!request.complete) closeGently(request, response);
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** RFC 6750, section 3: `invalid_token` only when a token was sent. */
function challenge({ headers }: Request, { code }: Failure): string {
  return code === 'unauthenticated' && headers.authorization !== undefined ? 'Bearer error="invalid_token"' : 'Bearer';
}
