import { createBatcher, type Outcome } from '../../shared/batcher.ts';
import type { Database, Sql } from '../../shared/database.ts';
import { newId } from '../../shared/identifier.ts';
import type { Catalog, ReservationState, ReservedLine } from './catalog-api.ts';
import { insertReservations, lookUpReservations, moveReservations, type ReservationRow, readLines } from './reservation-store.ts';
import { batchLimits, mayRunAlone } from './reserve.ts';
import { addChange, changeStock, type StockChange } from './stock-changes.ts';
import { insertMovements, type StockMovement } from './stock-movements.ts';

interface Settlement {
  readonly reservationId: string;
  readonly intent: 'commit' | 'release';
}

/** A reservation and the state that it moves to. */
interface Move {
  readonly row: ReservationRow;
  readonly to: Exclude<ReservationState, 'held'>;
}

export interface SettlingDependencies {
  readonly db: Database;
  /** milliseconds since 1970 */
  readonly now: () => number;
}

/** Makes `commit` and `release` of the contract. Calls that come while a transaction is under way share the next one. */
export function createSettling({ db, now }: SettlingDependencies): Pick<Catalog, 'commit' | 'release'> {
  const enqueue = createBatcher<Settlement, ReservationState | 'unknown'>({
    limits: batchLimits,
    weigh: () => 1,
    run: async (settlements) => {
      const outcomes: Outcome<ReservationState | 'unknown'>[] = [];
      // How many lines there are is known only inside; what doesn't fit goes into the next transaction.
      while (outcomes.length < settlements.length) {
        const rest = settlements.slice(outcomes.length);
        outcomes.push(...(await db.transaction((tx) => settleSome(tx, rest, new Date(now())))).map((value) => ({ value })));
      }
      return outcomes;
    },
    mayRunAlone,
  });
  return {
    commit: (reservationId) => enqueue({ reservationId, intent: 'commit' }),
    release: async (reservationId) =>
      (await enqueue({ reservationId, intent: 'release' })) === 'returned' ? 'returned' : 'released',
  };
}

/** One transaction: settles as many of the first settlements as fit, and answers those. */
async function settleSome(
  tx: Sql,
  settlements: readonly Settlement[],
  at: Date,
): Promise<readonly (ReservationState | 'unknown')[]> {
  const ids = [...new Set(settlements.map(({ reservationId }) => reservationId))].sort();
  const rows = await lookUpReservations(tx, ids, { lock: true });
  const { moves, unheardOf, states } = plan(settlements, rows);
  if (unheardOf.length > 0) {
    await insertReservations(
      tx,
      unheardOf.map((id) => ({ id, state: 'released', digest: null, lineCount: 0 })),
    );
  }
  await apply(tx, moves, at);
  return states;
}

/** Decides in the order of the calls; ends where a reservation would move twice or the lines become too many. */
function plan(settlements: readonly Settlement[], rows: ReadonlyMap<string, ReservationRow>) {
  const moves = new Map<string, Move>();
  const unheardOf = new Set<string>();
  const states: (ReservationState | 'unknown')[] = [];
  let lineCount = 0;
  for (const { reservationId, intent } of settlements) {
    const row = rows.get(reservationId);
    const state = moves.get(reservationId)?.to ?? row?.state ?? (unheardOf.has(reservationId) ? 'released' : 'unknown');
    const next = nextState(state, intent);
    if (next === undefined) {
      states.push(state);
      continue;
    }
    if (row === undefined) unheardOf.add(reservationId);
    else {
      if (moves.has(reservationId) || (moves.size > 0 && lineCount + row.lineCount > batchLimits.maxWeight)) break;
      moves.set(reservationId, { row, to: next });
      lineCount += row.lineCount;
    }
    states.push(next);
  }
  return { moves: [...moves.values()], unheardOf: [...unheardOf], states };
}

/** held → committed or released; committed → returned; the release of an unknown one is remembered. Undefined: it stays. */
function nextState(state: ReservationState | 'unknown', intent: Settlement['intent']): Move['to'] | undefined {
  if (intent === 'commit') return state === 'held' ? 'committed' : undefined;
  if (state === 'committed') return 'returned';
  return state === 'held' || state === 'unknown' ? 'released' : undefined;
}

async function apply(tx: Sql, moves: readonly Move[], at: Date): Promise<void> {
  if (moves.length === 0) return;
  const lines = await readLines(
    tx,
    moves.map(({ row }) => row.id),
  );
  const changes = new Map<string, StockChange>();
  const movements: StockMovement[] = [];
  for (const move of moves) {
    for (const line of lines.get(move.row.id)?.values() ?? []) {
      addChange(changes, line.productId, changeOf(move, line));
      movements.push(...movementOf(move, line, at));
    }
  }
  await changeStock(tx, changes);
  await moveAll(tx, moves);
  await insertMovements(tx, movements);
}

function changeOf({ to }: Move, { quantity }: ReservedLine): StockChange {
  if (to === 'committed') return { onHand: -quantity, reserved: -quantity };
  return to === 'released' ? { onHand: 0, reserved: -quantity } : { onHand: quantity, reserved: 0 };
}

/** A release of what was only held moves nothing: the pieces never left the shelf. */
function movementOf({ row, to }: Move, { productId, quantity }: ReservedLine, at: Date): StockMovement[] {
  if (to === 'released') return [];
  const sold = to === 'committed';
  return [
    {
      id: newId(at.getTime()),
      productId,
      kind: sold ? 'sale' : 'return',
      delta: sold ? -quantity : quantity,
      reservationId: row.id,
      createdAt: at.toISOString(),
    },
  ];
}

async function moveAll(tx: Sql, moves: readonly Move[]): Promise<void> {
  for (const from of ['held', 'committed'] as const) {
    for (const to of ['committed', 'released', 'returned'] as const) {
      const ids = moves.filter((move) => move.row.state === from && move.to === to).map(({ row }) => row.id);
      if (ids.length === 0) continue;
      const moved = await moveReservations(tx, { ids, from, to });
      if (moved !== ids.length) throw new Error(`${ids.length - moved} of ${ids.length} reservations were no longer ${from}.`);
    }
  }
}
