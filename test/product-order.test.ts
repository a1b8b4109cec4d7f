import { fieldsOf } from '../src/modules/catalog/product.ts';
import { productOf } from '../src/modules/catalog/product-columns.ts';

describe('the fields of a product', () => {
  it('have one order, from the database and from what another process shares', () => {
    const time = '2030-01-01 00:00:00.000';
    const product = productOf({
      ...{ id: 'p', sku: 'LAMP', name: 'Lamp', description: 'Bright', category: 'light', attributes: '{}' },
      ...{ priceAmount: 1, priceCurrency: 'GBP', version: 1, createdAt: time, updatedAt: time },
      ...{ liveSku: 'LAMP', nameKey: 'lamp', deletedAt: null },
    });
    const { id, version, createdAt, updatedAt, ...fields } = product;
    const shared = { id, ...fieldsOf({ ...fields, description: 'Bright', category: 'light' }), version, createdAt, updatedAt };
    expect(JSON.stringify(shared)).toBe(JSON.stringify(product));
  });
});
