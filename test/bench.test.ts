import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { judge } from '../bench/bench-row.ts';
import { problemsOf } from '../bench/order-check.ts';
import { readWrk } from '../bench/read-load.ts';

const run = promisify(execFile);
const bench = (...words: string[]) => run(process.execPath, [join(__dirname, '..', 'bench', 'bench.ts'), ...words]);

describe('the benchmark', () => {
  it('measures the shop beside a loop by hand, and everything is right', async () => {
    const { stdout } = await bench('--smoke', 'orders-embedded');
    expect(stdout).toMatch(/^orders-embedded +[\d,.]+ \/s +[\d,.]+ \/s/m);
  }, 120_000);

  it('names its rows, and refuses one that there is not', async () => {
    expect((await bench('--list')).stdout).toMatch(/^read /m);
    await expect(bench('reed')).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('There is no row reed') });
  });

  const right = { load: { statuses: { 201: 10 }, distinctOrders: 10, wrong: [] }, stored: 10, confirmed: 10 };

  it('has nothing to say about orders that are right', () => {
    expect(problemsOf(right)).toEqual([]);
  });

  it.each([
    ['drops an order', { ...right, stored: 9, confirmed: 9 }, '10 orders were answered and 9 are stored'],
    ['doubles an order', { ...right, stored: 11, confirmed: 11 }, '10 orders were answered and 11 are stored'],
    ['answers one order twice', { ...right, load: { ...right.load, distinctOrders: 9 } }, '10 answers of 201 name 9 orders'],
    ['leaves an order unconfirmed', { ...right, confirmed: 9 }, '10 orders are stored and 9 confirmed'],
    ['refuses', { ...right, load: { ...right.load, statuses: { 201: 10, 503: 2 } } }, '2 answers were 503'],
    ['garbles an order', { ...right, load: { ...right.load, wrong: ['not what was ordered'] } }, 'not what was ordered'],
  ])('fails when the server %s', (_what, facts, problem) => {
    expect(problemsOf(facts)).toContain(problem);
  });

  it('fails when a read was refused', () => {
    const output = '  10 requests in 1.00s\n    99%    1.00ms\nRequests/sec: 10.0\n';
    expect(readWrk(output)).toEqual({ perSecond: 10, p99Ms: 1, requests: 10 });
    expect(() => readWrk(`${output}  Non-2xx or 3xx responses: 3\n`)).toThrow('Non-2xx or 3xx responses: 3');
  });

  it('compares rounds with each other, and says whether the goal is met', () => {
    const result = { name: 'x', unit: '', baseline: [1, 10, 2], project: [2, 30, 2], goal: { atLeast: 2 } };
    expect(judge(result)).toMatchObject({ value: 2, lowest: 1, highest: 3, met: true });
    expect(judge({ ...result, goal: { atLeast: 2.1 } }).met).toBe(false);
  });
});
