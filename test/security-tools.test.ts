import { once } from 'node:events';
import { createServer } from 'node:http';
import { trafficOf } from '../.ci/attacked-shop.ts';
import { type Ended, runProgram } from '../.ci/run-program.ts';
import { sqlmapTargets } from '../.ci/sqlmap-targets.ts';
import { ffufVerdict, slowVerdict, sqlmapVerdict, type Traffic } from '../.ci/tool-verdicts.ts';
import { freePort } from './harness/server-child.ts';

/** What others wrote to attack servers, as `npm run test:security -- --tools` judges it: one that did nothing has found nothing, and fails. */

const ended = (output: string, more: Partial<Ended> = {}): Ended => ({ code: 0, timedOut: false, output, ...more });
const parameter = (name: string, place: string) => ({ name, in: place, schema: { type: 'string' } });
const failure = (told: string) => ({ ok: false, told: expect.stringContaining(told) });

describe('a program', () => {
  const node = (script: string, seconds = 30) => runProgram(process.execPath, ['-e', script], seconds);

  it('is told by its exit code and all that it wrote', async () => {
    expect(await node('console.log("one"); process.exitCode = 3')).toEqual({ code: 3, timedOut: false, output: 'one\n' });
    expect(await node('console.error("two")')).toEqual({ code: 0, timedOut: false, output: 'two\n' });
  });

  it('is stopped when its time is over, and that is told from any other end', async () => {
    expect(await node('setInterval(() => {}, 1000)', 0.5)).toMatchObject({ code: undefined, timedOut: true });
    expect(await node('process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000)')).toMatchObject({
      code: undefined,
      timedOut: false,
    });
  });

  it('that is not there has no exit code', async () => {
    expect(await runProgram('no-such-program', [], 1)).toEqual({
      code: undefined,
      timedOut: false,
      output: expect.stringContaining('ENOENT'),
    });
  });
});

describe('sqlmap', () => {
  const began = "[INFO] testing for SQL injection on URI parameter '#1*'\n";
  const nothing = '[ERROR] all tested parameters do not appear to be injectable. Try to increase values\n';

  it('may say that nothing is injectable, whatever its exit code', () => {
    expect(sqlmapVerdict(ended(began + nothing), 60)).toEqual({ ok: true, told: 'nothing found' });
    expect(sqlmapVerdict(ended(began + nothing, { code: 1 }), 60).ok).toBe(true);
  });

  it('may run out of time, which is told', () => {
    const verdict = sqlmapVerdict(ended(began, { code: undefined, timedOut: true }), 60);
    expect(verdict).toEqual({ ok: true, told: 'nothing found in 60 s, then stopped' });
  });

  it.each([
    ['was killed by somebody else', ended(began, { code: undefined }), 'killed'],
    ['does not know an option', ended('Usage: sqlmap\nsqlmap: error: no such option: -x\n', { code: 2 }), 'no such option: -x'],
    [
      'got no answer, and says that all is well',
      ended('[ERROR] connection timed out to the target URL, skipping\n[*] ending\n'),
      'connection timed out',
    ],
    ['wrote nothing', ended(''), 'no output'],
    ['found a hole', ended(`${began}sqlmap identified the following injection point(s)`), 'identified the following'],
    ['found a hole and ran out of time', ended(`${began}'id' is vulnerable.`, { timedOut: true }), 'is vulnerable'],
    ['ran out of time before it began', ended('[INFO] testing connection', { timedOut: true }), 'had not begun'],
  ])('fails when it %s', (_what, end, told) => {
    expect(sqlmapVerdict(end, 60)).toEqual(failure(told));
  });
});

describe('what sqlmap is to try', () => {
  const document = {
    paths: {
      '/lamps/{id}': {
        get: { operationId: 'readLamp', parameters: [parameter('id', 'path'), parameter('If-None-Match', 'header')] },
        put: { operationId: 'setLamp', parameters: [parameter('id', 'path'), parameter('If-Match', 'header')] },
      },
      '/livez': { get: { operationId: 'getLiveness' } },
    },
    components: { schemas: {} },
  };

  it('asks for what the client does not have, since an empty 304 ends it, and changes what is there', () => {
    const targets = sqlmapTargets(document, { url: 'http://127.0.0.1', id: '7' });
    expect(targets).toEqual([
      {
        operationId: 'readLamp',
        marks: 2,
        given: ['-u', 'http://127.0.0.1/lamps/lamp*', '--method=GET', '-H', 'If-None-Match: "0"*'],
      },
      {
        operationId: 'setLamp',
        marks: 2,
        given: ['-u', 'http://127.0.0.1/lamps/lamp*', '--method=PUT', '-H', 'If-Match: "1"*'],
      },
    ]);
  });
});

describe('ffuf', () => {
  const paths = ['.env', 'api/orders/export', 'openapi.json'];
  const answers = { '.env': 404, 'api/orders/export': 401, 'openapi.json': 200 };
  const report = (statuses: Readonly<Record<string, number>>) =>
    JSON.stringify({ results: Object.entries(statuses).map(([path, status]) => ({ input: { FUZZ: path }, status })) });
  const { '.env': _left, ...fewer } = answers;

  it('finds the one path that is there, and no other', () => {
    expect(ffufVerdict(ended(''), report(answers), paths)).toEqual({ ok: true, told: 'no hidden path among 3' });
  });

  it.each<[string, { end?: Ended; written?: string | undefined }, string]>([
    ['failed', { end: ended('stat list: no such file\n', { code: 1 }) }, 'stat list: no such file'],
    ['was killed', { end: ended('', { code: undefined }) }, 'killed'],
    ['sent nothing', { written: report({}) }, 'no answer to 3 of 3 paths'],
    ['missed an answer', { written: report(fewer) }, 'no answer to 1 of 3 paths: .env'],
    ['wrote no report', { written: undefined }, 'no answer to 3 of 3 paths'],
    ['asked where the shop is not', { written: report({ ...answers, 'openapi.json': 404 }) }, 'openapi.json was not found'],
    ['found a path', { written: report({ ...answers, '.env': 403 }) }, '.env (403)'],
    ['broke the shop', { written: report({ ...answers, 'api/orders/export': 500 }) }, 'api/orders/export (500)'],
  ])('fails when it %s', (_what, more, told) => {
    const { end, written } = { end: ended(''), written: report(answers), ...more };
    expect(ffufVerdict(end, written, paths)).toEqual(failure(told));
  });
});

describe('slowhttptest', () => {
  const colours = `${String.fromCharCode(27)}[1;32m`;
  const saying = (...words: string[]) =>
    words.map((word) => `${colours}service available:${colours}   ${colours}${word}`).join('\n');
  const readMs = Array.from({ length: 200 }, (_, place) => place / 10);
  const quiet: Traffic = { readMs, reads: { 200: 200 }, signIns: {} };
  const busy: Traffic = { readMs, reads: { 200: 200, unanswered: 2 }, signIns: { 401: 38, 503: 12, unanswered: 1 } };

  it('tells what reads took and how sign-ins were answered', () => {
    expect(slowVerdict(ended(saying('YES', 'YES')), { quiet, busy })).toEqual({
      ok: true,
      told: 'service available throughout; p99 of a product read 19.8 ms, quiet 19.8 ms; sign-ins: 401 38, 503 12, unanswered 1',
    });
  });

  it.each<[string, Partial<Traffic> & { end?: Ended }, string]>([
    ['says NO once', { end: ended(saying('YES', 'NO', 'YES')) }, 'not always available'],
    ['says neither', { end: ended('slow HTTP test status') }, 'nothing was said about the service'],
    ['failed', { end: ended(`${saying('YES')}\nConnection refused`, { code: 255 }) }, 'code 255'],
    ['was killed', { end: ended(saying('YES'), { code: undefined }) }, 'killed'],
    ['let no read be answered', { readMs: [], reads: {} }, 'no product read was answered'],
    ['broke connections', { reads: { 200: 200, unanswered: 3 } }, '3 product reads were not answered'],
    ['made reads fail', { reads: { 200: 200, 503: 1 } }, 'product reads answered 503 1'],
    ['let no sign-in be answered', { signIns: { unanswered: 9 } }, 'no sign-in was checked'],
    ['let no sign-in be checked', { signIns: { 503: 9 } }, 'no sign-in was checked'],
    ['made sign-ins fail', { signIns: { 401: 38, 500: 1 } }, 'sign-ins answered 500 1'],
  ])('fails when it %s', (_what, { end = ended(saying('YES')), ...more }, told) => {
    expect(slowVerdict(end, { quiet, busy: { ...busy, ...more } })).toEqual(failure(told));
  });

  it('fails when there was nothing to compare with', () => {
    const none = { readMs: [], reads: { unanswered: 9 }, signIns: {} };
    expect(slowVerdict(ended(saying('YES')), { quiet: none, busy })).toEqual(failure('quiet: no product read was answered'));
  });
});

describe('the traffic beside an attack', () => {
  const server = createServer((request, response) => {
    response.statusCode = request.method === 'POST' ? 401 : 200;
    response.end('{}');
  });
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  afterAll(close);

  it('is counted by its answers', async () => {
    const port = await freePort();
    await once(server.listen(port, '127.0.0.1'), 'listening');
    const attacked = { url: `http://127.0.0.1:${port}`, productId: '1' };
    const { readMs, reads, signIns } = await trafficOf(attacked, { seconds: 0.5, logins: 2 });
    expect(readMs.length).toBeGreaterThan(0);
    expect(reads).toEqual({ 200: readMs.length });
    expect(signIns).toEqual({ 401: expect.any(Number) });
    expect((await trafficOf(attacked, { seconds: 0.2, logins: 0 })).signIns).toEqual({});
    close();
    expect(await trafficOf(attacked, { seconds: 0.2, logins: 1 })).toEqual({
      readMs: [],
      reads: { unanswered: expect.any(Number) },
      signIns: { unanswered: expect.any(Number) },
    });
  });
});
