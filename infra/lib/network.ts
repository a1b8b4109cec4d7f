import type { Stack } from 'aws-cdk-lib';
import {
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  IpAddresses,
  type ISecurityGroup,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { createLogGroup } from './log-group.ts';
import { ports } from './ports.ts';
import type { Settings } from './settings.ts';

export interface Network {
  readonly vpc: Vpc;
  readonly balancer: ISecurityGroup;
  readonly tasks: ISecurityGroup;
  readonly database: ISecurityGroup;
  readonly cache: ISecurityGroup;
  /** of the functions that change the passwords of the database */
  readonly rotation: ISecurityGroup;
}

export interface NetworkOptions {
  readonly name: string;
  readonly zones: readonly string[];
  readonly settings: Settings;
  readonly key: Key;
}

/**
 * Three zones, each with a public subnet for the balancer and one without any way out for the rest: there is no NAT, services
 * of AWS are reached through endpoints. Every rule of who may talk to whom is on this page.
 */
export function createNetwork(stack: Stack, { name, zones, settings, key }: NetworkOptions): Network {
  const vpc = new Vpc(stack, 'Network', {
    vpcName: name,
    ipAddresses: IpAddresses.cidr('10.20.0.0/16'),
    availabilityZones: [...zones],
    natGateways: 0,
    restrictDefaultSecurityGroup: false,
    subnetConfiguration: [
      { name: 'public', subnetType: SubnetType.PUBLIC, cidrMask: 24, mapPublicIpOnLaunch: false },
      { name: 'inside', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 20 },
    ],
  });
  const flowLogs = createLogGroup(stack, 'FlowLogGroup', { name: `/${name}/network`, key, settings });
  vpc.addFlowLog('FlowLog', {
    destination: FlowLogDestination.toCloudWatchLogs(flowLogs),
    trafficType: FlowLogTrafficType.REJECT,
  });
  const groups = securityGroups(stack, vpc);
  addEndpoints(vpc, groups, settings);
  allowTraffic(groups);
  return { vpc, ...groups };
}

function securityGroups(stack: Stack, vpc: Vpc) {
  const group = (id: string, description: string) =>
    new SecurityGroup(stack, id, { vpc, description, allowAllOutbound: false, disableInlineRules: true });
  return {
    balancer: group('BalancerGroup', 'The balancer, open to the world'),
    tasks: group('TaskGroup', 'The tasks of the shop'),
    database: group('DatabaseGroup', 'The database'),
    cache: group('CacheGroup', 'The cache'),
    rotation: group('RotationGroup', 'The functions that change the passwords of the database'),
    endpoints: group('EndpointGroup', 'The endpoints of AWS services'),
  };
}

type Groups = ReturnType<typeof securityGroups>;

function allowTraffic({ balancer, tasks, database, cache, rotation, endpoints }: Groups): void {
  const allow = ([from, to]: readonly [SecurityGroup, SecurityGroup], port: number, what: string) => {
    to.addIngressRule(from, Port.tcp(port), what);
    from.addEgressRule(to, Port.tcp(port), what);
  };
  for (const port of [ports.http, ports.https]) balancer.addIngressRule(Peer.anyIpv4(), Port.tcp(port), 'Customers');
  allow([balancer, tasks], ports.shop, 'Requests');
  allow([tasks, database], ports.database, 'SQL');
  allow([tasks, cache], ports.cache, 'Limits and copies');
  allow([tasks, endpoints], ports.https, 'SQS, secrets, images, logs');
  // CDK itself lets rotation reach the database; a second rule for the same port would be refused.
  allow([rotation, endpoints], ports.https, 'Secrets');
  // The gateways to DynamoDB and to the layers of images in S3 have public addresses, but the routes lead nowhere else.
  tasks.addEgressRule(Peer.anyIpv4(), Port.tcp(ports.https), 'DynamoDB, layers of images');
}

function addEndpoints(vpc: Vpc, { endpoints }: Groups, { endpointZones }: Settings): void {
  vpc.addGatewayEndpoint('DynamoEndpoint', { service: GatewayVpcEndpointAwsService.DYNAMODB });
  vpc.addGatewayEndpoint('StorageEndpoint', { service: GatewayVpcEndpointAwsService.S3 });
  const services = {
    Images: InterfaceVpcEndpointAwsService.ECR,
    ImageLayers: InterfaceVpcEndpointAwsService.ECR_DOCKER,
    Logs: InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
    Secrets: InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
    Queue: InterfaceVpcEndpointAwsService.SQS,
  };
  for (const [id, service] of Object.entries(services)) {
    vpc.addInterfaceEndpoint(`${id}Endpoint`, {
      service,
      subnets: { subnets: vpc.isolatedSubnets.slice(0, endpointZones) },
      securityGroups: [endpoints],
      open: false,
    });
  }
}
