import { openAuthAudit } from '../src/modules/auth/index.ts';
import { auditErasures } from '../src/modules/orders/index.ts';
import { createAuditRun } from '../src/shared/audit-run.ts';
import { newId } from '../src/shared/identifier.ts';
import { auditOfOldRows } from './harness/audit-findings.ts';
import { type AuthProcess, type AuthProcesses, openAuthProcesses } from './harness/auth-processes.ts';
import { openShopStore } from './harness/module-door.ts';

/** What the audit finds among users, names, sessions and admins; every item is damaged in the store itself. */

const password = 'a fine long password';
const settings = { passwordMinLength: 12, bcryptCost: 4, admin: { username: 'root', password } };

let store: AuthProcesses;
let shop: AuthProcess;
let ada: { readonly id: string; readonly session: string };
let gone: string;

beforeEach(async () => {
  store = await openAuthProcesses();
  shop = await store.start({ settings });
  await shop.auth.start();
  const { body } = await shop.call('register', { body: { username: 'Ada', password } });
  const { body: sessions } = await shop.call('listSessions', { token: body.accessToken });
  ada = { id: body.user.id, session: sessions.data[0].id };
  const { body: leaving } = await shop.call('register', { body: { username: 'leaving', password } });
  await shop.call('eraseAccount', { token: leaving.accessToken, body: { password } });
  for (const { userId } of await shop.auth.api.usersToErase(10)) await shop.auth.api.erased(userId);
  gone = leaving.user.id;
});
afterEach(() => store.close());

const table = (name: string) => `${shop.dynamo.tablePrefix}${name}`;
const values = (item: Record<string, string | number>) =>
  Object.fromEntries(
    Object.entries(item).map(([name, value]) => [name, typeof value === 'number' ? { N: `${value}` } : { S: value }]),
  );

const put = (name: string, item: Record<string, string | number>) =>
  shop.dynamo.client.putItem({ TableName: table(name), Item: values(item) });
const remove = (name: string, key: Record<string, string>) =>
  shop.dynamo.client.deleteItem({ TableName: table(name), Key: values(key) });
const set = (name: string, key: Record<string, string>, [attribute, value]: readonly [string, string | number]) =>
  shop.dynamo.client.updateItem({
    TableName: table(name),
    Key: values(key),
    UpdateExpression: 'SET #n = :v',
    ExpressionAttributeNames: { '#n': attribute },
    ExpressionAttributeValues: values({ ':v': value }),
  });
const setList = (name: string, key: Record<string, string>, [attribute, list]: readonly [string, { S: string }[]]) =>
  shop.dynamo.client.updateItem({
    TableName: table(name),
    Key: values(key),
    UpdateExpression: 'SET #n = :v',
    ExpressionAttributeNames: { '#n': attribute },
    ExpressionAttributeValues: { ':v': { L: list } },
  });
const user = () => ({ user_id: ada.id });
const adminId = async () => (await shop.call('login', { body: { username: 'root', password } })).body.user.id;

async function kindsFound(): Promise<readonly string[]> {
  const audit = await openAuthAudit(shop.dynamo);
  const findings = await Array.fromAsync(audit.findings(auditOfOldRows()));
  return findings.map(({ invariant, subject }) => `${invariant} ${subject}`).sort();
}

describe('the audit of users', () => {
  it('finds nothing in a sound shop, and says how much it looked at', async () => {
    const run = auditOfOldRows();
    expect(await Array.fromAsync((await openAuthAudit(shop.dynamo)).findings(run))).toEqual([]);
    expect(Object.fromEntries(run.counts)).toEqual({ users: 3, usernames: 2, sessions: 1, admins: 1 });
  });

  it.each([
    ['a name that is nobody’s', 'I-08 user', () => remove('Usernames', { name_key: 'ada' })],
    ['a name that is another’s', 'I-08 user', () => set('Usernames', { name_key: 'ada' }, ['user_id', newId()])],
    ['a name that he is not found by', 'I-08 user', () => set('Users', user(), ['username', 'Eve'])],
    ['a state that is none', 'I-08 user', () => set('Users', user(), ['state', 'lost'])],
    ['a role that is none', 'I-08 user', () => setList('Users', user(), ['roles', [{ S: 'god' }]])],
    ['an erasure that is overdue', 'I-31 user', () => set('Users', user(), ['erase_at', 1])],
    ['a session from the future', 'I-15 session', () => set('Sessions', { session_id: ada.session }, ['token', 7])],
    ['a session of nobody', 'I-15 session', () => remove('Users', user()).then(() => remove('Usernames', { name_key: 'ada' }))],
    ['a session of an erased user', 'I-15 session', () => set('Sessions', { session_id: ada.session }, ['user_id', gone])],
    ['what is left of an erased user', 'I-31 gone user', () => set('Users', { user_id: gone }, ['password_hash', 'left'])],
  ] as const)('finds %s (%s)', async (_what, found, damage) => {
    await damage();
    const subject = { 'I-08 user': ada.id, 'I-31 user': ada.id, 'I-31 gone user': gone, 'I-15 session': ada.session }[found];
    expect(await kindsFound()).toEqual([`${found.replace('gone ', '')} ${subject}`]);
  });

  it('finds two names of one user (I-08)', async () => {
    await put('Usernames', { name_key: 'second', user_id: ada.id, request_id: newId(), created_at: 1 });
    expect(await kindsFound()).toEqual([`I-08 user ${ada.id}`]);
  });

  it('lets a name be whose registration died', async () => {
    await put('Usernames', { name_key: 'late', user_id: newId(), request_id: newId(), created_at: 1 });
    expect(await kindsFound()).toEqual([]);
  });

  it('finds an admin in the set who is none, and an empty set (I-08)', async () => {
    const id = await adminId();
    await set('Users', { user_id: id }, ['state', 'deactivated']);
    expect(await kindsFound()).toEqual([`I-08 user ${id}`]);
    await setList('Admins', { set_id: 'admins' }, ['entries', []]);
    expect(await kindsFound()).toEqual(['I-08 the set of admins']);
  });

  it('forgets what is gone on the second look', async () => {
    await remove('Usernames', { name_key: 'ada' });
    const run = createAuditRun({ secondLookMs: 0 });
    const beforeSecondLook = async () => {
      await put('Usernames', { name_key: 'ada', user_id: ada.id, request_id: newId(), created_at: 1 });
    };
    const audit = await openAuthAudit(shop.dynamo);
    expect(await Array.fromAsync(audit.findings({ ...run, beforeSecondLook }))).toEqual([]);
  });

  it('makes no table where there is none', async () => {
    const elsewhere = { ...shop.dynamo, tablePrefix: `${shop.dynamo.tablePrefix}none-` };
    const look = async () => Array.fromAsync((await openAuthAudit(elsewhere)).findings(auditOfOldRows()));
    await expect(look()).rejects.toMatchObject({ code: 'unavailable' });
    const { TableNames = [] } = await shop.dynamo.client.listTables({});
    expect(TableNames.filter((name) => name.startsWith(elsewhere.tablePrefix))).toEqual([]);
  });
});

describe('the orders of erased users', () => {
  it('name nobody (I-31)', async () => {
    const { db, close } = await openShopStore();
    const audit = await openAuthAudit(shop.dynamo);
    const look = async () => {
      const run = auditOfOldRows();
      const findings = await Array.fromAsync(auditErasures(db, audit.goneUsers(run), run));
      expect(run.counts.get('erasedUsers')).toBe(1);
      return findings;
    };
    expect(await look()).toEqual([]);
    const order = newId();
    await db.run(
      `INSERT INTO orders_orders (id, user_id, reservation_id, status, currency, total, pieces, version, created_at, updated_at)
       VALUES (?, ?, ?, 'placed', 'GBP', 1, 1, 1, ?, ?)`,
      [order, gone, newId(), '2026-01-01 00:00:00.000', '2026-01-01 00:00:00.000'],
    );
    expect(await look()).toEqual([
      { invariant: 'I-31', subject: `order ${order}`, detail: `names user ${gone}, who was erased` },
    ]);
    await close();
  });
});
