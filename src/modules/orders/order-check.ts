import { type AuditRun, ageMs, isSettled } from '../../shared/audit-run.ts';
import type { Finding } from '../../shared/finding.ts';
import { decideTransition } from './order.ts';
import type { AuditedEntry, AuditedOrder } from './order-pages.ts';

/** published events are purged after seven days; older history has none to compare with */
const eventsKeptMs = 6 * 86_400_000;
/** the longest pause after a failed delivery is a minute, a lease is shorter */
const longestLeaseMs = 600_000;

type Now = Pick<AuditRun, 'now'>;

/** What is wrong with an order by what its own transactions wrote. */
export function* checkOrder(order: AuditedOrder, run: Now): Generator<Finding> {
  yield* checkSums(order);
  yield* checkClaim(order);
  yield* checkHistory(order);
  yield* checkEvents(order, run);
}

function* checkSums({ id, lines, total, pieces }: AuditedOrder): Generator<Finding> {
  const broken = (invariant: string, detail: string): Finding => ({ invariant, subject: `order ${id}`, detail });
  if (lines.length === 0) return yield broken('I-12', 'has no lines');
  if (lines.some(({ line_number }, index) => line_number !== index + 1)) yield broken('I-12', 'has a gap between its lines');
  const amount = lines.reduce((sum, line) => sum + BigInt(line.unit_price) * BigInt(line.quantity), 0n);
  const counted = lines.reduce((sum, { quantity }) => sum + quantity, 0);
  if (amount !== BigInt(total) || counted !== pieces)
    yield broken('I-12', `says total ${total} and ${pieces} pieces, its lines ${amount} and ${counted}`);
}

function* checkClaim({ id, claim, reservation_id, user_id }: AuditedOrder): Generator<Finding> {
  const subject = `order ${id}`;
  if (claim?.kind !== 'order' || claim.order_id !== id)
    return yield { invariant: 'I-04', subject, detail: `does not own the claim of reservation ${reservation_id}` };
  if (claim.user_id !== null && claim.user_id !== user_id)
    yield { invariant: 'I-04', subject, detail: `is of user ${user_id}, its claim of user ${claim.user_id}` };
  // An erasure takes both out of the claim, in one statement.
  if ((claim.user_id === null) !== (claim.fingerprint === null))
    yield { invariant: 'I-31', subject, detail: 'has a claim from which a user was erased by half' };
}

function* checkHistory(order: AuditedOrder): Generator<Finding> {
  const { history, version, status, cancelled_at: cancelledAt } = order;
  const broken = (detail: string) => ({ invariant: 'I-03', subject: `order ${order.id}`, detail });
  if (history.length !== version) yield broken(`is at version ${version} with ${history.length} history entries`);
  if (history[0]?.status !== 'placed') yield broken('does not begin as placed');
  for (const [index, entry] of history.entries()) {
    if (entry.sequence !== index + 1) yield broken(`has a gap before history entry ${entry.sequence}`);
    const before = history[index - 1];
    if (before !== undefined && decideTransition(before.status, entry.status) !== 'go')
      yield broken(`went from ${before.status} to ${entry.status}`);
  }
  const last = history.at(-1);
  if (last?.status !== status) yield broken(`is ${status}, its last history entry says ${last?.status}`);
  if (last !== undefined && last.created_at !== order.updated_at)
    yield broken(`was changed at ${order.updated_at}, its last history entry says ${last.created_at}`);
  if (cancelledAt !== cancelTime(history))
    yield broken(`was cancelled ${at(cancelledAt)}, its history says ${at(cancelTime(history))}`);
}

function cancelTime(history: readonly AuditedEntry[]): string | null {
  return history.find((entry) => entry.status === 'cancelled')?.created_at ?? null;
}

const at = (time: string | null) => (time === null ? 'never' : `at ${time}`);

function* checkEvents({ id, history, events }: AuditedOrder, run: Now): Generator<Finding> {
  const subject = `order ${id}`;
  for (const { sequence, status, created_at } of history) {
    const found = events.some((event) => event.sequence === sequence && event.type === `order.${status}`);
    if (!found && ageMs(run, created_at) < eventsKeptMs)
      yield { invariant: 'I-09', subject, detail: `transition ${sequence} to ${status} has no event` };
  }
  for (const event of events) {
    const found = history.some(({ sequence, status }) => event.sequence === sequence && event.type === `order.${status}`);
    if (!found)
      yield {
        ...{ invariant: 'I-09', subject: `event ${event.id}` },
        detail: `order ${id} has no transition ${event.sequence} like it`,
      };
    if (event.published_at !== null) continue;
    const late = (detail: string): Finding => ({ invariant: 'I-10', subject: `event ${event.id}`, detail });
    if (event.dead_at !== null) yield late(`of order ${id} is a dead letter`);
    else if (ageMs(run, event.leased_until) < -longestLeaseMs)
      yield late(`of order ${id} is leased until ${event.leased_until}, so nobody delivers it`);
    else if (isSettled(run, event.created_at))
      yield late(`of order ${id} was not delivered for ${Math.round(ageMs(run, event.created_at) / 1000)} s`);
  }
}
