import { type Front, startFront } from './harness/front.ts';
import { rawRequest } from './harness/raw-request.ts';

const id = '019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f';
const boat = { name: 'Nina', length: 17 };

let front: Front;
beforeAll(async () => {
  front = await startFront({ corsOrigins: ['https://shop.example'] });
});
afterAll(() => front.stop());

describe('every answer', () => {
  it('carries the headers of an API that nobody may frame, sniff or run', async () => {
    for (const path of ['/boats', '/nowhere', `/boats/${id}`, '/livez']) {
      const { headers } = await front.as().get(path);
      expect(headers).toMatchObject({
        'content-security-policy': "default-src 'none';frame-ancestors 'none'",
        'strict-transport-security': 'max-age=31536000; includeSubDomains',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      });
      expect(headers).not.toHaveProperty('x-powered-by');
      expect(headers).not.toHaveProperty('server');
    }
  });

  it('names its request: by the id that the client sent when it is a sane one, else by a new one', async () => {
    const sane = await front.as().get('/livez').set('X-Request-Id', 'client-0815');
    expect(sane.headers['x-request-id']).toBe('client-0815');
    for (const bad of ['short', 'a'.repeat(65), '{"a":1}', 'with space 123', 'x'.repeat(10_000)]) {
      const { headers } = await front.as().get('/nowhere').set('X-Request-Id', bad);
      expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    }
    const { body } = await front.as().get('/nowhere').set('X-Request-Id', 'client-0816');
    expect(body.instance).toBe('client-0816');
  });

  it('is kept by nobody when it is personal', async () => {
    expect((await front.as().get('/boats')).headers['cache-control']).toBe('no-cache');
    expect((await front.as('customer-ann').get(`/boats/${id}`)).headers).toMatchObject({
      'cache-control': 'private, no-store',
      vary: expect.stringContaining('Authorization'),
    });
    expect((await front.as().get('/boats/tally')).headers['cache-control']).toBe('private, no-store');
  });
});

describe('a page of another origin', () => {
  const preflight = (origin: string) =>
    front
      .as()
      .options('/boats')
      .set('Origin', origin)
      .set('Access-Control-Request-Method', 'POST')
      .set('Access-Control-Request-Headers', 'authorization');

  it('may read answers when its origin is listed, without cookies', async () => {
    const { headers } = await front.as().get('/boats').set('Origin', 'https://shop.example');
    expect(headers['access-control-allow-origin']).toBe('https://shop.example');
    expect(headers).not.toHaveProperty('access-control-allow-credentials');
    expect(headers['access-control-expose-headers']).toContain('ETag');
    const { status, headers: allowed } = await preflight('https://shop.example');
    expect(status).toBe(204);
    expect(allowed['access-control-allow-headers']).toContain('Authorization');
  });

  it.each(['https://evil.example', 'null', 'https://shop.example.evil.example', 'http://shop.example'])(
    'gets nothing from %s',
    async (origin) => {
      for (const { headers } of [await front.as().get('/boats').set('Origin', origin), await preflight(origin)]) {
        expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
        expect(headers.vary).toContain('Origin');
      }
    },
  );
});

describe('a path or method that does not exist', () => {
  it.each(['/nowhere', '/boats/', '//boats', '/Boats', '/boats;x', '/boats%2f1', '/'])('answers 404 at %s', async (path) => {
    const { status, body } = await front.as().get(path);
    expect(status).toBe(404);
    expect(body).toMatchObject({ type: '/problems/not-found', detail: 'There is nothing at this path.' });
  });

  it.each([`/boats/%E0%A4%A`, '/boats/1;drop', '/boats/0', `/boats/${id.toUpperCase()}`, '/boats/..%2f..%2fetc', '/boats/%00'])(
    'answers 400 at %s',
    async (path) => {
      const { text } = await rawRequest(front.port, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect(text).toContain('HTTP/1.1 400');
      expect(text).toContain('/problems/malformed');
      expect(text.slice(text.indexOf('\r\n\r\n'))).not.toContain('etc');
    },
  );

  it('answers 405 with the methods that it has', async () => {
    const { status, headers } = await front.as().delete('/boats');
    expect({ status, allow: headers.allow }).toEqual({ status: 405, allow: 'GET, HEAD, POST, OPTIONS' });
    expect((await front.as().put('/boats/tally')).headers.allow).toBe('GET, HEAD, OPTIONS');
    expect((await front.as().post('/livez')).status).toBe(405);
    expect((await front.as().post('/docs')).status).toBe(405);
    const trace = await rawRequest(
      front.port,
      'TRACE /boats HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: secret=1\r\n\r\n',
    );
    expect(trace.status).toBe(405);
    expect(trace.text).not.toContain('secret');
  });

  it('answers OPTIONS with 204 and HEAD like GET', async () => {
    const { status, headers } = await front.as().options('/boats');
    expect({ status, allow: headers.allow }).toEqual({ status: 204, allow: 'GET, HEAD, POST, OPTIONS' });
    const head = await front.as().head(`/boats/${id}`);
    expect(head.status).toBe(200);
    expect(head.headers).toMatchObject({ etag: '"7"', 'content-length': expect.stringMatching(/^\d+$/) });
    expect((await front.as().head('/boats/tally')).status).toBe(401);
  });

  it('takes a path without parameters before one with', async () => {
    expect((await front.as('customer-ann').get('/boats/tally')).body).toEqual({ boats: 3 });
  });
});

describe('who may call', () => {
  const challenge = async (header: string | undefined, path = '/boats/tally') => {
    const request = front.as().get(path);
    const { status, headers } = await (header === undefined ? request : request.set('Authorization', header));
    return `${status} ${headers['www-authenticate']}`;
  };

  it('asks for a token, and says when the one that was sent is bad', async () => {
    expect(await challenge(undefined)).toBe('401 Bearer');
    for (const header of [
      'Bearer',
      'Bearer  ',
      'Basic YTpi',
      'Bearer a b',
      'Bearer "x"',
      'Bearer unknown-ann',
      'Bearer customer-ann extra',
    ]) {
      expect(await challenge(header)).toBe('401 Bearer error="invalid_token"');
    }
  });

  it('takes no token from the query or a cookie, and not two', async () => {
    expect((await front.as().get('/boats/tally?access_token=customer-ann').set('Cookie', 'token=customer-ann')).status).toBe(401);
    const twice =
      'GET /boats/tally HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer customer-ann\r\nAuthorization: Bearer customer-bob\r\nConnection: close\r\n\r\n';
    expect((await rawRequest(front.port, twice)).status).toBe(401);
  });

  it('lets roles contain each other', async () => {
    for (const role of ['customer', 'staff', 'admin'])
      expect((await front.as(`${role}-ann`).get('/boats/tally')).status).toBe(200);
    expect((await front.as('customer-ann').post('/boats').send(boat)).body.type).toBe('/problems/forbidden');
    expect((await front.as('admin-ann').post('/boats').send(boat)).status).toBe(201);
  });

  it('serves everybody where a token is optional, but checks one that is sent', async () => {
    expect((await front.as().get(`/boats/${id}`)).body.name).toBe('for everybody');
    expect((await front.as('customer-ann').get(`/boats/${id}`)).body.name).toBe('for ann');
    expect(await challenge('Bearer nonsense', `/boats/${id}`)).toBe('401 Bearer error="invalid_token"');
    expect((await front.as('nonsense').get('/boats')).status).toBe(200);
  });
});

describe('query parameters and headers', () => {
  it.each([
    'limit=1000000',
    'limit=-1',
    'limit=0',
    'limit=1e3',
    'limit=0x10',
    'limit=',
    'limit=1&limit=2',
    'limit[]=1',
    'limit[a]=1',
    'sort=password',
    'sort=price;DROP',
    'unknown=1',
    'q=%E0%A4%A',
  ])('refuses ?%s', async (query) => {
    const { status, body } = await front.as().get(`/boats?${query}`);
    expect(status).toBe(400);
    expect(body.type).toBe('/problems/malformed');
    expect(body.detail).not.toMatch(/password|DROP|unknown/);
  });

  it('reads single typed values and links to the next page', async () => {
    const { body, headers } = await front.as().get('/boats?limit=7&sort=-name');
    expect(body.data[0].name).toBe('first of 7');
    expect(headers.link).toBe('</boats?limit=7&sort=-name&cursor=eyJ>; rel="next"');
  });

  it('hands declared headers to the route', async () => {
    const patch = () => front.as('staff-sue').patch(`/boats/${id}`).send({ length: 5 });
    expect((await patch()).status).toBe(428);
    expect((await patch().set('If-Match', '*')).status).toBe(400);
    expect((await patch().set('If-Match', '"6"')).body).toMatchObject({ type: '/problems/version-mismatch', currentVersion: 7 });
    expect((await patch().set('If-Match', '"7"')).body.length).toBe(5);
  });

  it('takes names that reach a prototype for names like others', async () => {
    const odd = 'GET /boats HTTP/1.1\r\nHost: x\r\n__proto__: 1\r\nconstructor: 2\r\nConnection: close\r\n\r\n';
    expect((await rawRequest(front.port, odd)).status).toBe(200);
    expect((await front.as().get('/boats?__proto__=1')).status).toBe(400);
    expect((await front.as().get('/livez')).status).toBe(200);
  });
});

describe('operations', () => {
  it('says that it lives, whatever else', async () => {
    expect((await front.as().get('/livez')).body).toEqual({ status: 'live' });
  });

  it('answers nothing else while it starts or waits for migrations', async () => {
    const starting = await startFront();
    try {
      for (const state of ['starting', 'migrations-pending'] as const) {
        starting.readiness.become(state);
        expect((await starting.as().get('/boats')).status).toBe(503);
        expect((await starting.as().get('/livez')).status).toBe(200);
      }
      starting.readiness.become('ready');
      expect((await starting.as().get('/boats')).status).toBe(200);
    } finally {
      await starting.stop();
    }
  });

  it('is not ready while it starts or waits for migrations, and names a store that went down later', async () => {
    let answers = false;
    const starting = await startFront({
      checks: { boats: async () => (answers ? 'pong' : Promise.reject(new Error('no route'))) },
    });
    try {
      starting.readiness.become('starting');
      const early = await starting.as().get('/readyz');
      expect({ status: early.status, retryAfter: early.headers['retry-after'] }).toEqual({ status: 503, retryAfter: '1' });
      starting.readiness.become('migrations-pending');
      expect((await starting.as().get('/readyz')).body.detail).toBe('The process waits for migrations.');
      starting.readiness.become('ready');
      expect((await starting.as().get('/readyz')).body).toEqual({ status: 'degraded', stores: { boats: 'down' } });
      answers = true;
      await new Promise((resolve) => setTimeout(resolve, 1100));
      expect((await starting.as().get('/readyz')).body).toEqual({ status: 'ready', stores: { boats: 'up' } });
    } finally {
      await starting.stop();
    }
  });
});

describe('what goes wrong inside', () => {
  it('answers 503 with Retry-After when a store is down', async () => {
    const { status, body, headers } = await front.as().get('/storms/store-down');
    expect({ status, type: body.type, retryAfter: headers['retry-after'] }).toEqual({
      status: 503,
      type: '/problems/unavailable',
      retryAfter: '1',
    });
  });

  it('tells nothing of an unexpected error but the request id', async () => {
    const { status, text, headers } = await front.as().get('/storms/sql');
    expect(status).toBe(500);
    expect(JSON.parse(text)).toMatchObject({ type: '/problems/internal', instance: headers['x-request-id'] });
    expect(text).not.toMatch(/canary|column|Error|\.ts|sql/i);
  });

  it('lets no member of a refusal replace the standard ones', async () => {
    const answer = await fetch(`${front.url}/storms/refused`);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(await answer.json()).toMatchObject({ type: '/problems/duplicate', status: 409 });
  });
});

describe('the checks of this suite', () => {
  it.each([
    ['extra', /additional/],
    ['missing', /required/],
    ['unknown-status', /202/],
  ])('fail on an answer that the document does not describe: %s', async (kind, message) => {
    await expect(front.as().get(`/storms/${kind}`)).rejects.toThrow(message);
  });
});
