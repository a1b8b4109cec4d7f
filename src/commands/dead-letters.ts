import type { DeadEvent, listDeadEvents, redriveDeadEvents } from '../modules/orders/index.ts';
import type { Database } from '../shared/database.ts';
import type { ReceivedMessage } from '../shared/queue-consumer.ts';
import { createSqsQueue, type SqsQueue, type SqsSettings } from '../shared/sqs-queue.ts';

/** Something that could not be handled and waits for somebody to look at it. */
export interface DeadLetter {
  readonly id: string;
  /** RFC 3339 UTC */
  readonly at: string;
  readonly what: string;
}

export interface DeadLetters {
  readonly place: string;
  list(): Promise<readonly DeadLetter[]>;
  /** Has them delivered again, those with the given ids or all. Answers the ids. */
  redrive(ids: readonly string[] | undefined): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** in one run */
const maxLetters = 1000;
/** if the command dies, the messages that it had taken come back after this */
const holdSeconds = 120;
const waitSeconds = 1;
const shownLength = 200;

/** Events whose handler in the process failed ten times; they stay in the outbox. Works beside a running server. */
export function outboxDeadLetters(
  db: Database,
  orders: { readonly listDeadEvents: typeof listDeadEvents; readonly redriveDeadEvents: typeof redriveDeadEvents },
): DeadLetters {
  return {
    place: 'outbox',
    list: async () => (await orders.listDeadEvents(db, maxLetters)).map(toLetter),
    redrive: async (ids) => {
      const dead = (await orders.listDeadEvents(db, maxLetters)).map(({ id }) => id);
      const chosen = ids === undefined ? dead : dead.filter((id) => ids.includes(id));
      for (const id of chosen) await orders.redriveDeadEvents(db, [id]);
      return chosen;
    },
    close: () => db.close(),
  };
}

function toLetter({ id, deadAt, type, orderId, attempts, error }: DeadEvent): DeadLetter {
  return { id, at: deadAt, what: `${type} of order ${orderId}, ${attempts} tries: ${error}` };
}

/**
 * Messages that the queue's redrive policy put aside. Looking at them means receiving them: they are given back at the end.
 * @throws when the queue has no dead-letter queue, or SQS does not answer
 */
export async function queueDeadLetters({
  deadLetterQueueUrl,
  ...settings
}: SqsSettings & { readonly deadLetterQueueUrl?: string }): Promise<DeadLetters> {
  const source = createSqsQueue(settings);
  const queueUrl = deadLetterQueueUrl ?? (await source.deadLetterQueueUrl());
  if (queueUrl === undefined) throw new Error('The queue has no redrive policy: set SQS_DEAD_LETTER_QUEUE_URL.');
  const dead = createSqsQueue({ ...settings, queueUrl });
  return {
    place: 'queue',
    list: () =>
      withMessages(dead, async (messages) => {
        const letters = messages.map(({ id, sentAt, body }) => ({ id, at: sentAt, what: body.slice(0, shownLength) }));
        return { result: letters, done: [] };
      }),
    redrive: async (ids) => {
      const { sent, failed } = await withMessages(dead, async (messages) => {
        const chosen = messages.filter(({ id }) => ids === undefined || ids.includes(id));
        const done: ReceivedMessage[] = [];
        // one by one: together they may be longer than SQS takes in one request
        for (const message of chosen) if ((await source.send([message]))[0]?.sent === true) done.push(message);
        return { result: { sent: done.map(({ id }) => id), failed: chosen.length - done.length }, done };
      });
      if (failed > 0) throw new Error(`Sent again: ${sent.length}. SQS did not take ${failed} more, which stay where they are.`);
      return sent;
    },
    close: async () => {
      source.close();
      dead.close();
    },
  };
}

/**
 * Takes all messages before the first is looked at, so that one that comes straight back is not met again. Those that are done
 * are removed, the others given back.
 */
async function withMessages<T>(
  queue: SqsQueue,
  look: (messages: readonly ReceivedMessage[]) => Promise<{ result: T; done: readonly ReceivedMessage[] }>,
): Promise<T> {
  const taken = new Map<string, ReceivedMessage>();
  try {
    const { signal } = new AbortController();
    while (taken.size < maxLetters) {
      const messages = await queue.receive({ limit: 10, waitSeconds, holdSeconds, signal });
      if (messages.every(({ id }) => taken.has(id))) break;
      for (const message of messages) taken.set(message.id, message);
    }
    const { result, done } = await look([...taken.values()]);
    await Promise.all(done.map(({ receipt }) => queue.remove(receipt)));
    for (const { id } of done) taken.delete(id);
    return result;
  } finally {
    await Promise.allSettled([...taken.values()].map(({ receipt }) => queue.hold(receipt, 0)));
  }
}
