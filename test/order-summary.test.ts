import { createCatalog } from '../src/modules/catalog/index.ts';
import { createOrders, type OrdersModule } from '../src/modules/orders/index.ts';
import type { Database } from '../src/shared/database.ts';
import { newId, timeOfId } from '../src/shared/identifier.ts';
import { findingsOf } from './harness/audit-findings.ts';
import { addProduct, silent as log, nobody, openShopStore } from './harness/module-door.ts';
import { noteStatements, type Statement } from './harness/noted-statements.ts';

/** A shop whose clock the test sets: three days of orders, then the worker closes days. */

let db: Database;
let closeStore: () => Promise<void>;
let orders: OrdersModule;
let clock = 0;

beforeAll(async () => {
  ({ db, close: closeStore } = await openShopStore());
  const now = () => clock;
  const catalog = createCatalog({ db, log, now }).api;
  orders = createOrders({ db, catalog, auth: nobody, log, now, onAppended: () => {} });
});

afterAll(() => closeStore());

const at = (time: string) => {
  clock = Date.parse(time);
};
const run = async (name: string, of = orders) => {
  const task = of.tasks.find((candidate) => candidate.name === name);
  while (await task?.run(new AbortController().signal));
};
const summary = (from: string, to = from) => orders.api.summary({ from, to });
const facts = (count: number, pieces: number, amount: number) => ({ count, pieces, total: { amount, currency: 'GBP' } });

describe('the summary', () => {
  it('counts facts on the day they happened, before and after the days are closed', async () => {
    const productId = await addProduct(db, { stock: 1000, price: 300 });
    const place = async (quantity: number) =>
      (await orders.api.place({ userId: newId(), items: [{ productId, quantity }] })).order.id;
    at('2026-03-01T10:00:00Z');
    const first = await place(2);
    at('2026-03-01T23:59:59.999Z');
    await place(1);
    at('2026-03-02T00:00:00Z');
    await place(5);
    at('2026-03-03T12:00:00Z');
    await orders.api.transition({ orderId: first, to: 'cancelled', by: 'customer' });

    const expected = async () => {
      expect(await summary('2026-03-01')).toEqual([{ currency: 'GBP', placed: facts(2, 3, 900), cancelled: facts(0, 0, 0) }]);
      expect(await summary('2026-03-02')).toEqual([{ currency: 'GBP', placed: facts(1, 5, 1500), cancelled: facts(0, 0, 0) }]);
      expect(await summary('2026-03-03')).toEqual([{ currency: 'GBP', placed: facts(0, 0, 0), cancelled: facts(1, 2, 600) }]);
      expect(await summary('2026-03-01', '2026-03-31')).toEqual([
        { currency: 'GBP', placed: facts(3, 8, 2400), cancelled: facts(1, 2, 600) },
      ]);
      expect(await summary('2026-02-28')).toEqual([]);
    };
    const closedDays = async () =>
      (await db.rows<{ day: string }>('SELECT day FROM orders_closed_days ORDER BY day')).map(({ day }) => day);

    await expected();
    at('2026-03-02T00:30:00Z');
    await run('orders-rollup');
    expect(await closedDays()).toEqual([]);
    at('2026-03-03T12:00:00Z');
    await run('orders-rollup');
    expect(await closedDays()).toEqual(['2026-03-01', '2026-03-02']);
    await expected();
    at('2026-03-20T12:00:00Z');
    await Promise.all([run('orders-rollup'), run('orders-rollup')]);
    expect(await closedDays()).toHaveLength(19);
    await expected();

    at('2026-03-20T13:00:00Z');
    await place(1);
    expect(await summary('2026-03-01', '2026-03-31')).toMatchObject([{ placed: facts(4, 9, 2700) }]);
  });

  it('reads no order of a closed day, and the audit counts them again', async () => {
    await db.run('UPDATE orders_days SET placed_total = placed_total + 1 WHERE day = ?', ['2026-03-01']);
    expect(await summary('2026-03-01')).toMatchObject([{ placed: facts(2, 3, 901) }]);
    const findings = await findingsOf(db);
    expect(findings.filter(({ subject }) => subject === 'day 2026-03-01')).toHaveLength(1);
  });

  it('reads no order of a closed hour, and the audit counts them again', async () => {
    const productId = await addProduct(db, { stock: 1000, price: 500 });
    const place = async () => (await orders.api.place({ userId: newId(), items: [{ productId, quantity: 1 }] })).order.id;
    at('2026-03-24T10:00:00Z');
    await place();
    at('2026-03-25T01:00:00Z');
    await run('orders-rollup');
    at('2026-03-25T00:30:00Z');
    await place();
    at('2026-03-25T03:59:59.999Z');
    const cancelled = await place();
    at('2026-03-25T04:00:00Z');
    await place();
    await orders.api.transition({ orderId: cancelled, to: 'cancelled', by: 'customer' });
    const today = [{ currency: 'GBP', placed: facts(3, 3, 1500), cancelled: facts(1, 1, 500) }];
    const closedHours = async () =>
      (await db.rows<{ hour: string }>("SELECT hour FROM orders_hours WHERE currency = '' ORDER BY hour")).map(
        ({ hour }) => hour,
      );

    expect(await summary('2026-03-25')).toEqual(today);
    at('2026-03-25T05:00:00Z');
    await run('orders-rollup');
    expect(await closedHours()).toEqual(['00', '01', '02', '03'].map((hour) => `2026-03-25 ${hour}`));
    expect(await summary('2026-03-25')).toEqual(today);
    expect(await summary('2026-03-24', '2026-03-26')).toMatchObject([{ placed: facts(4, 4, 2000) }]);
    expect(await summary('2026-03-26')).toEqual([]);
    expect(await findingsOf(db)).not.toContainEqual(expect.objectContaining({ subject: expect.stringMatching(/^hour/) }));

    // what was kept is not read again
    await db.run("UPDATE orders_hours SET placed_count = '100' WHERE hour = ? AND currency = 'GBP'", ['2026-03-25 03']);
    expect(await summary('2026-03-25')).toMatchObject([{ placed: facts(102, 3, 1500) }]);
    expect((await findingsOf(db)).filter(({ subject }) => subject === 'hour 2026-03-25 03')).toHaveLength(1);
    await db.run("UPDATE orders_hours SET placed_count = '1' WHERE hour = ? AND currency = 'GBP'", ['2026-03-25 03']);

    // what another version has left of a day that it closed belongs to no open one
    await Promise.all([run('orders-rollup'), run('orders-rollup')]);
    const columns = 'currency, placed_count, placed_pieces, placed_total, cancelled_count, cancelled_pieces, cancelled_total';
    await db.run(
      `INSERT INTO orders_hours (hour, ${columns}) SELECT '2026-03-24 04', ${columns} FROM orders_hours WHERE hour = '2026-03-25 00'`,
    );
    expect(await summary('2026-03-24', '2026-03-25')).toMatchObject([{ placed: facts(4, 4, 2000) }]);
    expect(await findingsOf(db)).not.toContainEqual(expect.objectContaining({ subject: expect.stringMatching(/^hour/) }));
    await db.run('DELETE FROM orders_hours WHERE hour = ?', ['2026-03-25 00']);
    expect((await findingsOf(db)).map(({ subject }) => subject)).toContain('hour 2026-03-25 00');
    at('2026-03-26T02:00:00Z');
    await run('orders-rollup');
    expect(await summary('2026-03-25')).toEqual(today);
    expect(await closedHours()).toEqual(['2026-03-26 00']);
  });

  it('counts the orders of an hour at most at a time, however many have come in a day', async () => {
    const sent: Statement[] = [];
    const noted = createOrders({
      ...{ db: noteStatements(db, sent), catalog: createCatalog({ db, log, now: () => clock }).api, auth: nobody, log },
      ...{ now: () => clock, onAppended: () => {} },
    });
    const productId = await addProduct(db, { stock: 1, price: 100 });
    at('2026-03-27T10:00:00Z');
    await noted.api.place({ userId: newId(), items: [{ productId, quantity: 1 }] });
    at('2026-03-28T02:00:00Z');
    await run('orders-rollup', noted);
    const spans = sent
      .filter(({ sql }) => /FROM orders_orders WHERE id >= \?/.test(sql))
      .map(({ params }) => params.map((id) => Date.parse(timeOfId(String(id)))))
      .map(([from = Number.NaN, until = Number.NaN]) => until - from);
    expect(spans.length).toBeGreaterThan(24);
    expect(spans.filter((span) => !(span <= 3_600_000))).toEqual([]);
  });

  it('closes nothing that is not over by the clock of the database, however far ahead that of the process is', async () => {
    const { db: fresh, close } = await openShopStore();
    const ahead = () => Date.now() + 3 * 86_400_000;
    const catalog = createCatalog({ db: fresh, log, now: Date.now }).api;
    const shop = { db: fresh, catalog, auth: nobody, log, onAppended: () => {} };
    const productId = await addProduct(fresh, { stock: 10 });
    await createOrders({ ...shop, now: Date.now }).api.place({ userId: newId(), items: [{ productId, quantity: 1 }] });
    await run('orders-rollup', createOrders({ ...shop, now: ahead }));
    expect(await fresh.rows('SELECT day FROM orders_closed_days')).toEqual([]);
    await close();
  });

  it('closes days whose sums no number holds exactly', async () => {
    const dear = await addProduct(db, { stock: 100_000, price: 1_000_000_000_000 });
    at('2026-04-01T10:00:00Z');
    await db.run('UPDATE catalog_stock SET on_hand = 1000000000 WHERE product_id = ?', [dear]);
    await db.run('UPDATE catalog_stock_movements SET delta = 1000000000 WHERE product_id = ?', [dear]);
    await Promise.all(
      Array.from({ length: 1100 }, () => orders.api.place({ userId: newId(), items: [{ productId: dear, quantity: 9000 }] })),
    );
    for (let order = 0; order < 3; order++)
      await orders.api.place({ userId: newId(), items: [{ productId: dear, quantity: 9000 }] });
    at('2026-04-05T10:00:00Z');
    await run('orders-rollup');
    expect(await summary('2026-04-01')).toMatchObject([
      { placed: { count: 1103, pieces: 9_927_000, total: { amount: 9_927_000_000_000_000_000 } } },
    ]);
    expect((await findingsOf(db)).map(({ subject }) => subject)).not.toContain('day 2026-04-01');
  });
});
