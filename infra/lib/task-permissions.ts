import { Aws } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { tableDescriptions } from '../../src/modules/auth/auth-table-shapes.ts';
import type { DataStack } from './data-stack.ts';

/** What the program itself may do, nothing for nothing. A test compares the actions with the calls in the shop's sources. */
export type TaskKind = 'api' | 'worker' | 'migration' | 'operator';

/** The shop asks for a list of one table to learn whether DynamoDB answers; that action knows no narrower resource. */
const pingActions = ['dynamodb:ListTables'];
const itemActions = [
  'dynamodb:GetItem',
  'dynamodb:BatchGetItem',
  'dynamodb:PutItem',
  'dynamodb:UpdateItem',
  'dynamodb:DeleteItem',
  'dynamodb:Query',
];
/** The audit reads these whole, and asks about what it finds there by key. */
const auditedTables = ['Users', 'Usernames', 'Sessions'];
const queuePingActions = ['sqs:GetQueueAttributes'];
const relayActions = ['sqs:SendMessage'];
const consumerActions = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility'];
const deadLetterActions = ['sqs:GetQueueUrl'];

export function permissionsOf(kind: TaskKind, { tablePrefix, queues, region, account }: DataStack): readonly PolicyStatement[] {
  const allow = (actions: readonly string[], resources: readonly string[]) =>
    new PolicyStatement({ actions: [...actions], resources: [...resources] });
  const table = (name: string) => `arn:${Aws.PARTITION}:dynamodb:${region}:${account}:table/${tablePrefix}${name}`;
  const tables = tableDescriptions.map(({ name }) => table(name));
  const indexes = tableDescriptions.flatMap(({ name, indexes: own }) => own.map((index) => `${table(name)}/index/${index.name}`));
  const users = [allow(pingActions, ['*']), allow(itemActions, tables), allow(['dynamodb:Query'], indexes)];
  const wholeTables = allow(['dynamodb:Scan'], auditedTables.map(table));
  const { queueArn: events } = queues.events;
  const { queueArn: deadLetters } = queues.deadLetters;

  switch (kind) {
    case 'api':
      return [...users, allow(queuePingActions, [events])];
    case 'worker':
      return [...users, wholeTables, allow([...queuePingActions, ...relayActions, ...consumerActions], [events])];
    case 'operator':
      return [
        allow(['dynamodb:GetItem', 'dynamodb:BatchGetItem'], tables),
        wholeTables,
        allow([...queuePingActions, ...relayActions, ...consumerActions, ...deadLetterActions], [events, deadLetters]),
      ];
    case 'migration':
      return [];
  }
}
