import type { Route } from '../../shared/route.ts';
import { route } from '../../shared/route.ts';
import type { AccessTokens } from './access-token.ts';
import { jwksSchema } from './auth-schema.ts';

/** The public keys that verify access tokens (RFC 7517). */
export function keyRoutes({ jwks }: AccessTokens): readonly Route[] {
  return [
    route({
      method: 'get',
      path: '/.well-known/jwks.json',
      access: 'public',
      quota: 'browsing',
      tag: 'Accounts',
      operationId: 'getKeys',
      summary: 'The public keys of access tokens',
      replies: { 200: { description: 'A JSON Web Key Set', body: jwksSchema } },
      problems: [],
      handle: async () => ({ status: 200, body: jwks, headers: { 'Cache-Control': 'public, max-age=300' } }),
    }),
  ];
}
