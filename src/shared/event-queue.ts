import { isStoreDown } from './database.ts';
import { Failure, problems } from './failure.ts';

/** A message on its way from an outbox to a consumer. */
export interface QueueMessage {
  readonly id: string;
  /** JSON text */
  readonly body: string;
}

/** What became of one message that was handed to the queue. */
export type SendResult =
  | { readonly id: string; readonly sent: true }
  | { readonly id: string; readonly sent: false; readonly error: unknown };

/** Takes messages at least once each, in any order. */
export interface EventQueue {
  /** One result for each message; does not throw for a single one. */
  send(messages: readonly QueueMessage[]): Promise<readonly SendResult[]>;
}

/** Something that the work needs is down or too busy: to be tried again, and no fault of the message. */
export function isOutage(error: unknown): boolean {
  return isStoreDown(error) || (error instanceof Failure && problems[error.code].status === 503);
}

/** Delivery inside the process: a message counts as sent when its handler came to its end, so nothing is lost by a crash between. */
export function createInProcessQueue(handle: (message: QueueMessage) => Promise<void>): EventQueue {
  return {
    send: (messages) =>
      Promise.all(
        messages.map(async (message): Promise<SendResult> => {
          try {
            await handle(message);
            return { id: message.id, sent: true };
          } catch (error) {
            return { id: message.id, sent: false, error };
          }
        }),
      ),
  };
}
