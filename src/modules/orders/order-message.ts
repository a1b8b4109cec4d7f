import { z } from 'zod';
import { type Database, isDuplicateKey } from '../../shared/database.ts';
import { createReceivedLookUp } from './coalesced-reads.ts';
import { recordReceived } from './inbox-store.ts';
import type { Settle } from './settle-order.ts';

/** What both sides need to know of a message; what else it carries is for readers outside. */
const orderMessage = z.object({
  id: z.uuid(),
  type: z.enum(['order.placed', 'order.confirmed', 'order.shipped', 'order.delivered', 'order.cancelled']),
  orderId: z.uuid(),
});

/** ours have 200 characters; whatever is longer than this was not sent by the relay */
const maxLength = 10_000;

/** Handles a message's body. @throws TypeError on one that it can't read */
export type MessageHandler = (body: string) => Promise<void>;

/** Delivery inside the process: the outbox row itself tells what was handled. Only a placed or cancelled order has something to settle. */
export function directHandler(settle: Settle): MessageHandler {
  return async (body) => {
    const { type, orderId } = readMessage(body);
    if (concernsReservation(type)) await settle(orderId);
  };
}

/** Delivery by a queue: the inbox tells what was handled, and a message that comes again asks nothing of orders and catalog. */
export function queueHandler({ db, settle }: { db: Database; settle: Settle }): MessageHandler {
  const isReceived = createReceivedLookUp(db);
  return async (body) => {
    const { id, type, orderId } = readMessage(body);
    if (!concernsReservation(type) || (await isReceived(id))) return;
    if (await settle(orderId, { eventId: id })) return;
    // nothing was left to write on the side of orders, so the row goes alone
    try {
      await recordReceived(db, [id]);
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
  };
}

function readMessage(body: string) {
  if (body.length > maxLength) throw new TypeError(`The message has ${body.length} characters.`);
  const parsed = orderMessage.safeParse(JSON.parse(body));
  if (!parsed.success) throw new TypeError(`The message is not one of an order: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function concernsReservation(type: z.output<typeof orderMessage>['type']): boolean {
  return type === 'order.placed' || type === 'order.cancelled';
}
