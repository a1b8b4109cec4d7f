import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Repository } from 'aws-cdk-lib/aws-ecr';
import type { Key } from 'aws-cdk-lib/aws-kms';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { createAccessLogBucket } from './access-log-bucket.ts';
import { createBackups } from './backups.ts';
import { type Cache, createCache } from './cache.ts';
import { createDatabase, type Database } from './database.ts';
import { createKey } from './encryption.ts';
import type { Inputs } from './inputs.ts';
import { createNetwork, type Network } from './network.ts';
import { createQueues, type EventQueues } from './queue.ts';
import { createRegistry } from './registry.ts';
import { createSecrets, type ShopSecrets } from './secrets.ts';
import type { Settings } from './settings.ts';
import { createTables } from './tables.ts';

export interface ShopStackProps extends StackProps {
  /** of the environment; what carries a name starts with it */
  readonly name: string;
  readonly settings: Settings;
  readonly inputs: Inputs;
}

/** What outlives every release: the network, the stores, the secrets, the registry. */
export class DataStack extends Stack {
  readonly key: Key;
  readonly network: Network;
  readonly database: Database;
  readonly tables: readonly Table[];
  readonly tablePrefix: string;
  readonly cache: Cache;
  readonly queues: EventQueues;
  readonly secrets: ShopSecrets;
  readonly registry: Repository;
  readonly accessLogs: Bucket;
  readonly #zones: readonly string[];

  constructor(scope: Construct, id: string, props: ShopStackProps) {
    const { name, settings, inputs } = props;
    super(scope, id, { ...props, description: `Stores of ${name}`, terminationProtection: settings.keepsData });
    this.#zones = inputs.zones;
    this.key = createKey(this, { name, keepsData: settings.keepsData });
    const { key } = this;
    this.network = createNetwork(this, { name, zones: inputs.zones, settings, key });
    this.database = createDatabase(this, { name, settings, network: this.network, key });
    this.tablePrefix = `${name}-`;
    this.tables = createTables(this, { prefix: this.tablePrefix, keepsData: settings.keepsData });
    this.cache = createCache(this, { name, settings, network: this.network, key });
    this.queues = createQueues(this, { name, keepsData: settings.keepsData });
    this.secrets = createSecrets(this, { name, key, settings });
    this.registry = createRegistry(this, { name, key, keepsData: settings.keepsData });
    this.accessLogs = createAccessLogBucket(this, { name, settings });
    if (settings.backups !== undefined)
      createBackups(this, { name, key, cluster: this.database.cluster, tables: this.tables, ...settings.backups });
  }

  /** A network compares its zones with those of its stack, and those CDK would look up in the account. */
  override get availabilityZones(): string[] {
    return [...this.#zones];
  }
}
