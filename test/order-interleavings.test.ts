import fc from 'fast-check';
import { type Catalog, createCatalog } from '../src/modules/catalog/index.ts';
import { createOrders, type Order, type OrdersModule } from '../src/modules/orders/index.ts';
import {
  CommitInDoubt,
  type Database,
  isStoreDown,
  type Param,
  type SqlTransaction,
  type TransactionOptions,
} from '../src/shared/database.ts';
import { Failure, unavailable } from '../src/shared/failure.ts';
import { newId } from '../src/shared/identifier.ts';
import { findingsOf } from './harness/audit-findings.ts';
import { addProduct, silent as log, nobody, openShopStore } from './harness/module-door.ts';

/**
 * Every interleaving of the order flow that fast-check's scheduler finds, with lost requests, lost answers, COMMITs in doubt
 * and crashes between any two steps. Each client runs in a process of its own: its own batches, the same stores.
 */

type Fault = 'none' | 'lost before' | 'lost after' | 'crash before' | 'crash after';
type Answer = { readonly status: number; readonly order?: Order } | { readonly status: 'unknown' };

let db: Database;
let closeStore: () => Promise<void>;
let catalog: Catalog;

beforeAll(async () => {
  ({ db, close: closeStore } = await openShopStore());
  catalog = createCatalog({ db, log, now: Date.now }).api;
});

afterAll(() => closeStore());

/** What a driver throws. */
function connectionLost(): Error {
  return Object.assign(new Error('the connection was lost'), { code: 'ECONNRESET' });
}

/** A process that may die: from then on nothing that it waits for ever comes back. */
class MortalProcess {
  readonly orders: OrdersModule;
  readonly died: Promise<Answer>;
  readonly #scheduler: fc.Scheduler;
  readonly #nextFault: () => Fault;
  #dead = false;
  #die: () => void = () => {};

  constructor(scheduler: fc.Scheduler, nextFault: () => Fault) {
    this.#scheduler = scheduler;
    this.#nextFault = nextFault;
    this.died = new Promise((resolve) => {
      this.#die = () => resolve({ status: 'unknown' });
    });
    this.orders = createOrders({
      db: this.#faultyDatabase(),
      catalog: this.#faultyCatalog(),
      auth: nobody,
      log,
      now: Date.now,
      onAppended: () => {},
      // a sweeper finds any held reservation, however young
      intervals: { heldFor: -1000 },
    });
  }

  /** Runs one step of the flow whenever the scheduler says so, and lets the fault happen before or after it. */
  async #step<T>(label: string, work: () => Promise<T>, lostAnswer: (error: Error) => Error): Promise<T> {
    if (this.#dead) return new Promise(() => {});
    const fault = this.#nextFault();
    await this.#scheduler.schedule(Promise.resolve(), `${label}${fault === 'none' ? '' : ` (${fault})`}`);
    if (fault === 'lost before') throw lostAnswer(connectionLost());
    if (fault === 'crash before') return this.#crash();
    const result = await work();
    if (fault === 'lost after') throw lostAnswer(connectionLost());
    if (fault === 'crash after') return this.#crash();
    return result;
  }

  #crash(): Promise<never> {
    this.#dead = true;
    this.#die();
    return new Promise(() => {});
  }

  #faultyCatalog(): Catalog {
    const down = (error: Error) => unavailable('down', error);
    return {
      ...catalog,
      reserve: (...call) => this.#step('reserve', () => catalog.reserve(...call), down),
      commit: (id) => this.#step('commit', () => catalog.commit(id), down),
      release: (id) => this.#step('release', () => catalog.release(id), down),
    };
  }

  #faultyDatabase(): Database {
    return {
      ...db,
      rows: <R>(sql: string, params?: readonly Param[]) =>
        this.#step(
          'read',
          () => db.rows<R>(sql, params),
          (error) => error,
        ),
      run: (sql, params) =>
        this.#step(
          'write',
          () => db.run(sql, params),
          (error) => error,
        ),
      transaction: <T>(work: (tx: SqlTransaction) => Promise<T>, options?: TransactionOptions) =>
        this.#step(
          'transaction',
          () => db.transaction(work, options),
          (error) => new CommitInDoubt(error.message, { cause: error }),
        ),
    };
  }
}

const faults = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant<Fault>('none') },
    { weight: 1, arbitrary: fc.constantFrom<Fault>('lost before', 'lost after', 'crash before', 'crash after') },
  ),
  { maxLength: 40 },
);

const scenario = fc.record({
  stock: fc.integer({ min: 1, max: 2 }),
  copies: fc.integer({ min: 1, max: 3 }),
  otherBody: fc.boolean(),
  rival: fc.boolean(),
  cancels: fc.integer({ min: 0, max: 2 }),
  workers: fc.integer({ min: 0, max: 2 }),
  sweepers: fc.integer({ min: 0, max: 2 }),
  faults,
});

async function answerOf(place: Promise<{ order: Order }>): Promise<Answer> {
  try {
    return { status: 201, order: (await place).order };
  } catch (error) {
    if (isStoreDown(error)) return { status: 503 };
    if (!(error instanceof Failure)) throw error;
    if (error.code === 'out-of-stock') return { status: 409 };
    if (error.code === 'idempotency-key-reused') return { status: 422 };
    if (error.code === 'unavailable') return { status: 503 };
    throw error;
  }
}

async function runTask(orders: OrdersModule, name: string): Promise<void> {
  const task = orders.tasks.find((candidate) => candidate.name === name);
  if (task === undefined) throw new Error(`There is no task ${name}.`);
  while (await task.run(new AbortController().signal));
}

/** Relay, worker and sweep without a fault, until nothing moves. */
async function recover(): Promise<void> {
  const orders = createOrders({
    db,
    catalog,
    auth: nobody,
    log,
    now: Date.now,
    onAppended: () => {},
    intervals: { heldFor: -1000 },
  });
  await db.run(
    `UPDATE orders_outbox SET due_at = '1970-01-01 00:00:00.000', leased_until = '1970-01-01 00:00:00.000' WHERE published_at IS NULL`,
  );
  await runTask(orders, 'orders-relay');
  await runTask(orders, 'orders-sweep');
  await runTask(orders, 'orders-relay');
}

async function statesOf(productId: string) {
  const orders = await db.rows<{ id: string; status: string; user_id: string; pieces: number }>(
    'SELECT o.id, o.status, o.user_id, o.pieces FROM orders_orders o JOIN orders_lines l ON l.order_id = o.id WHERE l.product_id = ?',
    [productId],
  );
  const [stock] = await db.rows<{ on_hand: number; reserved: number }>(
    'SELECT on_hand, reserved FROM catalog_stock WHERE product_id = ?',
    [productId],
  );
  return { orders, stock };
}

type Scenario = typeof scenario extends fc.Arbitrary<infer Value> ? Value : never;

interface Story {
  readonly given: Scenario;
  readonly productId: string;
  readonly customer: string;
  readonly stranger: string;
  readonly key: string;
}

/** Lets everybody act at once, each in a process of his own, and waits until nobody has anything left to do. */
async function act(scheduler: fc.Scheduler, { given, productId, customer, stranger, key }: Story) {
  const queue = [...given.faults];
  const inProcess = <T>(work: (orders: OrdersModule) => Promise<T>) => {
    const started = new MortalProcess(scheduler, () => queue.shift() ?? 'none');
    return Promise.race([work(started.orders), started.died]);
  };
  const place = (userId: string, quantity: number, idempotencyKey?: string) =>
    inProcess(({ api }) =>
      answerOf(api.place({ userId, items: [{ productId, quantity }], ...(idempotencyKey !== undefined && { idempotencyKey }) })),
    );
  const times = <T>(count: number, work: () => Promise<T>) => Array.from({ length: count }, work);
  const same = times(given.copies, () => place(customer, 1, key));
  const other = times(given.otherBody ? 1 : 0, () => place(customer, 2, key));
  const background = [
    ...times(given.rival ? 1 : 0, () => place(stranger, 1)),
    ...times(given.workers, () => inProcess((orders) => runTask(orders, 'orders-relay').catch(() => {}))),
    ...times(given.sweepers, () => inProcess((orders) => runTask(orders, 'orders-sweep').catch(() => {}))),
    ...times(given.cancels, () => inProcess((orders) => cancelAny(orders, customer).catch(() => {}))),
  ];
  await scheduler.waitFor(Promise.all([...same, ...other, ...background]));
  return { same: await Promise.all(same), other: await Promise.all(other) };
}

type Answers = Awaited<ReturnType<typeof act>>;

const orderIds = (answers: readonly Answer[]) =>
  answers.flatMap((answer) => ('order' in answer && answer.order ? [answer.order.id] : []));

const endings = ['placed confirmed', 'placed cancelled', 'placed confirmed cancelled'];

async function historyOf(orderId: string): Promise<string> {
  const entries = await db.rows<{ status: string }>('SELECT status FROM orders_history WHERE order_id = ? ORDER BY sequence', [
    orderId,
  ]);
  return entries.map(({ status }) => status).join(' ');
}

/** An answer is about what was asked for, and nobody is told that the pieces are gone which his own attempts hold. */
function expectHonest({ given }: Story, { same, other }: Answers) {
  const quantities = (answers: readonly Answer[]) =>
    answers.flatMap((answer) => ('order' in answer ? answer.order?.items.map(({ quantity }) => quantity) : []));
  expect(quantities(same).every((quantity) => quantity === 1)).toBe(true);
  expect(quantities(other).every((quantity) => quantity === 2)).toBe(true);
  if (!given.rival && !given.otherBody) expect(same.map(({ status }) => status)).not.toContain(409);
}

/** What has to be true once everybody is done and the background tasks have run without a fault. */
async function expectRest({ given, productId, customer }: Story, { same, other }: Answers) {
  const { orders, stock } = await statesOf(productId);
  const ofKey = orders.filter((order) => order.user_id === customer).map((order) => order.id);
  expect(ofKey.length).toBeLessThanOrEqual(1);
  for (const id of orderIds([...same, ...other])) expect([id]).toEqual(ofKey);
  expect(orderIds(same).length > 0 && orderIds(other).length > 0).toBe(false);
  for (const { id } of orders) expect(endings).toContain(await historyOf(id));
  const sold = orders.filter(({ status }) => status === 'confirmed').reduce((sum, { pieces }) => sum + pieces, 0);
  expect(stock).toEqual({ on_hand: given.stock - sold, reserved: 0 });
}

/** A retry long after ends definite, and agrees with what the client was told before. */
async function expectRetryAgrees({ productId, customer, key }: Story, { same }: Answers) {
  const { api } = createOrders({ db, catalog, auth: nobody, log, now: Date.now, onAppended: () => {} });
  const retry = await answerOf(api.place({ userId: customer, items: [{ productId, quantity: 1 }], idempotencyKey: key }));
  expect([201, 409, 422]).toContain(retry.status);
  const [told] = orderIds(same);
  if (told !== undefined) expect(orderIds([retry])).toEqual([told]);
}

describe('placing an order, whatever is lost on the way', () => {
  it('sells each piece once, places one order for each key, and comes to rest', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), scenario, async (scheduler, given) => {
        const productId = await addProduct(db, { stock: given.stock });
        const story = { given, productId, customer: newId(), stranger: newId(), key: newId() };
        const answers = await act(scheduler, story);
        expectHonest(story, answers);
        await recover();
        await expectRest(story, answers);
        await expectRetryAgrees(story, answers);
        await recover();
      }),
      { numRuns: Number(process.env.INTERLEAVINGS ?? 150) },
    );
    expect(await findingsOf(db)).toEqual([]);
  }, 120_000);
});

/** Looks for an order of the user a few times and cancels the first one that it sees. */
async function cancelAny({ api }: OrdersModule, userId: string): Promise<void> {
  for (let look = 0; look < 8; look++) {
    const { data } = await api.list({ userId, limit: 1 });
    const [order] = data;
    if (order !== undefined) return void (await api.transition({ orderId: order.id, userId, to: 'cancelled', by: 'customer' }));
  }
}
