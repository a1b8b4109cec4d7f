import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';

export interface ReadLoad {
  readonly url: string;
  readonly seconds: number;
  readonly clients?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** what each answer has to say */
  readonly body: string;
}

export interface ReadMeasured {
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly requests: number;
}

const lookEveryMs = 100;

/**
 * As many requests as the server answers, by wrk, which is a process of its own. wrk counts every answer that is not 2xx; the bodies
 * are compared by samples that are taken meanwhile. @throws when one is wrong, or wrk is not installed
 */
export async function loadReads({ url, seconds, clients = 64, headers = {}, body }: ReadLoad): Promise<ReadMeasured> {
  if (spawnSync('wrk', ['--version']).error !== undefined) throw new Error('wrk is missing (apt-get install wrk)');
  const sent = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const wrk = spawn('wrk', ['-t1', `-c${clients}`, `-d${Math.ceil(seconds)}s`, '--latency', ...sent, url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(wrk, 'close');
  const output = text(wrk.stdout);
  const stopped = new AbortController();
  const looking = lookAtAnswers({ url, headers, body, stopped: stopped.signal });
  const [looks] = await Promise.all([looking, ended.then(() => stopped.abort())]);
  if (looks === 0) throw new Error('No answer was looked at.');
  return readWrk(await output);
}

async function lookAtAnswers({
  url,
  headers,
  body,
  stopped,
}: Required<Pick<ReadLoad, 'url' | 'headers' | 'body'>> & { readonly stopped: AbortSignal }): Promise<number> {
  let looks = 0;
  do {
    const answer = await fetch(url, { headers });
    const found = await answer.text();
    if (answer.status !== 200 || found !== body) throw new Error(`A read was answered ${answer.status}: ${found.slice(0, 200)}`);
    looks += 1;
    await pause(lookEveryMs);
  } while (!stopped.aborted);
  return looks;
}

/** What wrk prints. @throws when it counted an answer that is not 2xx, or a broken connection */
export function readWrk(output: string): ReadMeasured {
  const wrong = /Non-2xx or 3xx responses: \d+|Socket errors: .*/.exec(output);
  if (wrong !== null) throw new Error(`wrk says: ${wrong[0]}`);
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]);
  const requests = Number(/(\d+) requests in/.exec(output)?.[1]);
  const [, p99 = '', unit = ''] = /99%\s+([\d.]+)(us|ms|s)\b/.exec(output) ?? [];
  const p99Ms = Number(p99) * ({ us: 0.001, ms: 1, s: 1000 }[unit] ?? Number.NaN);
  if (![perSecond, requests, p99Ms].every((value) => value > 0)) throw new Error(`wrk says: ${output}`);
  return { perSecond, p99Ms, requests };
}
