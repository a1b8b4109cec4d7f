import { z } from 'zod';
import { flag, isOrigin, list, privateKeys, quota, textOrFile, url, wholeNumber } from './config-fields.ts';

/** One quota: at most `limit` requests in `windowSeconds`. */
export interface Quota {
  readonly limit: number;
  readonly windowSeconds: number;
}

export type QuotaName = 'browsing' | 'orders' | 'staff' | 'login' | 'register';

/** The whole configuration, read once; times carry their unit in the name. */
export interface Config {
  readonly production: boolean;
  readonly http: {
    readonly port: number;
    readonly host: string;
    readonly trustProxyHops: number;
    readonly corsOrigins: readonly string[];
    /** how long the process goes on serving after it was told to stop, until the balancer has noticed */
    readonly drainDelayMs: number;
    /** how long requests under way may take after that */
    readonly drainTimeoutMs: number;
  };
  readonly stores: {
    readonly dataDir: string;
    /** absent: embedded SQLite in `dataDir` */
    readonly mysqlUrl?: string;
    /** absent: the process keeps copies and counts for itself */
    readonly redisUrl?: string;
    /** absent: embedded DynamoDB-compatible store in `dataDir` */
    readonly dynamo?: { readonly endpoint?: string; readonly region: string; readonly tablePrefix: string };
    /** absent: events are delivered inside the process */
    readonly sqs?: {
      readonly queueUrl: string;
      readonly endpoint?: string;
      readonly region: string;
      /** absent: the one that the queue's redrive policy names */
      readonly deadLetterQueueUrl?: string;
    };
  };
  readonly auth: {
    /** PKCS#8 PEM, the first signs; absent: made once in `dataDir` */
    readonly jwtPrivateKeys?: readonly string[];
    /** newest first; absent: made once in `dataDir` */
    readonly refreshKeys?: readonly string[];
    /** absent: made once in `dataDir` */
    readonly passwordPepper?: string;
    readonly passwordMinLength: number;
    readonly bcryptCost: number;
    readonly admin?: { readonly username: string; readonly password: string };
  };
  readonly rateLimits: { readonly enabled: boolean; readonly loginFailuresPerAccount: Quota } & Readonly<
    Record<QuotaName, Quota>
  >;
  /** absent: nothing is traced */
  readonly tracing?: { readonly endpoint: string; readonly ratio: number };
  readonly roles: { readonly web: boolean; readonly worker: boolean };
  readonly audit: {
    /** how often all processes together audit the data; 0: never by themselves */
    readonly intervalMs: number;
  };
  readonly logLevel: string;
}

/** What embedded storage keeps in the data folder, for the programs that look into it beside the server. */
export const sqliteFileName = 'shop.sqlite';
export const adminPasswordFileName = 'admin-password';
export const adminUsername = 'admin';

/** Every problem of the environment at once, one line each. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
    );
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

const environment = z.object({
  NODE_ENV: z.string().optional(),
  PORT: wholeNumber(0, 65_535).default(3000),
  HOST: z.string().min(1, 'has to be an address').optional(),
  DATA_DIR: z.string().min(1, 'has to be a folder').default('./data'),
  MYSQL_URL: url('mysql:').optional(),
  REDIS_URL: url('redis:', 'rediss:').optional(),
  SQS_QUEUE_URL: url('http:', 'https:').optional(),
  SQS_DEAD_LETTER_QUEUE_URL: url('http:', 'https:').optional(),
  SQS_ENDPOINT: url('http:', 'https:').optional(),
  DYNAMODB_ENDPOINT: url('http:', 'https:').optional(),
  DYNAMODB_TABLE_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{0,100}$/, 'may hold letters, digits and _ . - only')
    .optional(),
  AWS_REGION: z.string().min(1, 'has to be a region').optional(),
  JWT_PRIVATE_KEYS: privateKeys.optional(),
  REFRESH_KEYS: textOrFile
    .pipe(list)
    .refine((keys) => keys.length > 0, 'holds no key')
    .optional(),
  PASSWORD_PEPPER: textOrFile.optional(),
  PASSWORD_MIN_LENGTH: wholeNumber(8, 64).default(12),
  BCRYPT_COST: wholeNumber(4, 16).default(12),
  ADMIN_USERNAME: z.string().optional(),
  ADMIN_PASSWORD: textOrFile.transform((text) => text.replace(/\r?\n$/, '')).optional(),
  TRUST_PROXY_HOPS: wholeNumber(0, 10).default(0),
  CORS_ORIGINS: list
    .refine((origins) => origins.every(isOrigin), 'has to be a comma-separated list of origins, such as https://shop.example')
    .default([]),
  RATE_LIMIT_ENABLED: flag.default(true),
  RATE_LIMIT_BROWSING: quota(6000, 60),
  RATE_LIMIT_ORDERS: quota(6000, 60),
  RATE_LIMIT_STAFF: quota(60_000, 60),
  RATE_LIMIT_LOGIN: quota(60, 600),
  RATE_LIMIT_LOGIN_FAILURES: quota(10, 600),
  RATE_LIMIT_REGISTER: quota(100, 3600),
  DRAIN_DELAY_MS: wholeNumber(0, 60_000).optional(),
  DRAIN_TIMEOUT_MS: wholeNumber(0, 60_000).default(15_000),
  ROLES: list
    .refine(
      (names) => names.length > 0 && names.every((name) => name === 'web' || name === 'worker'),
      'has to be web, worker or web,worker',
    )
    .default(['web', 'worker']),
  MODULES: list
    .refine(
      (names) => [...names].sort().join() === 'auth,catalog,orders',
      'has to be auth,catalog,orders: every process of this version runs all three',
    )
    .default(['auth', 'catalog', 'orders']),
  OTEL_EXPORTER_OTLP_ENDPOINT: url('http:', 'https:').optional(),
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number('has to be a number from 0 to 1').min(0).max(1).default(1),
  AUDIT_INTERVAL_SECONDS: wholeNumber(0, 604_800).default(3600),
  ALLOW_EMBEDDED: flag.default(false),
  LOG_LEVEL: z
    .enum(
      ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
      'has to be fatal, error, warn, info, debug, trace or silent',
    )
    .default('info'),
});

/**
 * Reads and checks the environment (`.env.example` names every variable). Unset and empty are the same.
 * @throws ConfigError that names every missing or bad setting at once
 */
export function readConfig(variables: Environment = process.env): Config {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = environment.safeParse(given);
  const problems = parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
  const production = given.NODE_ENV === 'production';
  problems.push(...crossProblems(given, production));
  if (production && parsed.success) problems.push(...weakSecrets(parsed.data));
  if (!parsed.success || problems.length > 0) throw new ConfigError([...new Set(problems)]);
  return deepFreeze(toConfig(parsed.data, production));
}

function toConfig(env: z.output<typeof environment>, production: boolean): Config {
  const dynamo = env.DYNAMODB_ENDPOINT !== undefined || env.AWS_REGION !== undefined;
  return {
    production,
    http: {
      port: env.PORT,
      host: env.HOST ?? (production ? '0.0.0.0' : '127.0.0.1'),
      trustProxyHops: env.TRUST_PROXY_HOPS,
      corsOrigins: env.CORS_ORIGINS,
      drainDelayMs: env.DRAIN_DELAY_MS ?? (production ? 5000 : 0),
      drainTimeoutMs: env.DRAIN_TIMEOUT_MS,
    },
    stores: {
      dataDir: env.DATA_DIR,
      ...(env.MYSQL_URL !== undefined && { mysqlUrl: env.MYSQL_URL }),
      ...(env.REDIS_URL !== undefined && { redisUrl: env.REDIS_URL }),
      ...(dynamo && {
        dynamo: {
          ...(env.DYNAMODB_ENDPOINT !== undefined && { endpoint: env.DYNAMODB_ENDPOINT }),
          region: env.AWS_REGION ?? 'local',
          tablePrefix: env.DYNAMODB_TABLE_PREFIX ?? '',
        },
      }),
      ...(env.SQS_QUEUE_URL !== undefined && {
        sqs: {
          queueUrl: env.SQS_QUEUE_URL,
          ...(env.SQS_ENDPOINT !== undefined && { endpoint: env.SQS_ENDPOINT }),
          region: env.AWS_REGION ?? 'local',
          ...(env.SQS_DEAD_LETTER_QUEUE_URL !== undefined && { deadLetterQueueUrl: env.SQS_DEAD_LETTER_QUEUE_URL }),
        },
      }),
    },
    auth: {
      ...(env.JWT_PRIVATE_KEYS !== undefined && { jwtPrivateKeys: env.JWT_PRIVATE_KEYS }),
      ...(env.REFRESH_KEYS !== undefined && { refreshKeys: env.REFRESH_KEYS }),
      ...(env.PASSWORD_PEPPER !== undefined && { passwordPepper: env.PASSWORD_PEPPER.trim() }),
      passwordMinLength: env.PASSWORD_MIN_LENGTH,
      bcryptCost: env.BCRYPT_COST,
      ...(env.ADMIN_USERNAME !== undefined &&
        env.ADMIN_PASSWORD !== undefined && { admin: { username: env.ADMIN_USERNAME, password: env.ADMIN_PASSWORD } }),
    },
    rateLimits: {
      enabled: env.RATE_LIMIT_ENABLED,
      browsing: env.RATE_LIMIT_BROWSING,
      orders: env.RATE_LIMIT_ORDERS,
      staff: env.RATE_LIMIT_STAFF,
      login: env.RATE_LIMIT_LOGIN,
      loginFailuresPerAccount: env.RATE_LIMIT_LOGIN_FAILURES,
      register: env.RATE_LIMIT_REGISTER,
    },
    ...(env.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined && {
      tracing: { endpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT, ratio: env.OTEL_TRACES_SAMPLER_ARG },
    }),
    roles: { web: env.ROLES.includes('web'), worker: env.ROLES.includes('worker') },
    audit: { intervalMs: env.AUDIT_INTERVAL_SECONDS * 1000 },
    logLevel: env.LOG_LEVEL,
  };
}

/** Rules that look at more than one variable. */
function crossProblems(given: Environment, production: boolean): string[] {
  const problems: string[] = [];
  if ((given.ADMIN_USERNAME === undefined) !== (given.ADMIN_PASSWORD === undefined))
    problems.push('ADMIN_USERNAME and ADMIN_PASSWORD have to be set together');
  if (given.SQS_QUEUE_URL === undefined) {
    for (const name of ['SQS_ENDPOINT', 'SQS_DEAD_LETTER_QUEUE_URL'])
      if (given[name] !== undefined) problems.push(`${name} needs SQS_QUEUE_URL`);
  } else if (given.SQS_ENDPOINT === undefined && given.AWS_REGION === undefined && URL.canParse(given.SQS_QUEUE_URL)) {
    problems.push('SQS_QUEUE_URL needs AWS_REGION, or SQS_ENDPOINT for a stand-in');
  }
  const embedded = given.MYSQL_URL === undefined;
  if (embedded && (given.ROLES === 'web' || given.ROLES === 'worker')) {
    problems.push('ROLES has to be web,worker on embedded storage: one process does all the work there');
  }
  return production ? [...problems, ...productionProblems(given)] : problems;
}

const secrets = ['JWT_PRIVATE_KEYS', 'REFRESH_KEYS', 'PASSWORD_PEPPER'] as const;
const minimumSecretLength = 32;

function productionProblems(given: Environment): string[] {
  const problems: string[] = [];
  if (given.ALLOW_EMBEDDED !== 'true') {
    if (given.MYSQL_URL === undefined)
      problems.push('MYSQL_URL is missing: production does not run on embedded storage unless ALLOW_EMBEDDED=true');
    if (given.AWS_REGION === undefined)
      problems.push('AWS_REGION is missing: production does not run on embedded storage unless ALLOW_EMBEDDED=true');
    if (given.SQS_QUEUE_URL === undefined)
      problems.push('SQS_QUEUE_URL is missing: production does not deliver events in the process unless ALLOW_EMBEDDED=true');
    if (given.REDIS_URL === undefined)
      problems.push('REDIS_URL is missing: production shares its limits unless ALLOW_EMBEDDED=true');
  }
  for (const name of secrets)
    if (given[name] === undefined) problems.push(`${name} is missing: production does not make up secrets`);
  if (Number(given.BCRYPT_COST ?? 12) < 12) problems.push('BCRYPT_COST has to be 12 or more in production');
  return problems;
}

function weakSecrets({ REFRESH_KEYS, PASSWORD_PEPPER }: z.output<typeof environment>): string[] {
  const advice = `is weak or a sample: use ${minimumSecretLength} random characters or more`;
  const problems = (REFRESH_KEYS ?? []).filter(isWeakSecret).map(() => `REFRESH_KEYS holds a key that ${advice}`);
  if (PASSWORD_PEPPER !== undefined && isWeakSecret(PASSWORD_PEPPER.trim())) problems.push(`PASSWORD_PEPPER ${advice}`);
  return problems;
}

/** Too short, too few different characters, or a word that only samples hold. */
function isWeakSecret(secret: string): boolean {
  return (
    secret.length < minimumSecretLength ||
    new Set(secret).size < 10 ||
    /change|sample|example|secret|password|default/i.test(secret)
  );
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}
