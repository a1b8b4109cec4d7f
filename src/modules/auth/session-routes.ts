import { z } from 'zod';
import { idParameter } from '../../shared/identifier.ts';
import { cursorParameter, decodeCursor, encodeCursor, limitParameter, pageOf, pageReply } from '../../shared/page.ts';
import type { Reply, Route } from '../../shared/route.ts';
import { route } from '../../shared/route.ts';
import { instant, personal } from './account-routes.ts';
import type { AccountService } from './account-service.ts';
import { logoutBody, refreshBody, sessionSchema, tokensSchema } from './auth-schema.ts';
import type { Refresh } from './refresh-session.ts';
import type { Session } from './session-store.ts';

const tag = 'Accounts';
export const listQuery = z.strictObject({ limit: limitParameter, cursor: cursorParameter });
const idCursor = z.tuple([idParameter]);

/** HTTP ↔ signed-in devices. */
export function sessionRoutes(services: SessionServices): readonly Route[] {
  return [...tokenRoutes(services), ...deviceRoutes(services)];
}

interface SessionServices {
  readonly accounts: AccountService;
  readonly refresh: Refresh;
}

function tokenRoutes({ accounts, refresh }: SessionServices): readonly Route[] {
  return [
    route({
      method: 'post',
      path: '/api/auth/refresh',
      access: 'public',
      quota: 'browsing',
      tag,
      operationId: 'refresh',
      summary: 'New tokens for a refresh token',
      description:
        'A refresh token is good for one successor. Sent again within 30 seconds it yields the same one; an older one that comes back ends the session.',
      body: refreshBody,
      replies: { 200: { description: 'New tokens', body: tokensSchema } },
      problems: ['invalid-refresh-token'],
      handle: async ({ body }) => personal(200, await refresh(body.refreshToken)),
    }),
    route({
      method: 'post',
      path: '/api/auth/logout',
      access: 'customer',
      quota: 'orders',
      tag,
      operationId: 'logout',
      summary: 'End this session, or all',
      body: logoutBody,
      bodyOptional: true,
      replies: { 204: { description: 'Ended' } },
      problems: [],
      handle: async ({ body, principal }) => {
        await accounts.logout(principal, body?.all === true);
        return personal(204);
      },
    }),
  ];
}

function deviceRoutes({ accounts }: SessionServices): readonly Route[] {
  return [
    route({
      method: 'get',
      path: '/api/auth/sessions',
      access: 'customer',
      quota: 'orders',
      tag,
      operationId: 'listSessions',
      summary: 'The devices that are signed in, the newest first',
      query: listQuery,
      replies: { 200: { description: 'A page of sessions', body: pageOf(sessionSchema), headers: { Link: 'The next page' } } },
      problems: [],
      handle: async ({ query: { limit, cursor }, principal, url }) => {
        const { sessions: found, next } = await accounts.listSessions(principal.userId, { limit, before: beforeOf(cursor) });
        const data = found.map((session) => ({ ...presentSession(session), current: session.id === principal.sessionId }));
        return personalPage({ data, next }, url);
      },
    }),
    route({
      method: 'delete',
      path: '/api/auth/sessions/{id}',
      access: 'customer',
      quota: 'orders',
      tag,
      operationId: 'endSession',
      summary: 'Sign a device out',
      params: z.strictObject({ id: idParameter }),
      replies: { 204: { description: 'The session has ended' } },
      problems: ['not-found'],
      handle: async ({ params: { id }, principal }) => {
        await accounts.endSession(principal, id);
        return personal(204);
      },
    }),
  ];
}

/** A session as it is shown to its user. */
export function presentSession({ id, device, createdAt, rotatedAt }: Session) {
  return { id, device, createdAt: instant(createdAt), lastUsedAt: instant(rotatedAt) };
}

/** The id after which a list goes on. @throws malformed */
export function beforeOf(cursor: string | undefined): string | undefined {
  return decodeCursor(cursor, idCursor)?.[0];
}

/** One page of a list that is nobody else's business. */
export function personalPage<Item>({ data, next }: { data: readonly Item[]; next: string | undefined }, url: string): Reply {
  const reply = pageReply({ data, ...(next !== undefined && { nextCursor: encodeCursor([next]) }) }, url);
  return { ...reply, headers: { ...reply.headers, ...personal(200).headers } };
}
