import { mkdirSync } from 'node:fs';
import { Server } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { startFauxqs } from 'fauxqs';

/** A program: SQS's stand-in on a port, with its messages in a folder. Each change is on disk before it is answered. */
const [port, folder] = process.argv.slice(2);
if (port === undefined || folder === undefined) throw new Error('usage: queue-program.ts PORT FOLDER');

mkdirSync(folder, { recursive: true });
allowUncountedMessages(join(folder, 'fauxqs.db'));
listenHereOnly();
await startFauxqs({ port: Number(port), logger: false, dataDir: folder });

/**
 * When a message is given back at once, fauxqs 2.4.1 writes no count of its receives, which its own table refuses: the message
 * would be gone until the next start. The table that it finds already made takes it.
 */
function allowUncountedMessages(file: string): void {
  const db = new DatabaseSync(file);
  db.exec(`CREATE TABLE IF NOT EXISTS sqs_messages (
    message_id TEXT PRIMARY KEY, queue_name TEXT NOT NULL REFERENCES sqs_queues(name) ON DELETE CASCADE, body TEXT NOT NULL,
    md5_of_body TEXT NOT NULL, message_attributes TEXT NOT NULL, md5_of_message_attributes TEXT NOT NULL,
    sent_timestamp INTEGER NOT NULL, approximate_receive_count INTEGER DEFAULT 0, approximate_first_receive_timestamp INTEGER,
    delay_until INTEGER, message_group_id TEXT, message_deduplication_id TEXT, sequence_number TEXT, receipt_handle TEXT,
    visibility_deadline INTEGER)`);
  db.close();
}

/** It would listen on every address of the machine. */
function listenHereOnly(): void {
  const { listen } = Server.prototype;
  Server.prototype.listen = function (this: Server, ...args: unknown[]) {
    const [options] = args;
    const here = typeof options === 'object' && options !== null ? [{ ...options, host: '127.0.0.1' }, ...args.slice(1)] : args;
    return Reflect.apply(listen, this, here);
  };
}
