import { get } from 'node:http';
import { readConfig } from '../shared/config.ts';

/** What a container's health check runs: asks the process on PORT whether it lives. Exit code 0: it does. 1: it does not, and why. */
const timeoutMs = 2000;

async function main(): Promise<void> {
  const { host, port } = readConfig().http;
  const status = await statusOf({ host: host === '0.0.0.0' ? '127.0.0.1' : host, port });
  if (status !== 200) throw new Error(`/livez answers ${status}`);
}

function statusOf({ host, port }: { host: string; port: number }): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = { host, port, path: '/livez', agent: false, signal: AbortSignal.timeout(timeoutMs) };
    get(asked, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode));
      response.once('error', reject);
    }).once('error', reject);
  });
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
