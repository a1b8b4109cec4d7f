import fc from 'fast-check';
import { type Answer, type AuthProcess, type AuthProcesses, openAuthProcesses } from './harness/auth-processes.ts';
import { createInterleaving, type Pick, preemptedAfter, prioritized } from './harness/interleaving.ts';

const password = 'a fine long password';
const newPassword = 'a better long password';

// many small stories in one test
jest.setTimeout(120_000);

let store: AuthProcesses;
let one: AuthProcess;
let two: AuthProcess;
beforeAll(async () => {
  store = await openAuthProcesses();
  one = await store.start();
  two = await store.start();
});
afterAll(() => store.close());

let counter = 0;
const newName = () => {
  counter += 1;
  return `racer${counter}`;
};

/** Two sessions of one user: `own` makes changes, `other` is a second device. */
async function signIn() {
  const username = newName();
  const { body: own } = await one.call('register', { body: { username, password } });
  const { body: other } = await one.call('login', { body: { username, password } });
  return { username, own, other };
}
type Signed = Awaited<ReturnType<typeof signIn>>;

const refresh = (process: AuthProcess, refreshToken: string) => process.call('refresh', { body: { refreshToken } });
const operations = {
  'refresh own in one': ({ own }: Signed) => refresh(one, own.refreshToken),
  'refresh own in two': ({ own }: Signed) => refresh(two, own.refreshToken),
  'refresh own twice': async ({ own }: Signed) => {
    const first = await refresh(two, own.refreshToken);
    return first.status === 200 ? refresh(two, first.body.refreshToken) : first;
  },
  'refresh other in one': ({ other }: Signed) => refresh(one, other.refreshToken),
  'refresh other in two': ({ other }: Signed) => refresh(two, other.refreshToken),
  'change the password': ({ own }: Signed) =>
    one.call('changePassword', { token: own.accessToken, body: { currentPassword: password, newPassword } }),
  'sign other out': ({ other }: Signed) => two.call('logout', { token: other.accessToken }),
  'sign everything out': ({ own }: Signed) => two.call('logout', { token: own.accessToken, body: { all: true } }),
  erase: ({ other }: Signed) => two.call('eraseAccount', { token: other.accessToken, body: { password } }),
  deactivate: ({ own }: Signed) => one.call('deactivateAccount', { token: own.accessToken, body: { password } }),
  'sign in': ({ username }: Signed) => two.call('login', { body: { username, password } }),
};
type Operation = keyof typeof operations;
const names = Object.keys(operations) as Operation[];

async function interleave(chosen: readonly Operation[], pick: Pick, signed: Signed) {
  const { pause, run, steps } = createInterleaving(pick);
  // the queries are those of the polls, which go on beside everything
  for (const process of [one, two]) process.pause = ({ command }) => (command === 'QueryCommand' ? Promise.resolve() : pause());
  try {
    const answers = await run(chosen.map((name) => async () => [name, await operations[name](signed)] as const));
    return { answers: new Map<Operation, Answer>(answers), made: steps[0] ?? 0 };
  } finally {
    for (const process of [one, two]) process.pause = async () => {};
  }
}

/** Returns how many requests the first operation made. */
async function story(chosen: readonly Operation[], pick: Pick): Promise<number> {
  const signed = await signIn();
  const { answers, made } = await interleave(chosen, pick, signed);
  for (const process of [one, two]) await process.work('auth-marks', 'auth-revocations');
  await checkSessions(signed, answers);
  return made;
}

const refreshes: readonly Operation[] = ['refresh own in one', 'refresh other in one', 'sign in'];
const ends: readonly Operation[] = ['change the password', 'sign other out', 'sign everything out', 'erase'];

describe('a session that has ended never lives again, and one that has not goes on', () => {
  const pairs = [
    ...refreshes
      .flatMap((first) => ends.flatMap((second) => [[first, second] as const, [second, first] as const]))
      // signing the other device out is no business of the rest
      .filter((pair) => !pair.includes('sign other out') || pair.includes('refresh other in one')),
    ['refresh own in one', 'refresh own in two'] as const,
    ['refresh own in one', 'refresh own twice'] as const,
    ['change the password', 'deactivate'] as const,
    ['erase', 'change the password'] as const,
  ];
  it.each(pairs)('when "%s" is interrupted anywhere by "%s"', async (first, second) => {
    let made = Number.POSITIVE_INFINITY;
    for (let steps = 0; steps <= made; steps++) {
      try {
        made = await story([first, second], preemptedAfter(steps));
      } catch (error) {
        throw new Error(`interrupted after ${steps} steps: ${error instanceof Error ? error.message : error}`, { cause: error });
      }
    }
  });

  it('when more happens at the same time', async () => {
    const priorities = fc.shuffledSubarray([1, 2, 3, 4], { minLength: 4 });
    const changes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 3, maxLength: 3 });
    const chosen = fc.shuffledSubarray(names, { minLength: 3, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(chosen, priorities, changes, async (...[operation, order, points]) => {
        await story(operation, prioritized(order, points));
      }),
      { numRuns: 20 },
    );
  });
});

async function checkSessions({ own, other, username }: Signed, answers: ReadonlyMap<Operation, Answer>): Promise<void> {
  const done = (name: Operation) => answers.get(name)?.status === 204;
  for (const [, { status }] of answers) expect([200, 204, 401]).toContain(status);
  const ofOwn = [answers.get('refresh own in one'), answers.get('refresh own in two')];
  const ofOther = [answers.get('refresh other in one'), answers.get('refresh other in two')];
  const twice = answers.get('refresh own twice');
  const gone = done('erase') || done('deactivate');
  const everything = done('sign everything out') || gone;

  if (everything) await expectDead(own, [...ofOwn, twice]);
  else if (twice !== undefined) await expectOneAlive(own, [...ofOwn, twice]);
  else await expectLive(own, ofOwn);
  if (everything || done('sign other out') || done('change the password')) await expectDead(other, ofOther);
  else await expectLive(other, ofOther);

  const signedIn = answers.get('sign in');
  // it was let in by a password or a state that is not the account's any more
  if (signedIn?.status === 200 && (gone || done('change the password'))) await expectDead(signedIn.body, []);
  const { status } = await two.call('login', { body: { username, password } });
  expect(status).toBe(gone || done('change the password') ? 401 : 200);
}

interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** Every token that was ever handed out for the session is refused, in both processes. */
async function expectDead(first: Tokens, renewals: readonly (Answer | undefined)[]): Promise<void> {
  for (const { accessToken, refreshToken } of [first, ...successors(renewals)]) {
    for (const process of [one, two]) {
      expect((await process.call('getAccount', { token: accessToken })).status).toBe(401);
      expect((await refresh(process, refreshToken)).status).toBe(401);
    }
  }
}

/** All copies of a refresh had one successor; it is good for one more, and then every spent token ends the session. */
async function expectLive(first: Tokens, renewals: readonly (Answer | undefined)[]): Promise<void> {
  for (const renewal of renewals) if (renewal) expect(renewal.status).toBe(200);
  const made = successors(renewals);
  expect(new Set(made.map(({ refreshToken }) => refreshToken)).size).toBe(made.length > 0 ? 1 : 0);
  for (const { accessToken } of [first, ...made]) expect((await two.call('getAccount', { token: accessToken })).status).toBe(200);
  const newest = made[0]?.refreshToken ?? first.refreshToken;
  const next = await refresh(two, newest);
  expect(next.status).toBe(200);
  const after = await refresh(one, next.body.refreshToken);
  expect(after.status).toBe(200);
  expect((await refresh(one, newest)).status).toBe(401);
  expect((await refresh(two, after.body.refreshToken)).status).toBe(401);
}

/** Whatever was refused meanwhile: of all tokens at most the newest is good. */
async function expectOneAlive(first: Tokens, renewals: readonly (Answer | undefined)[]): Promise<void> {
  const tokens = [first, ...successors(renewals)].map(({ refreshToken }) => refreshToken);
  const generationOf = (token: string) => Number(token.split('.')[2]);
  const newestFirst = [...new Set(tokens)].toSorted((one, other) => generationOf(other) - generationOf(one));
  const alive = [];
  for (const token of newestFirst) if ((await refresh(two, token)).status === 200) alive.push(token);
  expect([[], newestFirst.slice(0, 1)]).toContainEqual(alive);
}

const successors = (renewals: readonly (Answer | undefined)[]): Tokens[] =>
  renewals.flatMap((renewal) => (renewal?.status === 200 ? [renewal.body] : []));
