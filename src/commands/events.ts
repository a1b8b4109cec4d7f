import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { listDeadEvents, redriveDeadEvents } from '../modules/orders/index.ts';
import { type Config, readConfig, sqliteFileName } from '../shared/config.ts';
import { type Database, openMysql, openSqlite } from '../shared/database.ts';
import { type DeadLetters, outboxDeadLetters, queueDeadLetters } from './dead-letters.ts';

/**
 * `npm run events -- dead-letters list` shows what could not be handled, `… redrive [--id ID]…` has it delivered again. Looks
 * into the outbox, and with SQS into the dead-letter queue; may run beside the server.
 * Exit code 0: done. 1: it failed, or an id names no dead letter.
 */
const usage = 'usage: npm run events -- dead-letters list | redrive [--id ID]…';

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { id: { type: 'string', multiple: true } } });
  const [subject, action, ...rest] = positionals;
  const known = subject === 'dead-letters' && (action === 'redrive' || (action === 'list' && values.id === undefined));
  if (!known || rest.length > 0) throw new Error(usage);
  const { stores } = readConfig();
  const opened = [outboxDeadLetters(await openStore(stores, action), { listDeadEvents, redriveDeadEvents })];
  try {
    if (stores.sqs !== undefined) opened.push(await queueDeadLetters(stores.sqs));
    return action === 'list' ? await list(opened) : await redrive(opened, values.id);
  } finally {
    for (const letters of opened) await letters.close();
  }
}

async function list(opened: readonly DeadLetters[]): Promise<number> {
  let count = 0;
  for (const letters of opened) {
    for (const { id, at, what } of await letters.list()) {
      count += 1;
      process.stdout.write(`${letters.place}  ${id}  ${at}  ${printable(what)}\n`);
    }
  }
  if (count === 0) process.stdout.write('no dead letters\n');
  return 0;
}

/** As JSON, with what moves a terminal's cursor or turns its text escaped too: nobody knows what such a message holds. */
function printable(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

async function redrive(opened: readonly DeadLetters[], ids: readonly string[] | undefined): Promise<number> {
  const sent = new Set<string>();
  for (const letters of opened) {
    for (const id of await letters.redrive(ids)) {
      sent.add(id);
      process.stdout.write(`sent again: ${letters.place}  ${id}\n`);
    }
  }
  const unknown = (ids ?? []).filter((id) => !sent.has(id));
  for (const id of unknown) process.stderr.write(`no dead letter: ${id}\n`);
  if (sent.size === 0 && ids === undefined) process.stdout.write('no dead letters\n');
  return unknown.length === 0 ? 0 : 1;
}

function openStore(stores: Config['stores'], action: string): Promise<Database> {
  if (stores.mysqlUrl !== undefined) return openMysql({ url: stores.mysqlUrl });
  const file = join(stores.dataDir, sqliteFileName);
  if (!existsSync(file)) throw new Error(`There is no shop in ${stores.dataDir}: set DATA_DIR.`);
  return openSqlite({ file, readOnly: action === 'list' });
}

main().then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
