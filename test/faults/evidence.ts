import type { Finding } from '../../src/shared/finding.ts';
import type { Operation } from './history.ts';
import type { LoadProduct } from './load-products.ts';
import type { Freeze } from './managed-program.ts';
import type { Backlog } from './quiescence.ts';
import type { Life } from './shop-process.ts';

/** Everything that was seen of one fault: what clients were told, and what the shop says and holds when all is quiet again. */
export interface Evidence {
  readonly operations: readonly Operation[];
  readonly products: readonly LoadProduct[];
  /** of each process */
  readonly views: readonly View[];
  /** of each order that a client knows of or the shop lists, oldest entry first */
  readonly timelines: ReadonlyMap<string, readonly TimelineEntry[]>;
  /** of the audit, when all is quiet */
  readonly findings: readonly Finding[];
  /** of the catalog's audit, every second under load */
  readonly findingsUnderLoad: readonly Finding[];
  /** movements of stock that are there more than once */
  readonly doubledEffects: readonly string[];
  readonly backlog: Backlog;
  /** from the end of the fault until everything worked on every process; absent: it never did */
  readonly recoveryMs?: number;
  /** what the same took before the fault: on a busy machine all takes longer */
  readonly baselineMs: number;
  /** since the cluster was started */
  readonly lives: readonly Life[];
  /** those of this run; of one that began before, what it has logged since */
  readonly ownLives: readonly Life[];
  /** passwords and tokens that only their owners may see */
  readonly canaries: readonly string[];
  readonly revocations: readonly RevocationProbe[];
  readonly sessions: readonly SessionReplay[];
  readonly limits: readonly LimitProbe[];
  readonly foreignReads: readonly ForeignRead[];
  /** answers to probes of `/livez` of processes that were meant to be alive */
  readonly livenessMs: readonly number[];
  /** of the processes of the shop, all together */
  readonly freezes: readonly Freeze[];
  readonly descriptors: readonly { readonly process: string; readonly before: number; readonly after: number }[];
}

export interface OrderView {
  readonly id: string;
  readonly userId: string;
  readonly status: string;
  readonly version: number;
  readonly items: readonly {
    readonly productId: string;
    readonly quantity: number;
    readonly unitPrice: { readonly amount: number };
    readonly lineTotal: { readonly amount: number };
  }[];
  readonly total: { readonly amount: number };
  readonly createdAt: string;
}

/** What one process says. */
export interface View {
  readonly process: string;
  readonly orders: ReadonlyMap<string, OrderView>;
  /** the ids that the list of a user's orders holds */
  readonly listed: ReadonlyMap<string, readonly string[]>;
  readonly products: ReadonlyMap<string, { readonly version: number; readonly name: string; readonly price: number }>;
  readonly stock: ReadonlyMap<string, { readonly onHand: number; readonly reserved: number }>;
}

export interface TimelineEntry {
  readonly sequence: number;
  readonly status: string;
}

/** A token that was revoked, and what a process said to it so long after. */
export interface RevocationProbe {
  readonly process: string;
  readonly afterMs: number;
  readonly status: number;
}

/** What became of each refresh token of a session, the newest first. */
export interface SessionReplay {
  readonly user: string;
  readonly ended: boolean;
  readonly statuses: readonly number[];
}

/** How many of the requests of one window were let through. */
export interface LimitProbe {
  readonly limit: number;
  readonly allowed: number;
  readonly refused: number;
  /** those that were let through and met a store that is down, or silent */
  readonly failed: number;
  /** a process lost or had lost sight of the others' counts meanwhile */
  readonly torn: boolean;
}

export interface ForeignRead {
  readonly process: string;
  readonly status: number;
}

/** One promise, and what breaks it in the evidence: a line for each case. */
export interface Checker {
  readonly invariant: string;
  readonly promise: string;
  check(evidence: Evidence): readonly string[];
}

/** The answer to placing that a client was given. */
export function placedOrder({ kind, outcome, body }: Operation): OrderView | undefined {
  return kind === 'place' && outcome === 'ok' ? (body as OrderView) : undefined; // as the contract of the wire says
}
