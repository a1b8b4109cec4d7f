import { canaryPassword, pausing, type Stage, tokensOf } from './actors.ts';
import type { Random } from './random.ts';
import { perform } from './shop-client.ts';

const pauseMs = 400;

/** People who register under a name that two of them want at the same time, sign in, and sign out. */
export async function comeAndGo({
  stage,
  name,
  random,
  ending,
  keep,
}: {
  readonly stage: Stage;
  readonly name: string;
  readonly random: Random;
  readonly ending: AbortSignal;
  /** is told every password */
  readonly keep: (password: string) => void;
}): Promise<void> {
  const { client, history } = stage;
  for (let number = 1; !ending.aborted; number++) {
    const username = `${name}-visitor-${number}`;
    const password = canaryPassword(random);
    keep(password);
    const register = { method: 'POST', path: '/api/auth/register', body: { username, password } } as const;
    const both = await Promise.all(
      [1, 2].map(() => perform(client, history, { ask: register, known: { kind: 'register', user: username } })),
    );
    const login = { ...register, path: '/api/auth/login' };
    const signedIn = await perform(client, history, { ask: login, known: { kind: 'login', user: username } });
    const tokens = [...both, signedIn].map(({ body }) => tokensOf(body)).find(({ accessToken }) => accessToken !== '');
    if (tokens !== undefined) {
      const { accessToken: token, refreshToken } = tokens;
      const ask = { method: 'POST', path: '/api/auth/logout', token } as const;
      await perform(client, history, { ask, known: { kind: 'logout', user: username, refreshToken } });
    }
    await pausing(pauseMs, ending);
  }
}
