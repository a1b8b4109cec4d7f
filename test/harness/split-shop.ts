import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type App, createApp } from '../../src/app.ts';
import type { Overrides } from '../../src/app-modules.ts';
import { readConfig } from '../../src/shared/config.ts';
import { createLogger } from '../../src/shared/logger.ts';
import type { OpenApiDocument } from './documented-answers.ts';
import { fetchDocument } from './documented-answers.ts';
import { serviceOf, startPathRouter } from './path-router.ts';
import { freePort } from './server-child.ts';

export interface RunningShop {
  /** the one with the accounts, where there are several */
  readonly app: App;
  readonly url: string;
  readonly document: OpenApiDocument;
  halt(): Promise<void>;
}

export interface ShopToRun {
  readonly variables: Readonly<Record<string, string>>;
  readonly overrides: Overrides;
  readonly lines: string[];
}

const names = ['auth', 'catalog', 'orders'] as const;

/** The same shop as three services behind a balancer that routes by path; each with a folder of its own. */
export async function runSplit({ variables, overrides, lines }: ShopToRun): Promise<RunningShop> {
  const internal = { auth: await freePort(), catalog: await freePort() };
  const split = {
    SERVICE_TOKENS: 'token of the services of this test',
    AUTH_URL: `http://127.0.0.1:${internal.auth}`,
    CATALOG_URL: `http://127.0.0.1:${internal.catalog}`,
  };
  const apps = new Map<string, App>();
  const urls = new Map<string, string>();
  for (const name of names) {
    const folder = join(variables.DATA_DIR ?? '', name);
    mkdirSync(folder, { recursive: true });
    const config = readConfig({
      ...variables,
      ...split,
      DATA_DIR: folder,
      MODULES: name,
      ...(name !== 'auth' && { JWKS_URL: `${urls.get('auth')}/.well-known/jwks.json` }),
      ...(name !== 'orders' && { INTERNAL_PORT: String(internal[name]) }),
    });
    const log = createLogger({ level: config.logLevel, stream: { write: (line) => void lines.push(line) } });
    const app = await createApp({ config, log, overrides });
    await app.start();
    urls.set(name, `http://127.0.0.1:${await app.http.listen({ port: 0, host: '127.0.0.1' })}`);
    apps.set(name, app);
  }
  const router = await startPathRouter((path) => urls.get(serviceOf(path)) ?? '');
  const auth = apps.get('auth');
  if (auth === undefined) throw new Error('There is no service for accounts.');
  return {
    app: auth,
    url: router.url,
    document: merged(await Promise.all([...urls.values()].map(fetchDocument))),
    halt: async () => {
      await router.close();
      // those that call before those that are called
      for (const name of [...names].reverse()) {
        await apps.get(name)?.http.drain({ delayMs: 0, timeoutMs: 1000 });
        await apps.get(name)?.close();
      }
    },
  };
}

/** Each service describes its own routes, in the same terms. */
function merged(documents: readonly OpenApiDocument[]): OpenApiDocument {
  return {
    ...documents[0],
    paths: Object.assign({}, ...documents.map(({ paths }) => paths)),
    components: Object.assign({}, documents[0]?.components, {
      schemas: Object.assign({}, ...documents.map(({ components }) => components.schemas)),
    }),
  };
}
