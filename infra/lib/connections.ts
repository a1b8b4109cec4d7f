import type { Settings } from './settings.ts';

/** Connections of one process to the database at most: the pool, and the one for single use. A test reads them in the shop. */
export const connectionsPerProcess = 10 + 4;
/** One process a task: the balancer shares the load between tasks, and ECS replaces what dies. */
const processesPerTask = 1;
/** A deployment starts the new tasks before it stops the old ones. */
const versionsAtOnce = 2;
/** for migrations, the operator's commands, rotation and whoever looks into the database by hand */
export const spareConnections = 30;

/** How many connections all processes may open while a deployment is under way. They stay below `maxConnections`. */
export function neededConnections({ api, worker }: Pick<Settings, 'api' | 'worker'>): number {
  const tasks = (api.maxTasks + worker.maxTasks) * versionsAtOnce;
  return tasks * processesPerTask * connectionsPerProcess + spareConnections;
}
