import { setTimeout as pause } from 'node:timers/promises';
import { auditShop } from '../src/audit-shop.ts';
import { createAuditRun } from '../src/shared/audit-run.ts';
import type { Database } from '../src/shared/database.ts';
import type { OrderLoadResult } from './order-load.ts';

/** What a load of orders came to, as its clients and the database tell it. */
export interface OrderFacts {
  readonly load: Pick<OrderLoadResult, 'statuses' | 'distinctOrders' | 'wrong'>;
  /** orders that are in the database more than before the load */
  readonly stored: number;
  /** of those, the ones that the worker has confirmed */
  readonly confirmed: number;
}

/** Every way in which a server that drops, doubles or garbles an order would show; nothing when all is well. */
export function problemsOf({ load: { statuses, distinctOrders, wrong }, stored, confirmed }: OrderFacts): readonly string[] {
  const { 201: placed = 0, ...others } = statuses;
  return [
    ...Object.entries(others).map(([status, count]) => `${count} answers were ${status}`),
    ...(placed === 0 ? ['no order was placed'] : []),
    ...(distinctOrders === placed ? [] : [`${placed} answers of 201 name ${distinctOrders} orders`]),
    ...(stored === placed ? [] : [`${placed} orders were answered and ${stored} are stored`]),
    ...(confirmed === stored ? [] : [`${stored} orders are stored and ${confirmed} confirmed`]),
    ...wrong,
  ];
}

export interface OrderCounts {
  readonly orders: number;
  readonly confirmed: number;
}

export async function countOrders(db: Database): Promise<OrderCounts> {
  const rows = await db.rows<{ status: string; many: number }>(
    'SELECT status, COUNT(*) AS many FROM orders_orders GROUP BY status',
  );
  return {
    orders: rows.reduce((sum, { many }) => sum + many, 0),
    confirmed: rows.find(({ status }) => status === 'confirmed')?.many ?? 0,
  };
}

/** Whether every event has been delivered. */
export async function isOutboxEmpty(db: Database): Promise<boolean> {
  const rows = await db.rows('SELECT id FROM orders_outbox WHERE published_at IS NULL LIMIT 1');
  return rows.length === 0;
}

const betweenLooksMs = 20;

/** @throws when that takes longer than a minute */
export async function untilOutboxEmpty(db: Database): Promise<void> {
  for (const deadline = Date.now() + 60_000; !(await isOutboxEmpty(db)); await pause(betweenLooksMs))
    if (Date.now() > deadline) throw new Error('The outbox does not become empty.');
}

const aWhileMs = 120_000;

/** Audits as if two minutes had passed, so that the newest rows are looked at as well. @throws with what was found */
export async function mustBeClean(db: Database): Promise<string> {
  const run = createAuditRun({ now: Date.now() + aWhileMs });
  const findings: string[] = [];
  for await (const { invariant, subject, detail } of auditShop({ db }, run)) findings.push(`${invariant} ${subject}: ${detail}`);
  if (findings.length > 0) throw new Error(`The audit found ${findings.length}: ${findings.slice(0, 5).join('; ')}`);
  return `audit clean over ${run.counts.get('orders') ?? 0} orders`;
}
