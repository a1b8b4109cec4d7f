import { DataTypes, type Model, type ModelStatic, type Sequelize } from 'sequelize';

/** A row of `catalog_products` by the names of the model. Times are text in the form of instant.ts. */
export interface ProductRecord {
  id: string;
  sku: string;
  /** the sku, or null once the product is deleted */
  liveSku: string | null;
  name: string;
  /** what names are sorted by */
  nameKey: string;
  description: string | null;
  category: string | null;
  /** JSON */
  attributes: string;
  priceAmount: number;
  priceCurrency: string;
  version: number;
  createdAt: string;
  updatedAt: string;
  deletedAt: string | null;
}

export type ProductModel = ModelStatic<Model<ProductRecord> & ProductRecord>;

/**
 * The model that edits go through: its `save()` carries `WHERE id AND version`, raises the version and throws
 * OptimisticLockError when somebody else was faster. In Sequelize 6 nothing but `save()` of an instance does so.
 */
export function defineProductModel(sequelize: Sequelize): ProductModel {
  // Sequelize writes into these objects, so each attribute has its own.
  const text = () => ({ type: DataTypes.STRING, allowNull: false });
  const nullable = () => ({ type: DataTypes.STRING, allowNull: true });
  return sequelize.define<Model<ProductRecord> & ProductRecord>(
    'CatalogProduct',
    {
      id: { ...text(), primaryKey: true },
      sku: text(),
      liveSku: { ...nullable(), field: 'live_sku' },
      name: text(),
      nameKey: { ...text(), field: 'name_key' },
      description: nullable(),
      category: nullable(),
      attributes: text(),
      priceAmount: { type: DataTypes.BIGINT, allowNull: false, field: 'price_amount' },
      priceCurrency: { ...text(), field: 'price_currency' },
      version: { type: DataTypes.INTEGER, allowNull: false },
      createdAt: { ...text(), field: 'created_at' },
      updatedAt: { ...text(), field: 'updated_at' },
      deletedAt: { ...nullable(), field: 'deleted_at' },
    },
    { tableName: 'catalog_products', timestamps: false, version: true },
  );
}
