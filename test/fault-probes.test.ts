import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { join, relative } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { temporaryFolder } from './child-process.ts';
import { createHistory } from './faults/history.ts';
import { type Keeper, startKeeper } from './faults/keeper.ts';
import type { Freeze } from './faults/managed-program.ts';
import { replayTokens } from './faults/observe.ts';
import { livenessOf } from './faults/probes.ts';
import { createRandom } from './faults/random.ts';
import { openShopClient } from './faults/shop-client.ts';
import { createShopProcess } from './faults/shop-process.ts';
import { comeAndGo } from './faults/visitors.ts';
import { eventually } from './harness/eventually.ts';

/** What the fault suite sees of processes: a fault that nobody sees is one that is not there. */

const patienceMs = 200;
const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function listening(server: Server): Promise<number> {
  closing.push(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port; // it listens on TCP
}

describe('the question whether a process lives', () => {
  const never: readonly Freeze[] = [];
  const ask = (port: number, freezes = never) => livenessOf({ port, freezes: () => freezes }, patienceMs);

  /** Takes connections, and does that with them when something arrives. */
  const taking = (received: (socket: Socket) => void) =>
    listening(
      createTcpServer((socket) => {
        closing.push(() => socket.destroy());
        socket.on('error', () => undefined).once('data', () => received(socket));
      }),
    );

  it('is answered in no time by one that does', async () => {
    const port = await listening(createServer((_, response) => response.end('{}')));
    expect(await ask(port)).toBeLessThan(patienceMs);
  });

  it('tells how long one was silent that nobody has frozen', async () => {
    const silent = await taking(() => undefined);
    expect(await ask(silent)).toBeGreaterThanOrEqual(patienceMs - 1);
    const frozenBefore = [{ since: 0, until: performance.now() - 1 }];
    expect(await ask(silent, frozenBefore)).toBeGreaterThanOrEqual(patienceMs - 1);
  });

  it('says nothing of one that was frozen, has ended or is not there', async () => {
    const silent = await taking(() => undefined);
    expect(await ask(silent, [{ since: performance.now(), until: Number.POSITIVE_INFINITY }])).toBeUndefined();
    expect(await ask(await taking((socket) => socket.resetAndDestroy()))).toBeUndefined();
    const server = createTcpServer();
    const port = await listening(server);
    server.close();
    expect(await ask(port)).toBeUndefined();
  });
});

describe('the lives of a process since a fault began', () => {
  const folder = temporaryFolder();
  let keeper: Keeper;

  beforeAll(() => {
    keeper = startKeeper();
  });

  afterAll(async () => {
    await keeper.close();
    folder.remove();
  });

  it('are those that went on or began then, without what was logged before', async () => {
    const file = join(folder.path, 'talker.mjs');
    writeFileSync(
      file,
      `import { createServer } from 'node:http';
      createServer((request, response) => {
        if (request.url !== '/readyz') console.log(request.url);
        response.end();
      }).listen(process.env.PORT);`,
    );
    const program = relative(process.cwd(), file);
    const shop = await createShopProcess({ name: 'talker', keeper, folder: folder.path, program, env: {} });
    const logged = async (path: string) => {
      await fetch(shop.url + path);
      await eventually(async () => expect(shop.lives().at(-1)?.log).toContain(path));
    };
    await shop.start();
    await logged('/first');
    await shop.kill('SIGKILL');
    const between = shop.mark();
    await shop.start();
    await logged('/before');
    const begin = shop.mark();
    expect(shop.lives(begin)).toMatchObject([{ log: '', killed: false }]);
    await logged('/after');
    expect(shop.lives(begin)).toMatchObject([{ log: '/after\n', killed: false, logLost: false }]);
    expect(shop.lives(between)).toMatchObject([{ log: '/before\n/after\n', killed: false }]);

    await shop.kill('SIGKILL');
    shop.writeLogTo('/dev/null');
    await shop.start();
    expect(shop.lives(begin)).toMatchObject([
      { log: '/after\n', killed: true, logLost: false },
      { log: '', killed: false, logLost: true },
    ]);
    expect(shop.lives().map(({ killed }) => killed)).toEqual([true, true, false]);
    await shop.kill();
  });
});

describe('the refresh tokens of visitors who have signed out', () => {
  it('are replayed, beside those of the buyers', async () => {
    const shop = createServer(async (request, response) => {
      const body = await textOf(request);
      const [, action] = /^\/api\/auth\/(\w+)/.exec(request.url ?? '') ?? [];
      if (action === 'logout') return void response.writeHead(204).end();
      if (action === 'refresh') return void response.writeHead(body.includes('of ann') ? 200 : 401).end();
      response
        .writeHead(action === 'register' ? 201 : 200)
        .end(JSON.stringify({ accessToken: 'a', refreshToken: 'of a visitor' }));
    });
    const url = `http://127.0.0.1:${await listening(shop)}`;
    const client = openShopClient(url);
    const history = createHistory();
    const ending = new AbortController();
    const stage = { client, history, patience: ending.signal };
    const visits = comeAndGo({ stage, name: 'run', random: createRandom(1), ending: ending.signal, keep: () => undefined });
    await eventually(async () => expect(history.operations.map(({ kind }) => kind)).toContain('logout'));
    ending.abort();
    await visits;
    client.close();
    // as if they had left long enough ago
    const operations = history.operations.map((operation) => ({ ...operation, endedAt: operation.endedAt - 5000 }));
    const buyers = [{ username: 'ann', refreshToken: () => 'of ann' }];
    const replays = await replayTokens({ url }, { history: { ...history, operations }, buyers });
    expect(replays).toEqual([
      { user: 'run-visitor-1', ended: true, statuses: [401] },
      { user: 'ann', ended: false, statuses: [200] },
    ]);
  });
});
