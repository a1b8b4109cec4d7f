import { randomUUID } from 'node:crypto';
import type { History } from './history.ts';
import type { Random } from './random.ts';
import { type Ask, field, type Known, member, perform, type ShopClient, slugOf } from './shop-client.ts';

/** A user with a session, who asks again until an answer is definite where that is safe. */
export interface Actor {
  readonly username: string;
  readonly userId: string;
  token(): string;
  refreshToken(): string;
  /** Once. */
  try(known: Omit<Known, 'user'>, ask: Ask): ReturnType<typeof perform>;
  /** The same request until its outcome is definite, or `stopped` and the patience after it is over. */
  insist(known: Omit<Known, 'user'>, ask: Ask): ReturnType<typeof perform>;
  /** a new access token; a lost answer is asked for again, which must give the same successor */
  refresh(): Promise<void>;
}

export interface Stage {
  readonly client: ShopClient;
  readonly history: History;
  /** gives up insisting; what is unknown then stays so */
  readonly patience: AbortSignal;
}

const betweenMs = 100;
const longestBetweenMs = 1000;

interface Account {
  readonly username: string;
  readonly password: string;
}

/** Registers the user, or signs in the one that a lost answer has left. @throws when the shop refuses both */
export async function enter(stage: Stage, account: Account): Promise<Actor> {
  const body = account;
  const registered = await insisting(
    stage,
    { kind: 'register', user: account.username },
    { method: 'POST', path: '/api/auth/register', body },
  );
  return registered.outcome === 'ok' ? actorOf(stage, account, registered.body) : signIn(stage, account);
}

/** @throws when the shop refuses it */
export async function signIn(stage: Stage, account: Account): Promise<Actor> {
  const known = { kind: 'login', user: account.username } as const;
  const answer = await insisting(stage, known, { method: 'POST', path: '/api/auth/login', body: account });
  if (answer.outcome !== 'ok') throw new Error(`${account.username} can not sign in: ${answer.status} ${answer.text}`);
  return actorOf(stage, account, answer.body);
}

function actorOf(stage: Stage, { username }: Account, signedIn: unknown): Actor {
  let tokens = tokensOf(signedIn);
  return {
    username,
    userId: field(member(signedIn, 'user'), 'id') ?? '',
    token: () => tokens.accessToken,
    refreshToken: () => tokens.refreshToken,
    try: (known, ask) => perform(stage.client, stage.history, { ask, known: { ...known, user: username } }),
    insist: (known, ask) => insisting(stage, { ...known, user: username }, ask),
    async refresh() {
      const { refreshToken } = tokens;
      const ask = { method: 'POST', path: '/api/auth/refresh', body: { refreshToken } } as const;
      const answer = await insisting(stage, { kind: 'refresh', user: username, refreshToken }, ask);
      if (answer.outcome === 'ok') tokens = tokensOf(answer.body);
    },
  };
}

async function insisting(stage: Stage, known: Known, ask: Ask): ReturnType<typeof perform> {
  for (let pauseMs = betweenMs; ; pauseMs = Math.min(longestBetweenMs, 2 * pauseMs)) {
    const answer = await perform(stage.client, stage.history, { ask, known });
    const again = answer.outcome === 'unknown' || (answer.status === 429 && slugOf(answer) === 'throttled');
    if (!again || stage.patience.aborted) return answer;
    await pausing(pauseMs, stage.patience);
  }
}

export function pausing(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const over = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    signal.addEventListener('abort', over);
  });
}

export function tokensOf(body: unknown): { readonly accessToken: string; readonly refreshToken: string } {
  return { accessToken: field(body, 'accessToken') ?? '', refreshToken: field(body, 'refreshToken') ?? '' };
}

/** Its letters appear in nothing that the shop may write down or answer. */
export function canaryPassword(random: Random): string {
  return `canary ${random.below(1e9).toString(36)} ${randomUUID()}`;
}
