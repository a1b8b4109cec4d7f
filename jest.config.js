import { imageUnderTest, missingPrograms, servicesRequired } from './test/harness/services.ts';

/** What runs on MariaDB and DynamoDB Local too, where those are installed. The others are about one store, or about none. */
const onServices = [
  'access-tokens',
  'account-races',
  'accounts',
  'admin-crashes',
  'audit',
  'audit-schedule',
  'auth-audit',
  'auth-crashes',
  'auth-races',
  'catalog-statements',
  'claim-races',
  'cluster',
  'erasure',
  'exact-names',
  'filled-shop',
  'first-admin',
  'login-failures',
  'migrations',
  'mysql-limits',
  'order-interleavings',
  'order-lifecycle',
  'order-recovery',
  'order-summary',
  'placing-orders',
  'product-editing',
  'product-list',
  'product-search',
  'products',
  'reservation-races',
  'reservation-sequences',
  'reservation-states',
  'reserving',
  'roles-and-admins',
  'rolling-replacement',
  'service-keeper',
  'sessions',
  'side-by-side-versions',
  'stock',
];

/** What can't be shown without them; the image not without one either, so it is told by `.ci/image` alone. */
const servicesAlone = [
  'container-image',
  'claim-races',
  'cluster',
  'mysql-limits',
  'rolling-replacement',
  'service-keeper',
  'side-by-side-versions',
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
  testPathIgnorePatterns: servicesAlone.map((suite) => `/test/${suite}\\.test\\.ts$`),
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

const missing = missingPrograms();
/** Where they are required they are started anyhow, which fails with the name of the missing program. */
const leavesOut = missing.length > 0 && !servicesRequired;

/** @type {import('jest').Config} */
export default {
  projects: leavesOut ? [embedded] : [embedded, services, ...images],
  reporters: [
    'default',
    ...(leavesOut ? [['<rootDir>/test/harness/left-out-reporter.ts', { suites: onServices, missing }]] : []),
  ],
  testTimeout: 60_000,
  maxWorkers: 2,
};
