import { type Front, startFront } from './harness/front.ts';
import { rawRequest } from './harness/raw-request.ts';

const id = '019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f';
const boat = { name: 'Nina', length: 17 };

let front: Front;
beforeAll(async () => {
  front = await startFront();
});
afterAll(() => front.stop());

const send = (body: string | Buffer, type = 'application/json') =>
  front.as('staff-sue').post('/boats').set('Content-Type', type).serialize(String).send(body);
const raw = (head: readonly string[], body: string | Buffer = '') =>
  rawRequest(
    front.port,
    Buffer.concat([
      Buffer.from(`${['POST /boats HTTP/1.1', 'Host: x', 'Authorization: Bearer staff-sue', ...head].join('\r\n')}\r\n\r\n`),
      Buffer.from(body),
    ]),
  );
const json = 'Content-Type: application/json';

describe('a body that can not be read', () => {
  it.each(['{"a":', 'nul', "'x'", '{"name":"x",}', '', '{"name":"x"}{}', 'NaN'])('is 400: %j', async (body) => {
    const { status, text } = await send(body);
    expect(status).toBe(400);
    expect(text).toContain('/problems/malformed');
    expect(text).not.toMatch(/position|Unexpected|token/);
  });

  it('is 400 when it is not UTF-8, nested too deeply, or means different things to different readers', async () => {
    const bytes = Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xc3, 0x28]), Buffer.from('","length":1}')]);
    expect((await raw([json, `Content-Length: ${bytes.length}`, 'Connection: close'], bytes)).status).toBe(400);
    for (const body of [
      `${'['.repeat(5000)}${']'.repeat(5000)}`,
      '{"name":"a","length":1,"length":100}',
      '{"name":"a","length":1,"l\\u0065ngth":100}',
      '{"name":"\\ud800","length":1}',
      '{"name":"a","length":1,"notes":{"__proto__":"x"}}',
      '{"name":"a","length":1,"notes":{"constructor":"x"}}',
    ]) {
      expect((await send(body)).status).toBe(400);
    }
    expect(({} as Record<string, unknown>).role).toBeUndefined();
  });

  it('may name the same member in different objects, and quote anything', async () => {
    const tricky = { name: 'a "b": \\" {[', length: 1, notes: { name: '\\', length: '}' } };
    expect((await send(JSON.stringify(tricky, undefined, 1))).body).toMatchObject(tricky);
  });

  it('is 415 in another format, charset or coding', async () => {
    const text = JSON.stringify(boat);
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/json; charset=iso-8859-1',
      'application/json; charset=utf-7',
      'application/merge-patch+json',
      'application/jsonp',
      '',
    ]) {
      expect((await send(text, type)).status).toBe(415);
    }
    for (const type of ['application/json; charset=UTF-8', 'Application/JSON;charset="utf-8"'])
      expect((await send(text, type)).status).toBe(201);
    expect((await send(text).set('Content-Encoding', 'gzip')).status).toBe(415);
  });

  it('is a merge patch where the route says so', async () => {
    const patch = front
      .as('staff-sue')
      .patch(`/boats/${id}`)
      .set('If-Match', '"7"')
      .set('Content-Type', 'application/merge-patch+json');
    expect((await patch.serialize(String).send('{"length":9}')).body.length).toBe(9);
  });
});

describe('a body that breaks a rule', () => {
  it('is 422 with a pointer to every broken rule, unknown members included', async () => {
    const { status, body } = await send(JSON.stringify({ name: '', length: 1.5, role: 'admin', 'a/b~c': 1 }));
    expect(status).toBe(422);
    expect(body.type).toBe('/problems/validation');
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer).sort()).toEqual([
      '/a~1b~0c',
      '/length',
      '/name',
      '/role',
    ]);
    expect(body.errors.every(({ detail }: { detail: string }) => detail.length > 0)).toBe(true);
  });

  it.each(['[]', '[{}]', '"x"', 'null', '1'])('is 422 when it is %s instead of an object', async (text) => {
    const { status, body } = await send(text);
    expect({ status, pointer: body.errors?.[0].pointer }).toEqual({ status: 422, pointer: '' });
  });

  it('is 422 with a NUL in a text, which no store keeps faithfully', async () => {
    const { status, body } = await send('{"name":"a\\u0000b","length":1}');
    expect({ status, errors: body.errors }).toMatchObject({ status: 422, errors: [{ pointer: '/name' }] });
  });

  it('gets an answer of bounded size', async () => {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`field${index}`, 1]));
    const { status, body } = await send(JSON.stringify(many));
    expect(status).toBe(422);
    expect(body.errors).toHaveLength(50);
  });
});

describe('a body that is too large', () => {
  it('is 413 as soon as its size is announced', async () => {
    const { status, text, closed } = await raw([json, 'Content-Length: 99999999']);
    expect({ status, closed }).toEqual({ status: 413, closed: true });
    expect(text).toMatch(/Connection: close/i);
    expect(text).toContain('/problems/too-large');
  });

  it('is 413 at the first byte too many when it is not announced', async () => {
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
    const { status, closed } = await raw([json, 'Transfer-Encoding: chunked'], chunk.repeat(5));
    expect({ status, closed }).toEqual({ status: 413, closed: true });
  });

  it('may have 256 KiB', async () => {
    const text = JSON.stringify(boat);
    expect((await send(text.padEnd(256 * 1024))).status).toBe(201);
    expect((await send(text.padEnd(256 * 1024 + 1))).status).toBe(413);
  });
});

describe('a call without a body', () => {
  it('is 400 when one is due', async () => {
    expect((await front.as('staff-sue').post('/boats')).status).toBe(400);
    expect(
      (await front.as('staff-sue').post('/boats').set('Content-Type', 'application/json').set('Content-Length', '0')).status,
    ).toBe(400);
  });

  it('is what a route without a body wants: it takes none', async () => {
    expect((await front.as().post(`/boats/${id}/launch`)).status).toBe(204);
    expect((await front.as().post(`/boats/${id}/launch`).set('Content-Length', '0')).status).toBe(204);
    expect((await front.as().post(`/boats/${id}/launch`).send({ fast: true })).status).toBe(400);
  });

  it('is fine where a body is optional', async () => {
    expect((await front.as().post(`/boats/${id}/sail`)).body).toEqual({ crew: 0 });
    expect((await front.as().post(`/boats/${id}/sail`).send({ crew: 3 })).body).toEqual({ crew: 3 });
  });
});

describe('a request that can be read in two ways', () => {
  const plain = (lines: readonly string[], body = '') => rawRequest(front.port, `${lines.join('\r\n')}\r\n\r\n${body}`);

  it.each([
    ['two hosts', ['GET /boats HTTP/1.1', 'Host: a', 'Host: b'], 400],
    ['no host', ['GET /boats HTTP/1.1'], 400],
    ['a length and chunks', ['POST /boats HTTP/1.1', 'Host: x', 'Content-Length: 4', 'Transfer-Encoding: chunked'], 400],
    ['an unknown coding', ['POST /boats HTTP/1.1', 'Host: x', 'Transfer-Encoding: xchunked'], 400],
    ['a space before the colon', ['GET /boats HTTP/1.1', 'Host : x'], 400],
    ['a header of 20 KB', ['GET /boats HTTP/1.1', 'Host: x', `X-Long: ${'x'.repeat(20_000)}`], 431],
    ['a target without a path', ['GET http://?x HTTP/1.1', 'Host: x'], 400],
    ['a target whose host is none', ['GET http://[/boats HTTP/1.1', 'Host: x'], 400],
    ['a path of 20 KB', [`GET /${'x'.repeat(20_000)} HTTP/1.1`, 'Host: x'], 431],
  ])('is refused: %s', async (_name, lines, status) => {
    const smuggled = '0\r\n\r\nGET /livez HTTP/1.1\r\nHost: smuggled\r\n\r\n';
    const answer = await plain(lines, lines.some((line) => line.startsWith('Transfer-Encoding')) ? smuggled : '');
    expect(answer.status).toBe(status);
    expect(answer.text).toContain('application/problem+json');
    for (const header of ['X-Request-Id', 'Strict-Transport-Security', 'Content-Security-Policy', 'Referrer-Policy'])
      expect(answer.text).toMatch(new RegExp(`^${header}: `, 'im'));
    expect(answer.text).not.toContain('"live"');
  });

  it('is answered 417 when it expects something unheard of', async () => {
    expect((await plain(['GET /boats HTTP/1.1', 'Host: x', 'Expect: weird', 'Connection: close'])).status).toBe(417);
  });

  it('may be in absolute form', async () => {
    for (const host of ['evil.example', 'evil.example:80', '[::1]:3000']) {
      const { status, text } = await plain([`GET http://${host}/boats?limit=3 HTTP/1.1`, 'Host: x', 'Connection: close']);
      expect(status).toBe(200);
      expect(text).toContain('</boats?limit=3&cursor=eyJ>');
    }
  });

  it.each(['//[', '//[::1]/boats', '/\\[', '/?[', '/boats;[', '/%', '/%00', '/#', '//@[/', '*', '/boats\\..', '/:80'])(
    'is answered by the front, whatever its target: %s',
    async (target) => {
      for (const method of ['GET', 'OPTIONS', 'POST']) {
        const { text } = await plain([`${method} ${target} HTTP/1.1`, 'Host: x', 'Connection: close']);
        expect(text).toMatch(/X-Request-Id: /i);
      }
    },
  );

  it('is logged when its target has no path', async () => {
    front.lines.splice(0);
    await plain(['GET http://[/boats HTTP/1.1', 'Host: x', 'Connection: close']);
    expect(front.lines.filter((line) => line.includes('"status":400'))).toHaveLength(1);
  });
});
