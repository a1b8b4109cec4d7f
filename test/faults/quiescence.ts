import { setTimeout as pause } from 'node:timers/promises';
import type { Cluster } from './cluster.ts';

/** What has still to happen before the shop's data can be judged. */
export interface Backlog {
  /** events on their way out, and messages that nobody has handled */
  readonly events: number;
  /** reservations of nobody's, or of an order that is not confirmed yet */
  readonly held: number;
}

const betweenMs = 200;

/** Waits until every event is delivered and nothing is held. Answers what is left when patience ends. */
export async function untilQuiet(
  { db, stores, queues }: Pick<Cluster, 'db' | 'stores' | 'queues'>,
  patienceMs: number,
): Promise<Backlog> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const backlog = await backlogOf({ db, stores, queues });
    if ((backlog.events === 0 && backlog.held === 0) || Date.now() > deadline) return backlog;
    await pause(betweenMs);
  }
}

async function backlogOf({ db, stores, queues }: Pick<Cluster, 'db' | 'stores' | 'queues'>): Promise<Backlog> {
  const [unpublished] = await db.rows<{ n: number }>('SELECT COUNT(*) AS n FROM orders_outbox WHERE published_at IS NULL');
  const [held] = await db.rows<{ n: number }>("SELECT COUNT(*) AS n FROM catalog_reservations WHERE state = 'held'");
  const { Attributes = {} } = await stores.sqs.sqs.getQueueAttributes({ QueueUrl: queues.queueUrl, AttributeNames: ['All'] });
  const waiting = Number(Attributes.ApproximateNumberOfMessages) + Number(Attributes.ApproximateNumberOfMessagesNotVisible);
  return { events: (unpublished?.n ?? 0) + waiting, held: held?.n ?? 0 };
}
