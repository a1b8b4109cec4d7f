import { type Resource, type Template, textOf, unhashed } from './synthesized.ts';

/** What a reviewer wants to know of a resource, by type: the paths of its properties. Types without one are only counted. */
const essentials: Readonly<Record<string, readonly string[]>> = {
  'AWS::ApplicationAutoScaling::ScalableTarget': ['MinCapacity', 'MaxCapacity'],
  'AWS::ApplicationAutoScaling::ScalingPolicy': [
    'PolicyType',
    'TargetTrackingScalingPolicyConfiguration.TargetValue',
    'TargetTrackingScalingPolicyConfiguration.PredefinedMetricSpecification.PredefinedMetricType',
    'StepScalingPolicyConfiguration.StepAdjustments',
  ],
  'AWS::Backup::BackupPlan': ['BackupPlan.BackupPlanRule'],
  'AWS::Backup::BackupVault': ['AccessPolicy'],
  'AWS::Budgets::Budget': ['Budget.BudgetLimit'],
  'AWS::CloudWatch::Alarm': [
    'MetricName',
    'ComparisonOperator',
    'Threshold',
    'EvaluationPeriods',
    'TreatMissingData',
    'AlarmDescription',
  ],
  'AWS::CloudWatch::CompositeAlarm': ['AlarmDescription'],
  'AWS::DynamoDB::Table': [
    'TableName',
    'KeySchema',
    'TimeToLiveSpecification.AttributeName',
    'PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled',
    'DeletionProtectionEnabled',
  ],
  'AWS::EC2::SecurityGroupEgress': ['Description', 'FromPort', 'CidrIp'],
  'AWS::EC2::SecurityGroupIngress': ['Description', 'FromPort', 'CidrIp'],
  'AWS::EC2::Subnet': ['AvailabilityZone', 'CidrBlock', 'MapPublicIpOnLaunch'],
  'AWS::EC2::VPC': ['CidrBlock'],
  'AWS::EC2::VPCEndpoint': ['VpcEndpointType', 'ServiceName', 'SubnetIds'],
  'AWS::ECR::Repository': ['ImageTagMutability', 'ImageScanningConfiguration.ScanOnPush'],
  'AWS::ECS::Service': ['DesiredCount', 'CapacityProviderStrategy', 'DeploymentConfiguration', 'HealthCheckGracePeriodSeconds'],
  'AWS::ECS::TaskDefinition': ['Cpu', 'Memory', 'ContainerDefinitions'],
  'AWS::ElastiCache::ParameterGroup': ['Properties'],
  'AWS::ElastiCache::ReplicationGroup': [
    'Engine',
    'EngineVersion',
    'CacheNodeType',
    'ReplicasPerNodeGroup',
    'MultiAZEnabled',
    'AtRestEncryptionEnabled',
    'TransitEncryptionEnabled',
  ],
  'AWS::ElasticLoadBalancingV2::Listener': ['Port', 'Protocol', 'SslPolicy', 'DefaultActions.0.Type'],
  'AWS::ElasticLoadBalancingV2::LoadBalancer': ['Scheme', 'LoadBalancerAttributes'],
  'AWS::ElasticLoadBalancingV2::TargetGroup': ['Port', 'HealthCheckPath', 'HealthCheckIntervalSeconds', 'TargetGroupAttributes'],
  'AWS::IAM::Policy': ['PolicyDocument.Statement'],
  'AWS::KMS::Key': ['EnableKeyRotation'],
  'AWS::Logs::LogGroup': ['LogGroupName', 'RetentionInDays'],
  'AWS::RDS::DBCluster': [
    'Engine',
    'EngineVersion',
    'Port',
    'BackupRetentionPeriod',
    'DeletionProtection',
    'StorageEncrypted',
    'ServerlessV2ScalingConfiguration',
  ],
  'AWS::RDS::DBClusterParameterGroup': ['Parameters'],
  'AWS::RDS::DBInstance': ['DBInstanceClass', 'PromotionTier'],
  'AWS::S3::Bucket': ['LifecycleConfiguration.Rules', 'PublicAccessBlockConfiguration.BlockPublicPolicy'],
  'AWS::SQS::Queue': [
    'QueueName',
    'MessageRetentionPeriod',
    'RedrivePolicy.maxReceiveCount',
    'VisibilityTimeout',
    'SqsManagedSseEnabled',
  ],
  'AWS::Scheduler::Schedule': ['ScheduleExpression', 'Target.Input'],
  'AWS::SecretsManager::RotationSchedule': ['RotationRules.ScheduleExpression'],
  'AWS::SecretsManager::Secret': ['Name', 'Description'],
  'AWS::WAFv2::WebACL': ['Rules'],
};

/** Sorted lines: a type with its count, then its resources with what matters of them. */
export function overviewOf(title: string, template: Template): string {
  const byType = Map.groupBy(Object.entries(template.Resources), ([, { Type }]) => Type);
  const types = [...byType].sort(([one], [other]) => one.localeCompare(other));
  const lines = types.flatMap(([type, resources]) => [
    `${type} × ${resources.length}`,
    ...resources.flatMap(([id, resource]) => linesOf(unhashed(id), resource)).sort(),
  ]);
  return `== ${title}: ${Object.keys(template.Resources).length} resources\n${lines.join('\n')}\n`;
}

function linesOf(id: string, { Type, Properties, DeletionPolicy }: Resource): readonly string[] {
  const paths = essentials[Type];
  if (paths === undefined) return [];
  const parts = paths.flatMap((path) => {
    const value = at(Properties, path);
    return value === undefined ? [] : [`${path.split('.').at(-1)} ${shown(path, value)}`];
  });
  if (DeletionPolicy !== undefined) parts.push(`when deleted: ${DeletionPolicy}`);
  return [`  ${id}: ${parts.join('; ')}`];
}

function at(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((inside, key) => (inside as Record<string, unknown> | undefined)?.[key], value);
}

interface Container {
  readonly Name: string;
  readonly Command: readonly string[];
  readonly User: string;
  readonly ReadonlyRootFilesystem: boolean;
  readonly StopTimeout: number;
  readonly Environment: readonly { readonly Name: string }[];
  readonly Secrets: readonly { readonly Name: string }[];
}

interface Statement {
  readonly Effect: string;
  readonly Action: unknown;
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

function shown(path: string, value: unknown): string {
  if (path === 'ContainerDefinitions') return (value as readonly Container[]).map(containerLine).join('');
  if (path === 'PolicyDocument.Statement') return (value as readonly Statement[]).map(statementLine).join('');
  if (path === 'Rules') return (value as readonly { readonly Name: string }[]).map(({ Name }) => Name).join(', ');
  if (path === 'LoadBalancerAttributes' || path === 'TargetGroupAttributes')
    return (value as readonly { readonly Key: string; readonly Value: unknown }[])
      .map(({ Key, Value }) => `${Key}=${textOf(Value)}`)
      .join(' ');
  return resolved(value);
}

function containerLine({ Name, Command, User, ReadonlyRootFilesystem, StopTimeout, Environment, Secrets }: Container): string {
  const [program = ''] = Command.map((part) => part.split('\n')[0]);
  return [
    `\n    container ${Name}: node ${program}; user ${User}; read-only root ${ReadonlyRootFilesystem}; stop ${StopTimeout} s`,
    `      environment ${Environment.map(({ Name: name }) => name).join(' ')}`,
    `      secrets ${Secrets.map(({ Name: name }) => name).join(' ')}`,
  ].join('\n');
}

function statementLine({ Effect, Action, Resource, Condition }: Statement): string {
  const resources = [Resource].flat().map((resource) => resolved(resource));
  const condition = Condition === undefined ? '' : ` when ${resolved(Condition)}`;
  return `\n    ${Effect} ${[Action].flat().join(' ')} on ${resources.join(' ')}${condition}`;
}

/** JSON with the references inside it as text. */
function resolved(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const text = textOf(value);
  if (!Array.isArray(value) && !text.startsWith('{')) return text;
  if (Array.isArray(value)) return `[${value.map(resolved).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, inside]) => `${key}: ${resolved(inside)}`)
    .join(', ')}}`;
}
