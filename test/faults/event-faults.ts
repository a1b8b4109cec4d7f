import { setTimeout as pause } from 'node:timers/promises';
import mysql from 'mysql2/promise';
import type { Cluster } from './cluster.ts';
import type { Inject, Scene } from './fault-run.ts';
import { actionOf, jsonAnswer } from './frames.ts';
import { untilQuiet } from './quiescence.ts';

/** What goes wrong with SQS and with messages. */

export const killQueue: Inject = async (scene) => {
  const before = placements(scene);
  await scene.cluster.stores.sqs.kill('SIGKILL');
  await pause(scene.ms(8000));
  if (placements(scene) === before) scene.complain('no order was placed while SQS was away');
  await scene.cluster.stores.sqs.start();
};

export const refuseQueue: Inject = async (scene) => {
  const before = placements(scene);
  await Promise.all(scene.cluster.shops.map(({ proxies }) => proxies.sqs.setMode('refuse')));
  await pause(scene.ms(8000));
  if (placements(scene) === before) scene.complain('no order was placed while SQS was away');
};

function placements({ load }: Scene): number {
  return load.history.operations.filter(({ kind, outcome }) => kind === 'place' && outcome === 'ok').length;
}

/** What SQS has done nobody hears of, one time in three, for one kind of request. */
export function lostAnswers(action: string): Inject {
  return async (scene) => {
    let seen = 0;
    for (const { proxies } of scene.cluster.shops)
      proxies.sqs.judge = (frame) => {
        if (actionOf(frame) !== action) return 'pass';
        seen += 1;
        return seen % 3 === 0 ? 'cut after' : 'pass';
      };
    await pause(scene.ms(6000));
    if (seen === 0) scene.complain(`no ${action} was seen`);
  };
}

/** SQS says of every second batch that it took nothing of it. */
export const failedBatches: Inject = async (scene) => {
  let batches = 0;
  for (const { proxies } of scene.cluster.shops)
    proxies.sqs.judge = (frame) => {
      if (actionOf(frame) !== 'SendMessageBatch') return 'pass';
      batches += 1;
      if (batches % 2 === 0) return 'pass';
      const body = frame.toString('utf8', frame.indexOf('\r\n\r\n') + 4);
      const { Entries } = JSON.parse(body) as { Entries: readonly { Id: string }[] }; // of the SDK
      const Failed = Entries.map(({ Id }) => ({ Id, SenderFault: false, Code: 'InternalError', Message: 'not taken' }));
      return { answer: jsonAnswer(200, { Successful: [], Failed }) };
    };
  await pause(scene.ms(5000));
  if (batches === 0) scene.complain('no batch was seen');
};

interface Known {
  readonly id: string;
  readonly order_id: string;
  readonly type: string;
  readonly sequence: number;
}

/** Events that were handled long ago come again, three times each and in any order. */
export const duplicatesInDisorder: Inject = async ({ cluster, random, ms }) => {
  await pause(ms(2000));
  const rows = await cluster.db.rows<Known>('SELECT id, order_id, type, sequence FROM orders_outbox ORDER BY id DESC LIMIT 60');
  const copies = [...rows, ...rows, ...rows]
    .map((row) => ({ row, place: random.next() }))
    .sort((one, other) => one.place - other.place);
  for (const { row } of copies) {
    const body = { id: row.id, type: row.type, orderId: row.order_id, sequence: row.sequence, at: new Date().toISOString() };
    await deliver(cluster, JSON.stringify(body));
  }
  await pause(ms(2000));
};

async function deliver({ stores, queues }: Cluster, MessageBody: string): Promise<void> {
  await stores.sqs.sqs.sendMessage({ QueueUrl: queues.queueUrl, MessageBody });
}

const poisons = ['no JSON', '{}', '{"id":1}', '"text"', `{"type":"order.unheard-of","id":"x"}`, 'x'.repeat(200_000)];
const deadPatienceMs = 120_000;

/** They are put aside and hold up nobody. */
export const poisonMessages: Inject = async (scene) => {
  const { cluster } = scene;
  const { sqs } = cluster.stores.sqs;
  const QueueUrl = cluster.queues.deadLetterQueueUrl;
  const dead = async () =>
    Number((await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ['All'] })).Attributes?.ApproximateNumberOfMessages);
  const before = await dead();
  for (const poison of poisons) await deliver(cluster, poison);
  const deadline = Date.now() + deadPatienceMs;
  while ((await dead()) < before + poisons.length && Date.now() < deadline) await pause(500);
  const put = (await dead()) - before;
  if (put !== poisons.length) scene.complain(`${put} of ${poisons.length} poison messages were put aside`);
  await untilQuiet(cluster, 1000);
};

/** An event with a lower id is committed long after later ones were delivered. */
export const lateCommit: Inject = async (scene) => {
  const { cluster, ms } = scene;
  const [order] = await cluster.db.rows<{ id: string }>(
    "SELECT id FROM orders_orders WHERE status = 'confirmed' ORDER BY id LIMIT 1",
  );
  if (order === undefined) return;
  const [event] = await cluster.db.rows<{ id: string }>(
    "SELECT id FROM orders_outbox WHERE order_id = ? AND type = 'order.placed'",
    [order.id],
  );
  const connection = await mysql.createConnection(cluster.databaseUrl);
  await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
  await connection.query('START TRANSACTION');
  // as if it had been appended in a transaction that is still open
  await connection.query('UPDATE orders_outbox SET published_at = NULL, leased_until = ? WHERE id = ?', [
    '1970-01-01',
    event?.id,
  ]);
  await pause(ms(3000));
  await connection.query('COMMIT');
  await connection.end();
  const deadline = Date.now() + 10_000;
  const open = 'SELECT id FROM orders_outbox WHERE id = ? AND published_at IS NULL';
  while ((await cluster.db.rows(open, [event?.id ?? ''])).length > 0 && Date.now() < deadline) await pause(100);
  if ((await cluster.db.rows(open, [event?.id ?? ''])).length > 0)
    scene.complain('an event that was committed late was passed over');
};
