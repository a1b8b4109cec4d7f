import { Duration, RemovalPolicy, type Stack } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Settings } from './settings.ts';

export interface EventQueues {
  readonly events: Queue;
  readonly deadLetters: Queue;
}

const maxReceiveCount = 10;

/**
 * The events of orders: a standard queue, as docs/operating.md of the shop wants it. Messages hold the ids of orders and nothing
 * about people, so SQS's own key is enough and no role needs rights on another one.
 */
export function createQueues(
  stack: Stack,
  { name, keepsData }: { readonly name: string } & Pick<Settings, 'keepsData'>,
): EventQueues {
  const common = {
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: Duration.days(14),
    removalPolicy: keepsData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
  };
  const deadLetters = new Queue(stack, 'DeadLetterQueue', { ...common, queueName: `${name}-dead-letters` });
  const events = new Queue(stack, 'EventQueue', {
    ...common,
    queueName: `${name}-events`,
    // The shop asks for as much with every receive, and extends it while it works.
    visibilityTimeout: Duration.seconds(30),
    deadLetterQueue: { queue: deadLetters, maxReceiveCount },
  });
  return { events, deadLetters };
}
