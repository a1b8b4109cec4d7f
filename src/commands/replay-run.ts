import { scryptSync } from 'node:crypto';
import { createReplayClient, defaultPatience, type Patience, type ReplayClient } from './replay-client.ts';
import { differences, settledState } from './replay-comparison.ts';
import { amountsOf, ordersOf, placeOrders } from './replay-orders.ts';
import { allProducts, createProducts, idsOfEarlierRun } from './replay-products.ts';
import { createProgress, type Progress, type Terminal } from './replay-progress.ts';
import { reportLines } from './replay-report.ts';
import { type Credentials, register, type Session, signIn } from './replay-session.ts';
import { type ExitCode, exitCodes, ReplayStop } from './replay-stop.ts';
import { type Summary, summarySince } from './replay-summary.ts';
import { type RetailFile, readRetailFile } from './retail-file.ts';
import { openShopConnection } from './shop-connection.ts';

export interface ReplayOptions {
  readonly path: string;
  readonly url: URL;
  readonly concurrency: number;
  readonly admin: Credentials;
  readonly output: Terminal;
  readonly patience?: Patience;
  /** how long the last orders may take to be confirmed */
  readonly settleMs?: number;
}

/**
 * Runs an Online Retail file through the public API of an empty shop and compares the shop with the file. May be repeated after
 * an interruption, with the same admin's password: products are known by a mark, customers by their names, orders by their keys.
 * @throws ReplayStop when it can not go on
 */
export async function replay({ path, url, concurrency, admin, output, ...limits }: ReplayOptions): Promise<ExitCode> {
  const { patience = defaultPatience, settleMs = 120_000 } = limits;
  const file = await fileAt(path);
  const client = createReplayClient(openShopConnection(url, concurrency), patience);
  const progress = createProgress(output, client.retries);
  try {
    const lines = await run({ file, client, progress, concurrency, admin, settleMs });
    progress.end();
    output.write(`${lines.report.join('\n')}\n`);
    return lines.agrees ? exitCodes.agrees : exitCodes.differs;
  } finally {
    progress.end();
    client.close();
  }
}

interface Run {
  readonly file: RetailFile;
  readonly client: ReplayClient;
  readonly progress: Progress;
  readonly concurrency: number;
  readonly admin: Credentials;
  readonly settleMs: number;
}

async function run({ file, client, progress, concurrency, admin, settleMs }: Run) {
  progress.begin('looking at the shop', 0);
  await client.ask({ method: 'GET', path: '/livez' }, firstAnswerMs);
  const staff = await signIn(client, admin);
  const ids = idsOfEarlierRun(file, await allProducts(staff));
  const customers = await Promise.all(customersOf(file, admin).map((customer) => register(client, customer)));
  const before = await stateBefore(staff, customers);

  const missing = file.products.length - ids.size;
  progress.begin('products', missing);
  const creating = performance.now();
  await createProducts({ staff, file, ids, concurrency, created: progress.advance });
  const creatingMs = performance.now() - creating;

  progress.begin('orders', file.orders.length);
  const placing = performance.now();
  const placed = await placeOrders({ file, customers, ids, concurrency, placed: progress.advance });
  const placingMs = performance.now() - placing;

  progress.begin('waiting for the confirmations', 0);
  const settled = await settledState(staff, customers, settleMs);
  const summary = minus(await summarySince(staff, before.since), before.others);
  const found = differences(file, placed, { ...settled, summary });
  const figures = { placed, placingMs, productsCreated: missing, creatingMs, retries: client.retries(), differences: found };
  return { report: reportLines(figures), agrees: found.length === 0 };
}

/** A shop that does not answer at all is rather a wrong address than an outage. */
const firstAnswerMs = 10_000;
const customerCount = 4;

async function fileAt(path: string): Promise<RetailFile> {
  try {
    const file = await readRetailFile(path);
    if (file.orders.length === 0) throw new Error('it holds no order');
    return file;
  } catch (cause) {
    throw new ReplayStop('setup', `${path} can not be read as an Online Retail file: ${messageOf(cause)}`, cause);
  }
}

/** Named after the file, and with passwords that only the admin's leads to: a repeated run signs in the same customers. */
function customersOf(file: RetailFile, admin: Credentials): readonly Credentials[] {
  return Array.from({ length: customerCount }, (_, index) => {
    const username = `replay-${file.digest.slice(0, 12)}-${index + 1}`;
    return { username, password: scryptSync(admin.password, username, 24).toString('base64url') };
  });
}

/** What the summary says of other people's orders, from the day of the first order of an earlier run on. */
async function stateBefore(
  staff: Session,
  customers: readonly Session[],
): Promise<{ readonly since: Date; readonly others: Summary }> {
  const own = (await Promise.all(customers.map(ordersOf))).flat();
  const since = new Date(Math.min(Date.now(), ...own.map(({ createdAt }) => Date.parse(createdAt))));
  const summary = await summarySince(staff, since);
  const { orders, pieces, total } = amountsOf(own);
  return { since, others: minus(summary, { orders, pieces, total, cancelled: 0 }) };
}

function minus(all: Summary, part: Summary): Summary {
  return {
    orders: all.orders - part.orders,
    pieces: all.pieces - part.pieces,
    total: all.total - part.total,
    cancelled: all.cancelled - part.cancelled,
  };
}

function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
}
