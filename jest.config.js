import { imageUnderTest, missingPrograms, servicesRequired } from './test/harness/services.ts';

/** What runs on MariaDB and DynamoDB Local too, where those are installed. The others are about one store, or about none. */
const onServices = [
  'access-matrix',
  'access-tokens',
  'account-races',
  'account-store-outage',
  'accounts',
  'admin-crashes',
  'attacks-access',
  'attacks-http',
  'attacks-input',
  'attacks-limits',
  'attacks-logs',
  'attacks-orders',
  'attacks-passwords',
  'attacks-sessions',
  'attacks-tokens',
  'audit',
  'audit-schedule',
  'auth-audit',
  'auth-crashes',
  'auth-races',
  'auth-tables',
  'bench',
  'catalog-statements',
  'claim-races',
  'cluster',
  'emitted-metrics',
  'erasure',
  'exact-names',
  'faults',
  'filled-shop',
  'first-admin',
  'frequent-words',
  'generated-requests',
  'growth',
  'hardened-process',
  'key-rotation',
  'login-failures',
  'migrations',
  'mysql-limits',
  'openapi',
  'order-interleavings',
  'order-lifecycle',
  'order-recovery',
  'order-summary',
  'outbox-leases',
  'placing-orders',
  'product-editing',
  'product-csv',
  'product-export',
  'product-fields',
  'product-import',
  'product-list',
  'product-search',
  'products',
  'query-plans',
  'queued-events',
  'replay',
  'request-costs',
  'reservation-races',
  'reservation-sequences',
  'reservation-states',
  'reserving',
  'roles-and-admins',
  'rolling-replacement',
  'row-locks',
  'security-log',
  'separate-services',
  'service-keeper',
  'sessions',
  'settling-orders',
  'shared-products',
  'shared-sign-in',
  'side-by-side-versions',
  'start-during-outage',
  'stock',
  'time-zones',
  'unique-rows',
];

/** What can't be shown without them; the image not without one either, so it is told by `.ci/image` alone. */
const servicesAlone = [
  'claim-races',
  'cluster',
  'container-image',
  'emitted-metrics',
  'faults',
  'growth',
  'mysql-limits',
  'rolling-replacement',
  'row-locks',
  'separate-services',
  'service-keeper',
  'side-by-side-versions',
  'start-during-outage',
];
const splitAlone = ['split-services'];

/** The stories of the whole shop, told once more by a service for each module. */
const onSplit = [
  'access-tokens',
  'accounts',
  'erasure',
  'exact-names',
  'order-lifecycle',
  'placing-orders',
  'replay',
  'roles-and-admins',
  'sessions',
  'split-services',
];

const fileOf = (suite) => `<rootDir>/test/${suite}.test.ts`;

/** @type {import('jest').Config} */
const project = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: { parser: { syntax: 'typescript' }, target: 'es2024' },
        // `node`: a default import of a CommonJS package is what it is without Jest, and what the types say.
        module: { type: 'commonjs', importInterop: 'node' },
      },
    ],
  },
};

const embedded = {
  ...project,
  displayName: 'embedded',
  testPathIgnorePatterns: [...servicesAlone, ...splitAlone].map((suite) => `/test/${suite}\\.test\\.ts$`),
};

const services = {
  ...project,
  displayName: 'services',
  testMatch: onServices.map(fileOf),
  globalSetup: '<rootDir>/test/harness/services-setup.ts',
  globalTeardown: '<rootDir>/test/harness/services-teardown.ts',
  setupFiles: ['<rootDir>/test/harness/use-services.ts'],
};

const image = { ...services, displayName: 'image', testMatch: [fileOf('container-image')] };
const images = imageUnderTest === undefined ? [] : [image];

const split = {
  ...project,
  displayName: 'split',
  testMatch: onSplit.map(fileOf),
  setupFiles: ['<rootDir>/test/harness/use-split.ts'],
};

const missing = missingPrograms();
/** Where they are required they are started anyhow, which fails with the name of the missing program. */
const leavesOut = missing.length > 0 && !servicesRequired;

/** @type {import('jest').Config} */
export default {
  projects: leavesOut ? [embedded, split] : [embedded, split, services, ...images],
  reporters: [
    'default',
    ...(leavesOut ? [['<rootDir>/test/harness/left-out-reporter.ts', { suites: onServices, missing }]] : []),
  ],
  testTimeout: 60_000,
  maxWorkers: 2,
  testSequencer: '<rootDir>/test/harness/suite-order.js',
};
