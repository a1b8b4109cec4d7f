import { LRUCache } from 'lru-cache';
import { withoutDeadline } from '../../shared/deadline.ts';
import type { Product } from './product.ts';

export interface ProductCacheSettings {
  readonly maxProducts: number;
  /** how old a product may be; absent: any age, for a process that makes all the edits itself */
  readonly maxAgeMs?: number;
  /** told of each read whether it was answered from memory */
  readonly onRead?: (hit: boolean) => void;
}

export interface ProductCache {
  /** The product, from memory if it may. Reads of one product that come together are one read of the store. */
  read(id: string): Promise<Product>;
  /** From now on nothing is answered that was read before; without an id, of any product. */
  invalidate(id?: string): void;
}

/** Keeps products for anonymous readers. What fails to be read is not kept, so a missing product costs a read each time. */
export function createProductCache(
  load: (id: string) => Promise<Product>,
  { maxProducts, maxAgeMs, onRead = () => {} }: ProductCacheSettings,
): ProductCache {
  const products = new LRUCache<string, Product>({ max: maxProducts, ...(maxAgeMs !== undefined && { ttl: maxAgeMs }) });
  const loads = new Map<string, Promise<Product>>();

  function startLoad(id: string): Promise<Product> {
    const start = performance.now();
    // it is for all who come meanwhile, so it does not end with the time of the one who came first
    const loading = withoutDeadline(() => load(id)).then(
      (product) => {
        // A load that an edit has overtaken is no longer the one in the map, and leaves no trace.
        if (loads.get(id) === loading) {
          loads.delete(id);
          products.set(id, product, { start });
        }
        return product;
      },
      (error: unknown) => {
        if (loads.get(id) === loading) loads.delete(id);
        throw error;
      },
    );
    loads.set(id, loading);
    return loading;
  }

  return {
    read: async (id) => {
      const found = products.get(id);
      onRead(found !== undefined);
      return found ?? (await (loads.get(id) ?? startLoad(id)));
    },
    invalidate: (id) => {
      if (id === undefined) {
        loads.clear();
        products.clear();
        return;
      }
      loads.delete(id);
      products.delete(id);
    },
  };
}
