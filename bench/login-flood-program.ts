import { json } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import type { LoginFlood, LoginFloodResult } from './attack-row.ts';
import { type HttpSocket, jsonPost, openHttpSocket } from './http-socket.ts';

/** Wrong passwords at a constant rate: for accounts that exist and others that do not, each time from another address. */
const tickMs = 2;
const existing = 0.5;
const password = 'not the password of anybody';

// what attack-row.ts writes
const { port, ratePerSecond, accounts, usernames } = (await json(process.stdin)) as LoginFlood;
const idle: HttpSocket[] = [];
const statuses: Record<string, number> = {};
const underWay = new Set<Promise<void>>();
let stopping = false;
process.once('SIGTERM', () => {
  stopping = true;
});
const below = (limit: number) => Math.floor(Math.random() * limit);

async function tryOne(): Promise<void> {
  const socket = idle.pop() ?? openHttpSocket(port);
  const username = Math.random() < existing ? (usernames[below(usernames.length)] ?? '') : `nobody-${below(accounts)}`;
  const address = [10, below(256), below(256), below(256)].join('.');
  let status = 'broken';
  try {
    const sent = jsonPost('/api/auth/login', { 'X-Forwarded-For': address }, JSON.stringify({ username, password }));
    ({ status } = await socket.ask(sent));
    idle.push(socket);
  } catch {
    // counted as broken
  }
  statuses[status] = (statuses[status] ?? 0) + 1;
}

const startedAt = performance.now();
for (let sent = 0, told = false; !stopping; await pause(tickMs)) {
  for (const due = ((performance.now() - startedAt) * ratePerSecond) / 1000; sent < due; sent += 1) {
    const work = tryOne().finally(() => underWay.delete(work));
    underWay.add(work);
  }
  // passwords are being checked, and others are refused because too many wait
  if (!told && statuses[401] !== undefined && statuses[503] !== undefined) {
    told = true;
    process.stdout.write('{}\n');
  }
}
const seconds = (performance.now() - startedAt) / 1000;
await Promise.all(underWay);
for (const socket of idle) socket.close();
const result: LoginFloodResult = { statuses, seconds };
process.stdout.write(`${JSON.stringify(result)}\n`);
