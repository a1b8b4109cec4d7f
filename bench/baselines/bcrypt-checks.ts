import { json } from 'node:stream/consumers';
import bcrypt from 'bcrypt';

/** Passwords checked one after the other with nothing else to do. */
const { seconds, cost } = (await json(process.stdin)) as { seconds: number; cost: number }; // what login-rows.ts writes
const hash = await bcrypt.hash('a password', cost);
const startedAt = performance.now();
let checks = 0;
while (performance.now() - startedAt < seconds * 1000) {
  await bcrypt.compare('another password', hash);
  checks += 1;
}
process.stdout.write(JSON.stringify({ perSecond: (checks * 1000) / (performance.now() - startedAt) }));
