import { OptimisticLockError } from 'sequelize';
import { type Database, isDuplicateKey, type Sql, type SqlTransaction } from '../../shared/database.ts';
import { assertIfMatch, parseIfMatch, versionMismatch } from '../../shared/entity-tag.ts';
import { Failure } from '../../shared/failure.ts';
import { newId } from '../../shared/identifier.ts';
import { fromSql, toSql } from '../../shared/instant.ts';
import { defineProductModel, type ProductModel, type ProductRecord } from './catalog-models.ts';
import type { Product, ProductFields } from './product.ts';
import { columnsOf, productColumns, productOf } from './product-columns.ts';
import { deleteSearchText, insertSearchText, updateSearchText } from './product-search.ts';
import { insertMovement } from './stock-movements.ts';

export interface ProductStore {
  /** @throws not-found, also for a deleted product */
  read(id: string): Promise<Product>;
  /** @throws duplicate for a sku that another product has */
  create(fields: ProductFields, options: { readonly initialStock: number; readonly createdBy: string }): Promise<Product>;
  /**
   * Writes what `change` makes of the product, which becomes a new version even when nothing differs.
   * @throws not-found, precondition-required, malformed, version-mismatch (`currentVersion`), duplicate
   */
  edit(request: EditRequest): Promise<Product>;
  /** Deletes the product for everybody but its reservations, and frees its sku. @throws as `edit` */
  remove(request: Omit<EditRequest, 'change'>): Promise<void>;
}

export interface EditRequest {
  readonly id: string;
  readonly ifMatch: string | undefined;
  readonly change: (product: Product) => ProductFields;
}

export interface ProductStoreOptions {
  readonly db: Database;
  /** milliseconds since 1970 */
  readonly now: () => number;
  /** called when a product has changed or may have changed, before the change is answered: below `version` it is out of date */
  readonly onChanged: (id: string, version: number) => void;
}

export function createProductStore({ db, now, onChanged }: ProductStoreOptions): ProductStore {
  const model = defineProductModel(db.sequelize);

  async function saved(
    { id, ifMatch }: Omit<EditRequest, 'change'>,
    changes: (current: Product) => Changes,
  ): Promise<ProductRecord> {
    parseIfMatch(ifMatch);
    const current = await readRecord(db, id);
    assertIfMatch(ifMatch, current.version);
    const { record, search } = changes(productOf(current));
    try {
      // Built anew in each try: after a rollback an instance keeps the version that it failed to write.
      return await db.transaction(async (tx) => {
        const row = model.build({ ...current }, { isNewRecord: false, raw: true });
        row.set({ ...record, updatedAt: toSql(new Date(now())) });
        row.changed('updatedAt', true);
        await row.save({ transaction: tx.handle });
        await search(tx);
        return row.get();
      });
    } catch (error) {
      if (error instanceof OptimisticLockError) throw versionMismatch((await readRecord(db, id)).version);
      if (isDuplicateKey(error)) throw duplicateSku();
      throw error;
    } finally {
      onChanged(id, current.version + 1);
    }
  }

  return {
    read: async (id) => productOf(await readRecord(db, id)),
    create: async (fields, options) => {
      const at = new Date(now());
      const record = newRecord({ id: newId(at.getTime()), fields, at });
      try {
        await db.transaction((tx) => insertProduct({ tx, model, record, fields, ...options }));
      } catch (error) {
        if (isDuplicateKey(error)) throw duplicateSku();
        throw error;
      }
      return productOf(record);
    },
    edit: async ({ change, ...request }) => {
      const edited = await saved(request, (current) => {
        const fields = change(current);
        return {
          record: { ...columnsOf(fields), liveSku: fields.sku },
          search: (tx) => updateSearchText(tx, request.id, fields),
        };
      });
      return productOf(edited);
    },
    remove: async (request) => {
      const deletedAt = toSql(new Date(now()));
      await saved(request, () => ({ record: { deletedAt, liveSku: null }, search: (tx) => deleteSearchText(tx, request.id) }));
    },
  };
}

interface Changes {
  readonly record: Partial<ProductRecord>;
  readonly search: (tx: Sql) => Promise<void>;
}

interface NewProduct {
  readonly tx: SqlTransaction;
  readonly model: ProductModel;
  readonly record: ProductRecord;
  readonly fields: ProductFields;
  readonly initialStock: number;
  readonly createdBy: string;
}

async function insertProduct({ tx, model, record, fields, initialStock, createdBy }: NewProduct): Promise<void> {
  await model.create(record, { transaction: tx.handle, returning: false });
  await tx.run('INSERT INTO catalog_stock (product_id, on_hand, reserved, version) VALUES (?, ?, 0, 1)', [
    record.id,
    initialStock,
  ]);
  if (initialStock > 0) {
    await insertMovement(tx, {
      id: newId(),
      productId: record.id,
      kind: 'initial',
      delta: initialStock,
      createdBy,
      createdAt: fromSql(record.createdAt),
    });
  }
  await insertSearchText(tx, record.id, fields);
}

function newRecord({ id, fields, at }: { id: string; fields: ProductFields; at: Date }): ProductRecord {
  const time = toSql(at);
  return { id, ...columnsOf(fields), liveSku: fields.sku, version: 1, createdAt: time, updatedAt: time, deletedAt: null };
}

async function readRecord(sql: Sql, id: string): Promise<ProductRecord> {
  const [record] = await sql.rows<ProductRecord>(
    `SELECT ${productColumns} FROM catalog_products WHERE id = ? AND deleted_at IS NULL`,
    [id],
  );
  if (record === undefined) throw productNotFound();
  return record;
}

export function productNotFound(): Failure {
  return new Failure('not-found', { detail: 'There is no such product.' });
}

function duplicateSku(): Failure {
  return new Failure('duplicate', { detail: 'Another product has this sku.' });
}
