import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { timeLeftMs } from '../src/shared/deadline.ts';
import { newId } from '../src/shared/identifier.ts';
import { eventually } from './harness/eventually.ts';
import { type Front, startFront } from './harness/front.ts';
import { sampleRoutes } from './harness/sample-routes.ts';

/** The samples, with storms as what is refused first. */
const routes = sampleRoutes.map((route) =>
  route.path === '/storms/{kind}' ? { ...route, shedding: 'early' as const, quota: 'storms' } : route,
);

const boat = newId();
let front: Front;
afterEach(() => front.stop());

/** Takes all places of the lane of storms. Answers how to leave them. */
function fillUp({ limiter }: Front): () => void {
  const lane = limiter.laneOf({ shedding: 'early', quota: 'storms' });
  const leaves: (() => void)[] = [];
  for (let leave = lane.enter(); leave !== undefined; leave = lane.enter()) leaves.push(leave);
  return () => {
    for (const leave of leaves) leave();
  };
}

describe('a request that takes too long', () => {
  it('is answered when its time is over', async () => {
    front = await startFront({ timeoutMs: 100 });
    const { body, headers } = await front.as().get('/storms/endless').expect(503);
    expect(body).toMatchObject({ type: '/problems/unavailable', status: 503 });
    expect(headers['retry-after']).toBe('1');
    await front.as().get('/storms/calm').expect(200);
  });

  it('has the same time for access and for the work together, and its body is not counted', async () => {
    let leftMs = 0;
    front = await startFront({
      timeoutMs: 1000,
      authenticate: async () => {
        await pause(300);
        return { userId: 'u', sessionId: 's', roles: ['staff'], tokenVersion: 1 };
      },
      routes: sampleRoutes.map((route) =>
        route.operationId === 'createBoat'
          ? {
              ...route,
              handle: async () => {
                leftMs = timeLeftMs();
                return { status: 201, body: { id: '1', name: 'x', length: 1 } };
              },
            }
          : route,
      ),
    });
    const socket = connect(front.port, '127.0.0.1');
    const body = '{"name": "x", "length": 1}';
    socket.write(
      `POST /boats HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer staff-1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`,
    );
    await pause(1200);
    socket.write(body);
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toContain('201 Created');
    expect(leftMs).toBeGreaterThan(400);
    // a timer of 300 ms may end a trifle before they are over
    expect(leftMs).toBeLessThan(710);
  });
});

describe('too many requests at once', () => {
  it('are refused where people can try again, and nowhere else', async () => {
    front = await startFront({ routes });
    const leave = fillUp(front);
    for (const method of ['get', 'head'] as const) {
      const refused = await front.as()[method]('/storms/calm').expect(503);
      expect(refused.headers).toMatchObject({ 'retry-after': '1', 'cache-control': 'private, no-store' });
      if (method === 'get') expect(refused.body).toMatchObject({ type: '/problems/overloaded', status: 503 });
    }
    await front.as().get('/boats').expect(200);
    await front.as('customer-1').get('/boats/tally').expect(200);
    await front.as().get('/livez').expect(200);
    await front.as().post('/storms/calm').expect(405);
    leave();
    await front.as().get('/storms/calm').expect(200);
  });

  it('get the same headers as any other answer', async () => {
    front = await startFront({ routes, corsOrigins: ['https://shop.example'] });
    const ask = (id: string) => front.as().get('/storms/calm').set('X-Request-Id', id).set('Origin', 'https://shop.example');
    const served = await ask('request-1').expect(200);
    const leave = fillUp(front);
    const refused = await ask('request-2').expect(503);
    leave();
    const own = ['ratelimit', 'ratelimit-policy', 'date'];
    for (const name of Object.keys(served.headers).filter((header) => !own.includes(header)))
      expect([name, refused.headers[name] === undefined]).toEqual([name, false]);
    expect(refused.headers['x-request-id']).toBe('request-2');
    expect(refused.headers['access-control-allow-origin']).toBe('https://shop.example');
    expect(refused.headers['content-security-policy']).toBe(served.headers['content-security-policy']);
    expect(refused.body.instance).toBe('request-2');
  });

  it('are told in the log by their number', async () => {
    front = await startFront({ routes });
    const leave = fillUp(front);
    for (let n = 0; n < 5; n++) await front.as().get('/storms/calm').expect(503);
    leave();
    await eventually(async () => {
      const lines = front.lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'shedding load');
      expect(lines.reduce((sum, { shed }) => sum + shed, 0)).toBe(6);
      expect(lines[0]).toMatchObject({ lane: 'storms', level: 'warn', limit: expect.any(Number) });
    });
  });

  it('do not count while their body is still on its way', async () => {
    front = await startFront({
      routes: sampleRoutes.map((route) =>
        route.operationId === 'sailBoat' ? { ...route, shedding: 'early' as const, quota: 'storms' } : route,
      ),
    });
    const lane = front.limiter.laneOf({ shedding: 'early', quota: 'storms' });
    const head = `POST /boats/${boat}/sail HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n`;
    const dribbling = Array.from({ length: 1600 }, () => connect(front.port, '127.0.0.1').on('error', () => {}));
    let arrived = 0;
    front.http.server.on('request', () => {
      arrived += 1;
    });
    for (const socket of dribbling) socket.write(head);
    await eventually(async () => expect(arrived).toBe(dribbling.length));
    expect(lane.isFull()).toBe(false);
    await front.as().post(`/boats/${boat}/sail`).send({ crew: 3 }).expect(200);
    for (const socket of dribbling) socket.destroy();
  });
});
