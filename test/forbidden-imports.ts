/** A file that must not be, as a part of the tree. */
export interface Plant {
  readonly kind: string;
  readonly file: string;
  readonly code: string;
  /** what the check says about it */
  readonly rule: string;
}

/** Refused by the project's own check of the layout. */
export const forbidden: readonly Plant[] = [
  {
    kind: "a neighbour's inside by value",
    file: 'src/modules/orders/planted-value.ts',
    code: "import { catalog } from '../catalog/catalog-service.ts';\n\nexport const planted = catalog;\n",
    rule: 'the inside of catalog is private',
  },
  {
    kind: "a neighbour's inside by type",
    file: 'src/modules/orders/planted-type.ts',
    code: "import type { Catalog } from '../catalog/catalog-api.ts';\n\nexport type Planted = Catalog;\n",
    rule: 'the inside of catalog is private',
  },
  {
    kind: "a neighbour's inside by a type expression",
    file: 'src/modules/orders/planted-expression.ts',
    code: "export type Planted = import('../catalog/catalog-api.ts').Catalog;\n",
    rule: 'the inside of catalog is private',
  },
  {
    kind: "a neighbour's inside by dynamic import",
    file: 'src/modules/orders/planted-dynamic.ts',
    code: "export const planted = () => import('../catalog/catalog-service.ts');\n",
    rule: 'the inside of catalog is private',
  },
  {
    kind: "a neighbour's inside by re-export",
    file: 'src/modules/orders/planted-export.ts',
    code: "export { catalog } from '../catalog/catalog-service.ts';\n",
    rule: 'the inside of catalog is private',
  },
  {
    kind: "a neighbour's inside by a detour in the path",
    file: 'src/modules/orders/planted-detour.ts',
    code: "import type { Catalog } from '../../modules/orders/../%63atalog/catalog-api.ts?x';\n\nexport type Planted = Catalog;\n",
    rule: 'the inside of catalog is private',
  },
  {
    kind: "a neighbour's inside as a worker",
    file: 'src/modules/orders/planted-worker.ts',
    code: "export const planted = new URL('../catalog/catalog-service.ts', import.meta.url);\n",
    rule: 'the inside of catalog is private',
  },
  {
    kind: 'an import whose name is computed',
    file: 'src/modules/orders/planted-computed.ts',
    code: 'export const planted = (name: string) => import(name);\n',
    rule: 'a computed import cannot be checked',
  },
  {
    kind: "a neighbour's front door by value",
    file: 'src/modules/orders/planted-front-door.ts',
    code: "import { createCatalog } from '../catalog/index.ts';\n\nexport const planted = createCatalog;\n",
    rule: 'orders names catalog by `import type` only',
  },
  {
    kind: "a neighbour's front door by a type modifier, which leaves the import behind",
    file: 'src/modules/orders/planted-modifier.ts',
    code: "import { type Catalog, createCatalog } from '../catalog/index.ts';\n\nexport const planted: Catalog = createCatalog;\n",
    rule: 'orders names catalog by `import type` only',
  },
  {
    kind: 'catalog → orders',
    file: 'src/modules/catalog/planted-orders.ts',
    code: "import type { Orders } from '../orders/index.ts';\n\nexport type Planted = Orders;\n",
    rule: 'catalog may not depend on orders',
  },
  {
    kind: 'auth → catalog',
    file: 'src/modules/auth/planted-catalog.ts',
    code: "import type { Catalog } from '../catalog/index.ts';\n\nexport type Planted = Catalog;\n",
    rule: 'auth may not depend on catalog',
  },
  {
    kind: 'shared → module',
    file: 'src/shared/planted-module.ts',
    code: "import type { Catalog } from '../modules/catalog/index.ts';\n\nexport type Planted = Catalog;\n",
    rule: 'src/shared imports nothing but src/shared',
  },
  {
    kind: 'shared → app',
    file: 'src/shared/planted-app.ts',
    code: "import type { App } from '../app.ts';\n\nexport type Planted = App;\n",
    rule: 'src/shared imports nothing but src/shared',
  },
  {
    kind: 'module → app',
    file: 'src/modules/auth/planted-app.ts',
    code: "import type { App } from '../../app.ts';\n\nexport type Planted = App;\n",
    rule: 'a module imports itself, src/shared and its declared neighbours',
  },
  {
    kind: 'module → command',
    file: 'src/modules/auth/planted-command.ts',
    code: "import { audit } from '../../commands/audit.ts';\n\nexport const planted = audit;\n",
    rule: 'a module imports itself, src/shared and its declared neighbours',
  },
  {
    kind: "the outside → a module's inside",
    file: 'src/commands/planted-inside.ts',
    code: "import { catalog } from '../modules/catalog/catalog-service.ts';\n\nexport const planted = catalog;\n",
    rule: 'the inside of catalog is private',
  },
  {
    kind: "a test's helper → a module's inside",
    file: 'test/planted-helper.ts',
    code: "import { catalog } from '../src/modules/catalog/catalog-service.ts';\n\nexport const planted = catalog;\n",
    rule: 'a test of the inside looks into one module',
  },
  {
    kind: 'a file → the program',
    file: 'src/planted-program.ts',
    code: "import './server.ts';\n",
    rule: 'nothing imports the program itself',
  },
  {
    kind: 'a file → the app',
    file: 'src/planted-app.ts',
    code: "import './app.ts';\n",
    rule: 'only the programs build the app',
  },
  {
    kind: 'the product → its tests',
    file: 'src/planted-test.ts',
    code: "import '../test/forbidden-imports.ts';\n",
    rule: 'the product does not import its tests',
  },
  {
    kind: 'a test → the insides of two modules',
    file: 'test/planted.test.ts',
    code: "import '../src/modules/catalog/catalog-service.ts';\nimport '../src/modules/auth/auth-service.ts';\n",
    rule: 'a test of the inside looks into one module',
  },
  {
    kind: 'a migration of nobody',
    file: 'migrations/9998-planted.ts',
    code: 'export const planted = 1;\n',
    rule: 'a migration names the module that owns it',
  },
  {
    kind: 'a migration → a module',
    file: 'migrations/9999-catalog-planted.ts',
    code: "import type { Catalog } from '../src/modules/catalog/index.ts';\n\nexport type Planted = Catalog;\n",
    rule: 'a migration imports nothing but src/shared',
  },
  {
    kind: '`export *`, of types',
    file: 'src/shared/planted-types.ts',
    code: "export type * from './failure.ts';\n",
    rule: '`export *` hides what a file offers',
  },
  {
    kind: 'the environment, out of the opened process',
    file: 'src/shared/planted-opened.ts',
    code: 'const { env } = process;\n\nexport const planted = env.PORT;\n',
    rule: 'the environment is read in src/shared/config.ts only',
  },
  {
    kind: 'a second index.ts in a module',
    file: 'src/modules/catalog/stock/index.ts',
    code: 'export const planted = 1;\n',
    rule: 'only a module has an index.ts, and one',
  },
  {
    kind: 'an index.ts elsewhere',
    file: 'src/shared/index.ts',
    code: 'export const planted = 1;\n',
    rule: 'only a module has an index.ts, and one',
  },
  {
    kind: 'a module that is not declared',
    file: 'src/modules/payments/planted.ts',
    code: 'export const planted = 1;\n',
    rule: 'a file of a module lies flat in a declared module',
  },
  {
    kind: 'a second contract',
    file: 'src/modules/catalog/planted-api.ts',
    code: 'export type Planted = 1;\n',
    rule: 'a module has one contract file, named after it',
  },
  {
    kind: 'a contract with a package in it',
    file: 'src/modules/catalog/planted-package-api.ts',
    code: "import type { Model } from 'sequelize';\n\nexport type Planted = Model;\n",
    rule: 'a contract file imports types of src/shared and nothing else',
  },
  {
    kind: 'a contract with a part of the inside in it',
    file: 'src/modules/catalog/planted-inside-api.ts',
    code: "import type { Product } from './product.ts';\n\nexport type Planted = Product;\n",
    rule: 'a contract file imports types of src/shared and nothing else',
  },
  {
    kind: 'a contract that leaves code behind',
    file: 'src/modules/catalog/planted-code-api.ts',
    code: 'export const planted = 1;\n',
    rule: 'a contract file holds types and nothing else',
  },
  {
    kind: "a neighbour's table in a query",
    file: 'src/modules/orders/planted-join.ts',
    code: "export const planted = 'SELECT 1 FROM orders_lines JOIN catalog_products USING (id)';\n",
    rule: 'a table belongs to one module',
  },
];

/** Refused by the linter. */
export const unclean: readonly Plant[] = [
  {
    kind: '`export *`',
    file: 'src/shared/planted-star.ts',
    code: "export * from './failure.ts';\n",
    rule: 'noReExportAll',
  },
  {
    kind: 'a cycle',
    file: 'src/shared/planted-left.ts',
    code: "import { right } from './planted-right.ts';\n\nexport const left = (): unknown => right;\n",
    rule: 'noImportCycles',
  },
  {
    kind: 'the other half of the cycle, by dynamic import',
    file: 'src/shared/planted-right.ts',
    code: "export const right = (): Promise<unknown> => import('./planted-left.ts');\n",
    rule: 'noImportCycles',
  },
  {
    kind: 'a cycle of types',
    file: 'src/shared/planted-above.ts',
    code: "import type { Below } from './planted-below.ts';\n\nexport type Above = Below | 1;\n",
    rule: 'noImportCycles',
  },
  {
    kind: 'the other half of the cycle of types',
    file: 'src/shared/planted-below.ts',
    code: "import type { Above } from './planted-above.ts';\n\nexport type Below = Above | 2;\n",
    rule: 'noImportCycles',
  },
  {
    kind: '`process.env` outside the configuration',
    file: 'src/modules/catalog/planted-environment.ts',
    code: 'export const planted = process.env.PORT;\n',
    rule: 'noProcessEnv',
  },
  {
    kind: 'the environment, imported',
    file: 'src/modules/catalog/planted-process.ts',
    code: "import { env } from 'node:process';\n\nexport const planted = env.PORT;\n",
    rule: 'noRestrictedImports',
  },
];
