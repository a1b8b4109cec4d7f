import type { Product } from '../src/modules/catalog/product.ts';
import { createProductCache } from '../src/modules/catalog/product-cache.ts';
import { timeLeftMs, withDeadline } from '../src/shared/deadline.ts';

const productAt = (version: number): Product => ({
  id: 'p',
  sku: 's',
  name: `Version ${version}`,
  price: { amount: 1, currency: 'GBP' },
  attributes: {},
  version,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
});

/** A store whose reads end when the test says so. */
function slowStore() {
  const reads: { readonly id: string; readonly answer: (product: Product) => void; readonly fail: (error: Error) => void }[] = [];
  const load = (id: string) => new Promise<Product>((answer, fail) => reads.push({ id, answer, fail }));
  return { reads, load };
}

describe('product reads from memory', () => {
  it('are one read of the store, also when many come before it ends', async () => {
    const { reads, load } = slowStore();
    const cache = createProductCache(load, { maxProducts: 10 });
    const answers = [cache.read('p'), cache.read('p'), cache.read('p')];
    reads[0]?.answer(productAt(1));
    expect((await Promise.all(answers)).map(({ version }) => version)).toEqual([1, 1, 1]);
    expect((await cache.read('p')).version).toBe(1);
    expect(reads).toHaveLength(1);
  });

  it('do not end with the time of the one who came first', async () => {
    const left: number[] = [];
    const cache = createProductCache(
      async () => {
        left.push(timeLeftMs());
        return productAt(1);
      },
      { maxProducts: 10 },
    );
    await withDeadline(1000, () => cache.read('p'));
    expect(left).toEqual([Number.POSITIVE_INFINITY]);
  });

  it('after an edit never join a read that began before it', async () => {
    const { reads, load } = slowStore();
    const cache = createProductCache(load, { maxProducts: 10 });
    const before = cache.read('p');
    cache.invalidate('p');
    const after = cache.read('p');
    expect(reads).toHaveLength(2);
    reads[1]?.answer(productAt(2));
    expect((await after).version).toBe(2);
    reads[0]?.answer(productAt(1));
    expect((await before).version).toBe(1);
    expect((await cache.read('p')).version).toBe(2);
  });

  it('leave nothing behind when an edit overtook them', async () => {
    const { reads, load } = slowStore();
    const cache = createProductCache(load, { maxProducts: 10 });
    const before = cache.read('p');
    cache.invalidate('p');
    reads[0]?.answer(productAt(1));
    await before;
    void cache.read('p');
    expect(reads).toHaveLength(2);
  });

  it('do not remember a failure', async () => {
    const { reads, load } = slowStore();
    const cache = createProductCache(load, { maxProducts: 10 });
    const failed = cache.read('p');
    reads[0]?.fail(new Error('down'));
    await expect(failed).rejects.toThrow('down');
    const again = cache.read('p');
    reads[1]?.answer(productAt(1));
    expect((await again).version).toBe(1);
  });

  it('get no older than they may, counted from the beginning of the read', async () => {
    const { reads, load } = slowStore();
    const cache = createProductCache(load, { maxProducts: 10, maxAgeMs: 20 });
    const first = cache.read('p');
    await new Promise((resolve) => setTimeout(resolve, 40));
    reads[0]?.answer(productAt(1));
    await first;
    void cache.read('p');
    expect(reads).toHaveLength(2);
  });
});
