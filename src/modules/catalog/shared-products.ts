import { Failure } from '../../shared/failure.ts';
import { FifoGate } from '../../shared/fifo-gate.ts';
import type { VersionedCopies } from '../../shared/versioned-copies.ts';
import { fieldsOf, type Product } from './product.ts';
import { productSchema } from './product-schema.ts';

/** so that an empty cache leaves connections of the pool to the orders */
const mostReads = 6;
const longestWaitMs = 1000;

/**
 * Reads a product from the copies that all processes share, else from the store. A copy that is not this product is none.
 * @throws what `load` throws, and overloaded when too many reads wait for the store
 */
export function createSharedRead(
  copies: Pick<VersionedCopies, 'look'>,
  load: (id: string) => Promise<Product>,
): (id: string) => Promise<Product> {
  const gate = new FifoGate(mostReads, () => new Failure('overloaded', { detail: 'Too many products are being read.' }));
  return async (id) => {
    const { found, fill } = await copies.look(id);
    const copy = found === undefined ? undefined : productIn(found.text);
    if (copy !== undefined && copy.id === id && copy.version === found?.version) return copy;
    const leave = await gate.acquire(longestWaitMs);
    try {
      const product = await load(id);
      fill(product.version, JSON.stringify(product));
      return product;
    } finally {
      leave();
    }
  };
}

const copied = productSchema.omit({ stock: true });

function productIn(text: string): Product | undefined {
  try {
    const { data } = copied.safeParse(JSON.parse(text));
    if (data === undefined) return undefined;
    const { id, version, createdAt, updatedAt, ...fields } = data;
    return { id, ...fieldsOf(fields), version, createdAt, updatedAt };
  } catch {
    return undefined;
  }
}
