import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { answering, freePort, stoppable } from './server-child.ts';

const program = 'haproxy';

/** Whether the stories behind a balancer can be told here. With REQUIRE_SERVICES=true a missing program is a failure. */
export function describeWithHaproxy(): jest.Describe {
  if (spawnSync(program, ['-v']).error === undefined) return describe;
  if (process.env.REQUIRE_SERVICES === 'true') throw new Error(`${program} is not installed, and REQUIRE_SERVICES=true.`);
  process.stderr.write(`Left out, because ${program} is not installed: ${expect.getState().testPath}\n`);
  return describe.skip;
}

export interface Haproxy {
  readonly url: string;
  /** where tasks may listen; the balancer asks each port whether a task is there and wants requests */
  readonly ports: readonly number[];
  /** the ports whose tasks get requests right now */
  inService(): Promise<readonly number[]>;
  stop(): Promise<void>;
}

/**
 * A balancer in front of as many ports as tasks may run at once. Like an ALB it keeps connections to tasks and uses them for any
 * client, asks `/readyz` in intervals, and tries a request once, unless `redispatch` lets it try one elsewhere that no task took.
 */
export async function startHaproxy({ tasks, redispatch = false }: { tasks: number; redispatch?: boolean }): Promise<Haproxy> {
  const folder = mkdtempSync(join(tmpdir(), 'haproxy-'));
  const ports: number[] = [];
  while (ports.length < tasks) ports.push(await freePort());
  const port = await freePort();
  const socket = join(folder, 'stats');
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, configuration({ port, ports, socket, redispatch }));
  const child: ChildProcess = spawn(program, ['-db', '-f', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  const server = stoppable(child);
  const states = async () => parseStates(await ask(socket, 'show stat -1 4 -1'));
  await answering(program, child, states);
  return {
    url: `http://127.0.0.1:${port}`,
    ports,
    inService: async () => (await states()).filter(({ up }) => up).map((state) => state.port),
    stop: async () => {
      child.kill('SIGKILL');
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Two checks in a row that fail take a task out, so its drain has to wait longer than those take. */
export const noticedWithinMs = 1500;

function configuration({
  port,
  ports,
  socket,
  redispatch,
}: {
  port: number;
  ports: readonly number[];
  socket: string;
  redispatch: boolean;
}): string {
  return `
global
  maxconn 4000
  stats socket ${socket} mode 600
defaults
  mode http
  timeout connect 2s
  timeout client 75s
  timeout http-keep-alive 75s
  timeout server 30s
  timeout check 2s
  ${redispatch ? 'retries 3\n  option redispatch 1\n  retry-on conn-failure' : 'retries 0'}
frontend front
  bind 127.0.0.1:${port}
  default_backend tasks
backend tasks
  balance roundrobin
  http-reuse always
  option forwardfor
  option httpchk GET /readyz
  http-check expect status 200
  default-server check inter 500ms fastinter 250ms downinter 250ms fall 2 rise 1 ${redispatch ? 'observe layer4 error-limit 1 on-error mark-down' : ''}
${ports.map((each) => `  server ${each} 127.0.0.1:${each}`).join('\n')}
`;
}

function ask(socket: string, command: string): Promise<string> {
  const connection = connect(socket);
  connection.end(`${command}\n`);
  return text(connection);
}

/** Of the servers only: their names are their ports. */
function parseStates(table: string): readonly { readonly port: number; readonly up: boolean }[] {
  const [head = '', ...rows] = table.replace(/^# /, '').trim().split('\n');
  const names = head.split(',');
  const column = (row: string, name: string) => row.split(',')[names.indexOf(name)] ?? '';
  if (!names.includes('status')) throw new Error(`The balancer says: ${table}`);
  return rows.map((row) => ({ port: Number(column(row, 'svname')), up: column(row, 'status').startsWith('UP') }));
}
