import type { Stack } from 'aws-cdk-lib';
import { CfnParameterGroup, CfnReplicationGroup, CfnSubnetGroup } from 'aws-cdk-lib/aws-elasticache';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Network } from './network.ts';
import { ports } from './ports.ts';
import type { Settings } from './settings.ts';

export interface Cache {
  readonly host: string;
  readonly password: Secret;
  /** one for each node, by which CloudWatch knows them; any of them may be the primary */
  readonly nodeIds: readonly string[];
}

export interface CacheOptions {
  readonly name: string;
  readonly settings: Settings;
  readonly network: Network;
  readonly key: Key;
}

/**
 * Valkey without cluster mode, which the shop's scripts of several keys rule out. Nothing in it can't be lost, so it has no
 * backups; but it never evicts by itself, because an evicted counter would be a quota that starts anew.
 */
export function createCache(stack: Stack, { name, settings, network, key }: CacheOptions): Cache {
  const { nodeType, replicas } = settings.cache;
  const password = new Secret(stack, 'CachePassword', {
    description: `Password of the cache of ${name}`,
    encryptionKey: key,
    generateSecretString: { passwordLength: 64, excludePunctuation: true },
  });
  const subnets = new CfnSubnetGroup(stack, 'CacheSubnets', {
    cacheSubnetGroupName: name,
    description: `The cache of ${name}`,
    subnetIds: network.vpc.isolatedSubnets.map(({ subnetId }) => subnetId),
  });
  const parameters = new CfnParameterGroup(stack, 'CacheParameters', {
    cacheParameterGroupFamily: 'valkey8',
    description: 'Nothing is evicted',
    properties: { 'maxmemory-policy': 'noeviction' },
  });
  const group = new CfnReplicationGroup(stack, 'Cache', {
    replicationGroupId: name,
    replicationGroupDescription: `Limits and copies of ${name}`,
    engine: 'valkey',
    engineVersion: '8.1',
    cacheNodeType: nodeType,
    clusterMode: 'disabled',
    numNodeGroups: 1,
    replicasPerNodeGroup: replicas,
    automaticFailoverEnabled: replicas > 0,
    multiAzEnabled: replicas > 0,
    atRestEncryptionEnabled: true,
    kmsKeyId: key.keyArn,
    transitEncryptionEnabled: true,
    authToken: password.secretValue.unsafeUnwrap(),
    cacheParameterGroupName: parameters.ref,
    cacheSubnetGroupName: subnets.ref,
    securityGroupIds: [network.cache.securityGroupId],
    port: ports.cache,
    preferredMaintenanceWindow: 'tue:03:30-tue:04:30',
    autoMinorVersionUpgrade: true,
  });
  const nodeIds = Array.from({ length: 1 + replicas }, (_, place) => `${name}-00${place + 1}`);
  return { host: group.attrPrimaryEndPointAddress, password, nodeIds };
}
