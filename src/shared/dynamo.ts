import type { Agent } from 'node:http';
import type { DynamoDB, DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import type { Instance } from 'dynamoose/dist/Instance.js';
import { refuseWhenLate, untilLate } from './deadline.ts';
import { guarded } from './dynamo-error.ts';
import { createStoreClock } from './store-clock.ts';

/** A connection to DynamoDB, the real one or the embedded one, and the dynamoose instance whose tables live there. */
export interface Dynamo {
  readonly client: DynamoDB;
  readonly dynamoose: Instance;
  /** what the names of the tables start with */
  readonly tablePrefix: string;
  /** tables that are missing are created when they are opened; elsewhere they are made with the infrastructure */
  readonly createsTables: boolean;
  /** items are removed some time after they have expired; the embedded store leaves that to us */
  readonly removesExpired: boolean;
  /** milliseconds since 1970 by the clock of the store */
  now(): number;
  /** @throws unavailable when the store does not answer */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface DynamoOptions {
  /** absent: the endpoint of the region */
  readonly endpoint?: string;
  /** `local` is no region of AWS: a stand-in whose credentials do not matter and whose tables are made when missing */
  readonly region: string;
  readonly tablePrefix?: string;
  /** connections are made by this agent instead of the network */
  readonly agent?: Agent;
  readonly beforeClose?: () => Promise<void>;
}

// The SDK has no timeout of its own, and `requestTimeout` alone only warns and ends with the head of the answer.
const limits = { connectionTimeout: 500, requestTimeout: 1000, socketTimeout: 1000, throwOnRequestTimeout: true };
/** In this process nothing can be lost on the way; only a disk that hangs takes long. */
const embeddedLimits = { ...limits, requestTimeout: 5000, socketTimeout: 5000 };
const maxAttempts = 3;
/** of Dynamoose, and not installed */
const optionalLogger = 'dynamoose-logger/dist/emitter';

/** Makes the client; nothing is sent yet. The libraries are loaded here, not at the start of the program. */
export async function openDynamo({ endpoint, region, tablePrefix = '', agent, beforeClose }: DynamoOptions): Promise<Dynamo> {
  const [{ DynamoDB }, { default: dynamoose }, { setUndefinedPackage }] = await Promise.all([
    import('@aws-sdk/client-dynamodb'),
    import('dynamoose'),
    import('dynamoose/dist/utils/importPackage.js'),
  ]);
  // Else it looks for it on the file system twice in each request, which holds up the process.
  setUndefinedPackage(optionalLogger);
  const local = region === 'local';
  const configuration: DynamoDBClientConfig = {
    region,
    ...(endpoint !== undefined && { endpoint }),
    ...(local && { credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }),
    maxAttempts,
    requestHandler: agent === undefined ? limits : { ...embeddedLimits, httpAgent: agent },
  };
  const client = new DynamoDB(configuration);
  const clock = createStoreClock();
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      clock.observe(dateOf(result.response));
      return result;
    },
    { step: 'deserialize', name: 'storeClock', priority: 'low' },
  );
  client.middlewareStack.add(
    (next) => (args) => {
      refuseWhenLate();
      return untilLate(next(args));
    },
    // inside of what tries again
    { step: 'finalizeRequest', name: 'deadline', priority: 'low' },
  );
  const instance = new dynamoose.Instance();
  instance.aws.ddb.set(client);
  return {
    client,
    dynamoose: instance,
    tablePrefix,
    createsTables: local,
    removesExpired: agent === undefined,
    now: clock.now,
    ping: async () => {
      await guarded(() => client.listTables({ Limit: 1 }));
    },
    close: async () => {
      await beforeClose?.();
      client.destroy();
    },
  };
}

function dateOf(response: unknown): string | undefined {
  if (typeof response !== 'object' || response === null || !('headers' in response)) return undefined;
  const { headers } = response;
  if (typeof headers !== 'object' || headers === null || !('date' in headers)) return undefined;
  return typeof headers.date === 'string' ? headers.date : undefined;
}
