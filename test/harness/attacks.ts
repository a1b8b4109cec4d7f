import { appendFileSync } from 'node:fs';
import type { AttackId } from './attack-list.ts';
import { attackList } from './attack-list.ts';
import { type Deployment, processNames } from './deployment.ts';
import { eventually } from './eventually.ts';
import type { Shop } from './shop.ts';
import { onServices } from './stores.ts';

/** What `npm run test:security` adds up. */
export type Counted = 'rows' | 'matrix cells' | 'generated requests';

/** Notes what was checked on a process; without the variable of `npm run test:security` nobody wants to know. */
export function countChecked(what: Counted, process: string, times = 1): void {
  const file = globalThis.process.env.SECURITY_COUNTS;
  const where = `${onServices ? 'services' : 'embedded'} ${process}`;
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ what, where, times })}\n`);
}

/** One attack of the list as a test on every process of a deployment, with whatever the test expects of it. */
export function attacksOn(deployment: () => Deployment) {
  return (id: AttackId, check: (shop: Shop) => Promise<void>): void => {
    for (const [index, name] of processNames.entries()) {
      it(`${id} ${attackList[id]}, on process ${name}`, async () => {
        const shop = deployment().processes[index];
        if (shop === undefined) throw new Error(`There is no process ${name}.`);
        await check(shop);
        countChecked('rows', name);
      });
    }
  };
}

/** `unchanged` fails when the work has changed what can be read of the shop by its staff. */
export async function unchanged(shop: Shop, work: () => Promise<void>): Promise<void> {
  await settled(shop);
  const before = await everything(shop);
  await work();
  expect(await everything(shop)).toEqual(before);
}

/** An order that the worker has not confirmed yet would change by itself. */
async function settled(shop: Shop): Promise<void> {
  const admin = await shop.admin();
  await eventually(async () => {
    const { body } = await admin.api.get('/api/orders?status=placed&limit=1').expect(200);
    expect(body.data).toEqual([]);
  });
}

async function everything(shop: Shop): Promise<unknown> {
  const admin = await shop.admin();
  const pages = ['/api/products?limit=100&include=stock', '/api/orders?limit=100', '/api/auth/users?limit=100'];
  const answers = [];
  for (const page of pages) answers.push((await admin.api.get(page).expect(200)).body);
  return answers;
}
