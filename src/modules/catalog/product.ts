import type { Money } from './catalog-api.ts';

/** A product as everybody sees it. */
export interface Product extends ProductFields {
  readonly id: string;
  /** changes only when somebody edits the product, never when it sells */
  readonly version: number;
  /** RFC 3339 UTC */
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** What staff may write. */
export interface ProductFields {
  readonly sku: string;
  readonly name: string;
  readonly price: Money;
  readonly description?: string;
  readonly category?: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** The fields among the members of a body; what is undefined is left out. */
export function fieldsOf({
  sku,
  name,
  price,
  attributes,
  description,
  category,
}: Omit<ProductFields, 'description' | 'category'> & {
  readonly description?: string | undefined;
  readonly category?: string | undefined;
}): ProductFields {
  return {
    sku,
    name,
    price,
    attributes,
    ...(description !== undefined && { description }),
    ...(category !== undefined && { category }),
  };
}

export interface StockLevel {
  readonly onHand: number;
  readonly reserved: number;
  /** what can still be ordered: on hand and not reserved */
  readonly available: number;
}

/** A JSON merge patch of a product: what is absent stays, null takes an optional part away. */
export interface ProductPatch {
  readonly sku?: string | undefined;
  readonly name?: string | undefined;
  readonly price?: { readonly amount?: number | undefined; readonly currency?: string | undefined } | undefined;
  readonly description?: string | null | undefined;
  readonly category?: string | null | undefined;
  readonly attributes?: Readonly<Record<string, string | null>> | null | undefined;
}

/** Applies a merge patch (RFC 7396); objects inside merge member by member. */
export function mergePatch(product: ProductFields, patch: ProductPatch): ProductFields {
  const description = patch.description === undefined ? product.description : patch.description;
  const category = patch.category === undefined ? product.category : patch.category;
  return {
    sku: patch.sku ?? product.sku,
    name: patch.name ?? product.name,
    price: { amount: patch.price?.amount ?? product.price.amount, currency: patch.price?.currency ?? product.price.currency },
    attributes: mergeAttributes(product.attributes, patch.attributes),
    ...(typeof description === 'string' && { description }),
    ...(typeof category === 'string' && { category }),
  };
}

function mergeAttributes(current: ProductFields['attributes'], patch: ProductPatch['attributes']): Record<string, string> {
  if (patch === null) return {};
  const merged = Object.entries({ ...current, ...patch });
  return Object.fromEntries(merged.filter((entry): entry is [string, string] => entry[1] !== null));
}

const maxKeyLength = 200;

/**
 * What names are sorted by, the same on both stores because it compares by code point: without case, and without the
 * accents of Latin, Greek and Cyrillic letters, so that `Éclair` stands beside `eclair` and not behind `Zebra`.
 */
export function nameKeyOf(name: string): string {
  const folded = foldCase(name.normalize('NFKD').replace(/[\u0300-\u036f]/g, '')).normalize('NFKC');
  return [...folded.replace(/\s+/g, ' ').trim()].slice(0, maxKeyLength).join('').trimEnd();
}

/** Case folding: the detour over upper case makes `ß` and `ss` equal, and both forms of the Greek sigma. */
export function foldCase(text: string): string {
  return text.toUpperCase().toLowerCase().replaceAll('ς', 'σ');
}
