import { auditTasks } from '../src/audit-task.ts';
import { takeAuditTurn } from '../src/modules/orders/index.ts';
import { createLogger } from '../src/shared/logger.ts';
import { type AuditedShop, openAuditedShop } from './harness/audited-shop.ts';
import { eventually } from './harness/eventually.ts';
import { startShop } from './harness/shop.ts';

/** The worker's own audit: whose turn it is, and what it says. */

const hourMs = 3_600_000;
/** the audit pauses nine times as long as it works, and works long on a machine that is busy */
const patienceMs = 40_000;

describe('the turn to audit', () => {
  let shop: AuditedShop;
  beforeEach(async () => {
    shop = await openAuditedShop();
  });
  afterEach(() => shop.close());

  const beganAgo = (minutes: number) =>
    shop.db.run('UPDATE orders_audit_turn SET started_at = ?', [
      new Date(Date.now() - minutes * 60_000).toISOString().replace('T', ' ').slice(0, -1),
    ]);
  const taken = async (everyMs = hourMs) => (await takeAuditTurn(shop.db, everyMs)) !== undefined;

  it('comes one interval after the last one began, to one of many processes', async () => {
    expect(await taken()).toBe(false);
    await beganAgo(59);
    expect(await taken()).toBe(false);
    await beganAgo(61);
    const turns = await Promise.all(Array.from({ length: 8 }, () => takeAuditTurn(shop.db, hourMs)));
    expect(turns.filter((turn) => turn !== undefined)).toHaveLength(1);
  });

  it('is nobody else’s before it ends, however long the audit takes', async () => {
    await beganAgo(61);
    const turn = await takeAuditTurn(shop.db, hourMs);
    await beganAgo(200);
    expect(await taken()).toBe(false);
    await turn?.end('finished');
    expect(await taken()).toBe(true);
  });

  it('comes at once after an audit that was stopped, and not after one that was finished', async () => {
    await beganAgo(61);
    await (await takeAuditTurn(shop.db, hourMs))?.end('finished');
    expect(await taken()).toBe(false);
    await beganAgo(61);
    await (await takeAuditTurn(shop.db, hourMs))?.end('unfinished');
    expect(await taken()).toBe(true);
  });

  it('is lost by a process that slept, which then can neither keep nor end the next one’s', async () => {
    await beganAgo(61);
    const slow = await takeAuditTurn(shop.db, hourMs);
    await shop.db.run("UPDATE orders_audit_turn SET held_until = '1970-01-01 00:00:00.000'");
    await beganAgo(61);
    const next = await takeAuditTurn(shop.db, hourMs);
    const clock = jest.spyOn(performance, 'now').mockReturnValue(performance.now() + 40_000);
    await expect(slow?.keep()).rejects.toThrow('lost its turn');
    await next?.keep();
    clock.mockRestore();
    await slow?.end('unfinished');
    await beganAgo(61);
    expect(await taken()).toBe(false);
  });

  it('is given back by an audit that is stopped in the middle', async () => {
    await beganAgo(61);
    const stop = new AbortController();
    const lines: string[] = [];
    const log = createLogger({ level: 'info', stream: { write: (line) => void lines.push(line) } });
    let reads = 0;
    const rows: typeof shop.db.rows = (sql, params) => {
      reads += 1;
      if (reads === 3) stop.abort();
      return shop.db.rows(sql, params);
    };
    const [task] = auditTasks({ db: { ...shop.db, rows }, everyMs: hourMs, log });
    await task?.run(stop.signal);
    expect(reads).toBe(0);
    await task?.run(stop.signal);
    expect(reads).toBeGreaterThan(2);
    expect(lines).toEqual([]);
    expect(await taken()).toBe(true);
  });

  it('is not asked for when the interval is 0', () => {
    expect(auditTasks({ db: shop.db, everyMs: 0, log: createLogger({ level: 'silent' }) })).toEqual([]);
  });
});

describe('a running shop', () => {
  it('says how its audit went, in one line, with the users in it', async () => {
    const shop = await startShop({ env: { AUDIT_INTERVAL_SECONDS: '1' } });
    const result = await eventually(async () => {
      const found = shop.log.map((line) => JSON.parse(line)).find(({ audit }) => audit !== undefined);
      expect(found).toBeDefined();
      return found;
    }, patienceMs).finally(shop.stop);
    expect(result).toMatchObject({
      level: 'info',
      msg: 'the audit found nothing',
      audit: { findings: 0, products: 0, orders: 0, users: 1, admins: 1, durationMs: expect.any(Number) },
    });
  });

  it('names what is wrong, in an error', async () => {
    const shop = await openAuditedShop();
    await shop.db.run('UPDATE orders_orders SET total = total + 1 WHERE id = ?', [shop.sold.order]);
    await shop.db.run("UPDATE orders_audit_turn SET started_at = '1970-01-01 00:00:00.000'");
    const lines: string[] = [];
    const log = createLogger({ level: 'info', stream: { write: (line) => void lines.push(line) } });
    const [task] = auditTasks({ db: shop.db, everyMs: hourMs, log });
    for (let look = 0; look < 3; look++) await task?.run(new AbortController().signal);
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'error',
      audit: { findings: 2, orders: 5 },
      first: [
        { invariant: 'I-12', subject: `order ${shop.sold.order}` },
        { invariant: 'I-12', subject: `day ${shop.day}` },
      ],
    });
    await shop.close();
  });
});
