import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { DataTypes } from 'sequelize';
import { CommitInDoubt, type Database, isStoreDown, openMysql } from '../src/shared/database.ts';
import { withDeadline } from '../src/shared/deadline.ts';
import { migrate, pendingMigrations } from '../src/shared/migrations.ts';
import { openStore } from './harness/stores.ts';

/** How long MySQL may take for something. The embedded store has neither row locks nor a server that might hang. */

let db: Database;
let close: () => Promise<void>;
let url: string;

beforeAll(async () => {
  ({ db, close } = await openStore());
  const { host, port, username, password, database } = db.sequelize.config;
  url = `mysql://${username}:${password}@${host}:${port}/${database}`;
  await db.run('CREATE TABLE boxes (id INT PRIMARY KEY, pieces INT NOT NULL) ENGINE=InnoDB');
  await db.run('INSERT INTO boxes (id, pieces) VALUES (1, 0)');
});

afterAll(() => close());

const addOne = 'UPDATE boxes SET pieces = pieces + 1 WHERE id = 1';
const longerThanTheLimit = 'SELECT SLEEP(4)';

describe('a transaction that waits for a row', () => {
  it('is tried again as a whole when the wait took too long', async () => {
    const holder = Promise.withResolvers<void>();
    const locked = Promise.withResolvers<void>();
    const first = db.transaction(async (tx) => {
      await tx.run(addOne);
      locked.resolve();
      await holder.promise;
    });
    await locked.promise;
    let attempts = 0;
    await db.transaction(async (tx) => {
      attempts += 1;
      await tx.run('INSERT INTO boxes (id, pieces) VALUES (2, 0)');
      if (attempts === 2) {
        holder.resolve();
        await first;
      }
      await tx.run(addOne);
    });
    expect(attempts).toBe(2);
    expect(await db.rows('SELECT id, pieces FROM boxes ORDER BY id')).toEqual([
      { id: 1, pieces: 2 },
      { id: 2, pieces: 0 },
    ]);
  });
});

describe('a row that is never let go', () => {
  let letGo = () => {};
  let held: Promise<void>;
  beforeEach(async () => {
    const locked = Promise.withResolvers<void>();
    held = db.transaction(async (tx) => {
      await tx.run(addOne);
      locked.resolve();
      await new Promise<void>((resolve) => {
        letGo = resolve;
      });
    });
    await locked.promise;
  });
  afterEach(() => {
    letGo();
    return held;
  });

  it('is a store that is down, once the wait was tried again in vain', async () => {
    const error = await db.transaction((tx) => tx.run(addOne)).catch((reason: unknown) => reason);
    expect(isStoreDown(error)).toBe(true);
  });

  it('undoes all of a transaction, also when it swallows the error', async () => {
    const swallowing = db.transaction(async (tx) => {
      await tx.run('INSERT INTO boxes (id, pieces) VALUES (3, 0)');
      await tx.run(addOne).catch(() => undefined);
    });
    await expect(swallowing).rejects.toThrow();
    expect(await db.rows('SELECT id FROM boxes WHERE id = 3')).toEqual([]);
  });
});

describe('a statement that takes too long', () => {
  it('is ended, and the store counts as down', async () => {
    const error = await db.rows(longerThanTheLimit).catch((reason: unknown) => reason);
    expect(isStoreDown(error)).toBe(true);
    expect(await db.rows('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('does not go on inside the server', async () => {
    await db.rows(longerThanTheLimit).catch(() => undefined);
    expect(
      await db.rows("SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%' AND db = DATABASE()"),
    ).toEqual([]);
  });

  it('may be part of a migration', async () => {
    const slow: Database = {
      ...db,
      transaction: (work, options) =>
        db.transaction(async (tx) => {
          await tx.rows(longerThanTheLimit);
          return work(tx);
        }, options),
    };
    expect(await migrate(slow)).toEqual(expect.arrayContaining(['0001-catalog-products']));
    expect(await pendingMigrations(db)).toEqual([]);
  });
});

/** Between the shop and MariaDB; a silent one keeps its connections and passes nothing on. */
async function startSilencer() {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let silent = false;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => void (!silent && to.write(chunk)));
      from.on('error', () => {});
      from.on('close', () => to.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const through = Object.assign(new URL(url), { port: String((server.address() as AddressInfo).port) }); // it listens on TCP
  return {
    url: through.href,
    silence: (on: boolean) => {
      silent = on;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

describe('a server that falls silent', () => {
  let silencer: Awaited<ReturnType<typeof startSilencer>>;
  let through: Database;
  beforeAll(async () => {
    silencer = await startSilencer();
    through = await openMysql({ url: silencer.url, poolMax: 1 });
  });
  beforeEach(async () => {
    await through.rows('SELECT 1');
  });
  afterEach(() => silencer.silence(false));
  afterAll(async () => {
    await through.close();
    await silencer.close();
  });
  const boxes = () => db.rows('SELECT id FROM boxes WHERE id >= 100 ORDER BY id');

  it('does not hold up a statement that it has to prepare first, nor the next one', async () => {
    silencer.silence(true);
    expect(isStoreDown(await through.rows('SELECT ? AS never_sent_before', [1]).catch((error: unknown) => error))).toBe(true);
    silencer.silence(false);
    expect(await through.rows('SELECT ? AS one', [1])).toEqual([{ one: 1 }]);
  });

  it('does not hold up a statement of a model', async () => {
    const model = through.sequelize.define(
      'box',
      { id: { type: DataTypes.INTEGER, primaryKey: true }, pieces: DataTypes.INTEGER },
      { tableName: 'boxes', timestamps: false },
    );
    const work = through.transaction(async (tx) => {
      silencer.silence(true);
      await model.create({ id: 100, pieces: 1 }, { transaction: tx.handle });
    });
    expect(isStoreDown(await work.catch((error: unknown) => error))).toBe(true);
    expect(await boxes()).toEqual([]);
  });

  it('leaves a COMMIT in doubt', async () => {
    const work = through.transaction(async (tx) => {
      await tx.run('INSERT INTO boxes (id, pieces) VALUES (101, 1)');
      silencer.silence(true);
    });
    await expect(work).rejects.toBeInstanceOf(CommitInDoubt);
  });
});

describe('a server that only reads any more', () => {
  // what a server says that was the writer of a cluster until a moment ago
  const asReader = "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1290";
  const session = async () => (await single.rows<{ id: number }>('SELECT CONNECTION_ID() AS id'))[0]?.id;
  let single: Database;
  beforeAll(async () => {
    single = await openMysql({ url, poolMax: 1 });
  });
  afterAll(() => single.close());

  it.each([
    ['transaction', () => single.transaction((tx) => tx.run(asReader))],
    ['statement', () => single.run(asReader)],
  ])('is left by the connection of the %s that it refused, since another server may write now', async (_what, write) => {
    const before = await session();
    expect(await write().catch(isStoreDown)).toBe(true);
    expect(await session()).not.toBe(before);
  });
});

describe('a caller whose time is over', () => {
  it('gets no statement and no transaction begun, and loses the one that is open', async () => {
    const outcomes: unknown[] = [];
    const ended = Promise.withResolvers<void>();
    const work = withDeadline(300, async () => {
      const open = db.transaction(async (tx) => {
        await tx.run('INSERT INTO boxes (id, pieces) VALUES (200, 1)');
        await new Promise((resolve) => setTimeout(resolve, 400));
        await tx.run('UPDATE boxes SET pieces = 2 WHERE id = 200');
      });
      outcomes.push(await open.catch((error: { code: string }) => error.code));
      outcomes.push(await db.rows('SELECT 1').catch((error: { code: string }) => error.code));
      outcomes.push(await db.transaction((tx) => tx.run(addOne)).catch((error: { code: string }) => error.code));
      ended.resolve();
    });
    await expect(work).rejects.toMatchObject({ code: 'unavailable' });
    await ended.promise;
    expect(outcomes).toEqual(['unavailable', 'unavailable', 'unavailable']);
    expect(await db.rows('SELECT id FROM boxes WHERE id = 200')).toEqual([]);
  });
});
