import { fillShop } from '../bench/fill-shop.ts';
import { auditShop } from '../src/audit-shop.ts';
import { auditOfOldRows } from './harness/audit-findings.ts';
import { openShopStore } from './harness/module-door.ts';

describe('a shop filled in bulk', () => {
  it('is as sound as one that grew', async () => {
    const { db, close } = await openShopStore();
    await fillShop(db, { orders: 400, products: 30, now: Date.now() - 60_000, everyMs: 600_000 });
    const run = auditOfOldRows();
    const findings = await Array.fromAsync(auditShop({ db }, run));
    // the newest orders are still on their way, and an hour from now they would be late
    expect([...new Set(findings.map(({ invariant }) => invariant))]).toEqual(['I-10']);
    expect(findings).toHaveLength(4);
    expect(Object.fromEntries(run.counts)).toMatchObject({ orders: 400, reservations: 400, claims: 400, products: 30 });
    expect(run.counts.get('closedDays')).toBeGreaterThanOrEqual(2);
    await close();
  });
});
