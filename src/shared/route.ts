import type { z } from 'zod';
import type { ProblemCode } from './failure.ts';
import type { BodyStream } from './http-stream.ts';
import type { Shedding } from './load-limiter.ts';
import type { Principal, Role } from './principal.ts';

/**
 * Who may call a route. `public` ignores any token; `optional` serves everybody but verifies a token that is sent;
 * a role wants a token of that role or of one that contains it.
 */
export type Access = 'public' | 'optional' | Role;

/** What a handler is given: everything validated, nothing of the HTTP library. */
export interface Call<Params, Query, Headers, Body, Who> {
  readonly params: Params;
  readonly query: Query;
  /** the declared request headers only, names in lower case */
  readonly headers: Headers;
  readonly body: Body;
  /** of a route with `streams`; nothing comes from that of another one */
  readonly stream: BodyStream;
  /** which of the media types of its streamed answer the client would rather have; empty where there are none */
  readonly accepted: string;
  readonly principal: Who;
  readonly requestId: string;
  /** the client's address as the trusted proxies tell it */
  readonly address: string;
  readonly userAgent: string;
  /** path and query as sent, for links to the next page */
  readonly url: string;
}

export interface Reply {
  readonly status: number;
  /** JSON-able; absent for 204 and 304 */
  readonly body?: unknown;
  /** a body that is sent as it is made, in place of `body` */
  readonly stream?: { readonly type: string; readonly texts: AsyncIterable<string> };
  readonly headers?: Readonly<Record<string, string>>;
}

/** By media type what one line is, or the whole text. */
export type StreamTypes = Readonly<Record<string, z.ZodType>>;

export interface DocumentedReply {
  readonly description: string;
  readonly body?: z.ZodType;
  /** a streamed answer: what one line of it is, by media type, in the order of preference */
  readonly streams?: StreamTypes;
  /** names of the response headers that clients may rely on, with what they say */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface RouteSpec<Params, Query, Headers, Body, A extends Access> {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** in the form of OpenAPI: `/api/things/{id}` */
  readonly path: string;
  readonly access: A;
  /** the name of the quota that a request counts against; the composition root knows the quotas */
  readonly quota: string;
  /** absent: `late` */
  readonly shedding?: Shedding;
  readonly tag: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  /** path parameters, from strings; a violation is 400 */
  readonly params?: z.ZodType<Params>;
  /** query parameters, each a single string, unknown ones refused; a violation is 400 */
  readonly query?: z.ZodType<Query>;
  /** request headers by lower-case name, each a string or absent; a violation is 400 */
  readonly headers?: z.ZodType<Headers>;
  /** JSON body; a violation is 422. Without a schema the route accepts no body. */
  readonly body?: z.ZodType<Body>;
  /** media types of a body that the handler reads as it comes in, instead of `body`; the handler checks what is in it */
  readonly streams?: StreamTypes;
  /** the body may be absent (then `body` is undefined) */
  readonly bodyOptional?: boolean;
  /** accepts `application/merge-patch+json` beside `application/json` */
  readonly mergePatch?: boolean;
  readonly replies: Readonly<Record<number, DocumentedReply>>;
  /** the problems that this route can answer beside those that every route can */
  readonly problems: readonly ProblemCode[];
  readonly handle: (call: Call<Params, Query, Headers, Body, Who<A>>) => Promise<Reply>;
}

type Who<A extends Access> = A extends 'public' ? undefined : A extends 'optional' ? Principal | undefined : Principal;

/** A route as the front mounts it; what its handler takes was checked where it was defined. */
export type Route = Omit<RouteSpec<unknown, unknown, unknown, unknown, Access>, 'handle'> & {
  readonly handle: (call: Call<unknown, unknown, unknown, unknown, Principal | undefined>) => Promise<Reply>;
};

/** Defines one route: the types of the handler's input follow from its schemas. */
export function route<A extends Access, Params = undefined, Query = undefined, Headers = undefined, Body = undefined>(
  spec: RouteSpec<Params, Query, Headers, Body, A>,
): Route {
  // The front validates with these very schemas and checks `access` before it calls, so the handler gets what it declares.
  return spec as unknown as Route;
}
