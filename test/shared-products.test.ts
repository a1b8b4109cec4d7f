import { pino } from 'pino';
import { openRedis, type Redis } from '../src/shared/redis.ts';
import { createVersionedCopies, type VersionedCopies } from '../src/shared/versioned-copies.ts';
import { type CatalogUnderTest, startCatalog } from './harness/catalog.ts';
import { eventually } from './harness/eventually.ts';
import { startLink } from './harness/redis-link.ts';
import { describeWithRedis, type RedisServer, startRedis } from './harness/redis-server.ts';
import { openStore } from './harness/stores.ts';

const log = pino({ level: 'silent' });

interface Process extends CatalogUnderTest {
  readonly redis: Redis;
  readonly copies: VersionedCopies;
}

let server: RedisServer;
let store: Awaited<ReturnType<typeof openStore>>;
let here: Process;
let there: Process;

/** One of several processes: a catalog of its own over the common database and the common Redis. */
async function startProcess(cache: { maxAgeMs?: number } = {}): Promise<Process> {
  const redis = await openRedis({ url: server.url, log });
  const copies = createVersionedCopies(redis, 'products');
  return { ...(await startCatalog({ copies, log, cache }, store)), redis, copies };
}

const stop = async (process: Process) => {
  await process.close();
  process.copies.close();
  await process.redis.close();
};

describeWithRedis()('a product that two processes sell', () => {
  beforeAll(async () => {
    server = await startRedis();
    store = await openStore();
    here = await startProcess();
    there = await startProcess();
  });
  afterAll(async () => {
    await stop(here);
    await stop(there);
    await store.close();
    await server.stop();
  });

  const read = (process: Process, id: string) => process.send('get', `/api/products/${id}`, { as: 'nobody' });
  const rename = (process: Process, { id, version }: { id: string; version: number }, name: string) =>
    process.send('patch', `/api/products/${id}`, { headers: { 'If-Match': `"${version}"` }, body: { name } });
  const keysOf = (id: string) => server.client.keys(`*${id}`);
  const copyOf = async (id: string) => server.client.get((await keysOf(id))[0] ?? '');
  /** The product of the other process, once it is a copy in Redis too. */
  const copied = async (id: string) => {
    await read(there, id);
    return eventually(async () => {
      const copy = await copyOf(id);
      expect(copy).toMatch(/^\d+:\{/);
      return copy ?? '';
    });
  };
  const change = (id: string, name: string) => store.db.run('UPDATE catalog_products SET name = ? WHERE id = ?', [name, id]);

  it('is read from the database by one of them only', async () => {
    const { id, name } = await here.product();
    await copied(id);
    await change(id, 'Changed behind their backs');
    expect((await read(here, id)).body.name).toBe(name);
  });

  it('is never shown from a copy to staff, who edit what they see', async () => {
    const { id, name } = await here.product();
    await copied(id);
    await change(id, 'Changed behind their backs');
    const nameFor = async (as: 'customer' | 'staff' | 'admin') =>
      (await here.send('get', `/api/products/${id}`, { as })).body.name;
    expect(await nameFor('customer')).toBe(name);
    expect([await nameFor('staff'), await nameFor('admin')]).toEqual(Array(2).fill('Changed behind their backs'));
  });

  it('shows an edit to both, long before its copies would have ended by themselves', async () => {
    const product = await here.product();
    const unhurried = await startProcess({ maxAgeMs: 60_000 });
    await eventually(async () =>
      expect(await server.client.pubsub('NUMSUB', 'shop:products:outdated')).toEqual([expect.anything(), 3]),
    );
    await read(here, product.id);
    await read(unhurried, product.id);
    await copied(product.id);
    await rename(here, product, 'New name');
    expect((await read(here, product.id)).body.name).toBe('New name');
    for (const other of [there, unhurried])
      await eventually(async () => expect((await read(other, product.id)).body.name).toBe('New name'), 5000);
    await stop(unhurried);
  });

  it('is gone for both when one deletes it', async () => {
    const { id } = await here.product();
    await copied(id);
    await here.send('delete', `/api/products/${id}`, { headers: { 'If-Match': '"1"' } });
    expect((await read(here, id)).status).toBe(404);
    await eventually(async () => expect((await read(there, id)).status).toBe(404));
  });

  it('is never filled in by a read that an edit has overtaken', async () => {
    const { id } = await here.product();
    const early = await there.copies.look(id);
    here.copies.outdate(id, 3);
    await eventually(async () => expect(await copyOf(id)).toBe('3:'));
    early.fill(2, '{}');
    expect((await there.copies.look(id)).found).toBeUndefined();
    early.fill(3, '{}');
    expect((await there.copies.look(id)).found).toEqual({ version: 3, text: '{}' });
    here.copies.outdate(id, 3);
    expect((await here.copies.look(id)).found).toBeUndefined();
    await eventually(async () => expect((await here.copies.look(id)).found).toEqual({ version: 3, text: '{}' }));
  });

  it('is not filled in by a process that slept over its reading', async () => {
    const hasty = createVersionedCopies(here.redis, 'products', { longestFillMs: 300 });
    const { id } = await here.product();
    const early = await hasty.look(id);
    await new Promise((resolve) => setTimeout(resolve, 500));
    early.fill(1, '{}');
    expect((await hasty.look(id)).found).toBeUndefined();
    const again = await hasty.look(id);
    again.fill(1, '{}');
    expect((await hasty.look(id)).found).toEqual({ version: 1, text: '{}' });
    hasty.close();
  });

  it.each([
    ['garbage', () => 'garbage'],
    ['half a product', (copy: string) => copy.slice(0, copy.length / 2)],
    ['another product', (copy: string) => copy.replace(/"id":"[^"]+"/, '"id":"0190a000-0000-7000-8000-000000000000"')],
    ['another version than it says', (copy: string) => copy.replace(/^\d+/, '7').replace(/"name":"[^"]+"/, '"name":"Outdated"')],
    ['a wrong price', (copy: string) => copy.replace(/"amount":\d+/, '"amount":"1"')],
  ])('is read from the database when the copy is %s', async (_what, spoil) => {
    const product = await here.product();
    const copy = await copied(product.id);
    const [key = ''] = await keysOf(product.id);
    await server.client.set(key, spoil(copy));
    expect(await read(here, product.id)).toMatchObject({ status: 200, body: product });
  });

  it('is read from the database when something else lies in its place', async () => {
    const product = await here.product();
    await copied(product.id);
    const [key = ''] = await keysOf(product.id);
    await server.client.del(key);
    await server.client.lpush(key, 'x');
    expect(await read(here, product.id)).toMatchObject({ status: 200, body: product });
  });

  it('is never sold at the price of a copy', async () => {
    const product = await here.product({ initialStock: 5 });
    const copy = await copied(product.id);
    const [key = ''] = await keysOf(product.id);
    await server.client.set(key, copy.replace(/"amount":\d+/, '"amount":1'));
    expect((await read(here, product.id)).body.price.amount).toBe(1);
    const reserved = await here.api.reserve('0190a000-0000-7000-8000-0000000000aa', [{ productId: product.id, quantity: 1 }], {});
    expect(JSON.stringify(reserved)).toContain('500');
  });

  it('can be read and edited while Redis is frozen, and shows the edit to both after', async () => {
    const product = await here.product();
    await copied(product.id);
    server.freeze();
    expect((await rename(here, product, 'Edited in the frost')).status).toBe(200);
    expect((await read(here, product.id)).body.name).toBe('Edited in the frost');
    await eventually(async () => expect((await read(there, product.id)).body.name).toBe('Edited in the frost'));
    server.thaw();
    await eventually(() => here.redis.ping());
    await eventually(async () => expect(await copyOf(product.id)).toMatch(/^2:/));
    expect((await read(there, product.id)).body.name).toBe('Edited in the frost');
  });

  it('is outdated late by a process that was cut off from Redis alone', async () => {
    const { id } = await here.product();
    await copied(id);
    const link = await startLink(server.url);
    const redis = await openRedis({ url: link.url, log });
    const copies = createVersionedCopies(redis, 'products');
    link.cut();
    await eventually(async () => expect(redis.life()).toBeUndefined());
    copies.outdate(id, 5);
    link.heal();
    await eventually(async () => expect(await copyOf(id)).toBe('5:'));
    copies.close();
    await redis.close();
    link.close();
  });

  it('can be read and edited while Redis is gone, and is copied again when it is back, empty', async () => {
    const product = await here.product();
    await copied(product.id);
    await server.kill();
    expect((await read(here, product.id)).status).toBe(200);
    expect((await rename(here, product, 'Edited alone')).status).toBe(200);
    expect((await read(here, product.id)).body.name).toBe('Edited alone');
    await server.start();
    await eventually(async () => {
      await there.redis.ping();
      expect((await read(there, product.id)).body.name).toBe('Edited alone');
      await copied(product.id);
    });
  });
});
