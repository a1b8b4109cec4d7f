import { z } from 'zod';
import { idParameter } from '../../shared/identifier.ts';
import { timestamp } from '../../shared/timestamp.ts';

/** The schemas of the catalog's wire contract: what validates is what the OpenAPI document shows. Lengths count characters, not UTF-16 units. */

const maxAttributes = 50;
const maxPrice = 1_000_000_000_000;
export const maxPieces = 1_000_000_000;

const currency = z
  .enum(Intl.supportedValuesOf('currency'), 'has to be a currency code of ISO 4217')
  .meta({ description: 'ISO 4217', example: 'GBP', override: { type: 'string', pattern: '^[A-Z]{3}$' } });
const amount = z.int('has to be a whole number').min(0).max(maxPrice).meta({ description: 'Integer minor units', example: 1299 });
const price = z
  .strictObject({ amount, currency })
  .meta({ id: 'Price', description: 'Integer minor units of an ISO 4217 currency: 1299 GBP is £12.99' });

/** Control characters, those that turn the direction of what follows, and those of no width that no script needs. */
const unseen = '\\p{Cc}\\u200b\\u2060\\ufeff\\u202a-\\u202e\\u2066-\\u2069';
const visible = (least: number, most: number) => new RegExp(`^[^${unseen}]{${least},${most}}$`, 'u');

/** Composed (NFC) and trimmed before it is checked and kept. */
const trimmed = z.string().normalize('NFC').trim();
const sku = trimmed
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]{1,64}$/u, 'has to be 1 to 64 printable characters')
  .meta({ description: 'Unique among the products, compared exactly', example: 'MUG-BLUE', override: { minLength: 1 } });
const name = trimmed.regex(visible(1, 200), 'has to be 1 to 200 characters that can be seen').meta({ example: 'Blue mug' });
const description = z
  .string()
  .regex(
    /^(?:[^\p{Cc}]|[\t\n\r]){0,10000}$/u,
    'has to be at most 10,000 characters; of control characters only tabs and line ends',
  )
  .meta({ example: 'Stoneware, 300 ml' });
const category = trimmed
  .regex(visible(1, 100), 'has to be 1 to 100 characters that can be seen')
  .meta({ description: 'Compared exactly', example: 'Mugs' });
const attributeName = z.string().regex(visible(1, 64), 'has to be 1 to 64 characters that can be seen');
const attributeValue = z.string().regex(visible(0, 255), 'has to be at most 255 characters that can be seen');
const atMost50 = (attributes: object) => Object.keys(attributes).length <= maxAttributes;
const attributes = z
  .record(attributeName, attributeValue)
  .refine(atMost50, `may hold at most ${maxAttributes} attributes`)
  .meta({ description: 'A flat map of at most 50 short strings', example: { colour: 'blue' } });

const fields = {
  sku,
  name,
  price,
  description: description.optional(),
  category: category.optional(),
  attributes: attributes.default({}),
};

const pieces = z.int('has to be a whole number').min(0).max(maxPieces);

export const createProductBody = z
  .strictObject({ ...fields, initialStock: pieces.default(0).meta({ description: 'Pieces on hand at the start' }) })
  .meta({ id: 'CreateProduct' });

export const replaceProductBody = z
  .strictObject(fields)
  .meta({ id: 'ReplaceProduct', description: 'The whole product; an optional part that is left out goes' });

export const patchProductBody = z
  .strictObject({
    sku: sku.optional(),
    name: name.optional(),
    price: z.strictObject({ amount: amount.optional(), currency: currency.optional() }).optional(),
    description: description.nullable().optional(),
    category: category.nullable().optional(),
    attributes: z.record(attributeName, attributeValue.nullable()).nullable().optional(),
  })
  .meta({
    id: 'PatchProduct',
    description: 'A JSON merge patch (RFC 7396): what is absent stays, null takes an optional part away',
  });

/** What a patched product has to be again. */
export const patchedProduct = z.strictObject(fields);

const stockLevel = {
  onHand: z.int().min(0),
  reserved: z.int().min(0),
  available: z.int().min(0).meta({ description: 'On hand and not reserved' }),
};

export const productSchema = z
  .strictObject({
    id: idParameter,
    sku: z.string(),
    name: z.string(),
    description: z.string().optional(),
    category: z.string().optional(),
    attributes: z.record(z.string(), z.string()),
    price: z.strictObject({ amount: z.int().min(0), currency: z.string() }),
    version: z.int().min(1).meta({ description: 'Changes when somebody edits the product, not when it sells' }),
    createdAt: timestamp,
    updatedAt: timestamp,
    stock: z.strictObject(stockLevel).optional().meta({ description: 'With `include=stock`' }),
  })
  .meta({ id: 'Product' });

export const stockSchema = z
  .strictObject({ productId: idParameter, ...stockLevel, version: z.int().min(1) })
  .meta({ id: 'Stock' });

export const adjustmentBody = z
  .strictObject({
    delta: z
      .int('has to be a whole number')
      .min(-maxPieces)
      .max(maxPieces)
      .refine((value) => value !== 0, 'has to be other than 0')
      .meta({ description: 'Pieces that came (positive) or went (negative)', example: -2 }),
    reason: trimmed
      .regex(visible(1, 200), 'has to be 1 to 200 characters that can be seen')
      .meta({ example: 'Broken in transit' }),
  })
  .meta({ id: 'StockAdjustment' });

export const setStockBody = z.strictObject({ onHand: pieces }).meta({ id: 'SetStock' });

export const movementKinds = ['initial', 'adjustment', 'set', 'sale', 'return'] as const;

export const movementSchema = z
  .strictObject({
    id: idParameter,
    productId: idParameter,
    kind: z.enum(movementKinds),
    delta: z.int(),
    reason: z.string().optional(),
    reservationId: idParameter.optional(),
    createdBy: idParameter.optional().meta({ description: 'The user who made it' }),
    createdAt: timestamp,
  })
  .meta({ id: 'StockMovement' });

const skuFilter = trimmed.regex(/^[^\p{C}\p{Zl}\p{Zp}]{1,64}$/u, 'is not a sku').meta({ description: 'Exactly this sku' });
const categoryFilter = trimmed.regex(/^[^\p{Cc}]{1,100}$/u, 'is not a category').meta({ description: 'Exactly this category' });
const priceFilter = z
  .string()
  .regex(/^(?:0|[1-9]\d{0,12})$/, 'has to be a whole number of minor units')
  .transform(Number)
  .refine((value) => value <= maxPrice, `may be at most ${maxPrice}`)
  .meta({ override: { type: 'integer', minimum: 0, maximum: maxPrice } });

export const sortOrders = ['name', '-name', 'price', '-price', 'createdAt', '-createdAt'] as const;
export type SortOrder = (typeof sortOrders)[number];

export const include = z.literal('stock', 'has to be stock').meta({ description: 'Adds the stock of each product' });

export const listFilters = {
  q: z
    .string()
    .max(200)
    .meta({ description: 'Words of name, sku, category and description: beginnings of words, all have to match' })
    .optional(),
  category: categoryFilter.optional(),
  sku: skuFilter.optional(),
  minPrice: priceFilter.meta({ description: 'In minor units, whatever the currency' }).optional(),
  maxPrice: priceFilter.meta({ description: 'In minor units, whatever the currency' }).optional(),
  sort: z
    .enum(sortOrders, `has to be one of ${sortOrders.join(', ')}`)
    .default('-createdAt')
    .meta({ description: '`-` turns the order around. Names sort without case and accents.' }),
  include: include.optional(),
};
