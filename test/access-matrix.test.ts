import { operationRoutes } from '../src/shared/http-operations.ts';
import type { Route } from '../src/shared/route.ts';
import { type Actor, accessMatrix, actors, type Scene } from './harness/access-matrix.ts';
import { attacksOn, countChecked } from './harness/attacks.ts';
import { type Deployment, processNames, startDeployment } from './harness/deployment.ts';
import { fetchDocument } from './harness/documented-answers.ts';
import { eventually } from './harness/eventually.ts';
import type { Account, Shop } from './harness/shop.ts';

let deployment: Deployment;
beforeAll(async () => {
  deployment = await startDeployment();
});
afterAll(() => deployment.stop());

const routesOf = (shop: Shop): readonly Route[] => [
  ...shop.app.routes,
  ...operationRoutes({ state: () => 'ready', become: () => undefined, stores: async () => ({}) }),
];
const attack = attacksOn(() => deployment);

async function withRole(shop: Shop, role: string): Promise<Account> {
  const { id, username, password } = await shop.signUp();
  await (await shop.admin()).api
    .put(`/api/auth/users/${id}/roles`)
    .send({ roles: [role] })
    .expect(200);
  return shop.signIn(username, password);
}

/** They end what the token of the caller speaks for, so nobody else may use it. */
const ending = new Set(['logout', 'eraseAccount', 'deactivateAccount', 'changePassword', 'endSession']);
const members = new Map<string, Promise<Account>>();

/** Staff and admins are the same ones for all operations that leave their sessions alone: making one takes longer than most cells. */
function memberOf(shop: Shop, role: string, operation: string): Promise<Account> {
  if (ending.has(operation)) return withRole(shop, role);
  const name = `${role} of ${shop.url}`;
  const member = members.get(name) ?? withRole(shop, role);
  members.set(name, member);
  return member;
}

async function become(shop: Shop, { actor, owner, operation }: { actor: Actor; owner: Account; operation: string }) {
  if (actor === 'anonymous') return undefined;
  if (actor === 'owner') return owner;
  if (actor === 'staff' || actor === 'admin') return memberOf(shop, actor, operation);
  const account = await shop.signUp();
  if (actor === 'revoked') await account.api.post('/api/auth/logout').expect(204);
  return account;
}

function sceneOf(shop: Shop, owner: Account, caller: Account): Scene {
  const product = async () => (await shop.makeProduct()).id;
  const order = async () => (await shop.place(owner, [{ productId: await product(), quantity: 1 }]).expect(201)).body.id;
  return {
    shop,
    owner,
    caller,
    product,
    order,
    confirmedOrder: async () => {
      const id = await order();
      await eventually(async () => expect((await owner.api.get(`/api/orders/${id}`).expect(200)).body.status).toBe('confirmed'));
      return id;
    },
  };
}

describe('every route', () => {
  it('is classified: the table of routes and the matrix name the same ones', async () => {
    for (const shop of deployment.processes) {
      expect(
        routesOf(shop)
          .map(({ operationId }) => operationId)
          .toSorted(),
      ).toEqual(Object.keys(accessMatrix).toSorted());
      const documented = Object.values((await fetchDocument(shop.url)).paths).flatMap((methods) => Object.keys(methods));
      expect(documented).toHaveLength(routesOf(shop).length);
    }
  });

  const cells = Object.keys(accessMatrix).flatMap((operation) =>
    processNames.map((name, index) => [operation, name, index] as const),
  );
  it.each(cells)('%s answers each who asks as it has to, on process %s', async (operation, name, index) => {
    const [shop, row] = [deployment.processes[index], accessMatrix[operation]];
    const route = shop && routesOf(shop).find(({ operationId }) => operationId === operation);
    if (shop === undefined || row === undefined || route === undefined) throw new Error(`There is no route ${operation}.`);
    const answerTo = async (actor: Actor) => {
      const owner = await shop.signUp();
      const account = await become(shop, { actor, owner, operation });
      const { path = route.path, body, headers = {} } = await row.request(sceneOf(shop, owner, account ?? owner));
      const { status } = await fetch(`${shop.url}${path}`, {
        method: route.method.toUpperCase(),
        headers: {
          ...headers,
          ...(account && { Authorization: `Bearer ${account.accessToken}` }),
          ...(body && { 'Content-Type': typeof body === 'string' ? 'application/x-ndjson' : 'application/json' }),
        },
        ...(body && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      return status;
    };
    const answered: number[] = [];
    for (const actor of actors) answered.push(await answerTo(actor));
    expect(Object.fromEntries(actors.map((actor, at) => [actor, answered[at]]))).toEqual(
      Object.fromEntries(actors.map((actor, at) => [actor, row.expected[at]])),
    );
    countChecked('matrix cells', name, actors.length);
  });
});

attack('A-10', async (shop) => {
  const open = new Set([
    'register',
    'login',
    'refresh',
    'getKeys',
    'listProducts',
    'readProduct',
    'readStock',
    'getLiveness',
    'getReadiness',
  ]);
  for (const { operationId, method, path } of routesOf(shop)) {
    const url = `${shop.url}${path.replaceAll(/\{\w+\}/g, '019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f')}`;
    const { status } = await fetch(url, { method: method.toUpperCase() });
    expect({ operationId, refused: status === 401 }).toEqual({ operationId, refused: !open.has(operationId) });
  }
});

attack('A-07', async (shop) => {
  const canary = 'Canary-Device';
  const victim = await shop.signUp(`canary.${Date.now()}.${processNames.length}${deployment.processes.indexOf(shop)}`);
  const elsewhere = await shop.signIn(victim.username, victim.password);
  const thief = await shop.signUp();
  const log: { readonly path: string; readonly init: RequestInit & { headers: Record<string, string> } }[] = [];
  const as = async (token: string, path: string, init: RequestInit & { headers: Record<string, string> }) => {
    const answer = await fetch(`${shop.url}${path}`, { ...init, headers: { ...init.headers, Authorization: `Bearer ${token}` } });
    return { status: answer.status, text: await answer.text(), headers: [...answer.headers].join() };
  };
  const act = async (method: string, path: string, { body, ...more }: { body?: object } & Record<string, unknown> = {}) => {
    const headers = { 'User-Agent': canary, 'Content-Type': 'application/json', ...more } as Record<string, string>;
    const init = {
      method,
      headers: body ? headers : { ...headers, 'Content-Type': '' },
      ...(body && { body: JSON.stringify(body) }),
    };
    if (!body) Reflect.deleteProperty(init.headers, 'Content-Type');
    log.push({ path, init });
    const { status, text } = await as(victim.accessToken, path, init);
    expect(status).toBeLessThan(300);
    return text === '' ? {} : JSON.parse(text);
  };
  const { id: productId } = await shop.makeProduct();
  const items = [{ productId, quantity: 1 }];
  const kept = await act('POST', '/api/orders', { body: { items }, 'Idempotency-Key': 'canary-key' });
  const cancelled = await act('POST', '/api/orders', { body: { items } });
  for (const path of [
    '/api/orders',
    `/api/orders/${kept.id}`,
    `/api/orders/${kept.id}/events`,
    '/api/auth/me',
    '/api/auth/me/export',
    '/api/auth/sessions',
  ])
    await act('GET', path);
  await act('POST', `/api/orders/${cancelled.id}/cancel`);
  await act('DELETE', `/api/auth/sessions/${elsewhere.refreshToken.split('.')[1]}`);
  await act('PUT', '/api/auth/password', { body: { currentPassword: victim.password, newPassword: 'another fine long one' } });

  const staff = await shop.staff();
  await eventually(async () => expect((await staff.api.get(`/api/orders/${kept.id}`)).body.status).toBe('confirmed'));
  const state = async () => [
    (await victim.api.get('/api/auth/me/export').expect(200)).body,
    (await victim.api.get(`/api/orders/${kept.id}/events`).expect(200)).body,
  ];
  const before = await state();
  const secrets = [victim.id, victim.username, kept.id, cancelled.id, victim.refreshToken.split('.')[1] ?? '', canary];
  expect(log.length).toBeGreaterThan(10);
  for (const { path, init } of log) {
    // the password of the log is the victim's: for the thief it is a wrong one
    const { status, text, headers } = await as(thief.accessToken, path, init);
    for (const secret of secrets) {
      const revealed = `${text}${headers}`.replaceAll(path, '').includes(secret);
      // the path that he sent himself comes back nowhere either, but he knew it
      expect({ path, status, secret, revealed: revealed && secret !== canary }).toEqual({
        path,
        status,
        secret,
        revealed: false,
      });
    }
    if (path.includes(kept.id) || path.includes(cancelled.id) || init.method === 'DELETE') expect(status).toBe(404);
    if (init.method === 'PUT') expect(status).toBe(401);
  }
  expect(await state()).toEqual(before);
});
