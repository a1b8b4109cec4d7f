import { type Database, placeholders, type SqlTransaction } from '../../shared/database.ts';
import { toSql } from '../../shared/instant.ts';

/**
 * Claims: orders and abandoned attempts compete for one primary key, the reservation's id. Who inserts first has it; the
 * duplicate-key error is the answer, never a read before (docs/decisions/0005).
 */
export type Claim =
  | { readonly kind: 'order'; readonly orderId: string; readonly fingerprint: string | undefined }
  | { readonly kind: 'void' };

export interface NewClaim {
  readonly reservationId: string;
  readonly orderId: string;
  readonly userId: string;
  readonly fingerprint: string;
}

/** @throws the store's duplicate-key error when one of them is taken */
export async function insertOrderClaims(tx: SqlTransaction, claims: readonly NewClaim[], at: Date): Promise<void> {
  await tx.run(
    `INSERT INTO orders_claims (reservation_id, kind, order_id, user_id, fingerprint, created_at) VALUES ${placeholders(claims.length, 6)}`,
    claims.flatMap(({ reservationId, orderId, userId, fingerprint }) => [
      reservationId,
      'order',
      orderId,
      userId,
      fingerprint,
      toSql(at),
    ]),
  );
}

/**
 * Claims a reservation for nobody, in a transaction of its own on a connection of its own: it waits for the row lock of
 * an order transaction whose COMMIT is in doubt.
 * @throws the store's duplicate-key error when it is taken
 */
export async function insertVoidClaim(db: Database, reservationId: string, at: Date): Promise<void> {
  await db.transaction(
    (tx) =>
      tx.run(`INSERT INTO orders_claims (reservation_id, kind, created_at) VALUES (?, 'void', ?)`, [reservationId, toSql(at)]),
    { fresh: true },
  );
}

interface ClaimRow {
  readonly kind: 'order' | 'void';
  readonly order_id: string | null;
  readonly fingerprint: string | null;
}

/** The claim that was committed, or undefined. Undefined proves nothing: an order transaction may still be open. */
export async function readClaim(db: Database, reservationId: string): Promise<Claim | undefined> {
  const [row] = await db.rows<ClaimRow>('SELECT kind, order_id, fingerprint FROM orders_claims WHERE reservation_id = ?', [
    reservationId,
  ]);
  if (row === undefined) return undefined;
  if (row.kind === 'void' || row.order_id === null) return { kind: 'void' };
  return { kind: 'order', orderId: row.order_id, fingerprint: row.fingerprint ?? undefined };
}
