import { createMatch } from '../src/shared/http-dispatch.ts';
import { type Front, startFront } from './harness/front.ts';
import { rawRequest } from './harness/raw-request.ts';

/** The absolute form of a request's target means the same as the path alone, and goes through Express. */
describe('a request that does not pass Express', () => {
  const quota = { limit: 1000, windowSeconds: 60, per: 'address' } as const;
  let front: Front;
  beforeAll(async () => {
    front = await startFront({ quotas: { browsing: { ...quota, frequent: true }, boats: quota, orders: quota, staff: quota } });
  });
  afterAll(() => front.stop());

  const answer = async (method: string, target: string, headers: readonly string[]) => {
    const lines = [`${method} ${target} HTTP/1.1`, 'Host: harbour.example', 'X-Request-Id: request-4711', ...headers];
    const { text } = await rawRequest(front.port, `${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`);
    return text.replaceAll(/^Date: .*$/gm, 'Date:').replaceAll(/; r=\d+; t=\d+/g, '; r; t');
  };

  it.each([
    ['GET', '/boats/019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f', []],
    ['HEAD', '/boats/019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f', []],
    ['GET', '/boats?limit=2', []],
    ['GET', '/boats?limit=nothing', []],
    ['GET', '/boats/1', []],
    ['GET', '/boats/', []],
    ['GET', '/livez', ['Origin: https://evil.example']],
    ['POST', '/boats', ['Content-Length: 0']],
    ['GET', '/boats', ['Authorization: Bearer nobody']],
    ['GET', '/boats', ['Content-Type: a/b', 'Content-Type: c/d']],
  ])('is answered as if it had: %s %s %s', async (method, path, headers) => {
    const direct = await answer(method, path, headers);
    expect(direct).toBe(await answer(method, `http://harbour.example${path}`, headers));
    expect(direct).toContain('X-Request-Id: request-4711');
    expect(direct).toContain('Content-Security-Policy: ');
  });
});

describe('the route of a path', () => {
  const handler = async () => {};
  const match = createMatch([
    { method: 'get', path: '/boats/summary', handler },
    { method: 'get', path: '/boats/{id}', handler },
  ]);

  it('is the one whose segments it has', () => {
    expect(match('GET', '/boats/7?x=1')?.params).toEqual({ id: '7' });
    expect(match('HEAD', '/boats/7')?.params).toEqual({ id: '7' });
    expect(match('GET', '/boats/summary')?.params).toEqual({});
  });

  it.each(['/boats', '/boats/', '/boats/7/8', '/boats/%37', '/boats/7#top', 'http://x/boats/7', '//boats/7', '*'])(
    'is left to Express: %s',
    (url) => {
      expect(match('GET', url)).toBeUndefined();
    },
  );

  it('is left to Express when the path does not have the method', () => {
    expect(match('POST', '/boats/7')).toBeUndefined();
  });
});

describe('a frequent quota', () => {
  it('counts, tells and refuses as the library does', async () => {
    const rule = { limit: 2, windowSeconds: 60, per: 'address' } as const;
    const answers = async (frequent: boolean) => {
      const front = await startFront({ quotas: { browsing: { ...rule, frequent }, orders: rule, staff: rule } });
      const told: unknown[] = [];
      for (let request = 1; request <= 3; request++) {
        const { status, headers } = await front.as().get('/boats');
        told.push([status, headers.ratelimit, headers['ratelimit-policy'], headers['retry-after']]);
      }
      await front.stop();
      return told;
    };
    const frequent = await answers(true);
    expect(frequent).toEqual(await answers(false));
    expect(frequent.at(-1)).toEqual([429, expect.stringContaining('r=0'), expect.any(String), expect.any(String)]);
  });
});
