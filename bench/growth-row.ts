import { join } from 'node:path';
import { auditShop } from '../src/audit-shop.ts';
import { createAuditRun } from '../src/shared/audit-run.ts';
import type { Bench, BenchSettings } from './bench-context.ts';
import type { Result, Row } from './bench-row.ts';
import { startBenchStores } from './bench-stores.ts';
import { type GrowthOperation, growthOperations } from './growth-operations.ts';
import { type GrownShop, grownSettings, openCounted, startGrownShop, type Tokens } from './growth-shop.ts';
import { type GrowthCell, growthGoal, microsecondsByRound, reportGrowth } from './growth-table.ts';
import { untilOutboxEmpty } from './order-check.ts';

const warmUpRounds = 2;
/** Growth is measured in many small portions for each round of other rows: what disturbs one of them does not matter then. */
const portions = 12;
/** a token is good for 15 minutes, and a round of a slow machine may take some */
const tokenMs = 8 * 60_000;
const afterMs = 120_000;
const trialRequests = 2;

export const growthRow: Row = {
  name: 'growth',
  title: 'processor time of a request, shop and database, on the largest shop against the smallest (--sizes)',
  optIn: true,
  alone: true,
  run: measureGrowth,
};

/** @throws when an answer was wrong, or the audit finds anything */
async function measureGrowth({ keeper, built, folder, settings }: Bench): Promise<readonly Result[]> {
  const stores = await startBenchStores({ keeper, folder: join(folder, 'growth'), products: 0, mariaDbSettings: grownSettings });
  const shops: GrownShop[] = [];
  try {
    for (const size of settings.sizes) {
      const grown = await startGrownShop({ keeper, built: await built(), folder: join(folder, `growth-${size}`), stores, size });
      process.stderr.write(`${size} products and orders: filled in ${grown.seconds.fill.toFixed(0)} s\n`);
      shops.push(grown);
    }
    const cells = [...(await measureOperations(shops, settings)), ...(await measureAudits(shops))];
    reportGrowth({ cells, shops, settings });
    const [smallest, largest] = [Math.min(...settings.sizes), Math.max(...settings.sizes)];
    const costs = (operation: string, size: number) =>
      microsecondsByRound(cells.filter((cell) => cell.operation === operation && cell.size === size));
    return [...new Set(cells.map(({ operation }) => operation))].map((operation) => ({
      ...{ name: operation, unit: 'µs', goal: growthGoal, checked: 'status and body of every answer, audit clean' },
      ...{ baseline: costs(operation, smallest), project: costs(operation, largest) },
    }));
  } finally {
    for (const grown of shops) await grown.close();
    await stores.close();
  }
}

/** Size after size in small portions, so that a machine that changes meanwhile changes all of them. The first rounds warm up. */
async function measureOperations(shops: readonly GrownShop[], { rounds, trial }: BenchSettings): Promise<readonly GrowthCell[]> {
  const cells: GrowthCell[] = [];
  const clients = shops.map((grown) => createClient(grown, trial));
  const warmUp = trial ? 0 : warmUpRounds;
  const perRound = trial ? 1 : portions;
  for (let portion = -warmUp; portion < rounds * perRound; portion++) {
    for (const client of clients) await client.signIn();
    for (const operation of growthOperations)
      for (const client of portion % 2 === 0 ? clients : clients.toReversed()) {
        const cell = await client.measure(operation);
        if (portion >= 0) cells.push({ ...cell, round: Math.floor(portion / perRound) });
      }
  }
  return cells;
}

function createClient(grown: GrownShop, trial: boolean) {
  const numbers = new Map<string, number>();
  let placed = 0;
  let tokens: Tokens | undefined;
  let signedInAt = Number.NEGATIVE_INFINITY;
  const ask = async (operation: GrowthOperation): Promise<number> => {
    const number = numbers.get(operation.name) ?? 0;
    numbers.set(operation.name, number + 1);
    if (tokens === undefined) throw new Error('Nobody is signed in.');
    const at = { grown, tokens, number, placed };
    const { path, token, body } = operation.request(at);
    const headers = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    };
    const sentAt = performance.now();
    const answer = await fetch(grown.shop.url + path, {
      headers,
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const ms = performance.now() - sentAt;
    const problem = answer.ok ? operation.problemOf(JSON.parse(text), at) : `status ${answer.status}`;
    if (problem !== undefined) throw new Error(`${operation.name} of ${grown.size}: ${problem}: ${text.slice(0, 300)}`);
    if (operation.settles) placed += 1;
    return ms;
  };
  return {
    signIn: async () => {
      if (signedInAt + tokenMs > performance.now()) return;
      signedInAt = performance.now();
      tokens = await grown.signIn();
    },
    measure: async (operation: GrowthOperation): Promise<Omit<GrowthCell, 'round'>> => {
      const requests = trial ? trialRequests : operation.requests;
      const before = await grown.used();
      const waits: number[] = [];
      for (let request = 0; request < requests; request++) waits.push(await ask(operation));
      if (operation.settles) await untilOutboxEmpty(grown.shop.db);
      const after = await grown.used();
      const shop = (after.shopMicroseconds - before.shopMicroseconds) / requests;
      const database = (after.databaseMicroseconds - before.databaseMicroseconds) / requests;
      return {
        ...{ operation: operation.name, size: grown.size, microseconds: shop + database, database },
        ...{ rows: (after.rows - before.rows) / requests, waits },
      };
    },
  };
}

/** One audit of each, by the processor time of a row that it looks at. @throws with what was found */
async function measureAudits(shops: readonly GrownShop[]): Promise<readonly GrowthCell[]> {
  const cells: GrowthCell[] = [];
  for (const grown of shops) {
    const db = await openCounted(grown);
    const run = createAuditRun({ now: Date.now() + afterMs });
    const before = { ...(await grown.used()), cpu: process.cpuUsage(), at: performance.now() };
    for await (const { invariant, subject, detail } of auditShop({ db }, run))
      throw new Error(`The audit of ${grown.size} found ${invariant} ${subject}: ${detail}`);
    const { user, system } = process.cpuUsage(before.cpu);
    const after = await grown.used();
    await db.close();
    const rows = [...run.counts.values()].reduce((sum, count) => sum + count, 0);
    const database = (after.databaseMicroseconds - before.databaseMicroseconds) / rows;
    cells.push({
      ...{ operation: 'audit-row', size: grown.size, round: 0, microseconds: (user + system) / rows + database, database },
      ...{ rows: (after.rows - before.rows) / rows, waits: [(performance.now() - before.at) / rows] },
    });
  }
  return cells;
}
