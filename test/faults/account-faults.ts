import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Inject, Scene } from './fault-run.ts';
import { actionOf, jsonAnswer } from './frames.ts';
import { openShopClient } from './shop-client.ts';

/** What goes wrong with DynamoDB: valid tokens go on browsing and ordering, signing in is answered 503. */

export const killDynamo: Inject = async (scene) => {
  await scene.cluster.stores.dynamo.kill('SIGKILL');
  await withoutAccounts(scene);
  await scene.cluster.stores.dynamo.start();
};

export const holdDynamo: Inject = async (scene) => {
  const { shops } = scene.cluster;
  await Promise.all(shops.map(({ proxies }) => proxies.dynamo.setMode('hold')));
  await withoutAccounts(scene);
};

/** A token from before still orders; who signs in is told to come again. */
async function withoutAccounts(scene: Scene): Promise<void> {
  const { cluster, load, ms } = scene;
  const [buyer] = load.buyers;
  const until = Date.now() + ms(8000);
  while (Date.now() < until) {
    for (const { name, url } of cluster.shops) {
      const client = openShopClient(url);
      const body = { items: [{ productId: load.products[0]?.id, quantity: 1 }] };
      const token = buyer?.token();
      const login = { username: buyer?.username, password: load.passwords[0] };
      const [order, product, signIn] = await Promise.all([
        client.ask({ method: 'GET', path: '/api/orders?limit=1', token }),
        client.ask({ method: 'GET', path: `/api/products/${body.items[0]?.productId}` }),
        client.ask({ method: 'POST', path: '/api/auth/login', body: login }),
      ]);
      client.close();
      if (order.status !== 200) scene.complain(`${name} answers ${order.status} to a valid token while DynamoDB is away`);
      if (product.status !== 200) scene.complain(`${name} answers ${product.status} to a reader while DynamoDB is away`);
      if (signIn.status !== 503) scene.complain(`${name} answers ${signIn.status} to a sign-in while DynamoDB is away`);
    }
    await pause(200);
  }
}

const throttling = jsonAnswer(400, {
  __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
  message: 'The level of configured provisioned throughput for the table was exceeded.',
});

export const throttleDynamo: Inject = async ({ cluster, random, ms }) => {
  for (const { proxies } of cluster.shops) proxies.dynamo.judge = () => (random.below(3) === 0 ? 'pass' : { answer: throttling });
  await pause(ms(8000));
};

/** Conditional writes happen and nobody hears of it; every registration still has one definite outcome that is true. */
export const lostWriteAnswers: Inject = async (scene) => {
  const { cluster, ms } = scene;
  let writes = 0;
  for (const { proxies } of cluster.shops)
    proxies.dynamo.judge = (frame) => {
      if (!['PutItem', 'UpdateItem'].includes(actionOf(frame))) return 'pass';
      writes += 1;
      return writes % 2 === 0 ? 'cut after' : 'pass';
    };
  const client = openShopClient(cluster.url);
  const until = Date.now() + ms(6000);
  while (Date.now() < until) {
    const body = { username: `lost-${randomUUID()}`, password: 'a name that is new to all' };
    const { status } = await client.ask({ method: 'POST', path: '/api/auth/register', body });
    if (status === 409) scene.complain('a new name was called taken, because the answer to its write was lost');
    await pause(50);
  }
  client.close();
};
