import { json } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { jsonPost, openHttpSocket } from './http-socket.ts';
import type { LoginLoad, LoginLoadResult } from './login-rows.ts';

/** Customers who sign in with their passwords, each again as soon as the answer is there, until SIGTERM. */
const refusedPauseMs = 200;

// what login-rows.ts writes
const { port, clients, usernames, password } = (await json(process.stdin)) as LoginLoad;
const statuses: Record<string, number> = {};
const tokens = new Set<string>();
let stoppedAt: number | undefined;
let signedIn = 0;
process.once('SIGTERM', () => {
  stoppedAt = performance.now();
});

const startedAt = performance.now();
const runClient = async (number: number) => {
  const socket = openHttpSocket(port);
  const username = usernames[number % usernames.length];
  const request = jsonPost('/api/auth/login', {}, JSON.stringify({ username, password }));
  while (stoppedAt === undefined) {
    const { status, body } = await socket.ask(request);
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (status === '200') tokens.add(JSON.parse(body).accessToken);
    else await pause(refusedPauseMs);
    // those that end later were not done in the time that is told
    if (status === '200' && stoppedAt === undefined) signedIn += 1;
  }
  socket.close();
};
const running = Array.from({ length: clients }, (_, number) => runClient(number));
process.stdout.write('{}\n');
await Promise.all(running);
const seconds = ((stoppedAt ?? performance.now()) - startedAt) / 1000;
tokens.delete('undefined');
const result: LoginLoadResult = { statuses, tokens: tokens.size, perSecond: signedIn / seconds };
process.stdout.write(`${JSON.stringify(result)}\n`);
