import fc from 'fast-check';
import { type Answer, type AuthProcess, type AuthProcesses, openAuthProcesses } from './harness/auth-processes.ts';
import { createInterleaving } from './harness/interleaving.ts';

const password = 'a fine long password';
const newPassword = 'a better long password';

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

async function interleave(
  chosen: readonly Operation[],
  choices: readonly number[],
  signed: Signed,
): Promise<Map<Operation, Answer>> {
  const { pause, run } = createInterleaving(choices);
  for (const process of [one, two]) process.pause = ({ command }) => (command === 'QueryCommand' ? Promise.resolve() : pause());
  try {
    const answers = await run(chosen.map((name) => async () => [name, await operations[name](signed)] as const));
    return new Map(answers);
  } finally {
    for (const process of [one, two]) process.pause = async () => {};
  }
}

const interleavings = fc.array(fc.nat(3), { maxLength: 40 });

describe('whatever happens at the same time', () => {
  it('a session that has ended never lives again, and one that has not goes on', async () => {
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(names, { minLength: 2, maxLength: 4 }), interleavings, async (chosen, choices) => {
        const signed = await signIn();
        const answers = await interleave(chosen, choices, signed);
        for (const process of [one, two]) await process.work('auth-marks', 'auth-revocations');
        await checkSessions(signed, answers);
      }),
      { numRuns: 40 },
    );
  }, 300_000);
});

async function checkSessions({ own, other, username }: Signed, answers: ReadonlyMap<Operation, Answer>): Promise<void> {
  const done = (name: Operation) => answers.get(name)?.status === 204;
  for (const [, { status }] of answers) expect([200, 204, 401]).toContain(status);
  const everything = done('sign everything out') || done('erase') || done('deactivate');
  const otherEnded = everything || done('sign other out') || done('change the password');
  // A change that was refused is no reason to end anything.
  if (done('change the password') && !everything)
    await expectLive(own, [answers.get('refresh own in one'), answers.get('refresh own in two')]);
  if (everything) await expectDead(own, [answers.get('refresh own in one'), answers.get('refresh own in two')]);
  const ofOther = [answers.get('refresh other in one'), answers.get('refresh other in two')];
  if (otherEnded) await expectDead(other, ofOther);
  else await expectLive(other, ofOther);

  const ended = done('erase') || done('deactivate');
  const signedIn = answers.get('sign in');
  if (signedIn?.status === 200 && ended) await expectDead(signedIn.body, []);
  expect((await two.call('login', { body: { username, password } })).status).toBe(
    ended || done('change the password') ? 401 : 200,
  );
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

const successors = (renewals: readonly (Answer | undefined)[]): Tokens[] =>
  renewals.flatMap((renewal) => (renewal?.status === 200 ? [renewal.body] : []));
