import type { Stack } from 'aws-cdk-lib';
import { QueryDefinition, QueryString } from 'aws-cdk-lib/aws-logs';
import type { Tasks } from './tasks.ts';

/** The fields are those of the access log and of the events that the shop logs; a test looks them up in its sources. */
export const logQueries = {
  'failures by route': {
    fields: ['route', 'status'],
    filterStatements: ['msg = "request"', 'status >= 500'],
    statsStatements: ['count(*) as failures by route, status'],
    sort: 'failures desc',
  },
  'slowest routes': {
    fields: ['route', 'durationMs'],
    filterStatements: ['msg = "request"'],
    statsStatements: [
      'count(*) as requests, pct(durationMs, 50) as p50, pct(durationMs, 99) as p99, max(durationMs) as worst by route',
    ],
    sort: 'p99 desc',
  },
  'one request': {
    fields: ['@timestamp', 'level', 'msg', 'route', 'status', 'durationMs', 'error.message', 'error.stack'],
    filterStatements: ['requestId = "PUT THE REQUEST ID HERE"'],
    sort: '@timestamp asc',
  },
  'one order': {
    fields: ['@timestamp', 'msg', 'route', 'status', 'userId', 'requestId', 'traceId', 'amazonTraceId'],
    filterStatements: ['params.id = "PUT THE ORDER ID HERE" or location like "PUT THE ORDER ID HERE"'],
    sort: '@timestamp asc',
  },
  'warnings and errors': {
    fields: ['@timestamp', 'level', 'msg', 'error.name', 'error.message', 'requestId'],
    filterStatements: ['level in ["warn", "error", "fatal"]', 'msg != "request"'],
    sort: '@timestamp desc',
  },
  'refused sign-ins by address': {
    fields: ['address', 'security'],
    filterStatements: ['security in ["sign-in-failed", "throttled", "refresh-reused"]'],
    statsStatements: ['count(*) as refusals by security, userId, bin(5m)'],
    sort: 'refusals desc',
  },
  'busiest addresses': {
    fields: ['address', 'status'],
    filterStatements: ['msg = "request"'],
    statsStatements: ['count(*) as requests, sum(status = 429) as refused by address'],
    sort: 'requests desc',
  },
} as const;

export function createLogQueries(stack: Stack, { name, tasks }: { readonly name: string; readonly tasks: Tasks }): void {
  for (const [title, query] of Object.entries(logQueries)) {
    new QueryDefinition(stack, `Query ${title}`, {
      queryDefinitionName: `${name}/${title}`,
      logGroups: [tasks.api.logs, tasks.worker.logs],
      queryString: new QueryString({
        fields: [...query.fields],
        filterStatements: [...query.filterStatements],
        ...('statsStatements' in query && { statsStatements: [...query.statsStatements] }),
        sort: query.sort,
        limit: 100,
      }),
    });
  }
}
