import { pino } from 'pino';
import type { Auth } from '../../src/modules/auth/index.ts';
import type { Sql } from '../../src/shared/database.ts';
import { Failure } from '../../src/shared/failure.ts';
import { newId } from '../../src/shared/identifier.ts';
import { toSql } from '../../src/shared/instant.ts';
import { migrate } from '../../src/shared/migrations.ts';
import { openStore, type TestDatabase } from './stores.ts';

/** For tests at a module's own door: a migrated store of their own, and the neighbours that have nothing to say. */

export const silent = pino({ level: 'silent' });

export async function openShopStore(): Promise<TestDatabase> {
  const store = await openStore();
  await migrate(store.db);
  return store;
}

/** An auth module without users. */
export const nobody: Auth = {
  usersToErase: async () => [],
  erased: async () => {},
  revocationsSince: async () => ({ thisMinute: 0, revocations: [] }),
  personalData: async () => {
    throw new Failure('not-found');
  },
};

/** Puts a product with stock into the catalog's tables. Answers its id. */
export async function addProduct(db: Sql, { stock, price = 500 }: { stock: number; price?: number }): Promise<string> {
  const id = newId();
  const at = toSql(new Date());
  await db.run(
    `INSERT INTO catalog_products (id, sku, live_sku, name, name_key, attributes, price_amount, price_currency, version, created_at, updated_at)
     VALUES (?, ?, ?, 'Lamp', 'lamp', '{}', ?, 'GBP', 1, ?, ?)`,
    [id, id, id, price, at, at],
  );
  await db.run('INSERT INTO catalog_stock (product_id, on_hand, reserved, version) VALUES (?, ?, 0, 1)', [id, stock]);
  await db.run(`INSERT INTO catalog_stock_movements (id, product_id, kind, delta, created_at) VALUES (?, ?, 'initial', ?, ?)`, [
    newId(),
    id,
    stock,
    at,
  ]);
  return id;
}
