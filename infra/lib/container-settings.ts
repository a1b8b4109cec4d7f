import { Secret as ContainerSecret } from 'aws-cdk-lib/aws-ecs';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { connectionUrlsPreload } from './container-scripts.ts';
import type { DataStack } from './data-stack.ts';
import { databaseName } from './database.ts';
import type { Inputs } from './inputs.ts';
import { ports } from './ports.ts';

/** What a container is told: plain variables, and secrets that ECS reads when it starts a task. */
export interface ContainerSettings {
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, ContainerSecret>>;
}

export interface SettingsOfContainers {
  readonly api: ContainerSettings;
  readonly worker: ContainerSettings;
  /** changes the schema */
  readonly migration: ContainerSettings;
  /** makes the user of the shop in the database */
  readonly grant: ContainerSettings;
  /** `audit` and `events`, run by hand */
  readonly operator: ContainerSettings;
}

/** The environment as src/shared/config.ts of the shop reads it, each container as little of it as it needs. */
export function settingsOfContainers(scope: Construct, data: DataStack, inputs: Inputs): SettingsOfContainers {
  const { database, cache, secrets } = data;
  const known = (id: string, secret: ISecret) => Secret.fromSecretCompleteArn(scope, id, secret.secretArn);
  const user = known('DatabaseUser', database.user);
  const owner = known('DatabaseOwner', database.owner);
  const whole = (id: string, secret: ISecret) => ContainerSecret.fromSecretsManager(known(id, secret));
  const field = ContainerSecret.fromSecretsManager;

  const asUser = { DATABASE_USER: field(user, 'username'), DATABASE_PASSWORD: field(user, 'password') };
  const asOwner = { DATABASE_USER: field(owner, 'username'), DATABASE_PASSWORD: field(owner, 'password') };
  const toDatabase = {
    NODE_OPTIONS: connectionUrlsPreload,
    DATABASE_HOST: database.cluster.clusterEndpoint.hostname,
    DATABASE_PORT: String(ports.database),
    DATABASE_NAME: databaseName,
  };
  const toEvents = {
    AWS_REGION: inputs.region,
    SQS_QUEUE_URL: data.queues.events.queueUrl,
    SQS_DEAD_LETTER_QUEUE_URL: data.queues.deadLetters.queueUrl,
  };
  // Commands get no keys and no cache, without which the image's `production` would refuse them.
  const command = { NODE_ENV: 'development' };
  const toTables = { DYNAMODB_TABLE_PREFIX: data.tablePrefix };
  const shop = {
    ...toDatabase,
    ...toEvents,
    NODE_ENV: 'production',
    PORT: String(ports.shop),
    LOG_LEVEL: 'info',
    CACHE_HOST: cache.host,
    CACHE_PORT: String(ports.cache),
    ...toTables,
    // The balancer is the one proxy in front.
    TRUST_PROXY_HOPS: '1',
    ...(inputs.corsOrigins.length > 0 && { CORS_ORIGINS: inputs.corsOrigins.join(',') }),
  };
  const shopSecrets = {
    ...asUser,
    CACHE_PASSWORD: whole('CachePassword', cache.password),
    JWT_PRIVATE_KEYS: whole('JwtPrivateKeys', secrets.jwtPrivateKeys),
    REFRESH_KEYS: whole('RefreshKeys', secrets.refreshKeys),
    PASSWORD_PEPPER: whole('PasswordPepper', secrets.passwordPepper),
  };
  const firstAdmin = known('FirstAdmin', secrets.firstAdmin);
  const admin = { ADMIN_USERNAME: field(firstAdmin, 'username'), ADMIN_PASSWORD: field(firstAdmin, 'password') };

  return {
    api: { environment: { ...shop, ROLES: 'web' }, secrets: shopSecrets },
    // It alone makes the first admin, so that the password is in one place less.
    worker: { environment: { ...shop, ROLES: 'worker' }, secrets: { ...shopSecrets, ...admin } },
    migration: { environment: { ...command, ...toDatabase }, secrets: asOwner },
    grant: {
      environment: { ...toDatabase, SCHEMA: databaseName },
      secrets: { ...asOwner, GRANTEE_USER: field(user, 'username'), GRANTEE_PASSWORD: field(user, 'password') },
    },
    operator: { environment: { ...command, ...toDatabase, ...toEvents, ...toTables }, secrets: asUser },
  };
}
