import type { Logger } from 'pino';
import type { CounterStore } from './http-quota.ts';
import { createLiveProcesses } from './live-processes.ts';
import { openRedis } from './redis.ts';
import { createSharedCounters, type SharedCounters } from './shared-counters.ts';
import { createSharedQuotas } from './shared-quota.ts';
import { createVersionedCopies, type VersionedCopies } from './versioned-copies.ts';

/** What processes share through one Redis. All of it goes on, each process for itself, while Redis is down. */
export interface Sharing {
  readonly counters: SharedCounters;
  readonly quotas: CounterStore;
  /** the copies of one kind of thing */
  copies(name: string): VersionedCopies;
  /** @throws when Redis does not answer */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export async function openSharing(url: string, log: Logger): Promise<Sharing> {
  const redis = await openRedis({ url, log });
  const counters = createSharedCounters({ redis, processes: createLiveProcesses(redis), log });
  const kinds: VersionedCopies[] = [];
  return {
    counters,
    quotas: createSharedQuotas(counters),
    copies: (name) => {
      const copies = createVersionedCopies(redis, name);
      kinds.push(copies);
      return copies;
    },
    ping: () => redis.ping(),
    close: async () => {
      for (const copies of kinds) copies.close();
      await counters.close();
      await redis.close();
    },
  };
}
