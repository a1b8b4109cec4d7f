import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import bcrypt from 'bcrypt';
import mysql from 'mysql2/promise';
import { attacksOn } from './harness/attacks.ts';
import { type Deployment, startDeployment } from './harness/deployment.ts';
import { rawRequest } from './harness/raw-request.ts';

let deployment: Deployment;
beforeAll(async () => {
  deployment = await startDeployment();
});
afterAll(() => deployment.stop());

const attack = attacksOn(() => deployment);

/** All rows of all tables of the SQL store, as text. */
async function everyRow({ MYSQL_URL, DATA_DIR = '' }: Deployment['variables']): Promise<string> {
  if (MYSQL_URL === undefined) {
    const db = new DatabaseSync(join(DATA_DIR, 'shop.sqlite'), { readOnly: true });
    const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'").all();
    const rows = tables.map(({ name }) => db.prepare(`SELECT * FROM "${name}"`).all());
    db.close();
    return JSON.stringify(rows);
  }
  const connection = await mysql.createConnection(MYSQL_URL);
  const [tables] = await connection.query<mysql.RowDataPacket[]>('SHOW TABLES');
  const rows = [];
  for (const table of tables) rows.push((await connection.query(`SELECT * FROM \`${Object.values(table)[0]}\``))[0]);
  await connection.end();
  return JSON.stringify(rows);
}

/** Every key and value of Redis, as text. */
async function everyCopy({ redis }: Deployment): Promise<string> {
  const copies = [];
  for (const key of (await redis?.client.keys('*')) ?? []) {
    const type = await redis?.client.type(key);
    copies.push(
      key,
      type === 'string' ? await redis?.client.get(key) : await redis?.client.zrange(key, '0', '-1').catch(() => type),
    );
  }
  return JSON.stringify(copies);
}

attack('S-01', async (shop) => {
  const port = Number(new URL(shop.url).port);
  const nasty = ['%0d%0aInjected:', '%1b[31m', '%e2%80%a8', '"}{"level":"error"', '%n%s%x', 'x'.repeat(3000)];
  const before = shop.log.length;
  for (const text of nasty) {
    const head = [
      `GET /${encodeURI(text)} HTTP/1.1`,
      'Host: x',
      `User-Agent: ${text}`,
      `X-Request-Id: ${text.slice(0, 200)}`,
      'Connection: close',
    ];
    expect((await rawRequest(port, `${head.join('\r\n')}\r\n\r\n`)).status).toBe(404);
    await shop.api
      .post('/api/auth/login')
      .send({ username: `a\n${text}\u001b[0m`, password: text })
      .expect(422);
  }
  await shop.api
    .post('/api/auth/login')
    .send({ username: 'x'.repeat(100_000), password: 'x' })
    .expect(422);
  const lines = shop.log.slice(before);
  expect(lines.length).toBeGreaterThanOrEqual(2 * nasty.length + 1);
  for (const line of lines) {
    expect([...line.trim()].filter((character) => character < ' ' || character === '\u2028' || character === '\u001b')).toEqual(
      [],
    );
    expect(line.length).toBeLessThan(5000);
    expect(['info', 'warn']).toContain(JSON.parse(line).level);
  }
});

attack('S-02', async (shop) => {
  const secrets = { username: `Canary.${Math.random().toString(36).slice(2)}`, password: 'canary pass phrase 4711' };
  const tokens = [];
  const { id: productId } = await shop.makeProduct();
  const { body } = await shop.api.post('/api/auth/register').set('User-Agent', 'Canary-Agent').send(secrets).expect(201);
  tokens.push(body.accessToken, body.refreshToken);
  const mine = shop.withToken(body.accessToken);
  await mine
    .post('/api/orders')
    .set('Idempotency-Key', 'Canary-Key')
    .send({ items: [{ productId, quantity: 1 }] })
    .expect(201);
  // 400, 401, 403, 404, 413, 422 and 500
  const card = { number: 'canary 4111 1111 1111 1111' };
  await mine
    .post('/api/orders')
    .set('Content-Type', 'application/json')
    .serialize(String)
    .send(`{"canary": ${JSON.stringify(secrets)}`)
    .expect(400);
  await mine.get('/api/orders?canary=canary-query').expect(400);
  await shop.api
    .post('/api/auth/login')
    .send({ ...secrets, password: 'canary wrong' })
    .expect(401);
  await shop.api
    .get('/api/auth/me')
    .set('Authorization', 'Bearer canary-token')
    .set('Cookie', 'session=canary-cookie')
    .expect(401);
  await mine.get('/api/auth/users?cursor=canary').expect(403);
  await mine.post('/api/orders').send({ items: [], card }).expect(422);
  await shop.api.get('/canary-path-is-told?token=canary-in-query').expect(404);
  jest
    .spyOn(bcrypt, 'compare')
    .mockRejectedValueOnce(Object.assign(new Error('down'), { sql: 'canary-sql', parameters: ['canary'] }) as never);
  await shop.api.post('/api/auth/login').send(secrets).expect(500);
  jest.restoreAllMocks();
  const { body: renewed } = await shop.api.post('/api/auth/refresh').send({ refreshToken: body.refreshToken }).expect(200);
  tokens.push(renewed.accessToken, renewed.refreshToken);
  await mine
    .put('/api/auth/password')
    .send({ currentPassword: secrets.password, newPassword: 'canary of another colour' })
    .expect(204);
  await mine.post('/api/auth/delete').send({ password: 'canary of another colour' }).expect(204);

  const log = deployment.processes
    .flatMap((process) => process.log)
    .join('')
    .replaceAll('/canary-path-is-told', '');
  const found = { log, rows: await everyRow(deployment.variables), copies: await everyCopy(deployment) };
  for (const [where, text] of Object.entries(found)) {
    expect({ where, canary: /.{0,60}canary.{0,60}/i.exec(text)?.[0] }).toEqual({ where, canary: undefined });
    for (const token of tokens) expect(text.includes(token) || text.includes(token.split('.').at(-1))).toBe(false);
  }
});

attack('S-04', async (shop) => {
  const { username, password } = await shop.signUp();
  const error = Object.assign(new Error('canary: Unknown column in field list'), { sql: 'SELECT canary' });
  jest.spyOn(bcrypt, 'compare').mockRejectedValueOnce(error as never);
  const answer = await shop.api
    .post('/api/auth/login')
    .set('X-Request-Id', 'unexpected-0815')
    .send({ username, password })
    .expect(500);
  jest.restoreAllMocks();
  expect(answer.body).toEqual({
    type: '/problems/internal',
    title: 'A fault of ours',
    status: 500,
    detail: 'The fault was logged under the request id.',
    instance: 'unexpected-0815',
  });
  const told = shop.log
    .map((line) => JSON.parse(line))
    .find((line) => line.requestId === 'unexpected-0815' && line.level === 'error');
  expect(Object.keys(told.error).toSorted()).toEqual(['message', 'name', 'stack']);
  await shop.signIn(username, password);
});
