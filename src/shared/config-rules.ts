import { splitList } from './config-fields.ts';

/** What has to hold between the variables of the environment, in words that name them. */

export type Environment = Readonly<Record<string, string | undefined>>;

/** Rules that look at more than one variable. */
export function crossProblems(given: Environment, production: boolean): string[] {
  const problems: string[] = [];
  if ((given.ADMIN_USERNAME === undefined) !== (given.ADMIN_PASSWORD === undefined))
    problems.push('ADMIN_USERNAME and ADMIN_PASSWORD have to be set together');
  if (given.SQS_QUEUE_URL === undefined) {
    for (const name of ['SQS_ENDPOINT', 'SQS_DEAD_LETTER_QUEUE_URL'])
      if (given[name] !== undefined) problems.push(`${name} needs SQS_QUEUE_URL`);
  } else if (given.SQS_ENDPOINT === undefined && given.AWS_REGION === undefined && URL.canParse(given.SQS_QUEUE_URL)) {
    problems.push('SQS_QUEUE_URL needs AWS_REGION, or SQS_ENDPOINT for a stand-in');
  }
  problems.push(...splitProblems(given));
  const embedded = given.MYSQL_URL === undefined && runsOnSql(given);
  const roles = new Set(splitList(given.ROLES ?? 'web,worker'));
  if (embedded && roles.size === 1 && (roles.has('web') || roles.has('worker'))) {
    problems.push('ROLES has to be web,worker on embedded storage: one process does all the work there');
  }
  if (drainMs(given, production) > longestDrainMs)
    problems.push(
      `DRAIN_DELAY_MS and DRAIN_TIMEOUT_MS may be ${longestDrainMs} together: pm2 ends a process that takes longer (kill_timeout)`,
    );
  return production ? [...problems, ...productionProblems(given)] : problems;
}

export const defaultDrain = { delayMs: (production: boolean) => (production ? 5000 : 0), timeoutMs: 15_000 };
/** What pm2 waits for (kill_timeout in ecosystem.config.js) without the 3 s in which src/server.ts closes the stores. */
const longestDrainMs = 22_000;

function drainMs({ DRAIN_DELAY_MS, DRAIN_TIMEOUT_MS }: Environment, production: boolean): number {
  return Number(DRAIN_DELAY_MS ?? defaultDrain.delayMs(production)) + Number(DRAIN_TIMEOUT_MS ?? defaultDrain.timeoutMs);
}

/** A module that runs elsewhere has to be reached, and nobody else may reach it. */
function splitProblems(given: Environment): string[] {
  const problems: string[] = [];
  const needs = (name: string, why: string) => void (given[name] === undefined && problems.push(`${name} is missing: ${why}`));
  if (!runs(given, 'auth')) {
    needs('AUTH_URL', 'auth is not one of the MODULES of this process');
    needs('JWKS_URL', 'auth is not one of the MODULES of this process');
  }
  if (runs(given, 'orders') && !runs(given, 'catalog')) needs('CATALOG_URL', 'orders need the catalog');
  if ([given.AUTH_URL, given.CATALOG_URL, given.INTERNAL_PORT].some((value) => value !== undefined))
    needs('SERVICE_TOKENS', 'services call each other with a token');
  return problems;
}

function runs({ MODULES }: Environment, module: string): boolean {
  return MODULES === undefined || splitList(MODULES).includes(module);
}

function runsOnSql(given: Environment): boolean {
  return runs(given, 'catalog') || runs(given, 'orders');
}

const secrets = ['JWT_PRIVATE_KEYS', 'REFRESH_KEYS', 'PASSWORD_PEPPER'] as const;
const minimumSecretLength = 32;

function productionProblems(given: Environment): string[] {
  const problems: string[] = [];
  if (given.ALLOW_EMBEDDED !== 'true') {
    if (given.MYSQL_URL === undefined && runsOnSql(given))
      problems.push('MYSQL_URL is missing: production does not run on embedded storage unless ALLOW_EMBEDDED=true');
    if (given.AWS_REGION === undefined && runs(given, 'auth'))
      problems.push('AWS_REGION is missing: production does not run on embedded storage unless ALLOW_EMBEDDED=true');
    if (given.SQS_QUEUE_URL === undefined && runs(given, 'orders'))
      problems.push('SQS_QUEUE_URL is missing: production does not deliver events in the process unless ALLOW_EMBEDDED=true');
    if (given.REDIS_URL === undefined)
      problems.push('REDIS_URL is missing: production shares its limits unless ALLOW_EMBEDDED=true');
  }
  for (const name of runs(given, 'auth') ? secrets : [])
    if (given[name] === undefined) problems.push(`${name} is missing: production does not make up secrets`);
  if (Number(given.BCRYPT_COST ?? 12) < 12) problems.push('BCRYPT_COST has to be 12 or more in production');
  if (given.CRASH_AT !== undefined) problems.push('CRASH_AT is for the tests of recovery: production does not end on purpose');
  return problems;
}

/** What production refuses of the secrets that are given. */
export function weakSecrets({
  REFRESH_KEYS,
  PASSWORD_PEPPER,
  SERVICE_TOKENS,
  ADMIN_PASSWORD,
  PASSWORD_MIN_LENGTH,
}: {
  readonly REFRESH_KEYS?: readonly string[] | undefined;
  readonly PASSWORD_PEPPER?: string | undefined;
  readonly SERVICE_TOKENS?: readonly string[] | undefined;
  readonly ADMIN_PASSWORD?: string | undefined;
  readonly PASSWORD_MIN_LENGTH?: number | undefined;
}): string[] {
  const advice = `is weak or a sample: use ${minimumSecretLength} random characters or more`;
  const problems = (REFRESH_KEYS ?? []).filter(isWeakSecret).map(() => `REFRESH_KEYS holds a key that ${advice}`);
  problems.push(...(SERVICE_TOKENS ?? []).filter(isWeakSecret).map(() => `SERVICE_TOKENS holds a token that ${advice}`));
  if (PASSWORD_PEPPER !== undefined && isWeakSecret(PASSWORD_PEPPER.trim())) problems.push(`PASSWORD_PEPPER ${advice}`);
  if (ADMIN_PASSWORD !== undefined) problems.push(...adminPasswordProblems(ADMIN_PASSWORD, PASSWORD_MIN_LENGTH ?? 0));
  return problems;
}

/** Too short, too few different characters, or a word that only samples hold. */
function isWeakSecret(secret: string): boolean {
  return secret.length < minimumSecretLength || new Set(secret).size < 10 || isSample(secret);
}

function isSample(secret: string): boolean {
  return /change|sample|example|secret|password|default/i.test(secret);
}

/** The passwords that the shop's own docs and tests show. */
const publishedPasswords = [
  'the first admin of all',
  'the first of all on this shelf',
  'the admin of this shop',
  'shop-on-this-machine',
];

/** People choose it, so it may be shorter than the other secrets; what is too common is refused when the admin is made. */
function adminPasswordProblems(password: string, minLength: number): string[] {
  if (Array.from(password.normalize('NFC')).length < minLength)
    return [`ADMIN_PASSWORD has to be at least ${minLength} characters long (PASSWORD_MIN_LENGTH)`];
  if (isSample(password) || publishedPasswords.includes(password.trim().toLowerCase()))
    return ['ADMIN_PASSWORD is a sample that anybody may know: choose another one'];
  return [];
}
