import type { Logger } from 'pino';
import { unavailable } from './failure.ts';

export type ProcessState = 'starting' | 'migrations-pending' | 'ready' | 'draining';

/** Resolves when the store answers, rejects when it does not. */
export type StoreCheck = () => Promise<unknown>;

export interface Readiness {
  state(): ProcessState;
  /** draining is for good */
  become(state: ProcessState): void;
  /** which stores answer right now; asked at most once a second, however often this is called */
  stores(): Promise<Readonly<Record<string, 'up' | 'down'>>>;
}

const checkDeadlineMs = 1000;
const freshMs = 1000;

/** Whether this process should get requests. It is `starting` until somebody says otherwise. */
export function createReadiness({
  checks,
  log,
}: {
  readonly checks: Readonly<Record<string, StoreCheck>>;
  readonly log: Logger;
}): Readiness {
  let state: ProcessState = 'starting';
  let lastLook: { readonly at: number; readonly result: Promise<Readonly<Record<string, 'up' | 'down'>>> } | undefined;
  const look = async () => {
    const results = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => [name, await outcome({ name, check, log })] as const),
    );
    return Object.fromEntries(results);
  };
  return {
    state: () => state,
    become: (next) => {
      if (state !== 'draining') state = next;
    },
    stores: () => {
      if (lastLook === undefined || performance.now() - lastLook.at > freshMs)
        lastLook = { at: performance.now(), result: look() };
      return lastLook.result;
    },
  };
}

async function outcome({ name, check, log }: { name: string; check: StoreCheck; log: Logger }): Promise<'up' | 'down'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(unavailable('The store did not answer in time.')), checkDeadlineMs);
  });
  try {
    await Promise.race([check(), late]);
    return 'up';
  } catch (error) {
    log.warn({ store: name, error }, 'a store is down');
    return 'down';
  } finally {
    clearTimeout(timer);
  }
}
