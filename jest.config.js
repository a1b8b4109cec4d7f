/** @type {import('jest').Config} */
export default {
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
  testTimeout: 20_000,
  maxWorkers: 2,
};
