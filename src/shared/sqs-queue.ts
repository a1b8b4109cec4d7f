import type { Message, SQS, SQSClientConfig } from '@aws-sdk/client-sqs';
import { createBatcher } from './batcher.ts';
import type { EventQueue, QueueMessage, SendResult } from './event-queue.ts';
import { unavailable } from './failure.ts';
import type { HeldQueue, ReceivedMessage } from './queue-consumer.ts';

export interface SqsSettings {
  readonly queueUrl: string;
  /** absent: the endpoint of the region */
  readonly endpoint?: string;
  /** `local` is no region of AWS: a stand-in whose credentials do not matter */
  readonly region: string;
}

/** An SQS standard queue: sends as an outbox needs it, receives as a consumer needs it. Loads the SDK with its first request. */
export interface SqsQueue extends EventQueue, HeldQueue {
  /** the queue that the redrive policy of this one names; undefined without a policy @throws unavailable */
  deadLetterQueueUrl(): Promise<string | undefined>;
  /** @throws unavailable when the queue does not answer */
  ping(): Promise<void>;
  close(): void;
}

/** A limit of SQS for each kind of batch. */
const batchSize = 10;
// The SDK has no timeout of its own, and `requestTimeout` alone only warns and ends with the head of the answer.
const limits = { connectionTimeout: 500, requestTimeout: 1000, socketTimeout: 1000, throwOnRequestTimeout: true };
/** Longer than the longest poll that SQS allows, which is 20 s. */
const pollLimits = { ...limits, requestTimeout: 25_000, socketTimeout: 25_000 };
const maxAttempts = 2;

/** Nothing is sent before the first call. A poll has a client of its own, because it occupies its connection for long. */
export function createSqsQueue({ queueUrl: QueueUrl, endpoint, region }: SqsSettings): SqsQueue {
  const clients: Promise<SQS>[] = [];
  const lazily = (requestHandler: SQSClientConfig['requestHandler']) => {
    let client: Promise<SQS> | undefined;
    return () => {
      if (client === undefined) {
        client = openClient({
          region,
          maxAttempts,
          ...(endpoint !== undefined && { endpoint }),
          ...(region === 'local' && { credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }),
          ...(requestHandler !== undefined && { requestHandler }),
        });
        clients.push(client);
      }
      return client;
    };
  };
  const short = lazily(limits);
  const poll = lazily(pollLimits);
  const remove = createRemover(short, QueueUrl);

  return {
    send: async (messages) =>
      (await Promise.all(inBatches(messages).map(async (batch) => sendBatch(await short(), QueueUrl, batch)))).flat(),
    receive: async ({ limit, waitSeconds, holdSeconds, signal }) => {
      if (signal.aborted) return [];
      const request = {
        QueueUrl,
        MaxNumberOfMessages: Math.min(limit, batchSize),
        WaitTimeSeconds: waitSeconds,
        VisibilityTimeout: holdSeconds,
        MessageSystemAttributeNames: ['ApproximateReceiveCount' as const, 'SentTimestamp' as const],
      };
      try {
        const { Messages = [] } = await (await poll()).receiveMessage(request, { abortSignal: signal });
        return Messages.map(received);
      } catch (error) {
        if (signal.aborted) return [];
        throw queueDown(error);
      }
    },
    hold: (receipt, seconds) =>
      guarded(async () => {
        await (await short()).changeMessageVisibility({ QueueUrl, ReceiptHandle: receipt, VisibilityTimeout: seconds });
      }),
    remove,
    deadLetterQueueUrl: () => guarded(async () => findDeadLetterQueue(await short(), QueueUrl)),
    ping: () =>
      guarded(async () => {
        await (await short()).getQueueAttributes({ QueueUrl, AttributeNames: ['QueueArn'] });
      }),
    close: () => {
      for (const client of clients) void client.then((open) => open.destroy());
    },
  };
}

async function openClient(configuration: SQSClientConfig): Promise<SQS> {
  const { SQS } = await import('@aws-sdk/client-sqs');
  return new SQS(configuration);
}

/** Only what SQS says it took counts as sent: an entry that it does not mention is sent again. */
async function sendBatch(sqs: SQS, QueueUrl: string, messages: readonly QueueMessage[]): Promise<readonly SendResult[]> {
  try {
    const { Successful = [], Failed = [] } = await sqs.sendMessageBatch({
      QueueUrl,
      Entries: messages.map(({ id, body }) => ({ Id: id, MessageBody: body })),
    });
    const taken = new Set(Successful.map(({ Id }) => Id));
    return messages.map(({ id }): SendResult => {
      if (taken.has(id)) return { id, sent: true };
      const failed = Failed.find(({ Id }) => Id === id);
      return { id, sent: false, error: unavailable(`SQS did not take the message: ${failed?.Code ?? 'no answer'}`) };
    });
  } catch (error) {
    return messages.map(({ id }) => ({ id, sent: false, error: queueDown(error) }));
  }
}

/** Deletions that come while one is under way go together. */
function createRemover(client: () => Promise<SQS>, QueueUrl: string): (receipt: string) => Promise<void> {
  return createBatcher<string, undefined>({
    limits: { maxItems: batchSize, maxWeight: batchSize },
    weigh: () => 1,
    mayRunAlone: () => false,
    run: (receipts) =>
      guarded(async () => {
        const { Failed = [] } = await (await client()).deleteMessageBatch({
          QueueUrl,
          Entries: receipts.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle })),
        });
        const failures = new Map(Failed.map(({ Id, Code }) => [Id, Code]));
        return receipts.map((_, index) => {
          const id = String(index);
          return failures.has(id)
            ? { error: unavailable(`SQS did not delete the message: ${failures.get(id)}`) }
            : { value: undefined };
        });
      }),
  });
}

async function findDeadLetterQueue(sqs: SQS, QueueUrl: string): Promise<string | undefined> {
  const { Attributes } = await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ['RedrivePolicy'] });
  if (Attributes?.RedrivePolicy === undefined) return undefined;
  const policy: unknown = JSON.parse(Attributes.RedrivePolicy);
  if (typeof policy !== 'object' || policy === null || !('deadLetterTargetArn' in policy)) return undefined;
  // arn:partition:sqs:region:account:name
  const [account, name] = String(policy.deadLetterTargetArn).split(':').slice(4);
  const found = await sqs.getQueueUrl({ QueueName: name, QueueOwnerAWSAccountId: account });
  return found.QueueUrl;
}

function received({ MessageId = '', ReceiptHandle = '', Body = '', Attributes = {} }: Message): ReceivedMessage {
  return {
    id: MessageId,
    receipt: ReceiptHandle,
    body: Body,
    receives: Number(Attributes.ApproximateReceiveCount ?? 1),
    sentAt: new Date(Number(Attributes.SentTimestamp ?? 0)).toISOString(),
  };
}

function inBatches<T>(items: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / batchSize) }, (_, n) => items.slice(n * batchSize, (n + 1) * batchSize));
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw queueDown(error);
  }
}

function queueDown(error: unknown): Error {
  return unavailable(`SQS: ${error instanceof Error ? `${error.name} ${error.message}` : String(error)}`.slice(0, 300), error);
}
