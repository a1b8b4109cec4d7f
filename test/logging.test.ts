import { createLogger } from '../src/shared/logger.ts';
import { type Front, startFront } from './harness/front.ts';
import { rawRequest } from './harness/raw-request.ts';

const canaries = ['canary-password', 'canary-token', 'canary-cookie', 'canary-card', 'canary-sql', 'canary-parameter'];

let front: Front;
beforeEach(async () => {
  front = await startFront();
});
afterEach(() => front.stop());

const entries = () => front.lines.map((line) => JSON.parse(line));

describe('the request log', () => {
  it('has one line of JSON for each request, with its route instead of its path', async () => {
    front.lines.length = 0;
    await front.as('customer-ann').get('/boats/019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f').set('X-Request-Id', 'request-0815');
    expect(entries()).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        msg: 'request',
        requestId: 'request-0815',
        method: 'GET',
        route: '/boats/{id}',
        params: { id: '019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f' },
        status: 200,
        durationMs: expect.any(Number),
        address: '127.0.0.1',
        userId: 'ann',
      },
    ]);
  });

  it('stays one line of JSON each, of bounded length, whatever is sent', async () => {
    front.lines.length = 0;
    const nasty = ['%0d%0aInjected', '\u001b[31m', 'x'.repeat(6000), '%e2%80%a8', '"}{"level":"error"', '%n%s'];
    for (const text of nasty) {
      await rawRequest(
        front.port,
        `GET /${encodeURI(text)} HTTP/1.1\r\nHost: x\r\nUser-Agent: ${text.replaceAll('\u001b', '')}\r\nConnection: close\r\n\r\n`,
      );
    }
    expect(front.lines).toHaveLength(nasty.length);
    for (const line of front.lines) {
      expect([...line.trim()].filter((character) => character < ' ' || character === '\u2028')).toEqual([]);
      expect(line.length).toBeLessThan(2000);
      expect(JSON.parse(line)).toMatchObject({ level: 'info', route: 'none', status: 404 });
    }
  });

  it('tells of requests that could not be read and of clients that went away', async () => {
    await rawRequest(front.port, 'GARBAGE\r\n\r\n');
    expect(entries().at(-1)).toMatchObject({ status: 400, msg: 'request could not be read' });
    await fetch(`${front.url}/storms/slow`, { signal: AbortSignal.timeout(50) }).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(entries().find(({ route }) => route === '/storms/{kind}')).toMatchObject({ aborted: true, status: 499 });
  });

  it('holds no secret of a request, however it ends', async () => {
    const agent = front.as();
    await agent.get('/boats?token=canary-token').set('Cookie', 'session=canary-cookie');
    await agent.get('/boats/tally').set('Authorization', 'Bearer canary-token');
    await front.as('staff-sue').post('/boats').send({ password: 'canary-password', card: 'canary-card' });
    await agent.get('/storms/sql');
    await agent.get('/storms/store-down');
    expect(front.lines.length).toBeGreaterThan(5);
    for (const canary of canaries) expect(front.lines.join('')).not.toContain(canary);
  });
});

describe('an error in the log', () => {
  it('is its name, message, code and stack', async () => {
    await front.as().get('/storms/sql');
    const entry = entries().find(({ level }) => level === 'error');
    expect(entry).toMatchObject({ msg: 'unexpected error', requestId: expect.any(String) });
    expect(Object.keys(entry.error).sort()).toEqual(['message', 'name', 'stack']);
  });

  it('stands beside the line of the request when a store is down, and not when there is too much to do', async () => {
    await front.as().get('/storms/calm');
    const linesOf = async (kind: string) => {
      front.lines.length = 0;
      await front.as().get(`/storms/${kind}`).expect(503);
      return entries().map(({ msg, level }) => `${level} ${msg}`);
    };
    expect(await linesOf('store-down')).toEqual(['warn refused', 'warn request']);
    expect(await linesOf('overload')).toEqual(['warn request']);
  });
});

describe('the logger', () => {
  const write = (log: (logger: ReturnType<typeof createLogger>) => void) => {
    const lines: string[] = [];
    log(createLogger({ level: 'info', stream: { write: (line) => void lines.push(line) } }));
    return lines.join('');
  };

  it('replaces what is secret by its name, at any depth', () => {
    const line = write((log) =>
      log.info({
        user: { password: 'canary-password', profile: { refreshToken: 'canary-token' } },
        headers: { Authorization: 'canary-token', 'set-cookie': ['canary-cookie'] },
      }),
    );
    for (const canary of canaries) expect(line).not.toContain(canary);
    expect(line).toContain('[redacted]');
  });

  it('replaces secrets inside texts, messages and errors', () => {
    const dsn = 'mysql://shop:canary-password@db.example:3306/shop';
    const cause = Object.assign(new Error(`cannot reach ${dsn}`), { sql: 'canary-sql' });
    const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnktdG9rZW4ifQ.c2lnbmF0dXJl';
    const lines = [
      write((log) => log.error(new Error('outer', { cause }))),
      write((log) => log.warn({ error: cause }, `sent Bearer ${jwt}`)),
      write((log) => log.info(`token ${jwt} for ${dsn}`)),
    ];
    expect(lines.join('')).not.toMatch(/canary|eyJzdWIi/);
    expect(JSON.parse(lines[0] ?? '').error.cause.message).toContain('[redacted]@db.example');
  });

  it('cuts long texts and escapes what moves the cursor', () => {
    const line = write((log) => log.info({ text: 'x'.repeat(100_000), odd: 'a\u2028b\u009bc\u202ed' }));
    expect(line.length).toBeLessThan(2000);
    expect(line).not.toMatch(/[\u0080-\u009f\u2028\u202e]/);
    expect(JSON.parse(line).odd).toBe('a\\u2028b\\u009bc\\u202ed');
  });
});
