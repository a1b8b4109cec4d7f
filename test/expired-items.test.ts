import { type AuthProcesses, openAuthProcesses } from './harness/auth-processes.ts';

const day = 24 * 60 * 60 * 1000;
const password = 'a fine long password';
let store: AuthProcesses;
let offset = 0;
beforeAll(async () => {
  store = await openAuthProcesses();
});
afterAll(() => store.close());

it('sessions and revocations whose time is over are removed where the store has no TTL', async () => {
  const process = await store.start({ now: () => Date.now() + offset });
  const sessionsOf = async () => (await process.dynamo.client.scan({ TableName: 'Sessions' })).Items?.length;
  const revocationsOf = async () => (await process.dynamo.client.scan({ TableName: 'Revocations' })).Items?.length;
  const { body } = await process.call('register', { body: { username: 'early', password } });
  await process.call('logout', { token: body.accessToken });
  await process.call('login', { body: { username: 'early', password } });
  offset = 20 * day;
  const { body: later } = await process.call('login', { body: { username: 'early', password } });
  await process.call('logout', { token: body.accessToken });
  expect([await sessionsOf(), await revocationsOf()]).toEqual([2, 1]);
  await process.work('auth-expired-items');
  expect([await sessionsOf(), await revocationsOf()]).toEqual([2, 0]);
  offset = 31 * day;
  await process.work('auth-expired-items');
  expect([await sessionsOf(), await revocationsOf()]).toEqual([1, 0]);
  expect((await process.call('refresh', { body: { refreshToken: later.refreshToken } })).status).toBe(200);
});
