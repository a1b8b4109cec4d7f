import { DatabaseSync } from 'node:sqlite';
import { newId } from '../../src/shared/identifier.ts';
import { chooseProducts, orderParameters, orderStatements, readLoop, runLoop, type ShelfRow } from './order-loop.ts';

/** The same by hand on `node:sqlite`: one transaction per order, as durable as the shop's, every statement prepared. */
const loop = await readLoop();
const database = new DatabaseSync(loop.database, { enableForeignKeyConstraints: true });
database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
const { read, reserve, ...writes } = orderStatements('');
const reading = database.prepare(read);
const reserving = database.prepare(reserve);
const writing = Object.fromEntries(Object.entries(writes).map(([name, sql]) => [name, database.prepare(sql)]));
const [begin, commit] = ['BEGIN IMMEDIATE', 'COMMIT'].map((sql) => database.prepare(sql));

await runLoop(loop, async () => {
  const ids = chooseProducts(loop);
  begin?.run();
  const found = reading.all(...ids) as unknown as ShelfRow[]; // the columns of `read`
  if (Number(reserving.run(...ids).changes) !== ids.length) throw new Error('A product is sold out.');
  for (const [name, parameters] of orderParameters(found, newId)) writing[name]?.run(...parameters);
  commit?.run();
});
database.close();
