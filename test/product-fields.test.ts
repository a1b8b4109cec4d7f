import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { createProductBody, patchProductBody, productSchema, replaceProductBody } from '../src/modules/catalog/product-schema.ts';
import { csvColumns } from '../src/modules/catalog/product-transfer-schema.ts';
import type { VersionedCopies } from '../src/shared/versioned-copies.ts';
import { type CatalogUnderTest, startCatalog } from './harness/catalog.ts';
import { endOf, importText } from './harness/importing.ts';

/**
 * What is true of every field of a product, told for each member that the schema of POST has: so a new field is covered from
 * the moment it stands there (docs/adding-a-field.md). The values are the examples of the schema.
 */

interface Schema {
  readonly $ref?: string;
  readonly example?: unknown;
  readonly type?: string;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

/** A member of a product, or of an object in it that has to be there. */
interface Field {
  readonly title: string;
  readonly path: readonly string[];
  readonly schema: Schema;
  readonly optional: boolean;
}

type Body = Readonly<Record<string, unknown>>;

const document = z.toJSONSchema(createProductBody, { io: 'input' }) as Schema & { readonly $defs: Record<string, Schema> };
const resolved = (schema: Schema): Schema => document.$defs[schema.$ref?.replace('#/$defs/', '') ?? ''] ?? schema;
const namesIn = (schema: { readonly shape: object }) => Object.keys(schema.shape).sort();

/** A stock is a resource of its own: test/stock.test.ts. */
const onlyWhenCreated = ['initialStock'];
const notWritten = ['id', 'version', 'createdAt', 'updatedAt', 'stock'];

function fieldsIn({ properties = {}, required = [] }: Schema, parents: readonly string[] = []): readonly Field[] {
  return Object.entries(properties).flatMap(([name, member]) => {
    const [path, schema, optional] = [[...parents, name], resolved(member), !required.includes(name)];
    return !optional && schema.properties ? fieldsIn(schema, path) : [{ title: path.join('.'), path, schema, optional }];
  });
}

const fields = fieldsIn(resolved(document)).filter(({ title }) => !onlyWhenCreated.includes(title));

function exampleOf({ title, schema }: Pick<Field, 'title' | 'schema'>): unknown {
  if (schema.example !== undefined) return schema.example;
  if (schema.properties === undefined)
    throw new Error(`The schema of the field ${title} has no example: add .meta({ example: … }) in product-schema.ts.`);
  const members = Object.entries(schema.properties);
  return Object.fromEntries(
    members.map(([name, member]) => [name, exampleOf({ title: `${title}.${name}`, schema: resolved(member) })]),
  );
}

/** The longest text that the rule allows, of characters that take four bytes; none where the rule is no length. */
function longestOf({ title, schema: { type, pattern, enum: choice } }: Field): string | undefined {
  if (type !== 'string' || choice !== undefined) return undefined;
  const [, length] = /\{\d+,(\d+)\}\$$/.exec(pattern ?? '') ?? [];
  if (length === undefined) throw new Error(`The pattern of the field ${title} does not end in a length, as {1,100}$ does.`);
  return '\u{1f9e6}'.repeat(Number(length));
}

/** What has to be there, with values other than the examples. */
const plain: Body = { sku: 'PLAIN', name: 'Plain product', price: { amount: 500, currency: 'EUR' } };

const partOf = ([name = '', ...members]: readonly string[], value: unknown): Body => ({
  [name]: members.length === 0 ? value : partOf(members, value),
});
function plainWith({ path: [name = '', ...members] }: Field, value: unknown): Body {
  const { [name]: old } = plain;
  return { ...plain, [name]: members.length === 0 ? value : { ...(old as Body), ...partOf(members, value) } };
}
const valueIn = (body: unknown, { path }: Field) =>
  path.reduce<unknown>((value, name) => (value as Body | undefined)?.[name], body);

/** Texts by id and version, as Redis keeps them. */
function keepCopies(): VersionedCopies {
  const copies = new Map<string, { readonly version: number; readonly text: string }>();
  return {
    look: async (id) => {
      const found = copies.get(id);
      return { ...(found && { found }), fill: (version, text) => void copies.set(id, { version, text }) };
    },
    outdate: (id) => void copies.delete(id),
    onOutdated: () => {},
    close: () => {},
  };
}

let here: CatalogUnderTest;
let there: CatalogUnderTest;
beforeAll(async () => {
  const copies = keepCopies();
  here = await startCatalog({ copies });
  there = await startCatalog({ copies }, here);
});
afterAll(async () => {
  await there.close();
  await here.close();
});
afterEach(async () => {
  for (const table of ['search', 'stock_movements', 'stock', 'products']) await here.db.run(`DELETE FROM catalog_${table}`);
});

/** The only product there is, which the list shows as the store does. */
async function product() {
  const { data } = (await here.send('get', '/api/products')).body;
  expect(data).toHaveLength(1);
  expect((await here.send('get', `/api/products/${data[0].id}`)).body).toEqual(data[0]);
  return data[0];
}

async function write(method: 'put' | 'patch', body: Body) {
  const { id, version } = await product();
  const answer = await here.send(method, `/api/products/${id}`, { body, headers: { 'If-Match': `"${version}"` } });
  expect(answer).toMatchObject({ status: 200, body: await product() });
  return answer.body;
}

const exportAs = async (type: string) => (await here.send('get', '/api/products/export', { headers: { Accept: type } })).text;

/** The export of a product that has the example in this field, and of the plain one, which is there at the end. */
async function exportsOf(field: Field, type: string) {
  await here.product(plainWith(field, exampleOf(field)));
  const set = await exportAs(type);
  await write('put', plain);
  return { set, unset: await exportAs(type) };
}

describe('the fields of a product', () => {
  it('are the same in all schemas', () => {
    const written = namesIn(createProductBody).filter((name) => !onlyWhenCreated.includes(name));
    expect({
      put: namesIn(replaceProductBody),
      patch: namesIn(patchProductBody),
      answer: namesIn(productSchema).filter((name) => !notWritten.includes(name)),
    }).toEqual({ put: written, patch: written, answer: written });
  });

  it('have examples, which are not what a plain product has', () => {
    for (const field of fields) expect([field.title, exampleOf(field)]).not.toEqual([field.title, valueIn(plain, field)]);
  });

  it('are explained to who imports them', () => {
    const page = readFileSync(join(__dirname, '..', 'docs', 'importing.md'), 'utf8');
    const explained = page
      .split('\n')
      .flatMap((line) => (/^\| `/.test(line) ? [...(line.split('|')[1]?.matchAll(/`(\w+)`/g) ?? [])] : []));
    expect(explained.map(([, column]) => column).sort()).toEqual([...csvColumns].sort());
  });
});

describe.each(fields)('the field $title of a product', (field) => {
  it('is what was sent: in the answer, the store, the list, memory and the copy that processes share', async () => {
    const created = await here.product(plainWith(field, exampleOf(field)));
    expect(valueIn(created, field)).toEqual(exampleOf(field));
    expect(await product()).toEqual(created);
    const read = (catalog: CatalogUnderTest) => catalog.send('get', `/api/products/${created.id}`, { as: 'nobody' });
    expect((await read(here)).body).toEqual(created);
    // so that only the copy is left
    await here.db.run('DELETE FROM catalog_products');
    expect(await read(there)).toMatchObject({ status: 200, body: created });
  });

  it('is set and taken away by PUT', async () => {
    const before = await here.product(plain);
    expect(valueIn(await write('put', plainWith(field, exampleOf(field))), field)).toEqual(exampleOf(field));
    expect(valueIn(await write('put', plain), field)).toEqual(valueIn(before, field));
  });

  it('is set by PATCH, stays when another field is, and goes with null if it may', async () => {
    const before = await here.product(plain);
    const [id, version, updatedAt] = [before.id, expect.any(Number), expect.any(String)];
    const set = { ...before, ...plainWith(field, exampleOf(field)), id, version, updatedAt };
    expect(await write('patch', partOf(field.path, exampleOf(field)))).toEqual(set);
    const others = fields.filter((other) => other.path[0] !== field.path[0]);
    const changes = Object.assign({}, ...others.map((other) => partOf(other.path, exampleOf(other))));
    expect(valueIn(await write('patch', changes), field)).toEqual(exampleOf(field));
    if (field.optional) expect(valueIn(await write('patch', partOf(field.path, null)), field)).toEqual(valueIn(before, field));
  });

  it('may be as long as its rule allows, created, edited and imported', async () => {
    const longest = longestOf(field);
    if (longest === undefined) return;
    await here.product(plain);
    const body = plainWith(field, longest);
    expect(valueIn(await write('put', body), field)).toBe(longest);
    await write('put', plain);
    const { sku } = plain;
    expect(endOf(await importText(here, JSON.stringify({ ...body, sku })))).toMatchObject({ complete: true, refused: 0 });
    if (field.title !== 'sku') expect(valueIn(await product(), field)).toBe(longest);
    await here.db.run('DELETE FROM catalog_products');
    expect(valueIn(await here.product(body), field)).toBe(longest);
    await here.db.run('DELETE FROM catalog_products');
    expect(endOf(await importText(here, JSON.stringify(body)))).toMatchObject({ created: 1 });
    expect(valueIn(await product(), field)).toBe(longest);
  });

  describe.each(['application/x-ndjson', 'text/csv'])('as %s', (type) => {
    it('comes out of the export and goes in with a new product', async () => {
      const { set, unset } = await exportsOf(field, type);
      expect(set).not.toBe(unset);
      await here.db.run('DELETE FROM catalog_products');
      expect(endOf(await importText(here, set, type))).toMatchObject({ created: 1, refused: 0 });
      expect(valueIn(await product(), field)).toEqual(exampleOf(field));
    });

    // by its sku a product is found
    if (field.title === 'sku') return;
    it('is reason enough to update a product, once, and to take it away again', async () => {
      const { set, unset } = await exportsOf(field, type);
      const before = await product();
      expect(endOf(await importText(here, set, type))).toMatchObject({ updated: 1, unchanged: 0, refused: 0 });
      expect(valueIn(await product(), field)).toEqual(exampleOf(field));
      expect(endOf(await importText(here, set, type))).toMatchObject({ updated: 0, unchanged: 1 });
      expect(endOf(await importText(here, unset, type))).toMatchObject({ updated: 1, unchanged: 0 });
      expect(valueIn(await product(), field)).toEqual(valueIn(before, field));
    });
  });
});
