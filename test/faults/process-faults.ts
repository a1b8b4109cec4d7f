import { setTimeout as pause } from 'node:timers/promises';
import type { CrashPoint } from '../../src/shared/crash-setting.ts';
import type { ClusterShop } from './cluster-shops.ts';
import type { Inject, Scene } from './fault-run.ts';
import { statementOf } from './frames.ts';
import { openShopClient } from './shop-client.ts';

/** What goes wrong with the processes of the shop themselves. */

export const killOneAfterAnother: Inject = async ({ cluster, random, ms }) => {
  for (let round = 0; round < 3; round++) {
    const shop = random.pick(cluster.shops);
    await shop.kill('SIGKILL');
    await pause(ms(500));
    await shop.start();
    await pause(ms(2000));
  }
};

export const killAll: Inject = async ({ cluster, ms }) => {
  await Promise.all(cluster.shops.map((shop) => shop.kill('SIGKILL')));
  await pause(ms(500));
};

/** It wakes in the middle of what others have finished for it. */
export const freezeOne: Inject = async ({ cluster, random, ms }) => {
  const shop = random.pick(cluster.shops);
  shop.freeze();
  await pause(ms(20_000));
  shop.thaw();
  await pause(ms(2000));
};

/** Longer than the lease of a relay, so that another one takes what it has. */
export const freezeLeaseHolders: Inject = async ({ cluster, ms }) => {
  for (const shop of cluster.shops.slice(1)) {
    shop.freeze();
    await pause(ms(12_000));
    shop.thaw();
    await pause(ms(1000));
  }
};

/** The process dies at that point, is started again without it, and the clients' retries find what it left. */
export function crashAt(point: CrashPoint): Inject {
  return async (scene) => {
    const shop = scene.random.pick(scene.cluster.shops);
    shop.setEnv({ CRASH_AT: `${point}:${1 + scene.random.below(5)}` });
    await shop.kill('SIGKILL');
    shop.launch();
    // the life that dies has its environment by now, those after it get none
    shop.setEnv({});
    const ends = shop.ends().count;
    await shop.start().catch(() => undefined);
    if (point.endsWith('void-commit')) giveUpOrders(shop);
    if (!(await hasDied(shop, ends))) scene.complain(`${point} was never reached`);
    await shop.start();
  };
}

const patienceMs = 60_000;

async function hasDied(shop: ClusterShop, ends: number): Promise<boolean> {
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await pause(20))
    if (shop.ends().count > ends) return shop.ends().signal === 'SIGKILL';
  return false;
}

/** Every second COMMIT is lost, so that attempts are in doubt. */
function giveUpOrders({ proxies }: ClusterShop): void {
  let commits = 0;
  proxies.mysql.judge = (frame) => {
    if (statementOf(frame) !== 'COMMIT') return 'pass';
    commits += 1;
    return commits % 2 === 0 ? 'cut before' : 'pass';
  };
}

/** One after the other is replaced as a deployment does it; whoever was accepted is answered. */
export const rollingRestart: Inject = async (scene) => {
  const { cluster, ms } = scene;
  const before = lostAnswers(scene);
  for (const shop of cluster.shops) {
    const [code, signal] = await shop.kill('SIGTERM');
    if (code !== 0) scene.complain(`${shop.name} ended with ${code ?? signal} after SIGTERM`);
    await shop.start();
    await pause(ms(1000));
  }
  await pause(ms(1000));
  const lost = lostAnswers(scene) - before;
  if (lost > 0) scene.complain(`I-20: ${lost} requests were lost in a rolling restart`);
};

function lostAnswers({ load }: Scene): number {
  return load.history.operations.filter(({ status }) => status === undefined).length;
}

/** The stores are slow, so that requests are under way when the process is told to end. */
export const terminateWhileBusy: Inject = async (scene) => {
  const { cluster, random, load } = scene;
  const shop = random.pick(cluster.shops);
  await shop.proxies.mysql.setMode({ delayMs: 200 });
  const client = openShopClient(shop.url, 20_000);
  const asked = Array.from({ length: 10 }, () =>
    client.ask({ method: 'GET', path: `/api/products/${load.spareProductId}/stock` }),
  );
  await pause(50);
  const start = performance.now();
  const [code] = await shop.kill('SIGTERM');
  const tookMs = performance.now() - start;
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  client.close();
  // one that waits in vain for a connection to the slow store is told so, which is an answer
  const answered = statuses.filter((status) => status === 200 || status === 503).length;
  if (answered < statuses.length || !statuses.includes(200))
    scene.complain(`I-20: answers ${statuses.join()} while the process ended`);
  if (code !== 0 || tookMs > 25_000) scene.complain(`it ended with ${code} after ${Math.round(tookMs)} ms`);
};

const clockStepsAfterMs = 1000;

/** Its clock jumps to the future, and back behind everybody else's. */
export function stepClock(stepMs: number): Inject {
  return async ({ cluster, random, ms }) => {
    const shop = random.pick(cluster.shops);
    shop.setEnv({ FAULT_CLOCK_STEP_MS: String(stepMs) });
    await shop.kill('SIGTERM');
    await shop.start();
    await pause(clockStepsAfterMs + ms(6000));
    shop.setEnv({});
    await shop.kill('SIGTERM');
  };
}

/** Nobody can write down what happens; the work goes on. */
export const noRoomForLogs: Inject = async (scene) => {
  const shop = scene.random.pick(scene.cluster.shops);
  shop.writeLogTo('/dev/full');
  await shop.kill('SIGTERM');
  // its supervisor starts one that ends anew: afterwards it runs either way
  const { count } = shop.ends();
  await shop.start();
  await pause(scene.ms(4000));
  const { count: now, code, signal } = shop.ends();
  if (now !== count) scene.complain(`it could not log and ended ${now - count} times, with ${code ?? signal}`);
  shop.writeLogTo(undefined);
  await shop.kill('SIGTERM');
};

/** The event loop stands still; to everybody outside it is the same. */
export const blockLoop: Inject = async ({ cluster, random, ms }) => {
  for (let round = 0; round < 3; round++) {
    const shop = random.pick(cluster.shops);
    shop.freeze();
    await pause(2000);
    shop.thaw();
    await pause(ms(1000));
  }
};

const rejection = "setTimeout(()=>{Promise.reject(new Error('nobody handles this'))},4000)";

/** The real program, so that its own handlers answer for it: it drains, ends with 1 and is started again. */
export const unhandledRejection: Inject = async (scene) => {
  const shop = scene.random.pick(scene.cluster.shops);
  shop.setEnv({ NODE_OPTIONS: `--import="data:text/javascript,${encodeURIComponent(rejection)}"` });
  shop.runProgram('src/server.ts');
  await shop.kill('SIGTERM');
  shop.launch();
  shop.runProgram(undefined);
  shop.setEnv({});
  const { count } = shop.ends();
  for (const deadline = Date.now() + patienceMs; shop.ends().count === count && Date.now() < deadline; ) await pause(50);
  const { code, signal } = shop.ends();
  if (shop.ends().count === count || code !== 1) scene.complain(`it ended with ${code ?? signal} after a rejection`);
  await shop.start();
};

/** Not an hour of the shop's depends on where its processes are. */
export const otherTimeZone: Inject = async ({ cluster, random, ms }) => {
  const shop = random.pick(cluster.shops);
  shop.setEnv({ TZ: 'America/St_Johns' });
  await shop.kill('SIGTERM');
  await shop.start();
  await pause(ms(4000));
  shop.setEnv({});
  await shop.kill('SIGTERM');
};

/** Everything but the database is out of reach. */
export const onlyDatabase: Inject = async ({ cluster, ms }) => {
  const others = cluster.shops.flatMap(({ proxies: { redis, dynamo, sqs } }) => [redis, dynamo, sqs]);
  await Promise.all(others.map((proxy) => proxy.setMode('hold')));
  await pause(ms(6000));
};
