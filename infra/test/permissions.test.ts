import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { resourcesOf, synthesize, textOf } from './synthesized.ts';

const root = join(import.meta.dirname, '..', '..');
const service = synthesize('prod').template('service');
const fromRoot = createRequire(join(root, 'package.json'));
const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path, text: readFileSync(join(root, 'src', path), 'utf8') }));

describe('the role of a task', () => {
  it('may do with queues what the shop calls, and nothing else', () => {
    const { SQS } = fromRoot('@aws-sdk/client-sqs');
    const operations = new Set(Object.getOwnPropertyNames(SQS.prototype));
    const calls = callsIn(sources.filter(({ text }) => text.includes('@aws-sdk/client-sqs'))).filter((name) =>
      operations.has(name),
    );
    const actions = new Set(calls.map((name) => `sqs:${capitalized(name).replace(/Batch$/, '')}`));
    deepEqual(new Set(['api', 'worker', 'operator'].flatMap((kind) => actionsOf(kind, 'sqs:'))), actions);
  });

  it('may do with tables what the shop calls, and nothing else', () => {
    const { DynamoDB } = fromRoot('@aws-sdk/client-dynamodb');
    const operations = new Set(Object.getOwnPropertyNames(DynamoDB.prototype));
    const dynamo = sources.filter(({ path }) => /(^|\/)dynamo[\w-]*\.ts$/.test(path));
    ok(dynamo.length > 1);
    const ofClient = [...textsOf(dynamo).matchAll(/\bclient\s*\.(\w+)\(/g)]
      .map(([, name = '']) => name)
      .filter((name) => operations.has(name));
    const ofModel = [...textsOf(dynamo).matchAll(/\bmodel\s*\.(\w+)\(/g)]
      .map(([, name = '']) => name)
      .filter((name) => name !== 'table');
    const actions = new Set([
      ...ofClient.map((name) => `dynamodb:${capitalized(name)}`),
      ...ofModel.map((name) => modelActions[name] ?? `no action is known for ${name}`),
    ]);
    deepEqual(new Set(actionsOf('worker', 'dynamodb:')), actions);
    actions.delete('dynamodb:Scan');
    deepEqual(new Set(actionsOf('api', 'dynamodb:')), actions, 'the audit runs in workers');
  });

  it('lets the audit read, from the first to the last item, the tables that it reads whole', () => {
    const audit = sources.filter(({ path }) => /^modules\/auth\/[\w-]*audit[\w-]*\.ts$/.test(path));
    const scanned = [...textsOf(audit).matchAll(/pagesOf\(tables\.(\w+)/g)].map(
      ([, name = '']) => `table/shop-prod-${capitalized(name)}`,
    );
    for (const kind of ['worker', 'operator']) {
      const scans = statementsOf(kind).filter(({ Action }) => Action === 'dynamodb:Scan');
      const tables = scans.flatMap(({ Resource }) => [Resource].flat().map((arn) => textOf(arn).split(':').at(-1)));
      deepEqual(new Set(tables), new Set(scanned), kind);
    }
    const asked = [
      ...textsOf(audit).matchAll(/\b(?:tables|users|usernames|sessions|admins|revocations|table)\.(get|query|scan)\(/g),
    ];
    const actions = new Set(
      asked.map(([, name = '']) => ({ get: 'dynamodb:GetItem', query: 'dynamodb:Query', scan: 'dynamodb:Scan' })[name]),
    );
    if (textsOf(audit).includes('itemsByKey(')) actions.add('dynamodb:BatchGetItem');
    deepEqual(new Set(actionsOf('operator', 'dynamodb:')), actions);
  });

  it('need not scan for what has expired: that is for stores without a TTL', () => {
    const scanning = sources.filter(({ text }) => text.includes('.scanBelow(')).map(({ path }) => path);
    deepEqual(scanning, ['modules/auth/expired-items.ts']);
    match(textsOf(sources), /!dynamo\.removesExpired \? \[expiredItemsTask\(/);
  });

  it('reaches the shop’s own tables and queues only', () => {
    for (const kind of ['api', 'worker', 'operator']) {
      for (const { Action, Resource } of statementsOf(kind)) {
        if (Action === 'dynamodb:ListTables') continue;
        for (const resource of [Resource].flat())
          match(textOf(resource), /:table\/shop-prod-\w+(\/index\/\w+)?$|<(Event|DeadLetter)QueueArn>/);
      }
    }
    deepEqual(actionsOf('api', 'sqs:'), ['sqs:GetQueueAttributes'], 'only workers send and receive');
    deepEqual(statementsOf('migration'), [], 'the migration needs the database only');
  });

  it('can be taken by ECS only, for this account', () => {
    const roles = resourcesOf(service, 'AWS::IAM::Role').filter(([id]) => /TaskRole|ExecutionRole/.test(id));
    equal(roles.length, 8);
    for (const [, { Properties }] of roles) {
      deepEqual(Properties.AssumeRolePolicyDocument, {
        Statement: [
          {
            Action: 'sts:AssumeRole',
            Condition: { StringEquals: { 'aws:SourceAccount': '123456789012' } },
            Effect: 'Allow',
            Principal: { Service: 'ecs-tasks.amazonaws.com' },
          },
        ],
        Version: '2012-10-17',
      });
    }
  });
});

/** What dynamoose sends for a call of a model. */
const modelActions: Readonly<Record<string, string>> = {
  get: 'dynamodb:GetItem',
  create: 'dynamodb:PutItem',
  update: 'dynamodb:UpdateItem',
  delete: 'dynamodb:DeleteItem',
};

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
}

function statementsOf(kind: string): readonly Statement[] {
  const id = `${capitalized(kind)}TaskRoleDefaultPolicy`;
  const policies = resourcesOf(service, 'AWS::IAM::Policy').filter(([each]) => each.startsWith(id));
  return policies.flatMap(([, { Properties }]) => (Properties.PolicyDocument as { Statement: readonly Statement[] }).Statement);
}

function actionsOf(kind: string, prefix: string): readonly string[] {
  const actions = statementsOf(kind).flatMap(({ Action }) => [Action].flat());
  return [...new Set(actions.filter((action) => action.startsWith(prefix)))].sort();
}

function callsIn(files: readonly { readonly text: string }[]): readonly string[] {
  return [...textsOf(files).matchAll(/\.(\w+)\(/g)].map(([, name = '']) => name);
}

function textsOf(files: readonly { readonly text: string }[]): string {
  return files.map(({ text }) => text).join('\n');
}

function capitalized(name: string): string {
  return `${name[0]?.toUpperCase()}${name.slice(1)}`;
}
