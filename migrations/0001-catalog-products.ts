import { columnTypes, createTable } from '../src/shared/column-types.ts';
import type { Migration } from '../src/shared/migrations.ts';

/**
 * `live_sku` is the sku while the product is not deleted, so that its unique index frees the sku of a deleted one.
 * The list's indexes begin with `deleted_at`: what is listed is one stretch of each, whatever was deleted.
 */
export const migration: Migration = {
  up: async (sql) => {
    const { id, ascii, exact, name, text, time, big, int } = columnTypes(sql.dialect);
    await createTable(sql, {
      name: 'catalog_products',
      columns: [
        `id ${id} NOT NULL PRIMARY KEY`,
        `sku ${exact(64)} NOT NULL`,
        `live_sku ${exact(64)} NULL`,
        `name ${name(200)} NOT NULL`,
        `name_key ${exact(200)} NOT NULL`,
        `description ${text} NULL`,
        `category ${exact(100)} NULL`,
        `attributes ${text} NOT NULL`,
        `price_amount ${big} NOT NULL`,
        `price_currency ${ascii(3)} NOT NULL`,
        `version ${int} NOT NULL`,
        `created_at ${time} NOT NULL`,
        `updated_at ${time} NOT NULL`,
        `deleted_at ${time} NULL`,
        'CONSTRAINT catalog_products_price_amount CHECK (price_amount >= 0)',
      ],
      unique: { catalog_products_live_sku: 'live_sku' },
      indexes: {
        catalog_products_name: 'deleted_at, name_key, id',
        catalog_products_price: 'deleted_at, price_amount, id',
        catalog_products_age: 'deleted_at, created_at, id',
        catalog_products_category_name: 'deleted_at, category, name_key, id',
        catalog_products_category_price: 'deleted_at, category, price_amount, id',
        catalog_products_category_age: 'deleted_at, category, created_at, id',
      },
    });
  },
  down: async (sql) => {
    await sql.run('DROP TABLE catalog_products');
  },
};
