import { type App, Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** A finding of cdk-nag's AwsSolutions that stays, and why. A test refuses one that nothing finds any more. */
interface AcknowledgedFinding {
  readonly stack: 'data' | 'service';
  /** of the construct, inside its stack */
  readonly path: string;
  /** without the name of the pack; `<Construct>` stands for a logical id, as the finding shows it */
  readonly id: string;
  readonly reason: string;
}

const rotatedByHand =
  'An operator rotates it in steps with days between them, or never (docs/operations.md); a new value by itself would sign everybody out.';
const frameworkReason = 'The policy of CDK’s own function names every version of exactly one function of this stack.';
const logsOnly = 'The managed policy lets the function write its log and nothing else.';
const executionReason =
  'ecr:GetAuthorizationToken knows no narrower resource; what it leads to is the one repository that the same policy names.';
const pingReason = 'dynamodb:ListTables knows no narrower resource; it shows the names of tables, and the shop asks for one.';

export const acknowledgedFindings: readonly AcknowledgedFinding[] = [
  {
    stack: 'data',
    path: 'BalancerGroup',
    id: 'AwsSolutions-EC23',
    reason: 'A shop is open to the world: on ports 80 and 443 of the balancer, behind the firewall.',
  },
  {
    stack: 'data',
    path: 'Database',
    id: 'AwsSolutions-RDS6',
    reason:
      'The shop signs in with a password that rotates by itself; tokens of IAM end after 15 minutes, and its pool knows none.',
  },
  {
    stack: 'data',
    path: 'Database',
    id: 'AwsSolutions-RDS10',
    reason: 'Only where the settings keep no data: such an environment is made to be deleted.',
  },
  {
    stack: 'data',
    path: 'Database',
    id: 'AwsSolutions-RDS14',
    reason: 'Winding the live database back would undo orders that were acknowledged; a restore goes to a new cluster beside it.',
  },
  {
    stack: 'data',
    path: 'Cache',
    id: 'AwsSolutions-AEC4',
    reason: 'Only where the settings ask for one node: the shop goes on without its cache.',
  },
  {
    stack: 'data',
    path: 'CachePassword',
    id: 'AwsSolutions-SMG4',
    reason: 'An operator rotates it in two steps (docs/operations.md); nothing but counters and copies is behind it.',
  },
  { stack: 'data', path: 'JwtPrivateKeys', id: 'AwsSolutions-SMG4', reason: rotatedByHand },
  { stack: 'data', path: 'RefreshKeys', id: 'AwsSolutions-SMG4', reason: rotatedByHand },
  { stack: 'data', path: 'PasswordPepper', id: 'AwsSolutions-SMG4', reason: rotatedByHand },
  {
    stack: 'data',
    path: 'FirstAdmin',
    id: 'AwsSolutions-SMG4',
    reason: 'It is used once, while there is no admin; after that the admin changes the password in the shop.',
  },
  {
    stack: 'data',
    path: 'AccessLogs',
    id: 'AwsSolutions-S1',
    reason: 'The bucket holds access logs itself: logging who reads them into it would never end.',
  },
  {
    stack: 'data',
    path: 'BackupPlan',
    id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup]',
    reason: 'AWS keeps the policy in step with what its backup service does; only that service can take the role.',
  },
  { stack: 'service', path: 'ApiTaskRole', id: 'AwsSolutions-IAM5[Resource::*]', reason: pingReason },
  { stack: 'service', path: 'WorkerTaskRole', id: 'AwsSolutions-IAM5[Resource::*]', reason: pingReason },
  ...['Api', 'Worker', 'Migration', 'Operator'].flatMap((kind): AcknowledgedFinding[] => [
    { stack: 'service', path: `${kind}ExecutionRole`, id: 'AwsSolutions-IAM5[Resource::*]', reason: executionReason },
    {
      stack: 'service',
      path: `${kind}Task`,
      id: 'AwsSolutions-ECS2',
      reason: 'Plain variables hold names, ports and addresses; whatever is secret comes from Secrets Manager.',
    },
  ]),
  ...['StartMigration', 'WatchMigration', 'MigrationProvider'].map(
    (path): AcknowledgedFinding => ({
      stack: 'service',
      path,
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
      reason: logsOnly,
    }),
  ),
  {
    stack: 'service',
    path: 'StartMigration',
    id: 'AwsSolutions-IAM5[Resource::arn:aws:ecs:<region>:<account>:task-definition/<name>-migration:*]',
    reason: 'Every deployment makes a revision of the migration task; no other family can be run.',
  },
  {
    stack: 'service',
    path: 'WatchMigration',
    id: 'AwsSolutions-IAM5[Resource::arn:aws:ecs:<region>:<account>:task/<Cluster>/*]',
    reason: 'The id of the migration’s task is known when it runs; looking at tasks of this one cluster is all that is allowed.',
  },
  ...[
    '<StartMigration.Arn>',
    '<WatchMigration.Arn>',
    '<MigrationProvider/framework-isComplete.Arn>',
    '<MigrationProvider/framework-onTimeout.Arn>',
  ].map(
    (version): AcknowledgedFinding => ({
      stack: 'service',
      path: 'MigrationProvider',
      id: `AwsSolutions-IAM5[Resource::${version}:*]`,
      reason: frameworkReason,
    }),
  ),
  {
    stack: 'service',
    path: 'MigrationProvider',
    id: 'AwsSolutions-SF1',
    reason: 'The state machine only asks the watching function again; that function logs.',
  },
  {
    stack: 'service',
    path: 'MigrationProvider',
    id: 'AwsSolutions-SF2',
    reason: 'There is nothing to trace in a loop that waits for one task of a deployment.',
  },
];

export function acknowledgeFindings(app: App, findings = acknowledgedFindings): void {
  for (const stack of app.node.children.filter((child) => Stack.isStack(child))) {
    for (const { path, id, reason } of findings.filter((finding) => stack.stackName.endsWith(`-${finding.stack}`))) {
      // Not every environment has backups.
      const construct = stack.node.tryFindChild(path);
      if (construct !== undefined) Validations.of(construct).acknowledge({ id: `AwsSolutions::${wholeId(stack, id)}`, reason });
    }
  }
}

/** Puts in what a finding shows of this environment. */
function wholeId(stack: Stack, id: string): string {
  const name = stack.stackName.replace(/-[a-z]+$/, '');
  const known: Readonly<Record<string, string>> = { '<region>': stack.region, '<account>': stack.account, '<name>': name };
  return id.replaceAll(
    /<([\w/-]+)(\.Arn)?>/g,
    (whole, path: string, attribute = '') => known[whole] ?? `<${logicalId(stack, path)}${attribute}>`,
  );
}

function logicalId(stack: Stack, path: string): string {
  const construct = path.split('/').reduce<IConstruct>((parent, id) => parent.node.findChild(id), stack);
  const element = construct.node.defaultChild;
  if (element === undefined || !('logicalId' in element)) throw new Error(`${path} has no logical id`);
  return String(stack.resolve(element.logicalId));
}
