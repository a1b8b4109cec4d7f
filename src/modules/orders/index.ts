import type { Logger } from 'pino';
import { z } from 'zod';
import type { BackgroundTask } from '../../shared/background.ts';
import type { Database } from '../../shared/database.ts';
import type { EventQueue } from '../../shared/event-queue.ts';
import { createInProcessQueue } from '../../shared/event-queue.ts';
import { idParameter } from '../../shared/identifier.ts';
import type { Module } from '../../shared/module.ts';
import { decodeCursor, encodeCursor } from '../../shared/page.ts';
import type { Auth } from '../auth/index.ts';
import type { Catalog } from '../catalog/index.ts';
import { createAbandon } from './abandon-attempt.ts';
import { erasureTask } from './erase-customer.ts';
import { createOrderInserter } from './order-inserter.ts';
import { directHandler, type MessageHandler, queueHandler } from './order-message.ts';
import { purgeTask } from './order-purge.ts';
import { rollupTask } from './order-rollup.ts';
import { orderRoutes } from './order-routes.ts';
import { findOrders, readOrder, readTimeline } from './order-store.ts';
import { summarize } from './order-summary.ts';
import { createTransition } from './order-transitions.ts';
import type { Orders } from './orders-api.ts';
import { type OutboxGauges, outboxGaugesTask } from './outbox-gauges.ts';
import { relayTask } from './outbox-relay.ts';
import { personalDataRoutes } from './personal-data-routes.ts';
import { createPlacing } from './place-order.ts';
import { createSettling, sweepTask } from './settle-order.ts';

export { takeAuditTurn } from './audit-turn.ts';
export { auditErasures } from './erasure-audit.ts';
export type { Order } from './orders-api.ts';
export { auditOrders } from './orders-audit.ts';
export { type DeadEvent, listDeadEvents, redriveDeadEvents } from './outbox-store.ts';
export { auditReservations } from './reservation-audit.ts';

export interface OrdersDependencies {
  readonly db: Database;
  readonly catalog: Catalog;
  readonly auth: Auth;
  readonly log: Logger;
  /** milliseconds since 1970 */
  readonly now: () => number;
  /** called after events were appended, to spare the relay its pause */
  readonly onAppended: () => void;
  /** where the relay sends events; absent: straight to the worker in this process */
  readonly queue?: EventQueue;
  /** told once a minute what waits in the outbox */
  readonly onOutboxLooked?: (gauges: OutboxGauges) => void;
  readonly intervals?: Partial<typeof defaultIntervals>;
}

/** Pauses of the background tasks, in milliseconds, and the age at which a held reservation counts as left behind. */
const defaultIntervals = {
  relay: 250,
  sweep: 15_000,
  heldFor: 60_000,
  rollup: 600_000,
  purge: 3_600_000,
  erasure: 5000,
  gauges: 60_000,
};

const idCursor = z.tuple([idParameter]);

export interface OrdersModule extends Module<Orders> {
  /** what the consumer of a queue calls with the body of each message; idempotent */
  readonly handleMessage: MessageHandler;
}

/** Builds the orders module. It starts nothing by itself: the caller mounts the routes and runs the tasks. */
export function createOrders(dependencies: OrdersDependencies): OrdersModule {
  const { db, catalog, auth, log, now, onAppended, onOutboxLooked = () => {}, queue, intervals } = dependencies;
  const every = { ...defaultIntervals, ...intervals };
  const insertOrder = createOrderInserter(db, onAppended);
  const transition = createTransition({ db, now, onAppended });
  const abandon = createAbandon({ db, catalog, now });
  const place = createPlacing({ db, catalog, insertOrder, abandon, now, log });
  const { settle, recover } = createSettling({ db, catalog, transition, abandon });
  const handle = directHandler(settle);

  const api: Orders = {
    place,
    get: (query) => readOrder(db, query),
    list: async ({ cursor, limit, ...filter }) => {
      const after = decodeCursor(cursor, idCursor);
      const found = await findOrders(db, { ...filter, belowId: after?.[0] }, limit + 1);
      const data = found.slice(0, limit);
      const last = data.at(-1);
      return { data, ...(found.length > limit && last !== undefined && { nextCursor: encodeCursor([last.id]) }) };
    },
    timeline: (query) => readTimeline(db, query),
    transition: async (request) => {
      await transition(request);
      return readOrder(db, { orderId: request.orderId });
    },
    summary: (range) => summarize(db, range),
  };

  const tasks: readonly BackgroundTask[] = [
    relayTask({ db, queue: queue ?? createInProcessQueue(({ body }) => handle(body)), everyMs: every.relay }),
    sweepTask({ catalog, recover, heldForMs: every.heldFor, everyMs: every.sweep }),
    rollupTask({ db, now, everyMs: every.rollup }),
    purgeTask({ db, catalog, everyMs: every.purge }),
    erasureTask({ db, auth, everyMs: every.erasure }),
    outboxGaugesTask({ db, now, everyMs: every.gauges, onLooked: onOutboxLooked }),
  ];
  return {
    api,
    routes: [...orderRoutes(api, now), ...personalDataRoutes(auth, api)],
    tasks,
    handleMessage: queueHandler({ db, settle }),
  };
}
