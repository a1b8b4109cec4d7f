import type { z } from 'zod';
import type { Money } from './catalog-api.ts';
import type { patchedProduct } from './product-schema.ts';

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
}: z.output<typeof patchedProduct>): ProductFields {
  return {
    // as `productOf` has them: a product that another process shares is answered with the same bytes
    sku,
    name,
    ...(description !== undefined && { description }),
    ...(category !== undefined && { category }),
    attributes,
    price,
  };
}

export interface StockLevel {
  readonly onHand: number;
  readonly reserved: number;
  /** what can still be ordered: on hand and not reserved */
  readonly available: number;
}

/** Applies a JSON merge patch (RFC 7396): objects merge member by member, null takes a member away. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
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
