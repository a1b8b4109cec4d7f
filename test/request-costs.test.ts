import { fetchDocument } from './harness/documented-answers.ts';
import { everyOperation } from './harness/every-operation.ts';
import { type NotedShop, startNotedShop } from './harness/noted-shop.ts';

/** What one request asks of the stores must not grow with the lines of an order, the rows of a page or the devices of a user. */

/** At most so many SQL statements, without BEGIN and COMMIT, and requests to DynamoDB. */
interface Cost {
  readonly sql?: number;
  readonly dynamo?: number;
}

const costs: Readonly<Record<string, Cost>> = {
  createProduct: { sql: 4 },
  replaceProduct: { sql: 3 },
  patchProduct: { sql: 3 },
  deleteProduct: { sql: 3 },
  // with words: two looks at the order of the page, the search, and the stock
  listProducts: { sql: 4 },
  // for each 256 rows: to find them, to insert and to update
  importProducts: { sql: 7 },
  // for each 500
  exportProducts: { sql: 1 },
  readProduct: { sql: 2 },
  readStock: { sql: 1 },
  setStock: { sql: 3 },
  adjustStock: { sql: 3 },
  listStockMovements: { sql: 2 },
  // six of the reservation, five of the order; batches of many orders take as many
  placeOrder: { sql: 11 },
  listOrders: { sql: 2 },
  // closed days and hours, where they end, and the two counts of what is open
  summarizeOrders: { sql: 5 },
  getOrder: { sql: 2 },
  listOrderEvents: { sql: 2 },
  cancelOrder: { sql: 6 },
  shipOrder: { sql: 6 },
  deliverOrder: { sql: 6 },
  // for each 100 orders and each 100 sessions
  exportPersonalData: { sql: 2, dynamo: 4 },
  register: { dynamo: 4 },
  login: { dynamo: 3 },
  refresh: { dynamo: 3 },
  logout: { dynamo: 5 },
  eraseAccount: { dynamo: 5 },
  deactivateAccount: { dynamo: 5 },
  getAccount: { dynamo: 1 },
  changePassword: { dynamo: 6 },
  listSessions: { dynamo: 3 },
  endSession: { dynamo: 3 },
  listUsers: { dynamo: 2 },
  getUser: { dynamo: 1 },
  setRoles: { dynamo: 6 },
  restoreUser: { dynamo: 6 },
  resetPassword: { dynamo: 6 },
  getKeys: {},
  getLiveness: {},
  getReadiness: { sql: 1, dynamo: 1 },
};

let noted: NotedShop;
beforeAll(async () => {
  noted = await startNotedShop();
});
afterAll(() => noted.shop.stop());

it('every operation of the API has a bound', async () => {
  const { paths } = await fetchDocument(noted.shop.url);
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
  expect(Object.keys(costs).sort()).toEqual(operations.sort());
});

describe.each(Object.entries(costs))('%s', (operationId, { sql = 0, dynamo = 0 }) => {
  it.each([
    ['one', false],
    ['many', true],
  ] as const)(`of %s takes at most ${sql} SQL statements and ${dynamo} requests to DynamoDB`, async (_, many) => {
    const request = await everyOperation[operationId]?.(noted, many);
    const { statements, requests } = noted.notes;
    statements.length = 0;
    requests.length = 0;
    await request?.();
    expect(statements.length > sql ? statements.map((statement) => statement.sql) : []).toEqual([]);
    // what ended elsewhere is asked every two seconds, by whichever request finds that the task has not done so
    const own = requests.filter((asked) => asked !== 'Query Revocations');
    expect(own.length > dynamo ? own : []).toEqual([]);
  });
});
