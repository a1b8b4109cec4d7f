import { readdirSync, readFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

const threads = '/proc/self/task';
/** what libuv calls the threads of its pool */
const poolThread = 'libuv-worker';
/** of nice: beside a busy thread of 0 they get a tenth of a core, and all of one that nobody else wants */
const lowPriority = 10;

/**
 * Lets hashes take the processor time that requests leave: where there is not enough for both, a sign-in takes longer and no other
 * answer does. It is the priority of Node's thread pool, so it is for a process that has used the pool once. Linux only: other systems
 * know no priority of a thread.
 */
export function hashBelowRequests(): void {
  try {
    const priority = Math.max(getPriority(), lowPriority);
    for (const thread of readdirSync(threads))
      if (readFileSync(`${threads}/${thread}/comm`, 'utf8').trim() === poolThread) setPriority(Number(thread), priority);
  } catch {
    // no such folder, or no right to it: then hashes compete with requests, at most one less than there are processors
  }
}
