import type { QuotaRules } from '../src/shared/http-quota.ts';
import { type Front, startFront } from './harness/front.ts';

const quotas: QuotaRules = {
  browsing: { limit: 3, windowSeconds: 60, per: 'address' },
  orders: { limit: 2, windowSeconds: 60, per: 'user' },
  staff: { limit: 1, windowSeconds: 60, per: 'user' },
};
let front: Front;
beforeEach(async () => {
  front = await startFront({ quotas, trustProxyHops: 1 });
});
afterEach(() => front.stop());

const browse = (forwardedFor: string) => front.as().get('/boats').set('X-Forwarded-For', forwardedFor);

describe('a quota', () => {
  it('is told with every answer, and refuses what goes beyond it until the window ends', async () => {
    const first = await browse('1.2.3.4');
    expect(first.headers.ratelimit).toMatch(/^"browsing"; r=2; t=\d+$/);
    expect(first.headers['ratelimit-policy']).toMatch(/^"browsing"; q=3; w=60; pk=:.+:$/);
    await browse('1.2.3.4');
    await browse('1.2.3.4');
    const { status, body, headers } = await browse('1.2.3.4');
    expect({ status, type: body.type }).toEqual({ status: 429, type: '/problems/throttled' });
    expect(Number(headers['retry-after'])).toBeGreaterThan(50);
    expect(headers.ratelimit).toMatch(/^"browsing"; r=0; t=\d+$/);
    expect((await browse('1.2.3.5')).status).toBe(200);
  });

  it('counts requests that are refused for what they hold, but not those of nobody', async () => {
    const sue = front.as('staff-sue');
    expect((await sue.post('/boats').send({ name: 1 })).status).toBe(422);
    expect((await sue.post('/boats').send({ name: 'Nina', length: 1 })).status).toBe(429);
    expect((await front.as('customer-ann').post('/boats')).status).toBe(403);
    expect((await front.as('staff-tom').post('/boats').send({ name: 'Nina', length: 1 })).status).toBe(201);
  });

  it('belongs to the user, wherever he comes from, and every quota is counted for itself', async () => {
    const tally = (user: string, address: string) =>
      front.as(`customer-${user}`).get('/boats/tally').set('X-Forwarded-For', address);
    expect((await tally('ann', '1.1.1.1')).status).toBe(200);
    expect((await tally('ann', '2.2.2.2')).status).toBe(200);
    expect((await tally('ann', '3.3.3.3')).status).toBe(429);
    expect((await tally('bob', '3.3.3.3')).status).toBe(200);
    expect((await browse('3.3.3.3')).status).toBe(200);
  });

  it('leaves alone what is not limited', async () => {
    for (let time = 0; time < 5; time += 1) expect((await front.as().get('/livez')).headers).not.toHaveProperty('ratelimit');
  });
});

describe('an address', () => {
  const sharesBucket = async (addresses: readonly string[]) => {
    const statuses: number[] = [];
    for (const address of addresses) statuses.push((await browse(address)).status);
    return statuses.at(-1) === 429;
  };

  it('is what the trusted proxy added, not what the client claims', async () => {
    expect(await sharesBucket(['6.6.6.6, 9.9.9.9', '7.7.7.7, 9.9.9.9', '8.8.8.8, 9.9.9.9', '9.9.9.9'])).toBe(true);
    expect(front.lines.some((line) => line.includes('6.6.6.6'))).toBe(false);
    expect(JSON.parse(front.lines.at(-1) ?? '{}').address).toBe('9.9.9.9');
  });

  it('is the socket when no proxy is trusted', async () => {
    const direct = await startFront({ quotas });
    const statuses: number[] = [];
    for (const claimed of ['1.1.1.1', '2.2.2.2', '3.3.3.3', '4.4.4.4']) {
      statuses.push(
        (
          await direct
            .as()
            .get('/boats')
            .set('X-Forwarded-For', claimed)
            .set('X-Real-IP', claimed)
            .set('Forwarded', `for=${claimed}`)
        ).status,
      );
    }
    await direct.stop();
    expect(statuses).toEqual([200, 200, 200, 429]);
  });

  it('of IPv6 counts as its /56', async () => {
    expect(await sharesBucket(['2001:db8:0:a00::1', '2001:db8:0:a01::1', '2001:db8:0:aff::9', '2001:db8:0:a77:1:2:3:4'])).toBe(
      true,
    );
    expect((await browse('2001:db8:0:b00::1')).status).toBe(200);
  });

  it('of IPv4 is the same one when written as IPv6', async () => {
    expect(await sharesBucket(['1.2.3.4', '::ffff:1.2.3.4', '::ffff:102:304', '1.2.3.4'])).toBe(true);
    expect((await browse('1.2.3.5')).status).toBe(200);
  });
});

it('no route names a quota that nobody defined', async () => {
  await expect(
    startFront({ quotas: { browsing: quotas.browsing ?? { limit: 1, windowSeconds: 1, per: 'user' } } }),
  ).rejects.toThrow('unknown quota');
});
