import { z } from 'zod';
import { describe, problemOf, read } from './replay-client.ts';
import { forEachConcurrently } from './replay-concurrency.ts';
import type { Session } from './replay-session.ts';
import { ReplayStop } from './replay-stop.ts';
import type { RetailFile, RetailProduct } from './retail-file.ts';

const currency = 'GBP';
/** The attribute by which a later run knows the products of this file. */
const markName = 'replay';

const productSchema = z.object({
  id: z.string(),
  sku: z.string(),
  price: z.object({ amount: z.number(), currency: z.string() }),
  attributes: z.record(z.string(), z.string()),
  stock: z.object({ onHand: z.number(), reserved: z.number() }).optional(),
});
const pageSchema = z.object({ data: z.array(productSchema), nextCursor: z.string().nullable() });

export type ShopProduct = z.output<typeof productSchema>;

/** All products with their stock, as the staff sees them. */
export async function allProducts(staff: Session): Promise<readonly ShopProduct[]> {
  const products: ShopProduct[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const query = `limit=100&sort=createdAt&include=stock${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
    const answer = await staff.ask({ method: 'GET', path: `/api/products?${query}` });
    const page: z.output<typeof pageSchema> = read(answer, pageSchema);
    products.push(...page.data);
    cursor = page.nextCursor;
  }
  return products;
}

/**
 * The ids of the file's products that an earlier run has made, by sku.
 * @throws ReplayStop when there are products that are not from this file
 */
export function idsOfEarlierRun(file: RetailFile, products: readonly ShopProduct[]): Map<string, string> {
  const expected = new Map(file.products.map((product) => [product.sku, product]));
  const stranger = products.find((product) => !isOf(file, product, expected.get(product.sku)));
  if (stranger) {
    throw new ReplayStop(
      'notEmpty',
      `the shop is not empty: it has products that are not from this file, such as ${stranger.sku}`,
    );
  }
  return new Map(products.map(({ sku, id }) => [sku, id]));
}

export interface Creation {
  readonly staff: Session;
  readonly file: RetailFile;
  /** the ids of the products that are there, by sku; the others are added */
  readonly ids: Map<string, string>;
  readonly concurrency: number;
  readonly created: () => void;
}

/** Creates the products that are missing. A product whose creation was not answered is found by its sku. */
export async function createProducts({ staff, file, ids, concurrency, created }: Creation): Promise<void> {
  const missing = file.products.filter(({ sku }) => !ids.has(sku));
  await forEachConcurrently(missing, concurrency, async (product) => {
    const { sku, name, price, pieces } = product;
    const body = {
      sku,
      name,
      price: { amount: price, currency },
      attributes: { [markName]: markOf(file) },
      initialStock: pieces,
    };
    const answer = await staff.ask({ method: 'POST', path: '/api/products', body });
    if (answer.status === 201) ids.set(sku, read(answer, productSchema).id);
    else if (problemOf(answer) === 'duplicate') ids.set(sku, await idOf(staff, file, product));
    else throw new ReplayStop('setup', `the shop does not take the product ${sku}: ${describe(answer)}`);
    created();
  });
}

async function idOf(staff: Session, file: RetailFile, product: RetailProduct): Promise<string> {
  const answer = await staff.ask({ method: 'GET', path: `/api/products?sku=${encodeURIComponent(product.sku)}` });
  const found = read(answer, pageSchema).data.find((candidate) => isOf(file, candidate, product));
  if (!found)
    throw new ReplayStop('notEmpty', `the shop is not empty: ${product.sku} is taken by a product that is not from this file`);
  return found.id;
}

function isOf(file: RetailFile, { sku, price, attributes }: ShopProduct, product: RetailProduct | undefined): boolean {
  return (
    product !== undefined &&
    sku === product.sku &&
    price.amount === product.price &&
    price.currency === currency &&
    attributes[markName] === markOf(file)
  );
}

function markOf(file: RetailFile): string {
  return file.digest.slice(0, 16);
}
