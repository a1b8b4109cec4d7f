import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import queues from '../compose-queues.json' with { type: 'json' };
import { createSqsQueue } from '../src/shared/sqs-queue.ts';
import { startQueueService } from './harness/queue.ts';

/** The servers of a developer's machine. There is no engine to start them here: what can be checked without one is. */

const folder = join(__dirname, '..');
const read = (name: string) => readFileSync(join(folder, name), 'utf8');
const isInstalled = spawnSync('docker-compose', ['version']).status === 0;

(isInstalled ? it : it.skip)(`compose.yaml is valid${isInstalled ? '' : ': docker-compose is missing'}`, () => {
  expect(spawnSync('docker-compose', ['config', '-q'], { cwd: folder, encoding: 'utf8' })).toMatchObject({
    status: 0,
    stderr: '',
  });
});

it('every port is this machine’s own', () => {
  const ports = [...read('compose.yaml').matchAll(/^ {4}ports:\n((?: {6}- .*\n)+)/gm)].flatMap(([, list = '']) =>
    list.match(/\S+$/gm),
  );
  expect(ports).toEqual(['127.0.0.1:3306:3306', '127.0.0.1:8000:8000', '127.0.0.1:6379:6379', '127.0.0.1:4566:4566']);
});

it('the stand-in for SQS is the one that the tests use', () => {
  const { devDependencies } = JSON.parse(read('package.json'));
  expect(read('compose.yaml')).toContain(`image: kibertoad/fauxqs:${devDependencies.fauxqs}`);
});

it('the queues are those that the shop is told of: what nobody can handle goes to the dead-letter queue', async () => {
  const [, SQS_QUEUE_URL = ''] = /SQS_QUEUE_URL=(\S+)/.exec(read(join('docs', 'operating.md'))) ?? [];
  const service = await startQueueService();
  for (const { name, attributes } of queues.queues) await service.sqs.createQueue({ QueueName: name, Attributes: attributes });
  const queueUrl = Object.assign(new URL(service.url), { pathname: new URL(SQS_QUEUE_URL).pathname }).href;
  const queue = createSqsQueue({ queueUrl, endpoint: service.url, region: queues.region });
  const [sent] = await queue.send([{ id: '1', body: 'hello' }]);
  expect(sent).toMatchObject({ sent: true });
  expect(await queue.deadLetterQueueUrl()).toMatch(/\/events-dead$/);
  queue.close();
  await service.close();
});
