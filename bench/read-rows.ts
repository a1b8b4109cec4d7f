import { type BaselineServer, startBaseline } from './baseline-server.ts';
import type { Bench } from './bench-context.ts';
import { interleaved, type Result, type Row } from './bench-row.ts';
import type { BenchShop } from './bench-shop.ts';
import { loadReads } from './read-load.ts';

const checked = 'every status, sampled bodies';

export const readRows: readonly Row[] = [
  {
    name: 'read',
    title: '`GET /api/products/:id` from the cache against bare `node:http` with the same bytes',
    run: (bench) => compareReads({ bench, name: 'read', baseline: 'bare-http.ts', atLeast: 0.45 }),
  },
  {
    name: 'read-express',
    title: 'the same against that route in plain Express 5 without middleware',
    run: (bench) => compareReads({ bench, name: 'read-express', baseline: 'express-read.ts', atLeast: 2 }),
  },
  {
    name: 'authenticated-read',
    title: 'the same read with a token of a customer against bare `node:http`',
    run: async (bench) => {
      const [token] = await (await bench.shop()).customers();
      const headers = { authorization: `Bearer ${token}` };
      return compareReads({ bench, name: 'authenticated-read', baseline: 'bare-http.ts', atLeast: 0.25, headers });
    },
  },
];

interface Comparison {
  readonly bench: Bench;
  readonly name: string;
  readonly baseline: string;
  readonly atLeast: number;
  readonly headers?: Readonly<Record<string, string>>;
}

async function compareReads({ bench, name, baseline, atLeast, headers = {} }: Comparison): Promise<readonly Result[]> {
  const shop = await bench.shop();
  const { path, answer } = await oneProduct(shop, headers);
  const server: BaselineServer = await startBaseline(bench.keeper, baseline, answer);
  const { rounds, seconds, warmUpSeconds } = bench.settings;
  const load = (url: string, duration: number) => loadReads({ url: url + path, seconds: duration, headers, body: answer.body });
  try {
    for (const { url } of [server, shop]) await load(url, warmUpSeconds);
    const measured = await interleaved(rounds, {
      baseline: () => load(server.url, seconds),
      project: () => load(shop.url, seconds),
    });
    const perSecond = (side: 'baseline' | 'project') => measured[side].map((round) => round.perSecond);
    return [{ name, unit: '/s', baseline: perSecond('baseline'), project: perSecond('project'), goal: { atLeast }, checked }];
  } finally {
    await server.stop();
  }
}

/** What the shop answers for its first product; the connection's own headers are left to whoever repeats it. */
async function oneProduct({ url, productIds }: BenchShop, headers: Readonly<Record<string, string>>) {
  const path = `/api/products/${productIds[0]}`;
  const response = await fetch(url + path, { headers });
  const body = await response.text();
  if (response.status !== 200) throw new Error(`A product was answered ${response.status}: ${body}`);
  const own = new Set(['connection', 'keep-alive', 'date', 'transfer-encoding']);
  return { path, answer: { headers: Object.fromEntries([...response.headers].filter(([name]) => !own.has(name))), body } };
}
