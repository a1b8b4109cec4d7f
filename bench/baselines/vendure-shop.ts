import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';

/**
 * Vendure as its documentation starts it, without any plugin and without a worker: what it does in the background costs nothing here. Its
 * catalog, a tax rate, a shipping method and a payment method that always settles are made through its own services.
 */

/** What it is started with, as JSON on the standard input. */
export interface VendureSettings {
  /** where Vendure is installed */
  readonly folder: string;
  /** an empty database of MariaDB */
  readonly database: string;
  readonly products: number;
}

/** What it tells on its standard output once it listens. */
export interface VendureAddress {
  readonly port: number;
  /** of what can be ordered: one variant of each product */
  readonly variantIds: readonly string[];
}

interface App {
  get(service: unknown): never;
  getHttpServer(): { address(): AddressInfo };
}

/** What is used of the package, which is no dependency of this project. */
interface VendureCore {
  bootstrap(config: object): Promise<App>;
  readonly dummyPaymentHandler: object;
  readonly Populator: unknown;
  readonly Importer: unknown;
  readonly ProductVariantService: unknown;
  readonly RequestContextService: unknown;
}
interface Populator {
  populateInitialData(data: object): Promise<void>;
}
interface Importer {
  parseAndImport(
    csv: string,
    context: object,
  ): { subscribe(told: { next(progress: Imported): void; error(error: unknown): void; complete(): void }): unknown };
}
interface Imported {
  readonly imported: number;
  readonly errors: readonly string[];
}
interface Contexts {
  create(of: { apiType: 'admin'; languageCode: 'en' }): Promise<object>;
}
interface Variants {
  findAll(context: object, options: object): Promise<{ readonly items: readonly { readonly id: number }[] }>;
}

const stockOnHand = 100_000_000;
const poolSize = 16;
const variantsPerRead = 1000;

const { folder, database, products } = (await json(process.stdin)) as VendureSettings; // what vendure-row.ts writes
process.env.VENDURE_DISABLE_TELEMETRY = 'true';
const vendure: VendureCore = createRequire(join(folder, 'package.json'))('@vendure/core');
const app = await vendure.bootstrap(configOf(new URL(database)));
const populator: Populator = app.get(vendure.Populator);
const importer: Importer = app.get(vendure.Importer);
const contexts: Contexts = app.get(vendure.RequestContextService);
const variants: Variants = app.get(vendure.ProductVariantService);
await populator.populateInitialData(initialData());
await importProducts();
const address: VendureAddress = { port: app.getHttpServer().address().port, variantIds: await readVariants() };
process.stdout.write(`${JSON.stringify(address)}\n`);

function configOf({ hostname, port, username, password, pathname }: URL): object {
  const complain = (message: string) => void process.stderr.write(`${message}\n`);
  const quiet = () => undefined;
  return {
    apiOptions: { hostname: '127.0.0.1', port: 0, introspection: false },
    authOptions: {
      tokenMethod: 'bearer',
      requireVerification: false,
      superadminCredentials: { identifier: 'admin', password: decodeURIComponent(password) },
    },
    dbConnectionOptions: {
      ...{ type: 'mariadb', host: hostname, port: Number(port), database: pathname.slice(1) },
      ...{ username, password: decodeURIComponent(password), synchronize: true, logging: false, poolSize },
    },
    paymentOptions: { paymentMethodHandlers: [vendure.dummyPaymentHandler] },
    logger: { error: complain, warn: quiet, info: quiet, verbose: quiet, debug: quiet },
    plugins: [],
  };
}

function initialData(): object {
  const settles = [{ name: 'automaticSettle', value: 'true' }];
  return {
    ...{ defaultLanguage: 'en', defaultZone: 'Europe', collections: [] },
    countries: [{ name: 'United Kingdom', code: 'GB', zone: 'Europe' }],
    taxRates: [{ name: 'Standard Tax', percentage: 20 }],
    shippingMethods: [{ name: 'Standard Shipping', price: 500 }],
    paymentMethods: [{ name: 'Settles', handler: { code: 'dummy-payment-handler', arguments: settles } }],
  };
}

/** @throws when a product was refused */
async function importProducts(): Promise<void> {
  const head =
    'name,slug,description,assets,facets,optionGroups,optionValues,sku,price,taxCategory,stockOnHand,trackInventory,variantAssets,variantFacets';
  const lines = Array.from({ length: products }, (_, number) => {
    const price = (100 + (number % 900)) / 100;
    return `Product ${number},product-${number},For every day,,,,,SKU-${number},${price},standard,${stockOnHand},true,,`;
  });
  const context = await contexts.create({ apiType: 'admin', languageCode: 'en' });
  const { imported, errors } = await new Promise<Imported>((resolve, reject) => {
    let last: Imported = { imported: 0, errors: [] };
    importer.parseAndImport([head, ...lines].join('\n'), context).subscribe({
      next: (progress) => {
        last = progress;
      },
      error: reject,
      complete: () => resolve(last),
    });
  });
  if (imported !== products || errors.length > 0) throw new Error(`Vendure imported ${imported} products: ${errors.slice(0, 3)}`);
}

async function readVariants(): Promise<readonly string[]> {
  const context = await contexts.create({ apiType: 'admin', languageCode: 'en' });
  const ids: string[] = [];
  for (;;) {
    const { items } = await variants.findAll(context, { skip: ids.length, take: variantsPerRead });
    if (items.length === 0) return ids;
    ids.push(...items.map(({ id }) => String(id)));
  }
}
