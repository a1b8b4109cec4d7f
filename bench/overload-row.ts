import type { Bench } from './bench-context.ts';
import type { Result, Row } from './bench-row.ts';
import type { BenchShop } from './bench-shop.ts';
import { countOrders, mustBeClean, untilOutboxEmpty } from './order-check.ts';
import { type OpenOrderLoad, type OpenOrderResult, runProgram } from './order-load.ts';
import { placeOrders } from './order-rows.ts';

const overloadFactor = 3;
/** each takes two minutes: what was placed has to be confirmed and audited as well */
const mostRounds = 3;

export const overloadRow: Row = {
  name: 'overload',
  title: 'orders accepted a second at three times the rate that the shop has time for, against its peak; the longest waits',
  run: overload,
};

/** @throws when an answer is neither an order nor a refusal, or an order is missing or left over */
async function overload(bench: Bench): Promise<readonly Result[]> {
  const shop = await bench.shop();
  const { rounds, seconds, overloadSeconds, warmUpSeconds } = bench.settings;
  await placeOrders({ shop, seconds: warmUpSeconds });
  const baseline: number[] = [];
  const measured: OpenOrderResult[] = [];
  for (let round = 0; round < Math.min(rounds, mostRounds); round++) {
    const peak = (await placeOrders({ shop, seconds })).accepted;
    baseline.push(peak);
    const before = await countOrders(shop.db);
    const result = await overloadFor(shop, { peak, seconds: overloadSeconds });
    await untilOutboxEmpty(shop.db);
    mustBeRight(result, (await countOrders(shop.db)).orders - before.orders);
    measured.push(result);
  }
  const checked = `201 and 503 alone, as many orders as were acknowledged, ${await mustBeClean(shop.db)}`;
  const placed = measured.map(({ statuses, seconds: sent }) => (statuses[201] ?? 0) / sent);
  const of = (name: string, project: readonly number[], atMost: number): Result => {
    return { name: `overload-${name}`, unit: 'ms', project, goal: { atMost }, checked };
  };
  return [
    { name: 'overload', unit: '/s', baseline, project: placed, goal: { atLeast: 0.9 }, checked },
    of(
      'placed-p99',
      measured.map(({ placedP99Ms }) => placedP99Ms),
      1000,
    ),
    of(
      'refused-p99',
      measured.map(({ refusedP99Ms }) => refusedP99Ms),
      50,
    ),
  ];
}

/** Orders at three times the peak, in orders a second. */
export async function overloadFor(
  shop: BenchShop,
  { peak, seconds }: { readonly peak: number; readonly seconds: number },
): Promise<OpenOrderResult> {
  const { port, productIds } = shop;
  const load = { port, productIds, tokens: await shop.customers(), ratePerSecond: peak * overloadFactor, seconds };
  return runProgram<OpenOrderResult>('open-order-program.ts', load satisfies OpenOrderLoad);
}

function mustBeRight({ statuses }: OpenOrderResult, stored: number): void {
  const { 201: placed = 0, 503: _refused, ...others } = statuses;
  const wrong = Object.entries(others).map(([status, count]) => `${count} answers were ${status}`);
  // what is answered 503 for being late may be placed all the same
  if (stored < placed) wrong.push(`${placed} orders were acknowledged and ${stored} are stored`);
  if (wrong.length > 0) throw new Error(`The overload was not answered right: ${wrong.join('; ')}`);
}
