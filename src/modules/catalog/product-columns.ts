import { fromSql } from '../../shared/instant.ts';
import type { ProductRecord } from './catalog-models.ts';
import { nameKeyOf, type Product, type ProductFields } from './product.ts';

/** A product in a row of `catalog_products`, and back. */

/** What staff may write, by the names of the model. */
export type WrittenColumns = Omit<ProductRecord, 'id' | 'liveSku' | 'version' | 'createdAt' | 'updatedAt' | 'deletedAt'>;

export function columnsOf({ sku, name, description, category, attributes, price }: ProductFields): WrittenColumns {
  return {
    sku,
    name,
    nameKey: nameKeyOf(name),
    description: description ?? null,
    category: category ?? null,
    attributes: JSON.stringify(attributes),
    priceAmount: price.amount,
    priceCurrency: price.currency,
  };
}

export function productOf(record: ProductRecord): Product {
  return {
    id: record.id,
    sku: record.sku,
    name: record.name,
    ...(record.description !== null && { description: record.description }),
    ...(record.category !== null && { category: record.category }),
    attributes: JSON.parse(record.attributes),
    price: { amount: record.priceAmount, currency: record.priceCurrency },
    version: record.version,
    createdAt: fromSql(record.createdAt),
    updatedAt: fromSql(record.updatedAt),
  };
}

interface WrittenColumn {
  readonly name: keyof WrittenColumns;
  readonly column: string;
  /** what MySQL reads it as from a JSON text */
  readonly type: string;
}

// Never shorter than the column: JSON_TABLE of MariaDB cuts off what is too long, where the column refuses it.
const text = 'MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin';
const types: Readonly<Record<keyof WrittenColumns, string>> = {
  sku: text,
  name: text,
  nameKey: text,
  description: text,
  category: text,
  attributes: text,
  priceAmount: 'BIGINT',
  priceCurrency: text,
};

/** The one list of them: whoever writes or compares whole products goes through it. */
export const writtenColumns: readonly WrittenColumn[] = Object.entries(types).map(([name, type]) => ({
  name: name as keyof WrittenColumns, // those of the record above
  column: name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  type,
}));

/** All columns of a product by the names of the model, for SELECT. */
export const productColumns = `id, live_sku AS liveSku, ${writtenColumns.map(({ name, column }) => `${column} AS ${name}`).join(', ')},
  version, created_at AS createdAt, updated_at AS updatedAt, deleted_at AS deletedAt`;
