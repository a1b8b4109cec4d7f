import { pino } from 'pino';
import { createApp } from '../src/app.ts';
import { readConfig } from '../src/shared/config.ts';
import { createContractClient } from '../src/shared/contract-client.ts';
import { type ContractServer, createContractServer } from '../src/shared/contract-server.ts';
import { timeLeftMs, withDeadline } from '../src/shared/deadline.ts';
import { Failure } from '../src/shared/failure.ts';
import { temporaryFolder } from './child-process.ts';
import { eventually } from './harness/eventually.ts';
import { freePort } from './harness/server-child.ts';
import { type Shop, startShop } from './harness/shop.ts';

/** A module of the test's own, called as another service would. */
interface Harbour {
  moor(boat: string, options?: { readonly days: number }): Promise<{ readonly berth: number }>;
  left(): Promise<number>;
  sink(): Promise<void>;
}

const methods = { moor: true, left: true, sink: true } as const;
const token = 'token of the harbour';

describe('a contract over HTTP', () => {
  let server: ContractServer;
  let url: string;
  const calls: unknown[] = [];
  let failures = 0;
  const harbour: Harbour = {
    moor: async (boat, options) => {
      calls.push([boat, options]);
      if (boat === 'too late') throw new Failure('out-of-stock', { detail: 'Full.', members: { items: [1] } });
      if (failures > 0) {
        failures -= 1;
        throw new Failure('unavailable');
      }
      return { berth: 7 };
    },
    left: async () => timeLeftMs(),
    sink: async () => {
      throw new TypeError('a bug with a canary');
    },
  };
  const connect = (sent = token) => createContractClient<Harbour>({ url, module: 'harbour', methods, token: sent });

  beforeAll(async () => {
    server = createContractServer({
      contracts: { harbour },
      tokens: ['the next token', token],
      log: pino({ level: 'silent' }),
    });
    url = `http://127.0.0.1:${await server.listen({ port: 0, host: '127.0.0.1' })}`;
  });
  afterAll(() => server.close());
  beforeEach(() => void calls.splice(0));

  it('is the same contract: arguments, answers and failures', async () => {
    const { api, close } = connect();
    expect(await api.moor('ark')).toEqual({ berth: 7 });
    expect(await api.moor('ark', { days: 40 })).toEqual({ berth: 7 });
    expect(calls).toEqual([
      ['ark', undefined],
      ['ark', { days: 40 }],
    ]);
    const refused = await api.moor('too late').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Failure);
    expect(refused).toMatchObject({ code: 'out-of-stock', message: 'Full.', members: { items: [1] } });
    close();
  });

  it('passes the time on that is left', async () => {
    const { api, close } = connect();
    expect(await withDeadline(1500, () => api.left())).toBeLessThanOrEqual(1500);
    expect(await api.left()).toBeLessThanOrEqual(5000);
    close();
  });

  it('makes a call again that had no definite answer, and no other', async () => {
    const { api, close } = connect();
    failures = 2;
    expect(await api.moor('ark')).toEqual({ berth: 7 });
    expect(calls).toHaveLength(3);
    failures = 5;
    await expect(api.moor('ark')).rejects.toMatchObject({ code: 'unavailable' });
    expect(calls).toHaveLength(6);
    failures = 0;
    await api.moor('too late').catch(() => {});
    expect(calls).toHaveLength(7);
    close();
  });

  it('ends in order while a caller keeps its connection', async () => {
    const [begun, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<{ readonly berth: number }>()];
    const slow = {
      moor: () => {
        begun.resolve();
        return answered.promise;
      },
    };
    const closing = createContractServer({ contracts: { harbour: slow }, tokens: [token], log: pino({ level: 'silent' }) });
    const port = await closing.listen({ port: 0, host: '127.0.0.1' });
    const caller = createContractClient<Harbour>({ url: `http://127.0.0.1:${port}`, module: 'harbour', methods, token });
    const underWay = caller.api.moor('ark');
    await begun.promise;
    const closed = closing.close();
    answered.resolve({ berth: 1 });
    expect(await underWay).toEqual({ berth: 1 });
    const tooLong = new Promise((_, reject) => setTimeout(reject, 1500, new Error('still open')).unref());
    await Promise.race([closed, tooLong]);
    caller.close();
  });

  it('is for holders of a token only, and tells nothing of a fault', async () => {
    const stranger = connect('a token that nobody gave');
    await expect(stranger.api.moor('ark')).rejects.toMatchObject({ code: 'unauthenticated' });
    const next = connect('the next token');
    expect(await next.api.moor('ark')).toEqual({ berth: 7 });
    const fault = await next.api.sink().catch((error: unknown) => error);
    expect(fault).toMatchObject({ code: 'internal' });
    expect(String((fault as Failure).message)).not.toContain('canary');
    await next.ping();
    for (const [path, method] of [
      ['/harbour/moor', 'GET'],
      ['/harbour/constructor', 'POST'],
      ['/harbour/__proto__', 'POST'],
    ] as const) {
      const headers = { authorization: `Bearer ${token}` };
      expect((await fetch(url + path, { method, headers })).status).toBe(404);
    }
    stranger.close();
    next.close();
  });

  it('is unavailable in bounded time while nobody answers', async () => {
    const gone = createContractClient<Harbour>({ url: 'http://127.0.0.1:1', module: 'harbour', methods, token });
    await expect(gone.api.moor('ark')).rejects.toMatchObject({ code: 'unavailable' });
    await expect(gone.ping()).rejects.toMatchObject({ code: 'unavailable' });
    gone.close();
  });
});

describe('a worker of a service', () => {
  it('leaves the internal port to the process that answers requests', async () => {
    const folder = temporaryFolder();
    const port = await freePort();
    const variables = { DATA_DIR: folder.path, MODULES: 'auth', INTERNAL_PORT: String(port), SERVICE_TOKENS: token };
    const app = await createApp({
      config: readConfig({ ...variables, ROLES: 'worker' }),
      log: pino({ level: 'silent' }),
    });
    try {
      await app.start();
      await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
    } finally {
      await app.close();
      folder.remove();
    }
  });
});

describe('a shop of three services', () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await startShop();
  });
  afterAll(() => shop.stop());

  it('honours within seconds in one what ended in another', async () => {
    const customer = await shop.signUp();
    await customer.api.get('/api/orders').expect(200);
    await customer.api.post('/api/auth/logout').expect(204);
    await eventually(async () => void (await customer.api.get('/api/orders').expect(401)), 5000);
  });

  it('exports what two of them keep, and erases it in both', async () => {
    const customer = await shop.signUp();
    const { id: productId } = await shop.makeProduct();
    const { body: order } = await shop.place(customer, [{ productId, quantity: 1 }]).expect(201);
    const { body } = await customer.api.get('/api/auth/me/export').expect(200);
    expect(body).toMatchObject({ user: { username: customer.username }, orders: [{ id: order.id }] });
    await customer.api.post('/api/auth/delete').send({ password: customer.password }).expect(204);
    const { api } = await shop.staff();
    await eventually(async () => {
      const { body: kept } = await api.get(`/api/orders/${order.id}`).expect(200);
      expect(kept.userId).not.toBe(customer.id);
    }, 40_000);
  });
});
