import { z } from 'zod';
import { entityTag, matchesIfNoneMatch } from '../../shared/entity-tag.ts';
import { validationFailure } from '../../shared/failure.ts';
import { idParameter } from '../../shared/identifier.ts';
import { cursorParameter, limitParameter, type Page, pageOf, pageReply } from '../../shared/page.ts';
import { hasRole } from '../../shared/principal.ts';
import { type Reply, type Route, route } from '../../shared/route.ts';
import { fieldsOf, mergePatch, type Product, type ProductFields } from './product.ts';
import type { ProductCache } from './product-cache.ts';
import type { ListedProduct, ProductQuery } from './product-list.ts';
import {
  createProductBody,
  include,
  listFilters,
  patchedProduct,
  patchProductBody,
  productSchema,
  replaceProductBody,
} from './product-schema.ts';
import type { ProductStore } from './product-store.ts';
import type { Stock } from './stock-store.ts';

export interface ProductRoutesDependencies {
  readonly store: ProductStore;
  readonly cache: Pick<ProductCache, 'read'>;
  readonly readStock: (productId: string) => Promise<Stock>;
  readonly list: (query: ProductQuery) => Promise<Page<ListedProduct>>;
}

const tag = 'Products';
export const productParams = z.strictObject({ id: idParameter });
export const ifMatchHeader = z.object({
  'if-match': z.string().max(1024).optional().meta({ description: 'The ETag that was read' }),
});
export const ifNoneMatchHeader = z.object({
  'if-none-match': z.string().max(1024).optional().meta({ description: 'An ETag that is known: 304 while it is current' }),
});
const path = '/api/products';
const etag = { ETag: 'The version of the product, as a strong entity tag' };
const oneProduct = { description: 'The product', body: productSchema, headers: etag };

/** HTTP ↔ products. */
export function productRoutes(dependencies: ProductRoutesDependencies): readonly Route[] {
  const { store } = dependencies;
  return [
    listRoute(dependencies),
    readRoute(dependencies),
    route({
      method: 'post',
      path,
      access: 'staff',
      quota: 'staff',
      tag,
      operationId: 'createProduct',
      summary: 'Add a product',
      body: createProductBody,
      replies: { 201: { ...oneProduct, headers: { ...etag, Location: 'Where the product is' } } },
      problems: ['duplicate'],
      handle: async ({ body: { initialStock, ...fields }, principal }) => {
        const product = await store.create(fieldsOf(fields), { initialStock, createdBy: principal.userId });
        return {
          ...productReply(product, 201),
          headers: { ETag: entityTag(product.version), Location: `${path}/${product.id}` },
        };
      },
    }),
    route({
      method: 'put',
      ...editing,
      operationId: 'replaceProduct',
      summary: 'Replace a product',
      body: replaceProductBody,
      replies: { 200: oneProduct },
      problems: [...editProblems, 'duplicate'],
      handle: async ({ params, headers, body }) =>
        productReply(await store.edit({ id: params.id, ifMatch: headers['if-match'], change: () => fieldsOf(body) })),
    }),
    route({
      method: 'patch',
      ...editing,
      operationId: 'patchProduct',
      summary: 'Change parts of a product',
      body: patchProductBody,
      mergePatch: true,
      replies: { 200: oneProduct },
      problems: [...editProblems, 'duplicate'],
      handle: async ({ params, headers, body }) =>
        productReply(
          await store.edit({ id: params.id, ifMatch: headers['if-match'], change: (product) => patched(product, body) }),
        ),
    }),
    route({
      method: 'delete',
      ...editing,
      operationId: 'deleteProduct',
      summary: 'Delete a product',
      description: 'Its sku is free again. Orders keep what they sold, and what is reserved can still be sold.',
      replies: { 204: { description: 'The product is gone' } },
      problems: editProblems,
      handle: async ({ params, headers }) => {
        await store.remove({ id: params.id, ifMatch: headers['if-match'] });
        return { status: 204 };
      },
    }),
  ];
}

const editing = {
  path: `${path}/{id}`,
  access: 'staff',
  quota: 'staff',
  tag,
  params: productParams,
  headers: ifMatchHeader,
} as const;
const editProblems = ['not-found', 'precondition-required', 'version-mismatch'] as const;

function listRoute({ list }: ProductRoutesDependencies): Route {
  return route({
    method: 'get',
    path,
    access: 'optional',
    quota: 'browsing',
    shedding: 'early',
    tag,
    operationId: 'listProducts',
    summary: 'List and search products',
    query: z.strictObject({ limit: limitParameter, cursor: cursorParameter, ...listFilters }),
    replies: {
      200: { description: 'A page of products', body: pageOf(productSchema), headers: { Link: 'The next page, `rel="next"`' } },
    },
    problems: [],
    handle: async ({ query, url }) => pageReply(await list(query), url),
  });
}

/** Who edits products never sees an old one: staff are not answered from memory, nor is anybody who asks for the stock. */
function readRoute({ store, cache, readStock }: ProductRoutesDependencies): Route {
  return route({
    method: 'get',
    path: `${path}/{id}`,
    access: 'optional',
    quota: 'browsing',
    shedding: 'early',
    tag,
    operationId: 'readProduct',
    summary: 'Read a product',
    description: 'With `include=stock` the ETag is weak and changes with the stock too.',
    params: productParams,
    query: z.strictObject({ include: include.optional() }),
    headers: ifNoneMatchHeader,
    replies: {
      200: { ...oneProduct, headers: { ETag: 'The version, as an entity tag' } },
      304: { description: 'The known version is current' },
    },
    problems: ['not-found'],
    handle: async ({ params, query, headers, principal }) => {
      const known = headers['if-none-match'];
      if (query.include === undefined) {
        const editsProducts = principal !== undefined && hasRole(principal, 'staff');
        const product = await (editsProducts ? store : cache).read(params.id);
        return taggedReply({ body: product, tag: entityTag(product.version), known });
      }
      const [product, stock] = await Promise.all([store.read(params.id), readStock(params.id)]);
      const { onHand, reserved, available, version } = stock;
      return taggedReply({
        body: { ...product, stock: { onHand, reserved, available } },
        tag: `W/"${product.version}-${version}"`,
        known,
      });
    },
  });
}

/** 200 with the body, or 304 when the client has it already. */
export function taggedReply({ body, tag: etagValue, known }: { body: unknown; tag: string; known: string | undefined }): Reply {
  const headers = { ETag: etagValue };
  return matchesIfNoneMatch(known, etagValue) ? { status: 304, headers } : { status: 200, body, headers };
}

function productReply(product: Product, status = 200): Reply {
  return { status, body: product, headers: { ETag: entityTag(product.version) } };
}

function patched(product: Product, patch: object): ProductFields {
  const result = patchedProduct.safeParse(mergePatch(fieldsOf(product), patch));
  if (!result.success)
    throw validationFailure(
      result.error.issues.map(({ path: at, message }) => ({
        pointer: at.map((step) => `/${String(step)}`).join(''),
        detail: message,
      })),
    );
  return fieldsOf(result.data);
}
