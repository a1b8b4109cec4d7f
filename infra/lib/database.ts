import { Duration, RemovalPolicy, type Stack } from 'aws-cdk-lib';
import { InstanceType } from 'aws-cdk-lib/aws-ec2';
import type { Key } from 'aws-cdk-lib/aws-kms';
import {
  AuroraMysqlEngineVersion,
  ClusterInstance,
  Credentials,
  DatabaseCluster,
  DatabaseClusterEngine,
  DatabaseInsightsMode,
  DatabaseSecret,
  type IClusterInstance,
  ParameterGroup,
} from 'aws-cdk-lib/aws-rds';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { createLogGroup } from './log-group.ts';
import type { Network } from './network.ts';
import { ports } from './ports.ts';
import type { Settings } from './settings.ts';

export interface Database {
  readonly cluster: DatabaseCluster;
  /** may change the schema; for migrations only */
  readonly owner: ISecret;
  /** may read and write rows; for the shop. Two users take turns, so that a password is good until the rotation after the next. */
  readonly user: ISecret;
}

export interface DatabaseOptions {
  readonly name: string;
  readonly settings: Settings;
  readonly network: Network;
  readonly key: Key;
}

export const databaseName = 'shop';
/** Without what would have to be escaped in a URL or a statement. */
const excludedCharacters = ' %+~`#$&*()|[]{}:;<>?!\'/@"\\,=^';
const rotationDays = 30;
const exportedLogs = ['error', 'slowquery'] as const;

/** Aurora MySQL: the writer and readers in other zones, one of which takes over when the writer's zone is gone. */
export function createDatabase(stack: Stack, { name, settings, network, key }: DatabaseOptions): Database {
  const engine = DatabaseClusterEngine.auroraMysql({ version: AuroraMysqlEngineVersion.VER_3_10_4 });
  const { readers, backupDays, capacity } = settings.database;
  const instances = Array.from({ length: 1 + readers }, (_, place) => instanceOf(settings, place));
  const [writer, ...others] = instances;
  if (writer === undefined) throw new Error('A cluster has a writer.');
  const cluster = new DatabaseCluster(stack, 'Database', {
    clusterIdentifier: name,
    engine,
    writer,
    readers: others,
    defaultDatabaseName: databaseName,
    credentials: Credentials.fromGeneratedSecret('owner', { encryptionKey: key, excludeCharacters: excludedCharacters }),
    parameterGroup: parametersOf(stack, { engine, settings }),
    vpc: network.vpc,
    vpcSubnets: { subnets: network.vpc.isolatedSubnets },
    securityGroups: [network.database],
    port: ports.database,
    serverlessV2MinCapacity: capacity.min,
    serverlessV2MaxCapacity: capacity.max,
    storageEncrypted: true,
    storageEncryptionKey: key,
    backup: { retention: Duration.days(backupDays), preferredWindow: '02:00-02:30' },
    preferredMaintenanceWindow: 'tue:03:00-tue:03:30',
    copyTagsToSnapshot: true,
    deletionProtection: settings.keepsData,
    removalPolicy: settings.keepsData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    cloudwatchLogsExports: [...exportedLogs],
    databaseInsightsMode: DatabaseInsightsMode.STANDARD,
    enablePerformanceInsights: true,
  });
  // Made before the database would make them itself, without a key and for ever.
  for (const log of exportedLogs) {
    cluster.node.addDependency(
      createLogGroup(stack, `Database-${log}`, { name: `/aws/rds/cluster/${name}/${log}`, key, settings }),
    );
  }
  const owner = cluster.secret;
  if (owner === undefined) throw new Error('A cluster with generated credentials has a secret.');
  const userSecret = new DatabaseSecret(stack, 'DatabaseUser', {
    username: 'shop',
    dbname: databaseName,
    masterSecret: owner,
    encryptionKey: key,
    excludeCharacters: excludedCharacters,
  });
  const user = userSecret.attach(cluster);
  // A database that is kept is of no use without its passwords.
  const removalPolicy = settings.keepsData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
  for (const secret of [userSecret, cluster.node.findChild('Secret')]) {
    if (secret instanceof DatabaseSecret) secret.applyRemovalPolicy(removalPolicy);
  }
  const rotation = {
    automaticallyAfter: Duration.days(rotationDays),
    rotateImmediatelyOnUpdate: false,
    vpcSubnets: { subnets: network.vpc.isolatedSubnets },
    securityGroup: network.rotation,
    excludeCharacters: excludedCharacters,
  };
  cluster.addRotationSingleUser(rotation);
  cluster.addRotationMultiUser('UserRotation', { ...rotation, secret: user });
  return { cluster, owner, user };
}

function instanceOf({ database: { instanceClass }, keepsData }: Settings, place: number): IClusterInstance {
  const id = place === 0 ? 'writer' : `reader${place}`;
  const common = {
    enablePerformanceInsights: true,
    publiclyAccessible: false,
    autoMinorVersionUpgrade: true,
    allowMajorVersionUpgrade: false,
  };
  const promotionTier = Math.min(place, 1);
  if (instanceClass === undefined) return ClusterInstance.serverlessV2(id, { ...common, scaleWithWriter: place > 0 });
  const instanceType = new InstanceType(instanceClass);
  return ClusterInstance.provisioned(id, { ...common, instanceType, promotionTier, applyImmediately: !keepsData });
}

/** What the shop sets for each of its sessions holds here for everybody else too; the rest can only be set here. */
function parametersOf(
  stack: Stack,
  { engine, settings }: { readonly engine: ReturnType<typeof DatabaseClusterEngine.auroraMysql>; readonly settings: Settings },
): ParameterGroup {
  return new ParameterGroup(stack, 'DatabaseParameters', {
    engine,
    description: 'What the shop relies on',
    parameters: {
      character_set_server: 'utf8mb4',
      collation_server: 'utf8mb4_0900_ai_ci',
      transaction_isolation: 'READ-COMMITTED',
      // A lock timeout ends the whole transaction, so that nobody commits the half that went well.
      innodb_rollback_on_timeout: '1',
      innodb_lock_wait_timeout: '3',
      // A commit is acknowledged when it can't be lost any more.
      innodb_flush_log_at_trx_commit: '1',
      max_connections: String(settings.database.maxConnections),
      require_secure_transport: 'ON',
      local_infile: '0',
      slow_query_log: '1',
      long_query_time: '1',
      time_zone: 'UTC',
    },
  });
}
