import { registerHooks } from 'node:module';

/** Loaded before the built shop (`--import`): puts batcher-alone.ts in the place of its batcher, and says so on the standard error. */
const alone = new URL('batcher-alone.ts', import.meta.url).href;

registerHooks({
  resolve: (specifier, context, nextResolve) => {
    const resolved = nextResolve(specifier, context);
    if (!resolved.url.endsWith('/src/shared/batcher.js')) return resolved;
    process.stderr.write('nothing is batched\n');
    return { ...resolved, url: alone, format: 'module-typescript' };
  },
});
