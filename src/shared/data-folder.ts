import {
  chmodSync,
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isNativeError } from 'node:util/types';

export interface DataFolder {
  /** absolute, without symbolic links */
  readonly path: string;
  /**
   * The text of a file that is made once, by `make`, and kept with mode 0600. A crash on the way leaves no half of it.
   *
   * @param name a file name without a path
   */
  keep(name: string, make: () => string): string;
  /** Lets another server use the folder. */
  close(): void;
}

/** Thrown by `openDataFolder` beside a server that runs. */
export class FolderInUseError extends Error {}

/** Held here, as a lock that is garbage-collected is given up. */
const locks = new Set<DatabaseSync>();

/**
 * Opens the folder for one server, makes it if it isn't there, and shuts out the other users of the machine. Throws when
 * another server has it: the lock is the kernel's and goes with the process, however that ends.
 */
export function openDataFolder(path: string): DataFolder {
  const folder = privateFolder(path);
  const lock = lockServer(folder);
  locks.add(lock);
  return {
    path: folder,
    keep: (name, make) => keepFile(folder, name, make),
    close: () => {
      if (locks.delete(lock)) lock.close();
    },
  };
}

function privateFolder(path: string): string {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const folder = realpathSync(path);
    chmodSync(folder, 0o700);
    return folder;
  } catch (cause) {
    throw new Error(`the data folder ${path} can not be made or is not ours: ${reason(cause)}`, { cause });
  }
}

/** An open exclusive transaction on an empty SQLite file is a file lock that the kernel frees when the process dies. */
function lockServer(folder: string): DatabaseSync {
  const file = join(folder, 'server.lock');
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(file, { timeout: 0 });
    chmodSync(file, 0o600);
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (cause) {
    lock?.close();
    if (isLocked(cause)) throw new FolderInUseError(`another server is using the data folder ${folder}`, { cause });
    throw new Error(`the data folder ${folder} can not be locked: ${reason(cause)}`, { cause });
  }
}

function keepFile(folder: string, name: string, make: () => string): string {
  if (name !== basename(name) || name.startsWith('.')) throw new TypeError(`not a file name: ${name}`);
  const file = join(folder, name);
  const kept = readKept(file);
  if (kept !== undefined) return kept;
  const text = make();
  replaceFile(file, text);
  return text;
}

function readKept(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    chmodSync(file, 0o600);
    if (text.trim() === '') throw new Error(`${file} is empty: put back what it held, or remove it to have a new one made`);
    return text;
  } catch (error) {
    if (isNativeError(error) && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Under its name there is never anything but the whole file, also after a power cut. A new one has mode 0600; one that was there
 * keeps its place behind a symbolic link, its owner, group and mode, or who reads it could not any more.
 */
export function replaceFile(path: string, text: string): void {
  const old = statSync(path, { throwIfNoEntry: false });
  const file = old === undefined ? path : realpathSync(path);
  const unfinished = `${file}.new`;
  rmSync(unfinished, { force: true }); // of a crash, and perhaps open to others
  const handle = openSync(unfinished, 'wx', 0o600);
  try {
    writeFileSync(handle, text);
    if (old !== undefined) giveAs(old, handle, file);
    fsyncSync(handle);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  } finally {
    closeSync(handle);
  }
  renameSync(unfinished, file);
  const folder = openSync(dirname(file), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** The owner before the mode: at no time may others read more than they could. */
function giveAs({ uid, gid, mode }: Stats, handle: number, file: string): void {
  const made = fstatSync(handle);
  try {
    if (made.uid !== uid || made.gid !== gid) fchownSync(handle, uid, gid);
    fchmodSync(handle, mode & 0o777);
  } catch (cause) {
    throw new Error(`${file} can not be left to its owner and group (${uid}:${gid}): ${reason(cause)}`, { cause });
  }
}

function isLocked(error: unknown): boolean {
  const sqliteBusy = 5;
  return isNativeError(error) && 'errcode' in error && error.errcode === sqliteBusy;
}

function reason(error: unknown): string {
  return isNativeError(error) ? error.message : String(error);
}
