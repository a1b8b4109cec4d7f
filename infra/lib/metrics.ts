/**
 * The metrics that the shop writes into its log in Embedded Metric Format, as the dashboard and the alarms read them. This file
 * imports nothing, so that a test of the shop can compare what a running shop emits with it. An account has one environment
 * in a region: the names carry none.
 */
export const metricNamespace = 'Shop';

/** A route's class is the name of the quota that it counts against. */
export const routeClasses = ['browsing', 'orders', 'staff', 'login', 'register'] as const;
export type RouteClass = (typeof routeClasses)[number];

export interface ShopMetric {
  readonly unit: 'Count' | 'Milliseconds' | 'Seconds';
  /** besides it none: a metric without `RouteClass` has no dimension */
  readonly dimensions: readonly 'RouteClass'[];
  readonly says: string;
}

export const shopMetrics = {
  Requests: { unit: 'Count', dimensions: ['RouteClass'], says: 'requests that were answered' },
  Errors: { unit: 'Count', dimensions: ['RouteClass'], says: 'requests that were answered with 5xx' },
  LatencyMs: { unit: 'Milliseconds', dimensions: ['RouteClass'], says: 'from the request to the end of its answer' },
  Orders: { unit: 'Count', dimensions: [], says: 'orders placed; a replay is none' },
  OutOfStock: { unit: 'Count', dimensions: [], says: 'orders refused for want of pieces' },
  OutboxAgeSeconds: {
    unit: 'Seconds',
    dimensions: [],
    says: 'age of the oldest unpublished event; 0 when there is none, each minute',
  },
  QueueAgeSeconds: { unit: 'Seconds', dimensions: [], says: 'age of a message when it is received' },
  DeadLetters: { unit: 'Count', dimensions: [], says: 'events in the outbox that nobody could handle' },
  CacheHits: { unit: 'Count', dimensions: [], says: 'product reads answered from a copy' },
  CacheMisses: { unit: 'Count', dimensions: [], says: 'product reads that went to the database' },
  Sheds: { unit: 'Count', dimensions: [], says: 'requests refused because the process was overloaded' },
  AuditFindings: { unit: 'Count', dimensions: [], says: 'rows that break an invariant, in one run of the audit' },
  PoolWaitMs: { unit: 'Milliseconds', dimensions: [], says: 'how long a statement waited for a connection' },
} as const satisfies Record<string, ShopMetric>;

export type ShopMetricName = keyof typeof shopMetrics;
