import type { Logger } from 'pino';

/**
 * When a request is refused because there is too much to do: `early`, what one can try again; `late`, what people need who are
 * in the middle of something; `stream`, what may go on for minutes, so that few do at once; `never`, what operators ask and what has limits of its own.
 */
export type Shedding = 'early' | 'late' | 'stream' | 'never';

/** The requests that share one limit. */
export interface Lane {
  /** whether one more would be refused right now */
  isFull(): boolean;
  /** Counts a request whose body has come in. Answers what to call when its work has ended; undefined: it is refused. */
  enter(): (() => void) | undefined;
  /** counts a request that was refused without trying to enter */
  refuse(): void;
}

/** How many requests may be under way in this process (docs/decisions/0023). */
export interface LoadLimiter {
  /** the lane of a route: those that are shed early share one with the routes of their quota, all late ones share one, and all streams */
  laneOf(route: { readonly shedding: Shedding; readonly quota: string }): Lane;
  close(): void;
}

export interface LoadLimiterOptions {
  readonly log: Pick<Logger, 'warn'>;
  /** monotonic milliseconds */
  readonly now?: () => number;
}

const windowMs = 250;
/** What a request may take at the median, and how late the event loop may be; above it work piles up. */
const targetMs = 300;
/** A burst is served, however long it takes: only what goes on for so many windows is an overload. */
const patienceWindows = 2;
/** so many are always let in, or the limit could not learn that it has become too low */
const lowestLimit = 64;
const highestLimit = 1500;
/** imports and exports; each holds a batch in memory and a connection for much of its time */
const mostStreams = 4;

/** Watches in windows of a quarter of a second; what was refused in one becomes one line of the log. */
export function createLoadLimiter({ log, now = () => performance.now() }: LoadLimiterOptions): LoadLimiter {
  const early = new Map<string, AdaptiveLane>();
  const late = createCounter(() => highestLimit);
  const streams = createCounter(() => mostStreams);
  let windowEndsAt = now() + windowMs;

  const timer = setInterval(() => {
    const lateMs = Math.max(0, now() - windowEndsAt);
    windowEndsAt = now() + windowMs;
    for (const [lane, { endWindow }] of early) {
      const { refusals, limit } = endWindow(lateMs);
      if (refusals > 0) log.warn({ lane, shed: refusals, limit }, 'shedding load');
    }
    for (const [lane, counter, limit] of [
      ['late', late, highestLimit],
      ['stream', streams, mostStreams],
    ] as const) {
      const refusals = counter.takeRefusals();
      if (refusals > 0) log.warn({ lane, shed: refusals, limit }, 'shedding load');
    }
  }, windowMs);
  timer.unref();

  return {
    laneOf: ({ shedding, quota }) => {
      if (shedding === 'never') return unlimited;
      if (shedding === 'late') return late;
      if (shedding === 'stream') return streams;
      const lane = early.get(quota) ?? createAdaptiveLane(now);
      early.set(quota, lane);
      return lane;
    },
    close: () => clearInterval(timer),
  };
}

/** Refuses nothing. */
export const unlimitedLoad: LoadLimiter = { laneOf: () => unlimited, close: () => {} };

const unlimited: Lane = { isFull: () => false, enter: () => () => {}, refuse: () => {} };

interface AdaptiveLane extends Lane {
  endWindow(lateMs: number): { readonly refusals: number; readonly limit: number };
}

/**
 * In overload the limit follows the throughput by Little's law (Operations Research 9, 1961): with as many under way as are
 * finished in the target time, none takes much longer than that. It grows again while there is demand and the target is kept.
 */
function createAdaptiveLane(now: () => number): AdaptiveLane {
  let limit = highestLimit;
  let slowWindows = 0;
  let durations: number[] = [];
  const counter = createCounter(() => limit);

  return {
    ...counter,
    enter: () => {
      const leave = counter.enter();
      if (leave === undefined) return undefined;
      const enteredAt = now();
      return () => {
        leave();
        durations.push(now() - enteredAt);
      };
    },
    endWindow: (lateMs) => {
      const refusals = counter.takeRefusals();
      const finished = durations.length;
      const slow = lateMs > targetMs || (finished === 0 ? counter.isFull() : median(durations) > targetMs);
      slowWindows = slow ? slowWindows + 1 : 0;
      if (slowWindows >= patienceWindows) {
        const finishedInTarget = Math.round((finished * targetMs) / (windowMs + lateMs));
        limit = Math.max(lowestLimit, Math.min(limit, finishedInTarget));
      } else if (!slow && (refusals > 0 || counter.underWay() > limit * 0.7)) {
        limit = Math.min(highestLimit, Math.ceil(limit * 1.1));
      }
      durations = [];
      return { refusals, limit };
    },
  };
}

function createCounter(limitNow: () => number) {
  let underWay = 0;
  let refusals = 0;
  const isFull = () => underWay >= limitNow();
  return {
    isFull,
    refuse: () => {
      refusals += 1;
    },
    enter: () => {
      if (isFull()) {
        refusals += 1;
        return undefined;
      }
      underWay += 1;
      return () => {
        underWay -= 1;
      };
    },
    underWay: () => underWay,
    takeRefusals: () => {
      const taken = refusals;
      refusals = 0;
      return taken;
    },
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}
