import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { startBaseline } from './baseline-server.ts';
import type { VendureAddress, VendureSettings } from './baselines/vendure-shop.ts';
import type { Bench } from './bench-context.ts';
import { interleaved, type Result, type Row } from './bench-row.ts';
import { mustBeClean } from './order-check.ts';
import { runProgram } from './order-load.ts';
import { placeOrders } from './order-rows.ts';
import { loadReads } from './read-load.ts';
import { writeResults } from './result-table.ts';
import { installVendure, vendureVersion } from './vendure-install.ts';
import { type GraphqlRequest, problemsOfVendure, type VendureLoad, type VendureLoadResult } from './vendure-orders.ts';

const clients = 16;
/** Vendure takes minutes to import ten times as many. */
const mostProducts = 1000;
const password = 'a password for the measurements';

export const vendureRow: Row = {
  name: 'vendure',
  optIn: true,
  alone: true,
  title: `product reads and orders of ${clients} clients against Vendure ${vendureVersion}, installed from npm for the run (--vendure)`,
  run: compareVendure,
};

async function compareVendure(bench: Bench): Promise<readonly Result[]> {
  const { rounds, seconds, warmUpSeconds, products, trial, vendureFolder = join(bench.folder, 'vendure') } = bench.settings;
  const few = Math.min(products, mostProducts);
  const sizes = [[products, 'products'] as const, [few, 'in Vendure'] as const];
  await installVendure(vendureFolder);
  const shop = await bench.shop();
  const vendure = await startVendure(bench, { folder: vendureFolder, products: few });
  const reads = { baseline: await vendure.product(), project: `${shop.url}/api/products/${shop.productIds[0]}` };
  const read = async (url: string, duration: number) => {
    const body = await (await fetch(url)).text();
    return (await loadReads({ url, seconds: duration, clients, body })).perSecond;
  };
  const order = async (duration: number) => (await placeOrders({ shop, seconds: duration, clients })).confirmed;
  try {
    for (const url of Object.values(reads)) await read(url, warmUpSeconds);
    const bothRead = await interleaved(rounds, {
      baseline: () => read(reads.baseline, seconds),
      project: () => read(reads.project, seconds),
    });
    await vendure.order(warmUpSeconds);
    await order(warmUpSeconds);
    const bothOrder = await interleaved(rounds, { baseline: () => vendure.order(seconds), project: () => order(seconds) });
    const paid = `content of every order, orders in both databases, ${await mustBeClean(shop.db)}`;
    const results: readonly Result[] = [
      { name: 'vendure-reads', unit: '/s', ...bothRead, goal: { atLeast: 20 }, checked: 'every status, sampled bodies' },
      { name: 'vendure-orders', unit: '/s', ...bothOrder, goal: { atLeast: 300 }, checked: paid },
    ];
    if (!trial) writeResults('vendure', { results, settings: bench.settings, command: 'npm run bench -- vendure', sizes });
    return results;
  } finally {
    await vendure.stop();
  }
}

/** Vendure on the MariaDB of the run, in a database of its own, with products and customers. */
async function startVendure(bench: Bench, { folder, products }: Pick<VendureSettings, 'folder' | 'products'>) {
  const { mariadb } = await bench.stores();
  await queryOnce(mariadb.url, 'CREATE DATABASE vendure');
  const database = Object.assign(new URL(mariadb.url), { pathname: '/vendure' }).href;
  const settings: VendureSettings = { folder, database, products };
  const { url, told, stop } = await startBaseline<VendureAddress>(bench.keeper, 'vendure-shop.ts', settings);
  const tokens: string[] = [];
  while (tokens.length < clients) tokens.push(await signUp(url, tokens.length));
  const paidOrders = async () => {
    const rows = await queryOnce(database, "SELECT COUNT(*) AS many FROM `order` WHERE state = 'PaymentSettled' AND active = 0");
    return Number(rows[0]?.many);
  };
  return {
    product: () => productUrl(url),
    /** Orders a second. @throws when an answer or what is stored is not what was ordered */
    order: async (seconds: number): Promise<number> => {
      const before = await paidOrders();
      const load: VendureLoad = { port: told.port, tokens, variantIds: told.variantIds, seconds };
      const result = await runProgram<VendureLoadResult>('vendure-order-program.ts', load);
      const problems = problemsOfVendure({ ...result, stored: (await paidOrders()) - before });
      if (problems.length > 0) throw new Error(`The orders of Vendure are not right: ${problems.join('; ')}`);
      return result.placed / result.seconds;
    },
    stop,
  };
}

async function queryOnce(url: string, statement: string): Promise<readonly mysql.RowDataPacket[]> {
  const connection = await mysql.createConnection(url);
  try {
    const [rows] = await connection.query<mysql.RowDataPacket[]>(statement);
    return rows;
  } finally {
    await connection.end();
  }
}

/** Registers a customer and signs in. Answers the token. */
async function signUp(url: string, number: number): Promise<string> {
  const emailAddress = `customer-${number}@example.com`;
  await ask(url, {
    query: 'mutation($input: RegisterCustomerInput!) { registerCustomerAccount(input: $input) { __typename } }',
    variables: { input: { emailAddress, password, firstName: 'A', lastName: 'Customer' } },
  });
  const { token } = await ask(url, {
    query: 'mutation($name: String!, $password: String!) { login(username: $name, password: $password) { __typename } }',
    variables: { name: emailAddress, password },
  });
  if (token === null) throw new Error(`Vendure does not let ${emailAddress} in.`);
  return token;
}

/** Where a GET reads a product with about what the shop tells of one. */
async function productUrl(url: string): Promise<string> {
  const { body } = await ask(url, { query: '{ products(options: { take: 1 }) { items { id } } }' });
  const id = JSON.parse(body).data?.products?.items?.[0]?.id;
  if (typeof id !== 'string') throw new Error(`Vendure has no product: ${body.slice(0, 300)}`);
  const variants = 'variants { id sku price priceWithTax currencyCode stockLevel }';
  return `${url}/shop-api?query=${encodeURIComponent(`{ product(id: "${id}") { id name slug description ${variants} } }`)}`;
}

async function ask(url: string, request: GraphqlRequest): Promise<{ readonly body: string; readonly token: string | null }> {
  const answer = await fetch(`${url}/shop-api`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
  return { body: await answer.text(), token: answer.headers.get('vendure-auth-token') };
}
