import { join } from 'node:path';
import { DataTypes, type Model, type ModelStatic } from 'sequelize';
import { type Database, openSqlite } from '../src/shared/database.ts';
import { temporaryFolder } from './child-process.ts';

export interface Boxes {
  readonly db: Database;
  readonly folder: string;
  readonly file: string;
  /** Sequelize's model of the table `box` */
  readonly Box: ModelStatic<Model>;
  pieces(): Promise<number | undefined>;
  names(): Promise<readonly string[]>;
  /** leaves one box with the id 1, named 'first', with 0 pieces */
  reset(): Promise<void>;
  remove(): Promise<void>;
}

/** An embedded store with a table of boxes and one of their labels. */
export async function openBoxes({ acquireTimeoutMs = 15_000 }: { readonly acquireTimeoutMs?: number } = {}): Promise<Boxes> {
  const temporary = temporaryFolder();
  const file = join(temporary.path, 'shop.sqlite');
  const db = await openSqlite({ file, acquireTimeoutMs });
  await db.run(`CREATE TABLE box (id INTEGER PRIMARY KEY, name VARCHAR(20) UNIQUE, pieces BIGINT NOT NULL CHECK (pieces >= 0),
    version INT NOT NULL DEFAULT 0, at DATETIME(3))`);
  await db.run('CREATE TABLE label (id INTEGER PRIMARY KEY, box_id INTEGER NOT NULL REFERENCES box (id))');
  const Box = db.sequelize.define(
    'box',
    {
      id: { type: DataTypes.INTEGER, primaryKey: true },
      name: DataTypes.STRING,
      pieces: DataTypes.INTEGER,
      at: DataTypes.STRING,
    },
    { tableName: 'box', timestamps: false, version: true },
  );
  return {
    db,
    folder: temporary.path,
    file,
    Box,
    pieces: async () => (await db.rows<{ pieces: number }>('SELECT pieces FROM box WHERE id = 1'))[0]?.pieces,
    names: async () => (await db.rows<{ name: string }>('SELECT name FROM box ORDER BY id')).map(({ name }) => name),
    async reset() {
      await db.run('DELETE FROM label');
      await db.run('DELETE FROM box');
      await db.run("INSERT INTO box (id, name, pieces) VALUES (1, 'first', 0)");
    },
    async remove() {
      await db.close();
      temporary.remove();
    },
  };
}

/** What the work was refused with. */
export async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}
