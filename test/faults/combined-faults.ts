import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { overload, sameKeyAtOnce } from './client-faults.ts';
import type { Inject } from './fault-run.ts';
import { cutCommits, through } from './mysql-faults.ts';

/** Two things that go wrong at once. */

/** Copies of one order race, and the transaction of the first is lost before it commits. */
export const lostFirstOfTwenty: Inject = async (scene) => {
  await Promise.all([cutCommits('cut before')(scene), sameKeyAtOnce(scene)]);
};

/** Each statement keeps its connection for long, and many want one. */
export const poolInUse: Inject = async (scene) => {
  await Promise.all([through('mysql', { delayMs: 400 }, 6000)(scene), overload(scene)]);
};

/** Fills the small file system that the database lies on, and makes room again. */
export const fullDisk: Inject = async (scene) => {
  const filler = join(scene.cluster.folder, 'mariadb', 'filler');
  const chunk = Buffer.alloc(1024 * 1024);
  try {
    for (;;) writeFileSync(filler, chunk, { flag: 'a' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
  }
  await pause(scene.ms(8000));
  if (existsSync(filler)) rmSync(filler);
  // a server that had to give up is started again by who looks after it
  if (!scene.cluster.stores.mysql.isRunning()) await scene.cluster.stores.mysql.start();
};
