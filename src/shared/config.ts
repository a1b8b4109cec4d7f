import { z } from 'zod';
import { flag, isOrigin, list, privateKeys, quota, textOrFile, url, wholeNumber } from './config-fields.ts';
import { crossProblems, defaultDrain, type Environment, weakSecrets } from './config-rules.ts';
import { type CrashSetting, crashSetting } from './crash-setting.ts';

/** One quota: at most `limit` requests in `windowSeconds`. */
export interface Quota {
  readonly limit: number;
  readonly windowSeconds: number;
}

const moduleNames = ['auth', 'catalog', 'orders'] as const;
export type ModuleName = (typeof moduleNames)[number];

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
  /** which modules run in this process */
  readonly modules: Readonly<Record<ModuleName, boolean>>;
  /** how modules that run as services of their own reach each other */
  readonly services: {
    readonly authUrl?: string;
    readonly jwksUrl?: string;
    readonly catalogUrl?: string;
    /** absent: nobody may call the modules of this process */
    readonly internalPort?: number;
    /** newest first: it is the one that is sent, all are taken */
    readonly tokens: readonly string[];
  };
  readonly roles: { readonly web: boolean; readonly worker: boolean };
  readonly audit: {
    /** how often all processes together audit the data; 0: never by themselves */
    readonly intervalMs: number;
  };
  readonly logLevel: string;
  /** for the tests of recovery: where the process ends; production refuses it */
  readonly crashAt?: CrashSetting;
}

/** What embedded storage keeps in the data folder, for the programs that look into it beside the server. */
export const sqliteFileName = 'shop.sqlite';
export const keptKeyFiles = { access: 'jwt-private-key.pem', refresh: 'refresh-key' } as const;
export const adminPasswordFileName = 'admin-password';
export const adminUsername = 'admin';

/** The text of settings as they are in the environment, for the program that rotates keys. */
export function keySettings({ JWT_PRIVATE_KEYS, REFRESH_KEYS, DATA_DIR }: Environment = process.env) {
  return { access: JWT_PRIVATE_KEYS || undefined, refresh: REFRESH_KEYS || undefined, dataDir: DATA_DIR || './data' };
}

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
  DRAIN_TIMEOUT_MS: wholeNumber(0, 60_000).default(defaultDrain.timeoutMs),
  ROLES: list
    .refine(
      (names) => names.length > 0 && names.every((name) => name === 'web' || name === 'worker'),
      'has to be web, worker or web,worker',
    )
    .default(['web', 'worker']),
  MODULES: list
    .refine(
      (names) => names.length > 0 && names.every((name) => moduleNames.some((known) => known === name)),
      'has to be a list of auth, catalog and orders',
    )
    .default([...moduleNames]),
  AUTH_URL: url('http:').optional(),
  JWKS_URL: url('http:', 'https:').optional(),
  CATALOG_URL: url('http:').optional(),
  INTERNAL_PORT: wholeNumber(0, 65_535).optional(),
  SERVICE_TOKENS: textOrFile.pipe(list).default([]),
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
  CRASH_AT: crashSetting.optional(),
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
  if (production) problems.push(...weakSecrets(parsed.success ? parsed.data : readableOf(given)));
  if (!parsed.success || problems.length > 0) throw new ConfigError([...new Set(problems)]);
  return deepFreeze(toConfig(parsed.data, production));
}

/** What can be read of an environment that has problems, so that one message names those of the rest too. */
function readableOf(given: Environment): Partial<z.output<typeof environment>> {
  const readable = Object.entries(environment.shape).flatMap(([name, field]) => {
    const { success, data } = field.safeParse(given[name]);
    return success ? [[name, data]] : [];
  });
  return Object.fromEntries(readable) as Partial<z.output<typeof environment>>; // each read as its own schema says
}

function toConfig(env: z.output<typeof environment>, production: boolean): Config {
  return {
    production,
    http: {
      port: env.PORT,
      host: env.HOST ?? (production ? '0.0.0.0' : '127.0.0.1'),
      trustProxyHops: env.TRUST_PROXY_HOPS,
      corsOrigins: env.CORS_ORIGINS,
      drainDelayMs: env.DRAIN_DELAY_MS ?? defaultDrain.delayMs(production),
      drainTimeoutMs: env.DRAIN_TIMEOUT_MS,
    },
    stores: storesIn(env),
    auth: defined({
      jwtPrivateKeys: env.JWT_PRIVATE_KEYS,
      refreshKeys: env.REFRESH_KEYS,
      passwordPepper: env.PASSWORD_PEPPER?.trim(),
      passwordMinLength: env.PASSWORD_MIN_LENGTH,
      bcryptCost: env.BCRYPT_COST,
      admin:
        env.ADMIN_USERNAME !== undefined && env.ADMIN_PASSWORD !== undefined
          ? { username: env.ADMIN_USERNAME, password: env.ADMIN_PASSWORD }
          : undefined,
    }),
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
    modules: {
      auth: env.MODULES.includes('auth'),
      catalog: env.MODULES.includes('catalog'),
      orders: env.MODULES.includes('orders'),
    },
    services: defined({
      authUrl: env.AUTH_URL,
      jwksUrl: env.JWKS_URL,
      catalogUrl: env.CATALOG_URL,
      internalPort: env.INTERNAL_PORT,
      tokens: env.SERVICE_TOKENS,
    }),
    roles: { web: env.ROLES.includes('web'), worker: env.ROLES.includes('worker') },
    audit: { intervalMs: env.AUDIT_INTERVAL_SECONDS * 1000 },
    logLevel: env.LOG_LEVEL,
    ...(env.CRASH_AT !== undefined && { crashAt: env.CRASH_AT }),
  };
}

function storesIn(env: z.output<typeof environment>): Config['stores'] {
  const region = env.AWS_REGION ?? 'local';
  const dynamo = env.DYNAMODB_ENDPOINT !== undefined || env.AWS_REGION !== undefined;
  return defined({
    dataDir: env.DATA_DIR,
    mysqlUrl: env.MYSQL_URL,
    redisUrl: env.REDIS_URL,
    dynamo: dynamo
      ? defined({ endpoint: env.DYNAMODB_ENDPOINT, region, tablePrefix: env.DYNAMODB_TABLE_PREFIX ?? '' })
      : undefined,
    sqs:
      env.SQS_QUEUE_URL === undefined
        ? undefined
        : defined({
            queueUrl: env.SQS_QUEUE_URL,
            endpoint: env.SQS_ENDPOINT,
            region,
            deadLetterQueueUrl: env.SQS_DEAD_LETTER_QUEUE_URL,
          }),
  });
}

type Optional<T> = { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> };
type Required<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] };

/** Without the members that are undefined: what was not set is absent. */
function defined<T extends object>(members: T): Optional<T> & Required<T> {
  const given = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Optional<T> & Required<T>; // as the types say
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}
