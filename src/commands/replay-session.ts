import { z } from 'zod';
import { describe, problemOf, type ReplayClient, read } from './replay-client.ts';
import { ReplayStop } from './replay-stop.ts';
import type { ShopAnswer, ShopRequest } from './shop-connection.ts';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Asks in the name of one user. */
export interface Session {
  readonly userId: string;
  /** As `ReplayClient.ask`, with an access token that is renewed before it ends and when the shop refuses it. */
  ask(request: Omit<ShopRequest, 'accessToken'>): Promise<ShopAnswer>;
}

const tokensSchema = z.object({ accessToken: z.string(), refreshToken: z.string(), expiresIn: z.number() });
const signedInSchema = tokensSchema.extend({ user: z.object({ id: z.string() }) });

type Tokens = z.output<typeof tokensSchema> & { readonly staleAt: number };

/** The access token is renewed when this part of its life is over. */
const renewedAt = 0.9;

/** @throws ReplayStop when the shop refuses the password */
export async function signIn(client: ReplayClient, credentials: Credentials): Promise<Session> {
  const answer = await client.ask({ method: 'POST', path: '/api/auth/login', body: credentials });
  if (answer.status !== 200)
    throw new ReplayStop('setup', `the shop does not let ${credentials.username} sign in: ${describe(answer)}`);
  return sessionOf({ client, credentials, answer });
}

/** Registers a customer, or signs in the one that an earlier run or a lost answer has left. */
export async function register(client: ReplayClient, credentials: Credentials): Promise<Session> {
  const answer = await client.ask({ method: 'POST', path: '/api/auth/register', body: credentials });
  if (answer.status === 409 && problemOf(answer) === 'duplicate') return signIn(client, credentials);
  if (answer.status !== 201)
    throw new ReplayStop('setup', `the shop does not register ${credentials.username}: ${describe(answer)}`);
  return sessionOf({ client, credentials, answer });
}

interface SignedIn {
  readonly client: ReplayClient;
  readonly credentials: Credentials;
  readonly answer: ShopAnswer;
}

function sessionOf({ client, credentials, answer }: SignedIn): Session {
  const first = read(answer, signedInSchema);
  let tokens = fresh(first);
  let renewal: Promise<void> | undefined;

  async function renew(): Promise<void> {
    const refreshed = await client.ask({
      method: 'POST',
      path: '/api/auth/refresh',
      body: { refreshToken: tokens.refreshToken },
    });
    if (refreshed.status === 200) {
      tokens = fresh(read(refreshed, tokensSchema));
      return;
    }
    const login = await client.ask({ method: 'POST', path: '/api/auth/login', body: credentials });
    if (login.status !== 200)
      throw new ReplayStop('setup', `the shop does not let ${credentials.username} sign in again: ${describe(login)}`);
    tokens = fresh(read(login, tokensSchema));
  }

  /** One renewal serves everybody who waits for it. */
  async function renewOnce(): Promise<void> {
    renewal ??= renew().finally(() => {
      renewal = undefined;
    });
    await renewal;
  }

  return {
    userId: first.user.id,
    async ask(request) {
      if (performance.now() > tokens.staleAt) await renewOnce();
      const used = tokens.accessToken;
      const reply = await client.ask({ ...request, accessToken: used });
      if (reply.status !== 401) return reply;
      if (used === tokens.accessToken) await renewOnce();
      return client.ask({ ...request, accessToken: tokens.accessToken });
    },
  };
}

function fresh(tokens: z.output<typeof tokensSchema>): Tokens {
  return { ...tokens, staleAt: performance.now() + tokens.expiresIn * 1000 * renewedAt };
}
