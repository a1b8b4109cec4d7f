import { setTimeout as pause } from 'node:timers/promises';
import type { ManagedProgram } from './managed-program.ts';
import type { Random } from './random.ts';

export interface KillingSpree {
  /** how often each program was killed so far */
  kills(): Readonly<Record<string, number>>;
  /** Kills nobody any more, and waits until everybody is back. */
  end(): Promise<void>;
}

const longestDownMs = 2000;

/** Kills one program every `everyMs`, whichever is up, with SIGKILL, and starts it again a moment later. */
export function startKillingSpree({
  programs,
  everyMs,
  random,
  onKill,
}: {
  readonly programs: readonly ManagedProgram[];
  readonly everyMs: number;
  readonly random: Random;
  readonly onKill: (name: string) => void;
}): KillingSpree {
  const ending = new AbortController();
  const kills: Record<string, number> = {};
  const down = new Map<ManagedProgram, Promise<void>>();

  const killOne = () => {
    const victim = random.pick(programs);
    const downMs = random.below(longestDownMs);
    if (down.has(victim)) return;
    kills[victim.name] = (kills[victim.name] ?? 0) + 1;
    onKill(victim.name);
    down.set(
      victim,
      revive(victim, downMs).finally(() => down.delete(victim)),
    );
  };
  const revive = async (victim: ManagedProgram, downMs: number) => {
    await victim.kill('SIGKILL');
    await pause(downMs);
    await victim.start();
  };
  const spree = async () => {
    for (;;) {
      await pause(everyMs, undefined, { signal: ending.signal });
      killOne();
    }
  };
  const over = spree().catch((error: unknown) => {
    if (!ending.signal.aborted) throw error;
  });
  return {
    kills: () => kills,
    async end() {
      ending.abort();
      await over;
      await Promise.all(down.values());
    },
  };
}
