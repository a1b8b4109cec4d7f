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

/**
 * Kills one program every `everyMs`, whichever is up, with SIGKILL, and starts it again a moment later. One that is back is spared for
 * as long: on a slow machine a start takes its time, and who never gets to work has nothing to lose.
 */
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
  const spared = new Map<ManagedProgram, Promise<void>>();

  const killOne = () => {
    const choice = programs.filter((program) => !spared.has(program));
    if (choice.length === 0) return;
    const victim = random.pick(choice);
    const downMs = random.below(longestDownMs);
    kills[victim.name] = (kills[victim.name] ?? 0) + 1;
    onKill(victim.name);
    spared.set(
      victim,
      revive(victim, downMs).finally(() => spared.delete(victim)),
    );
  };
  const revive = async (victim: ManagedProgram, downMs: number) => {
    await victim.kill('SIGKILL');
    await pause(downMs);
    await victim.start();
    await pause(everyMs, undefined, { signal: ending.signal }).catch(() => undefined);
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
      await Promise.all(spared.values());
    },
  };
}
