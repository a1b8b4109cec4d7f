import type { BackgroundTask } from '../../shared/background.ts';
import { type Database, placeholders } from '../../shared/database.ts';
import { newId } from '../../shared/identifier.ts';
import type { Auth } from '../auth/index.ts';

const usersPerRun = 20;
const ordersPerStep = 500;

/** Pulls the users whose erasure is due and takes them out of the orders; open orders go on, amounts stay. */
export function erasureTask({ db, auth, everyMs }: { db: Database; auth: Auth; everyMs: number }): BackgroundTask {
  return {
    name: 'orders-erasure',
    everyMs,
    run: async () => {
      const due = await auth.usersToErase(usersPerRun);
      for (const { userId } of due) {
        await pseudonymize(db, userId);
        await auth.erased(userId);
      }
      return due.length === usersPerRun;
    },
  };
}

/** Puts a pseudonym that nothing links to the user in his place, and removes tracking numbers and fingerprints. Idempotent. */
async function pseudonymize(db: Database, userId: string): Promise<void> {
  const pseudonym = newId();
  for (;;) {
    const orders = await db.rows<{ id: string; reservation_id: string }>(
      `SELECT id, reservation_id FROM orders_orders WHERE user_id = ? ORDER BY id LIMIT ${ordersPerStep}`,
      [userId],
    );
    if (orders.length === 0) return;
    const these = placeholders(1, orders.length);
    const ids = orders.map(({ id }) => id);
    await db.transaction(async (tx) => {
      await tx.run(`UPDATE orders_history SET carrier = NULL, tracking_number = NULL WHERE order_id IN ${these}`, ids);
      await tx.run(
        `UPDATE orders_claims SET user_id = NULL, fingerprint = NULL WHERE reservation_id IN ${these}`,
        orders.map(({ reservation_id }) => reservation_id),
      );
      await tx.run(`UPDATE orders_orders SET user_id = ? WHERE id IN ${these}`, [pseudonym, ...ids]);
    });
  }
}
