import type { Answer, AuthProcess, AuthProcesses } from './auth-processes.ts';

export const password = 'a fine long password';

/** The time of processes that `everyCrash` starts; `offset` moves it. */
export const clock = { offset: 0, now: () => Date.now() + clock.offset };

let counter = 0;
export const newName = () => {
  counter += 1;
  return `person${counter}`;
};

export async function signUp(process: AuthProcess, username = newName()) {
  const { body } = await expectStatus(process.call('register', { body: { username, password } }), 201);
  return { username, id: body.user.id, tokens: body };
}
export const login = (process: AuthProcess, username: string, word = password) =>
  process.call('login', { body: { username, password: word } });
export const refresh = (process: AuthProcess, refreshToken: string) => process.call('refresh', { body: { refreshToken } });
export const me = (process: AuthProcess, token: string) => process.call('getAccount', { token });

export async function expectStatus(call: Promise<Answer>, ...statuses: readonly number[]): Promise<Answer> {
  const answer = await call;
  expect({ ...answer.body, status: answer.status }).toEqual(expect.objectContaining({ status: expect.toBeOneOf(statuses) }));
  return answer;
}

expect.extend({
  toBeOneOf: (received: unknown, allowed: readonly unknown[]) => ({
    pass: allowed.includes(received),
    message: () => `${String(received)} is none of ${allowed.join(', ')}`,
  }),
});
declare global {
  namespace jest {
    interface Expect {
      toBeOneOf(allowed: readonly unknown[]): unknown;
    }
  }
}

interface Case<Prepared> {
  readonly prepare: (process: AuthProcess) => Promise<Prepared>;
  readonly act: (process: AuthProcess, prepared: Prepared) => Promise<Answer>;
  /** a new process after the crash; `answer` is what the client got */
  readonly check: (process: AuthProcess, prepared: Prepared, answer: Answer) => Promise<void>;
}

/** Lets a process die before and after each of its writes, and looks at what a new one finds. */
export async function everyCrash<Prepared>(store: AuthProcesses, { prepare, act, check }: Case<Prepared>): Promise<number> {
  const sane = await store.start({ now: clock.now });
  const whole = await prepare(sane);
  sane.plan();
  const answer = await act(sane, whole);
  const writes = sane.writes();
  await check(sane, whole, answer);
  for (let write = 1; write <= writes; write++) {
    // before a later write it is as after the one before
    const first = write === 1 ? (['crash before'] as const) : [];
    for (const verdict of [...first, 'crash after', 'lose the answer'] as const) {
      const prepared = await prepare(sane);
      const dying = await store.start({ now: clock.now });
      dying.plan((request) => (request.write === write ? verdict : 'go on'));
      const last = await act(dying, prepared);
      const survivor = await store.start({ now: clock.now });
      await survivor.auth.start();
      await survivor.work();
      try {
        if (verdict === 'lose the answer') expect(last.status).toBe(answer.status);
        else expect(last.status).toBe(503);
        await check(survivor, prepared, last);
      } catch (error) {
        throw new Error(`${verdict} write ${write} of ${writes}: ${error instanceof Error ? error.message : error}`, {
          cause: error,
        });
      } finally {
        clock.offset = 0;
        await dying.close();
        await survivor.close();
      }
    }
  }
  await sane.close();
  return writes;
}
