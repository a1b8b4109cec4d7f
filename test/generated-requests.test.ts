import { countChecked } from './harness/attacks.ts';
import { type Deployment, processNames, startDeployment } from './harness/deployment.ts';
import { fetchDocument } from './harness/documented-answers.ts';
import { eventually } from './harness/eventually.ts';
import { type FuzzDocument, type GeneratedRequest, generateRequests } from './harness/request-generator.ts';
import type { Shop } from './harness/shop.ts';

/** `npm run test:security` asks for more. */
const count = Number(process.env.GENERATED_REQUESTS ?? 400);
const seed = Number(process.env.GENERATED_SEED ?? 20_261_127);
const atOnce = 4;
const slowMs = 1000;
const mostRetries = 4;
/** They end what a token speaks for, so they are sent with one that nobody else needs. */
const ending = new Set(['logout', 'eraseAccount', 'deactivateAccount', 'changePassword', 'endSession']);

let deployment: Deployment;
beforeAll(async () => {
  deployment = await startDeployment();
});
afterAll(() => deployment.stop());

/** Ids of everything there is: products, an order, users that no test signs in as. */
async function someIds(shop: Shop): Promise<readonly string[]> {
  const products = [await shop.makeProduct(), await shop.makeProduct({ initialStock: 1_000_000 })].map(({ id }) => id);
  const buyer = await shop.signUp();
  const order = await shop.place(buyer, [{ productId: products[0] ?? '', quantity: 1 }]).expect(201);
  return [...products, order.body.id, buyer.id];
}

async function send(
  shop: Shop,
  { method, path, headers, body, contentType, who, operationId }: GeneratedRequest,
  tokens: Tokens,
) {
  const token = ending.has(operationId) && who !== 'anonymous' ? tokens.sacrifice : tokens[who];
  const agent = token === undefined ? shop.api : shop.withToken(token);
  const request = { get: agent.get, post: agent.post, put: agent.put, patch: agent.patch, delete: agent.delete }[method]?.call(
    agent,
    path,
  );
  if (request === undefined) throw new Error(`${method} is not a method of the API.`);
  // every answer is checked against the schema of its operation by the agent
  const sent = request.set({ ...headers, 'X-Request-Id': headers['X-Request-Id'] ?? 'generated-request' }).redirects(0);
  return body === undefined
    ? await sent
    : await sent
        .set('Content-Type', contentType ?? 'application/json')
        .serialize(String)
        .send(body);
}

/** A store may be too slow for a moment, which is 503 as well; a request that always ends so is at fault itself. */
async function sendPatiently(shop: Shop, request: GeneratedRequest, tokens: Tokens) {
  for (let retries = 0; ; retries += 1) {
    const { status, body } = await send(shop, request, tokens).catch((error: Error) => {
      throw new Error(`${error.message}\nafter ${JSON.stringify(request).slice(0, 800)}`, { cause: error });
    });
    if (body.type !== '/problems/unavailable' || retries === mostRetries) return { status, body, retries };
    await new Promise((resolve) => setTimeout(resolve, 1000 * (retries + 1)));
  }
}

type Tokens = Readonly<Record<GeneratedRequest['who'] | 'sacrifice', string | undefined>>;

describe('S-09 generated requests', () => {
  it.each(processNames.map((name, index) => [name, index] as const))(
    'are all answered as the document says, on process %s',
    async (name, index) => {
      const shop = deployment.processes[index];
      if (shop === undefined) throw new Error(`There is no process ${name}.`);
      // the same document that clients get
      const document = (await fetchDocument(shop.url)) as unknown as FuzzDocument;
      const requests = [...generateRequests(document, { ids: await someIds(shop), seed: seed + index, count })];
      const statuses = new Map<number, number>();
      let unavailable = 0;
      const [customer, staff, admin] = [await shop.signUp(), await shop.staff(), await shop.admin()];
      const beganAt = shop.log.length;
      const worker = async () => {
        for (let next = requests.shift(); next !== undefined; next = requests.shift()) {
          const sacrifice = ending.has(next.operationId) ? (await eventually(() => shop.signUp())).accessToken : undefined;
          const tokens = {
            anonymous: undefined,
            customer: customer.accessToken,
            staff: staff.accessToken,
            admin: admin.accessToken,
            sacrifice,
          };
          const { status, body, retries } = await sendPatiently(shop, next, tokens);
          unavailable += retries;
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          if (status >= 500 && body.type !== '/problems/overloaded')
            throw new Error(`${status} ${body.type} after ${JSON.stringify(next).slice(0, 800)}`);
        }
      };
      await Promise.all(Array.from({ length: atOnce }, worker));
      const slow = shop.log
        .slice(beganAt)
        .map((line) => JSON.parse(line))
        .filter(({ durationMs }) => durationMs > slowMs);
      const told = [...statuses].toSorted(([one], [other]) => one - other).map(([status, times]) => `${times} × ${status}`);
      process.stderr.write(
        `process ${name}, seed ${seed + index}: ${told.join(', ')}; ${unavailable} sent again as a store was too slow; ${slow.length} took more than ${slowMs} ms\n`,
      );
      // it says something only where nothing else runs
      if (process.env.QUIET_MACHINE === 'true') expect(slow).toEqual([]);
      expect([...statuses.keys()].filter((status) => status < 300).length).toBeGreaterThanOrEqual(3);
      countChecked('generated requests', name, count);
    },
    Math.max(120_000, count * 150),
  );
});
