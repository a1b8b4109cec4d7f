import type { Logger } from 'pino';
import type { Answered } from './shared/access-log.ts';
import { createMetrics, type Metrics } from './shared/metrics.ts';

/** What the shop measures; docs/operating.md says what each means. Dashboards and alarms go by these names. */
const units = {
  Requests: 'Count',
  Errors: 'Count',
  LatencyMs: 'Milliseconds',
  Orders: 'Count',
  OutOfStock: 'Count',
  OutboxAgeSeconds: 'Seconds',
  QueueAgeSeconds: 'Seconds',
  DeadLetters: 'Count',
  CacheHits: 'Count',
  CacheMisses: 'Count',
  Sheds: 'Count',
  AuditFindings: 'Count',
  PoolWaitMs: 'Milliseconds',
} as const;

export type ShopMetrics = Metrics<keyof typeof units>;

export function createShopMetrics({ log, everyMs }: { log: Logger; everyMs?: number }): ShopMetrics {
  return createMetrics({ namespace: 'Shop', units, log, ...(everyMs !== undefined && { everyMs }) });
}

/** A route's class is the name of its quota; what counts against none is for operators, and not measured. */
export function measureAnswers(metrics: ShopMetrics): (answered: Answered) => void {
  return ({ operationId, quota, status, problem, durationMs, streamed, replayed }) => {
    if (quota === undefined || quota === 'none') return;
    const dimension = { RouteClass: quota };
    metrics.count('Requests', 1, dimension);
    metrics.count('Errors', status >= 500 ? 1 : 0, dimension);
    if (!streamed) metrics.note('LatencyMs', durationMs, dimension);
    if (operationId !== 'placeOrder') return;
    if (status === 201 && !replayed) metrics.count('Orders');
    if (problem === 'out-of-stock') metrics.count('OutOfStock');
  };
}
