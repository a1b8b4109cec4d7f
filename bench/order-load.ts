import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export interface OrderLoad {
  readonly port: number;
  readonly tokens: readonly string[];
  readonly productIds: readonly string[];
  readonly clients: number;
  readonly seconds: number;
  /** every order has this product, and two others */
  readonly hotProductId?: string;
}

export interface OrderLoadResult {
  /** answers by status */
  readonly statuses: Readonly<Record<string, number>>;
  /** ids of the orders that were answered 201, without repetition */
  readonly distinctOrders: number;
  /** what was wrong with bodies of answers, the first few */
  readonly wrong: readonly string[];
  readonly seconds: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

/** Orders at a constant rate, whatever the shop answers. */
export interface OpenOrderLoad {
  readonly port: number;
  readonly tokens: readonly string[];
  readonly productIds: readonly string[];
  readonly ratePerSecond: number;
  readonly seconds: number;
}

export interface OpenOrderResult {
  /** answers by status; `broken`: connections that broke */
  readonly statuses: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly placedP99Ms: number;
  readonly refusedP99Ms: number;
}

/** Places orders for some seconds from a process of its own: each client waits for its answer and sends the next at once. */
export async function loadOrders(load: OrderLoad): Promise<OrderLoadResult> {
  return runProgram<OrderLoadResult>('order-load-program.ts', load);
}

/** Runs a program of this folder that reads JSON from its standard input and writes JSON to its output. @throws when it fails */
export async function runProgram<Result>(file: string, input: object): Promise<Result> {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [join(import.meta.dirname, file)], { stdio: ['pipe', 'pipe', 'inherit'], env: { PATH } });
  child.stdin.end(JSON.stringify(input));
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  if (code !== 0) throw new Error(`${file} ended with ${code}.`);
  return JSON.parse(output); // of our own program
}
