import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { ClusterShop } from './cluster-shops.ts';
import type { Inject, Scene } from './fault-run.ts';
import type { ProxyMode, StoreProxy, Verdict } from './store-proxy.ts';

/** What goes wrong between the service that takes orders and the one that has the stock, and with these services. */

/** All calls meet this for a while. */
export function throughLink(mode: ProxyMode, fullMs: number): Inject {
  return async (scene) => {
    await linkOf(scene).setMode(mode);
    await pause(scene.ms(fullMs));
    await linkOf(scene).setMode('pass');
  };
}

/** Connections break wherever they are, again and again. */
export const resetLink: Inject = async (scene) => {
  for (let round = 0; round < 12; round++) {
    linkOf(scene).cut();
    await pause(scene.ms(400));
  }
};

const changing = ['reserve', 'commit', 'release'];

/**
 * Calls that change something are cut off, before they arrive or before their answer does: half of them at first, so that a retry
 * decides, then all, so that nobody ever hears of them in time.
 */
export function cutCalls(verdict: Verdict & string): Inject {
  return async (scene) => {
    const link = linkOf(scene);
    const met = new Map(changing.map((method) => [method, 0]));
    const judge =
      (hits: () => boolean) =>
      (frame: Buffer): Verdict => {
        const method = methodOf(frame) ?? '';
        const count = met.get(method);
        if (count === undefined || !hits()) return 'pass';
        met.set(method, count + 1);
        return verdict;
      };
    link.judge = judge(() => scene.random.below(2) === 0);
    await pause(scene.ms(5000));
    link.judge = judge(() => true);
    await pause(scene.ms(4000));
    link.judge = undefined;
    for (const method of ['reserve', 'commit']) if (met.get(method) === 0) scene.complain(`no call of ${method} was cut off`);
  };
}

const mostLate = 50;

/** The network keeps calls back until their callers have given them up, and delivers them then; and others it delivers twice. */
export const lateCalls: Inject = async (scene) => {
  const link = linkOf(scene);
  const kept: Buffer[] = [];
  link.judge = (frame) => {
    if (!changing.includes(methodOf(frame) ?? '')) return 'pass';
    if (kept.length < mostLate) kept.push(Buffer.from(frame));
    return scene.random.below(4) === 0 ? 'pass' : 'cut before';
  };
  await pause(scene.ms(5000));
  link.judge = undefined;
  // by then their callers have answered
  await pause(scene.ms(2000));
  await Promise.all(kept.map((frame) => deliver(link, frame)));
  if (kept.length === 0) scene.complain('no call was kept back');
};

function deliver({ port }: StoreProxy, frame: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => void socket.write(frame));
    const over = () => {
      socket.destroy();
      resolve();
    };
    socket.once('data', over).once('error', over).setTimeout(answerMs, over);
  });
}

const answerMs = 5000;

export function killService(name: string): Inject {
  return async (scene) => {
    for (let round = 0; round < 3; round++) {
      await serviceOf(scene, name).kill('SIGKILL');
      await pause(scene.ms(500));
      await serviceOf(scene, name).start();
      await pause(scene.ms(2000));
    }
  };
}

/** It wakes in the middle of what others have finished, or given up, for it. */
export function freezeService(name: string): Inject {
  return async (scene) => {
    serviceOf(scene, name).freeze();
    await pause(scene.ms(15_000));
    serviceOf(scene, name).thaw();
    await pause(scene.ms(2000));
  };
}

function linkOf(scene: Scene): StoreProxy {
  const { catalog } = serviceOf(scene, 'orders');
  if (catalog === undefined) throw new Error('Here the catalog is no service of its own.');
  return catalog;
}

function serviceOf({ cluster }: Scene, wanted: string): ClusterShop {
  const service = cluster.shops.find(({ name }) => name === wanted);
  if (service === undefined) throw new Error(`There is no service ${wanted}.`);
  return service;
}

/** The method of the catalog's contract that a request calls. */
function methodOf(request: Buffer): string | undefined {
  return /^POST \/catalog\/(\w+) /.exec(request.toString('latin1', 0, 60))?.[1];
}
