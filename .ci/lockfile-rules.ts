/** What package-lock.json and package.json may hold (docs/security.md, "Supply chain"). */

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}

export interface Lockfile {
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

export interface Manifest {
  readonly [section: string]: unknown;
}

/** The lowest version of a package that may be locked, and why. */
export type MinimumVersions = Readonly<Record<string, readonly [version: string, reason: string]>>;

const sections = ['dependencies', 'devDependencies', 'optionalDependencies', 'overrides'];
const exactVersion = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/;
/** 512 bits in base64 */
const sha512 = /^sha512-[A-Za-z0-9+/]{86}==$/;

/** Every locked package comes from the registry, under a hash of its content; `resolved` is left out, so that any mirror serves. */
export function lockfileFaults({ lockfileVersion, packages }: Lockfile): readonly string[] {
  const locked = Object.entries(packages).filter(([path]) => path !== '');
  const faults = lockfileVersion === 3 ? [] : [`lockfileVersion is ${lockfileVersion}, which may leave hashes out`];
  if (locked.length === 0) faults.push('nothing is locked');
  for (const [path, { version = '', resolved, integrity = '', link }] of locked) {
    if (!path.includes('node_modules/') || link === true) faults.push(`${path}: is a link or a folder, not a package`);
    if (!exactVersion.test(version)) faults.push(`${path}: has the version ${version}, which no registry has`);
    if (!sha512.test(integrity)) faults.push(`${path}: has no sha512 of its content`);
    if (resolved !== undefined && !isOfRegistry(resolved)) faults.push(`${path}: comes from ${resolved}`);
  }
  return faults;
}

/** What is asked for is one version each, of the registry: no range, no address, no folder. */
export function manifestFaults(manifest: Manifest): readonly string[] {
  return sections.flatMap((section) =>
    Object.entries((manifest[section] ?? {}) as Record<string, unknown>)
      .filter(([, version]) => !exactVersion.test(String(version)))
      .map(([name, version]) => `${section}: ${name} is ${version}, which is no exact version`),
  );
}

/** No version is below that in which a known hole was closed. */
export function versionFaults({ packages }: Lockfile, minimum: MinimumVersions): readonly string[] {
  return Object.entries(packages).flatMap(([path, { version = '' }]) => {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const [lowest, reason] = minimum[name] ?? [];
    if (lowest === undefined || !isBelow(version, lowest)) return [];
    return [`${path}: ${version} is below ${lowest} (${reason})`];
  });
}

function isOfRegistry(address: string): boolean {
  return address.startsWith('https://registry.npmjs.org/');
}

function isBelow(version: string, lowest: string): boolean {
  const [ours, theirs] = [version, lowest].map((text) => text.split('-', 1).join().split('.').map(Number));
  for (const index of [0, 1, 2]) {
    const difference = (ours?.[index] ?? 0) - (theirs?.[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return version.includes('-');
}
