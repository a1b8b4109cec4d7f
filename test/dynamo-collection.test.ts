import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BatchGetItemCommandInput } from '@aws-sdk/client-dynamodb';
import type { Dynamo } from '../src/shared/dynamo.ts';
import { type DynamoCollection, openCollection } from '../src/shared/dynamo-collection.ts';
import { openEmbeddedDynamo } from '../src/shared/embedded-dynamo.ts';
import { runChild } from './child-process.ts';

const loggerLoaded = jest.fn();
jest.mock(
  'dynamoose-logger/dist/emitter',
  () => {
    loggerLoaded();
    return {};
  },
  { virtual: true },
);

interface Thing {
  readonly id: string;
  readonly count?: number;
  readonly tags?: readonly string[];
  readonly shelf?: string;
}

const definition = {
  name: 'Things',
  attributes: {
    id: { type: String, hashKey: true },
    count: { type: Number },
    tags: { type: Array, schema: [String] },
    shelf: { type: String, index: { name: 'by_shelf', type: 'global' as const, rangeKey: 'id', project: false } },
  },
};

let folder: string;
let dynamo: Dynamo;
let things: DynamoCollection<Thing>;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'things-'));
  dynamo = await openEmbeddedDynamo(folder);
  things = await openCollection<Thing>(dynamo, definition);
});
afterEach(async () => {
  await dynamo.close();
  rmSync(folder, { recursive: true });
});

describe('a table', () => {
  it('takes an item whose key is free, once', async () => {
    expect(await things.insert({ id: 'a', count: 1, tags: ['x', 'y'] })).toBe(true);
    expect(await things.insert({ id: 'a', count: 2 })).toBe(false);
    expect(await things.get({ id: 'a' })).toEqual({ id: 'a', count: 1, tags: ['x', 'y'] });
  });

  it('looks for no package while it is asked', async () => {
    await things.insert({ id: 'a' });
    expect(loggerLoaded).not.toHaveBeenCalled();
  });

  it('gives many items by their keys, in the order of the keys, without those that are not there', async () => {
    for (const id of ['a', 'b', 'c']) await things.insert({ id, count: 1, tags: [id] });
    const keys = ['c', 'ghost', 'a', 'c'].map((id) => ({ id }));
    expect(await things.getMany(keys)).toEqual([
      { id: 'c', count: 1, tags: ['c'] },
      { id: 'a', count: 1, tags: ['a'] },
    ]);
    expect(await things.getMany([])).toEqual([]);
  });

  it('asks again for what a busy store left out of an answer, and gives up after a while', async () => {
    for (const id of ['a', 'b', 'c']) await things.insert({ id });
    let asked = 0;
    let most = 2;
    dynamo.client.middlewareStack.add(
      (next) => async (args) => {
        const { RequestItems } = args.input as Partial<BatchGetItemCommandInput>; // of any call
        if (RequestItems === undefined) return next(args);
        asked += 1;
        const { Keys = [] } = RequestItems[definition.name] ?? {};
        const first = { [definition.name]: { Keys: Keys.slice(0, most || 1) } };
        const result = await next({ ...args, input: { RequestItems: first } });
        const rest = Keys.slice(most);
        if (rest.length > 0) Object.assign(result.output, { UnprocessedKeys: { [definition.name]: { Keys: rest } } });
        return result;
      },
      { step: 'initialize', name: 'busy' },
    );
    const keys = ['a', 'b', 'c'].map((id) => ({ id }));
    expect(await things.getMany(keys)).toEqual(keys);
    expect(asked).toBe(2);
    most = 0;
    await expect(things.getMany(keys)).rejects.toMatchObject({ code: 'unavailable' });
    expect(asked).toBe(7);
  });

  it('never makes an item by changing one that is not there', async () => {
    expect(await things.update({ id: 'ghost' }, { set: { count: 1 } })).toBe(false);
    expect(await things.get({ id: 'ghost' })).toBeUndefined();
  });

  it('changes an item when every part of the condition holds', async () => {
    await things.insert({ id: 'a', count: 1 });
    const change = { set: { count: 2 }, remove: ['shelf' as const] };
    expect(await things.update({ id: 'a' }, change, { equals: { count: 3 } })).toBe(false);
    expect(await things.update({ id: 'a' }, change, { equals: { count: 1 }, exists: ['shelf'] })).toBe(false);
    expect(await things.update({ id: 'a' }, change, { below: { count: 1 } })).toBe(false);
    expect(await things.update({ id: 'a' }, change, { equals: { count: 1 }, absent: ['count'] })).toBe(false);
    expect(await things.update({ id: 'a' }, change, { equals: { count: 1 }, absent: ['shelf'], below: { count: 2 } })).toBe(true);
    expect(await things.get({ id: 'a' })).toEqual({ id: 'a', count: 2 });
  });

  it('removes an item, when the condition holds', async () => {
    await things.insert({ id: 'a', count: 1 });
    expect(await things.remove({ id: 'a' }, { equals: { count: 2 } })).toBe(false);
    expect(await things.remove({ id: 'a' }, { equals: { count: 1 } })).toBe(true);
    expect(await things.get({ id: 'a' })).toBeUndefined();
    expect(await things.remove({ id: 'a' })).toBe(true);
  });

  it('is listed by an index, page by page, in both directions', async () => {
    for (const id of ['a', 'b', 'c', 'd']) await things.insert({ id, shelf: 'top', count: 1 });
    await things.insert({ id: 'e', shelf: 'bottom' });
    const query = { index: 'by_shelf', partition: { shelf: 'top' } };
    expect((await things.query(query)).items).toEqual(['a', 'b', 'c', 'd'].map((id) => ({ id, shelf: 'top' })));
    expect((await things.query({ ...query, upTo: { id: 'b' } })).items.map(({ id }) => id)).toEqual(['a', 'b']);
    const first = await things.query({ ...query, newestFirst: true, limit: 3 });
    const second = await things.query({ ...query, newestFirst: true, limit: 3, after: first.next });
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(['d', 'c', 'b', 'a']);
    expect(second.next).toBeUndefined();
  });

  it('is there after the store was closed and opened again', async () => {
    await things.insert({ id: 'a', count: 1 });
    await dynamo.close();
    dynamo = await openEmbeddedDynamo(folder);
    const again = await openCollection<Thing>(dynamo, definition);
    expect(await again.get({ id: 'a' })).toEqual({ id: 'a', count: 1 });
  });

  it('is made once when several ask at the same time', async () => {
    const tables = await Promise.all(
      Array.from({ length: 4 }, () => openCollection<Thing>(dynamo, { ...definition, name: 'Others' })),
    );
    expect(await tables[0]?.insert({ id: 'a' })).toBe(true);
    expect(await tables[3]?.get({ id: 'a' })).toEqual({ id: 'a' });
  });
});

describe('the embedded store', () => {
  it('finishes what was asked of it before it closes, and refuses what comes later', async () => {
    const writes = Promise.allSettled(Array.from({ length: 100 }, (_, index) => things.insert({ id: `thing${index}` })));
    await dynamo.close();
    const outcomes = await writes;
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason.code);
    expect(new Set(refused).size).toBeLessThanOrEqual(1);
    await expect(things.get({ id: 'thing0' })).rejects.toMatchObject({ code: 'unavailable' });
    dynamo = await openEmbeddedDynamo(folder);
    things = await openCollection<Thing>(dynamo, definition);
    const acknowledged = outcomes.flatMap((outcome, index) => (outcome.status === 'fulfilled' ? [`thing${index}`] : []));
    for (const id of acknowledged) expect(await things.get({ id })).toEqual({ id });
  });

  it('keeps every write that it has acknowledged when the process is killed', async () => {
    await dynamo.close();
    const child = runChild(`
      const { openEmbeddedDynamo } = await shared('embedded-dynamo.ts');
      const { openCollection } = await shared('dynamo-collection.ts');
      const dynamo = await openEmbeddedDynamo(${JSON.stringify(folder)});
      const attributes = { id: { type: String, hashKey: true }, count: { type: Number } };
      const things = await openCollection(dynamo, { name: 'Things', attributes });
      for (let number = 0; ; number++) {
        await things.insert({ id: 'thing' + number, count: number });
        console.log(number);
      }
    `);
    let last = -1;
    while (last < 30) last = Number(await child.line());
    await child.kill();
    const { lines, errors } = await child.rest();
    expect(errors).toBe('');
    dynamo = await openEmbeddedDynamo(folder);
    things = await openCollection<Thing>(dynamo, definition);
    for (let number = 0; number <= Number(lines.at(-1) ?? last); number++)
      expect(await things.get({ id: `thing${number}` })).toEqual({ id: `thing${number}`, count: number });
  });

  it('tells its time', async () => {
    await things.get({ id: 'a' });
    expect(Math.abs(dynamo.now() - Date.now())).toBeLessThan(2000);
    await dynamo.ping();
  });
});
