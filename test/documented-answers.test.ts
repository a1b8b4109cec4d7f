import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { checkedAgent } from './harness/checked-agent.ts';
import { documentedAnswers } from './harness/documented-answers.ts';

/** The check of every answer in the other suites, against a server that says what it is told to. */

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: object) => ({ description: 'an answer', content: { 'application/json': { schema } } });
const operation = (operationId: string, schema: object) => ({
  operationId,
  security: [],
  responses: {
    200: json(schema),
    404: { description: 'none', content: { 'application/problem+json': { schema: ref('Problem') } } },
  },
});
const object = (properties: Readonly<Record<string, object>>) => ({
  ...{ type: 'object', properties, required: Object.keys(properties), additionalProperties: false },
});
const document = {
  ...{ openapi: '3.0.3', info: { title: 'things', version: '1' } },
  paths: {
    '/lamps': { get: operation('listLamps', ref('Lamps')) },
    '/lamps/{id}': { get: operation('readLamp', ref('Lamp')) },
    '/chairs/{id}': { get: operation('readChair', object({ legs: { type: 'integer' } })) },
  },
  components: {
    schemas: {
      Lamps: object({ data: { type: 'array', items: ref('Lamp') } }),
      Lamp: object({ price: ref('Price') }),
      Price: object({ amount: { type: 'integer' } }),
      Problem: object({ code: { type: 'string' } }),
    },
  },
};

const lamp = { price: { amount: 1 } };
let server: Server;
let said: { readonly status: number; readonly type: string; readonly body: unknown };
let agent: ReturnType<typeof checkedAgent>;

beforeAll(async () => {
  server = createServer((_, response) => {
    response.writeHead(said.status, { 'content-type': said.type, 'x-request-id': 'a-request-id' });
    response.end(JSON.stringify(said.body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens on TCP
  agent = checkedAgent({ url: `http://127.0.0.1:${port}`, check: documentedAnswers(document) });
});
afterAll(() => server.close());

const ask = async (path: string, status: number, body: unknown) => {
  said = { status, body, type: status < 400 ? 'application/json' : 'application/problem+json' };
  await agent.get(path);
};

describe('what an answer has to be', () => {
  it('is what the document says of its operation and status', async () => {
    await ask('/lamps', 200, { data: [lamp] });
    await ask('/lamps/1', 200, lamp);
    await ask('/chairs/1', 200, { legs: 4 });
    await ask('/lamps/1', 404, { code: 'not-found' });
    await ask('/tables', 404, { code: 'not-found' });
  });

  it.each([
    ['another operation’s answer', { path: '/chairs/1', status: 200, body: lamp }],
    ['an answer like it, with one thing more', { path: '/lamps/1', status: 200, body: { ...lamp, legs: 4 } }],
    [
      'a price that is no whole number, two references away',
      { path: '/lamps', status: 200, body: { data: [lamp, { price: { amount: 0.5 } }] } },
    ],
    ['a refusal that is none', { path: '/lamps/1', status: 404, body: lamp }],
    ['a status that the document does not have', { path: '/lamps/1', status: 409, body: { code: 'conflict' } }],
    ['a refusal of another shape, of a path that the document does not have', { path: '/tables', status: 404, body: lamp }],
  ])('is not %s', async (_what, { path, status, body }) => {
    await expect(ask(path, status, body)).rejects.toThrow('to satisfy');
  });

  it('is judged by the document that was named last, also where another has a schema of that name', async () => {
    await ask('/lamps/1', 200, lamp);
    const { components } = document;
    const changed = { ...components.schemas, Price: object({ pence: { type: 'integer' } }) };
    documentedAnswers({ ...document, components: { schemas: changed } });
    await expect(ask('/lamps/1', 200, lamp)).rejects.toThrow('to satisfy');
    documentedAnswers(document);
    await ask('/lamps/1', 200, lamp);
  });

  it('has a media type of the document', async () => {
    said = { status: 200, type: 'text/plain', body: lamp };
    await expect(agent.get('/lamps/1')).rejects.toThrow();
  });
});
