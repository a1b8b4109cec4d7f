import type { BackgroundTask } from '../../src/shared/background.ts';
import type { Agent } from './checked-agent.ts';
import { type Notes, takeNotes } from './noted-statements.ts';
import { type Shop, type ShopOptions, startShop } from './shop.ts';

/** Receives what the relay has sent, when it comes. */
const consumer = 'orders-consumer';

/** A shop whose stores are listened to, and whose background tasks, but for that one, run only when the test says so. */
export interface NotedShop {
  readonly shop: Shop;
  readonly notes: Notes;
  readonly tasks: readonly BackgroundTask[];
  /** runs a task until it finds nothing more to do */
  work(name: string): Promise<void>;
}

export async function startNotedShop({
  env = {},
  now = Date.now,
}: Pick<ShopOptions, 'env'> & { now?: () => number } = {}): Promise<NotedShop> {
  const notes = takeNotes();
  let tasks: readonly BackgroundTask[] = [];
  const chooseTasks = (all: readonly BackgroundTask[]) => {
    tasks = all;
    return all.filter(({ name }) => name === consumer);
  };
  const orderIntervals = { heldFor: 0 };
  const shop = await startShop({ env, overrides: { now, wrapStores: notes.wrap, chooseTasks, orderIntervals } });
  return {
    shop,
    notes,
    tasks,
    work: async (name) => {
      const task = tasks.find((each) => each.name === name);
      if (task === undefined) throw new Error(`There is no task ${name}.`);
      while (await task.run(AbortSignal.timeout(60_000)));
    },
  };
}

export type Request = () => ReturnType<Agent['get']>;

/** Makes what the operation needs, and then the one request. `many`: of everything that it may have one or many of, many. */
export type Operation = (noted: NotedShop, many: boolean) => Promise<Request>;

export const manyLines = 60;
const manyRows = 25;
export const count = (many: boolean) => (many ? manyRows : 1);
export const limitOf = (many: boolean) => (many ? 100 : 1);
export const times = async <T>(number: number, work: () => Promise<T>): Promise<readonly T[]> => {
  const done: T[] = [];
  while (done.length < number) done.push(await work());
  return done;
};
