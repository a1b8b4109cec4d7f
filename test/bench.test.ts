import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { problemsOfAttack } from '../bench/attack-row.ts';
import { judge } from '../bench/bench-row.ts';
import { problemsOfLogins } from '../bench/login-rows.ts';
import { problemsOfReads } from '../bench/open-reads.ts';
import { problemsOf } from '../bench/order-check.ts';
import { numberedProduct, problemOfExport } from '../bench/product-stream.ts';
import { readWrk } from '../bench/read-load.ts';
import { rows } from '../bench/rows.ts';
import { orderOf, problemOfPaid, problemsOfVendure } from '../bench/vendure-orders.ts';
import { onServices } from './harness/stores.ts';

const run = promisify(execFile);
const bench = (...words: string[]) => run(process.execPath, [join(__dirname, '..', 'bench', 'bench.ts'), ...words]);

const embeddedRows = ['orders-embedded', 'start'];

describe('the benchmark', () => {
  if (onServices) {
    it('measures every row on production stores, and everything is right', async () => {
      const measured = rows.filter(({ name, optIn }) => optIn !== true && !embeddedRows.includes(name)).map(({ name }) => name);
      const { stdout } = await bench('--smoke', ...measured);
      // what a transfer adds to the memory can be less than nothing
      for (const name of measured) expect(stdout).toMatch(new RegExp(`^${name}(-\\S+)? +-?[\\d,.]+`, 'm'));
    }, 300_000);
    return;
  }

  it('measures the shop on its own storage, and everything is right', async () => {
    const { stdout } = await bench('--smoke', ...embeddedRows);
    expect(stdout).toMatch(/^orders-embedded +[\d,.]+ \/s +[\d,.]+ \/s/m);
    expect(stdout).toMatch(/^start +[\d,.]+ ms +[\d,.]+ ms/m);
  }, 120_000);

  it('names its rows, and refuses one that there is not', async () => {
    expect((await bench('--list')).stdout).toMatch(/^read /m);
    await expect(bench('--workers', '2', 'start')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('several workers'),
    });
    await expect(bench('--rows', '9', 'import')).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('--rows') });
    await expect(bench('reed')).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('There is no row reed') });
  });

  const right = { load: { statuses: { 201: 10 }, distinctOrders: 10, wrong: [] }, stored: 10, confirmed: 10 };

  it('tells what orders cost as the documentation does', async () => {
    const { stdout } = await run(process.execPath, [join(__dirname, '..', 'bench', 'order-costs.ts')]);
    expect(stdout).toContain('| together |');
    expect(readFileSync(join(__dirname, '..', 'docs', 'performance.md'), 'utf8')).toContain(stdout);
  });

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

  const reads = { sent: 1000, seconds: 1, wrong: 0, told: [], p50Ms: 1, p99Ms: 1 };

  it.each([
    [{ ...reads, wrong: 1, told: ['503'] }, '1 of 1000 reads were wrong: 503'],
    [{ ...reads, seconds: 3 }, 'sending 1000 reads took 3.0 s'],
  ])('fails when reads at a rate are not answered right, or not sent: %j', (facts, problem) => {
    expect(problemsOfReads(reads)).toEqual([]);
    expect(problemsOfReads(facts)).toEqual([problem]);
  });

  const products = (...numbers: number[]) => createHash('sha256').update(numbers.map(numberedProduct).join('')).digest('hex');
  const exported = { status: 200, lines: 3, sha256: products(4, 5, 6) };

  it.each([
    [{ ...exported, status: 503 }, 'an export was answered 503'],
    [{ ...exported, lines: 2, sha256: products(4, 5) }, '3 products were exported as 2 lines'],
    [{ ...exported, sha256: products(4, 6, 5) }, 'the products of an export are not those that were imported'],
  ])('fails when an export is not what was imported: %j', (facts, problem) => {
    expect(problemOfExport(exported, { first: 4, count: 3 })).toBeUndefined();
    expect(problemOfExport(facts, { first: 4, count: 3 })).toBe(problem);
  });

  const logins = { statuses: { 200: 3, 503: 1 }, tokens: 3, perSecond: 1 };

  it.each([
    [{ ...logins, tokens: 2 }, '3 sign-ins got 2 tokens'],
    [{ ...logins, statuses: { 200: 3, 401: 1 } }, '1 logins were answered 401'],
    [{ ...logins, statuses: { 503: 1 }, tokens: 0 }, 'nobody signed in'],
  ])('fails when logins are not answered right: %j', (facts, problem) => {
    expect(problemsOfLogins(logins)).toEqual([]);
    expect(problemsOfLogins(facts)).toEqual([problem]);
  });

  const sold = { placed: 3, distinctOrders: 3, wrong: [], stored: 3 };

  it.each([
    [{ ...sold, placed: 0, distinctOrders: 0, stored: 0 }, 'no order was placed'],
    [{ ...sold, distinctOrders: 2 }, '3 answers name 2 orders'],
    [{ ...sold, stored: 2 }, '3 orders were answered and 2 are stored'],
    [{ ...sold, wrong: ['500: a deadlock'] }, '500: a deadlock'],
  ])('fails when Vendure does not sell what it answers: %j', (facts, problem) => {
    expect(problemsOfVendure(sold)).toEqual([]);
    expect(problemsOfVendure(facts)).toEqual([problem]);
  });

  it('compares an order of Vendure with what was ordered', () => {
    const lines = ['4', '7'].map((id) => ({ quantity: 1, linePriceWithTax: 120, productVariant: { id } }));
    const paid = { __typename: 'Order', code: 'X', state: 'PaymentSettled', totalWithTax: 740, shippingWithTax: 500, lines };
    expect(orderOf('200', JSON.stringify({ data: { answer: paid } }))).toEqual(paid);
    expect(problemOfPaid(paid, ['7', '4'])).toBeUndefined();
    expect(problemOfPaid(paid, ['7', '5'])).toContain('not what was ordered');
    expect(problemOfPaid({ ...paid, totalWithTax: 741 }, ['4', '7'])).toContain('not what was ordered');
    expect(problemOfPaid({ ...paid, state: 'PaymentAuthorized' }, ['4', '7'])).toContain('not what was ordered');
    const refused = '{"data":{"answer":{"__typename":"InsufficientStockError","message":"sold out"}}}';
    expect(orderOf('200', refused)).toContain('sold out');
    expect(orderOf('500', '{}')).toBe('500: {}');
  });

  const attack = { slow: { opened: 500, usual: 500 }, flood: { statuses: { 401: 9, 503: 91 }, seconds: 1 } };

  it.each([
    [{ ...attack, slow: { opened: 500, usual: 20 } }, 'only 20 of 500 slow connections were open at a time'],
    [{ ...attack, flood: { statuses: { 503: 100 }, seconds: 1 } }, 'no password was checked'],
    [{ ...attack, flood: { statuses: { 401: 10 }, seconds: 1 } }, '10 logins in 1.0 s'],
    [{ ...attack, flood: { statuses: { 401: 99, broken: 1 }, seconds: 1 } }, '1 logins were answered broken'],
  ])('fails when an attack was none: %j', (facts, problem) => {
    expect(problemsOfAttack(attack)).toEqual([]);
    expect(problemsOfAttack(facts)).toEqual([problem]);
  });

  it('compares rounds with each other, and says whether the goal is met', () => {
    const result = { name: 'x', unit: '', baseline: [1, 10, 2], project: [2, 30, 2], goal: { atLeast: 2 } };
    expect(judge(result)).toMatchObject({ value: 2, lowest: 1, highest: 3, met: true });
    expect(judge({ ...result, goal: { atLeast: 2.1 } }).met).toBe(false);
  });
});
