import { setTimeout as pause } from 'node:timers/promises';
import mysql, { type Connection } from 'mysql2/promise';
import type { ClusterShop } from './cluster-shops.ts';
import type { Inject, Scene } from './fault-run.ts';
import { statementOf } from './frames.ts';
import type { ProxyMode, Verdict } from './store-proxy.ts';

/** What goes wrong with the database and on the way to it. */

export const freezeServer: Inject = async ({ cluster, ms }) => {
  cluster.stores.mysql.freeze();
  await pause(ms(15_000));
  cluster.stores.mysql.thaw();
};

export const restartServer: Inject = async ({ cluster, ms }) => {
  await cluster.stores.mysql.kill('SIGTERM');
  await pause(ms(500));
  await cluster.stores.mysql.start();
};

export const killServer: Inject = async ({ cluster, ms }) => {
  await cluster.stores.mysql.kill('SIGKILL');
  await pause(ms(500));
  await cluster.stores.mysql.start();
};

/** All proxies to one store behave like this for a while. */
export function through(store: keyof ClusterShop['proxies'], mode: ProxyMode, fullMs: number): Inject {
  return async ({ cluster, ms }) => {
    await Promise.all(cluster.shops.map(({ proxies }) => proxies[store].setMode(mode)));
    await pause(ms(fullMs));
    await Promise.all(cluster.shops.map(({ proxies }) => proxies[store].setMode('pass')));
  };
}

/** Connections break wherever they are, again and again. */
export function resets(store: keyof ClusterShop['proxies']): Inject {
  return async ({ cluster, random, ms }) => {
    for (let round = 0; round < 12; round++) {
      random.pick(cluster.shops).proxies[store].cut();
      await pause(ms(400));
    }
  };
}

/** Every third COMMIT is cut, for a while. */
export function cutCommits(verdict: Extract<Verdict, string>): Inject {
  return async (scene) => {
    let cuts = 0;
    let commits = 0;
    for (const { proxies } of scene.cluster.shops)
      proxies.mysql.judge = (frame) => {
        if (statementOf(frame) !== 'COMMIT') return 'pass';
        commits += 1;
        if (commits % 3 !== 0) return 'pass';
        cuts += 1;
        return verdict;
      };
    await pause(scene.ms(6000));
    for (const { proxies } of scene.cluster.shops) proxies.mysql.judge = undefined;
    if (cuts === 0) scene.complain('no COMMIT was cut');
  };
}

/** A session of somebody else that holds rows of the shop's. */
async function holding(scene: Scene, sql: string, work: (connection: Connection) => Promise<void>): Promise<void> {
  const connection = await mysql.createConnection(scene.cluster.databaseUrl);
  try {
    await connection.query('START TRANSACTION');
    await connection.query(sql);
    await work(connection);
  } finally {
    await connection.query('ROLLBACK').catch(() => undefined);
    connection.destroy();
  }
}

export const lockWait: Inject = (scene) =>
  holding(scene, `SELECT * FROM catalog_stock WHERE product_id = '${scene.load.products[0]?.id}' FOR UPDATE`, () =>
    pause(scene.ms(10_000)),
  );

/** Takes the locks of two products in the order that the shop never takes. */
export const oppositeOrder: Inject = async (scene) => {
  const ids = scene.load.products
    .map(({ id }) => id)
    .sort()
    .reverse();
  const until = Date.now() + scene.ms(5000);
  while (Date.now() < until) {
    const [first, second] = [scene.random.pick(ids.slice(0, 2)), scene.random.pick(ids.slice(3))];
    const lock = (id: string) => `SELECT * FROM catalog_stock WHERE product_id = '${id}' FOR UPDATE`;
    await holding(scene, lock(first), async (connection) => {
      await pause(20);
      await connection.query(lock(second)).catch(() => undefined);
    });
  }
};

/** Everybody's statements wait behind a change of the schema, which waits for somebody's transaction. */
export const schemaLock: Inject = (scene) =>
  holding(scene, 'SELECT COUNT(*) FROM orders_orders', async () => {
    const changing = await mysql.createConnection(scene.cluster.databaseUrl);
    await changing.query('SET SESSION lock_wait_timeout = 60');
    const change = changing.query('ALTER TABLE orders_orders COMMENT = ?', [`at ${Date.now()}`]).catch(() => undefined);
    await pause(scene.ms(5000));
    // it must not begin after all
    changing.destroy();
    await change;
  });

/** Other clients take every connection that the server allows. */
export const noConnectionsLeft: Inject = async ({ cluster, ms }) => {
  const administrator = await mysql.createConnection(cluster.databaseUrl);
  const guests: Connection[] = [];
  try {
    await administrator.query('SET GLOBAL max_connections = 20');
    // those of the shop are closed, so that it has to ask for new ones
    for (const { proxies } of cluster.shops) proxies.mysql.cut();
    for (let number = 0; number < 30; number++)
      await mysql.createConnection(cluster.databaseUrl).then(
        (guest) => guests.push(guest),
        () => undefined,
      );
    await pause(ms(5000));
  } finally {
    for (const guest of guests) guest.destroy();
    await administrator.query('SET GLOBAL max_connections = 400');
    await administrator.end();
  }
};

export const readOnlyServer: Inject = async ({ cluster, ms }) => {
  const administrator = await mysql.createConnection(cluster.databaseUrl);
  try {
    await administrator.query('SET GLOBAL read_only = 1');
    for (const { proxies } of cluster.shops) proxies.mysql.cut();
    await pause(ms(5000));
  } finally {
    await administrator.query('SET GLOBAL read_only = 0');
    await administrator.end();
  }
};
