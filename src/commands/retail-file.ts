import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';

/** What an Online Retail file says, as products and orders of the shop. Prices and totals are pence. */
export interface RetailFile {
  /** SHA-256 of the text in the file, hexadecimal: names the file whatever it is called */
  readonly digest: string;
  readonly products: readonly RetailProduct[];
  readonly orders: readonly RetailOrder[];
  readonly lines: number;
  readonly pieces: number;
  readonly total: number;
}

/** One for each distinct (StockCode, UnitPrice): the same code is sold at many prices. */
export interface RetailProduct {
  readonly sku: string;
  readonly name: string;
  readonly price: number;
  /** all that the file sells of it */
  readonly pieces: number;
}

export interface RetailOrder {
  readonly invoice: string;
  readonly lines: readonly { readonly product: RetailProduct; readonly quantity: number }[];
  readonly pieces: number;
  readonly total: number;
}

/**
 * Reads a gzipped Online Retail CSV as a stream. An order is an invoice whose number does not start with `C`, with its lines
 * whose quantity and price are above 0; lines of one invoice with the same StockCode and UnitPrice add up.
 * @throws Error that names the line, when the file is not what it should be
 */
export async function readRetailFile(path: string): Promise<RetailFile> {
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const sales = new Sales();
  await pipeline(createReadStream(path), createGunzip(), hashing, parse({ bom: true, info: true }), async (rows) => {
    let header = true;
    for await (const row of rows) {
      // with `info` and without `columns` the parser hands out this shape; its stream is typed any
      const { record, info } = row as { readonly record: readonly string[]; readonly info: { readonly lines: number } };
      if (header && record.join() !== columns) throw new Error(`the first line is not ${columns}`);
      if (!header) sales.add(record, info.lines);
      header = false;
    }
    if (header) throw new Error('the file is empty');
  });
  return sales.toFile(hash.digest('hex'));
}

const columns = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country';

interface Counted {
  readonly sku: string;
  readonly price: number;
  name: string;
  pieces: number;
}

class Sales {
  readonly #products = new Map<string, Counted>();
  readonly #orders = new Map<string, Map<Counted, number>>();

  add(record: readonly string[], line: number): void {
    const [invoice = '', code = '', description = '', quantityText = '', , priceText = ''] = record;
    if (invoice.startsWith('C')) return;
    const quantity = integerOf(quantityText, `line ${line}: Quantity`);
    const price = penceOf(priceText, `line ${line}: UnitPrice`);
    if (quantity <= 0 || price <= 0) return;
    const product = this.#product(code, price);
    if (product.name === '') product.name = nameOf(description);
    product.pieces = exact(product.pieces + quantity);
    const order = this.#orders.get(invoice) ?? new Map<Counted, number>();
    this.#orders.set(invoice, order);
    order.set(product, (order.get(product) ?? 0) + quantity);
  }

  toFile(digest: string): RetailFile {
    for (const product of this.#products.values()) if (product.name === '') product.name = `Article ${product.sku}`;
    const orders = [...this.#orders].map(([invoice, products]) => {
      const lines = [...products].map(([product, quantity]) => ({ product, quantity }));
      const total = exact(sum(lines, ({ product, quantity }) => exact(product.price * quantity)));
      return { invoice, lines, pieces: sum(lines, ({ quantity }) => quantity), total };
    });
    return {
      digest,
      products: [...this.#products.values()],
      orders,
      lines: sum(orders, ({ lines }) => lines.length),
      pieces: exact(sum(orders, ({ pieces }) => pieces)),
      total: exact(sum(orders, ({ total }) => total)),
    };
  }

  #product(code: string, price: number): Counted {
    const key = JSON.stringify([code, price]);
    const known = this.#products.get(key);
    if (known) return known;
    const product: Counted = { sku: skuOf(code, price), price, name: '', pieces: 0 };
    this.#products.set(key, product);
    return product;
  }
}

/** The code and the price, so that it is unique and can be read; a code that is no sku of the shop goes by its digest. */
function skuOf(code: string, price: number): string {
  const plain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(code) && code.length <= 40;
  return `${plain ? code : `code-${createHash('sha256').update(code).digest('hex').slice(0, 24)}`}@${pounds(price)}`;
}

/** Descriptions have odd spacing; some are empty. Names of the shop have at most 200 characters, all printable. */
function nameOf(description: string): string {
  const words = description.replaceAll(/[\p{C}\p{Z}]+/gu, ' ').trim();
  return Array.from(words).slice(0, 200).join('').trim();
}

/** Pounds with at most two decimals, as pence: read as text, because 0.29 * 100 is not 29. */
function penceOf(text: string, where: string): number {
  const [, sign, whole = '', decimals = ''] = /^(-?)(\d+)(?:\.(\d{1,2}))?$/.exec(text) ?? [];
  if (sign === undefined)
    throw new Error(`${where} ${JSON.stringify(text)} is not an amount in pounds with at most two decimals`);
  return exact(Number(`${sign}${whole}${decimals.padEnd(2, '0')}`));
}

function integerOf(text: string, where: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw new Error(`${where} ${JSON.stringify(text)} is not a whole number`);
  return Number(text);
}

/** Pence as pounds with two decimals. */
export function pounds(pence: number): string {
  const digits = String(Math.abs(pence)).padStart(3, '0');
  return `${pence < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

function sum<Item>(items: readonly Item[], amountOf: (item: Item) => number): number {
  return items.reduce((total, item) => total + amountOf(item), 0);
}

function exact(value: number): number {
  if (!Number.isSafeInteger(value)) throw new Error('the amounts of the file are too large to be counted exactly');
  return value;
}
