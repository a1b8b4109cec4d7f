import { amountsOf, type PlacedOrders } from './replay-orders.ts';
import { pounds } from './retail-file.ts';

export interface ReplayFigures {
  readonly placed: PlacedOrders;
  readonly placingMs: number;
  readonly productsCreated: number;
  readonly creatingMs: number;
  readonly retries: number;
  readonly differences: readonly string[];
}

/** The result, one line for each figure. */
export function reportLines({
  placed,
  placingMs,
  productsCreated,
  creatingMs,
  retries,
  differences,
}: ReplayFigures): readonly string[] {
  const { orders, lines, pieces, total } = amountsOf(placed.orders);
  const [p50, p95, p99, max] = [0.5, 0.95, 0.99, 1].map((share) => milliseconds(percentile(placed.latenciesMs, share)));
  return [
    `orders            ${count(orders)}${placed.replayed === 0 ? '' : ` (${count(placed.replayed)} had been placed by an earlier request)`}`,
    `order lines       ${count(lines)}`,
    `pieces            ${count(pieces)}`,
    `total             ${pounds(total).replace(/\B(?=(?:\d{3})+\.)/g, ',')} GBP`,
    `orders a second   ${rate(orders, placingMs)}`,
    `products a second ${rate(productsCreated, creatingMs)} (${count(productsCreated)} created)`,
    `placing an order  p50 ${p50}, p95 ${p95}, p99 ${p99}, max ${max}, retries included`,
    `retries           ${count(retries)}`,
    ...verdict(differences),
  ];
}

const shownDifferences = 20;

function verdict(differences: readonly string[]): readonly string[] {
  if (differences.length === 0) return ['The shop agrees with the file: every order confirmed, every penny and every piece.'];
  const more = differences.length - shownDifferences;
  return [
    'The shop does not agree with the file:',
    ...differences.slice(0, shownDifferences).map((difference) => `  ${difference}`),
    ...(more > 0 ? [`  and ${count(more)} more`] : []),
  ];
}

/** The smallest value that is not below the share of all values (nearest rank). */
function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

function count(value: number): string {
  return value.toLocaleString('en-GB');
}

function rate(events: number, ms: number): string {
  return events === 0 ? '-' : count(Math.round((events * 1000) / ms));
}

function milliseconds(ms: number): string {
  return ms < 100 ? `${ms.toFixed(1)} ms` : `${count(Math.round(ms))} ms`;
}
