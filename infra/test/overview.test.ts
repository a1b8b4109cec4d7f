import { join } from 'node:path';
import { describe, it } from 'node:test';
import { overviewOf } from './overview.ts';
import { stackNames, synthesize } from './synthesized.ts';

/** A change of what is deployed shows as a change of these files: `npm run overview` writes them anew. */
describe('the overview', () => {
  for (const environment of ['dev', 'prod'] as const) {
    it(`of ${environment} is that of the templates`, (test) => {
      const { template } = synthesize(environment);
      const overview = stackNames.map((stack) => overviewOf(`shop-${environment}-${stack}`, template(stack))).join('\n');
      test.assert.fileSnapshot(overview, join(import.meta.dirname, '..', 'overview', `${environment}.txt`), {
        serializers: [(text) => text],
      });
    });
  }
});
