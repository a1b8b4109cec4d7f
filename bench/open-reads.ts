import type { BenchShop } from './bench-shop.ts';
import { runProgram } from './order-load.ts';

/** Reads of one path at a constant rate. */
export interface OpenReadLoad {
  readonly port: number;
  readonly path: string;
  readonly ratePerSecond: number;
  readonly seconds: number;
  /** what each answer has to say, as latin1 */
  readonly body: string;
}

export interface OpenReadResult {
  readonly sent: number;
  readonly seconds: number;
  /** answers that were not what they have to be, and connections that broke */
  readonly wrong: number;
  /** the first few of those */
  readonly told: readonly string[];
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Far below what the shop has time for: how long an answer takes then is how long it waits for other work. */
const ratePerSecond = 1000;
/** of a machine that has other things to do: this program gets its turn late as well */
const leastOfRate = 0.5;

/** Reads a product at a constant rate from a process of its own. @throws when one answer is wrong, or they were sent at half the rate */
export async function readOpenly({ url, port, productIds }: BenchShop, seconds: number): Promise<OpenReadResult> {
  const path = `/api/products/${productIds[0]}`;
  const answer = await fetch(url + path);
  const body = Buffer.from(await answer.arrayBuffer()).toString('latin1');
  if (answer.status !== 200) throw new Error(`A product was answered ${answer.status}: ${body}`);
  const result = await runProgram<OpenReadResult>('open-read-program.ts', {
    ...{ port, path, ratePerSecond, seconds, body },
  } satisfies OpenReadLoad);
  const problems = problemsOfReads(result);
  if (problems.length > 0) throw new Error(`The reads are not right: ${problems.join('; ')}`);
  return result;
}

/** Nothing when every read was answered right, and they were sent nearly as fast as they should be. */
export function problemsOfReads({ sent, seconds, wrong, told }: OpenReadResult): readonly string[] {
  return [
    ...(wrong === 0 ? [] : [`${wrong} of ${sent} reads were wrong: ${told.join(', ')}`]),
    ...(sent >= seconds * ratePerSecond * leastOfRate ? [] : [`sending ${sent} reads took ${seconds.toFixed(1)} s`]),
  ];
}
