import { z } from 'zod';
import { entityTag } from '../../shared/entity-tag.ts';
import { idempotencyKeyHeader } from '../../shared/idempotency-key.ts';
import { cursorParameter, limitParameter, type Page, pageOf, pageReply } from '../../shared/page.ts';
import { type Route, route } from '../../shared/route.ts';
import { ifMatchHeader, ifNoneMatchHeader, productParams, taggedReply } from './product-routes.ts';
import { adjustmentBody, movementSchema, setStockBody, stockSchema } from './product-schema.ts';
import type { StockMovement } from './stock-movements.ts';
import type { AdjustmentRequest, SetStockRequest, Stock } from './stock-store.ts';

export interface StockRoutesDependencies {
  readonly read: (productId: string) => Promise<Stock>;
  readonly adjust: (request: AdjustmentRequest) => Promise<{ readonly movement: StockMovement; readonly replayed: boolean }>;
  readonly set: (request: SetStockRequest) => Promise<Stock>;
  readonly movements: (query: { productId: string; limit: number; cursor: string | undefined }) => Promise<Page<StockMovement>>;
}

const tag = 'Stock';
const path = '/api/products/{id}/stock';
const oneStock = {
  description: 'The stock',
  body: stockSchema,
  headers: { ETag: 'The version of the stock, as a strong entity tag' },
};

/** HTTP ↔ stock: a resource of its own, so that a sale never makes an editor of the product lose his edit. */
export function stockRoutes(dependencies: StockRoutesDependencies): readonly Route[] {
  const { read, set } = dependencies;
  return [
    route({
      method: 'get',
      path,
      access: 'optional',
      quota: 'browsing',
      shedding: 'early',
      tag,
      operationId: 'readStock',
      summary: 'Read the stock of a product',
      params: productParams,
      headers: ifNoneMatchHeader,
      replies: { 200: oneStock, 304: { description: 'The known version is current' } },
      problems: ['not-found'],
      handle: async ({ params, headers }) => {
        const stock = await read(params.id);
        return taggedReply({ body: stock, tag: entityTag(stock.version), known: headers['if-none-match'] });
      },
    }),
    route({
      method: 'put',
      path,
      access: 'staff',
      quota: 'staff',
      tag,
      operationId: 'setStock',
      summary: 'Set the stock to what was counted',
      params: productParams,
      headers: ifMatchHeader,
      body: setStockBody,
      replies: { 200: oneStock },
      problems: ['not-found', 'precondition-required', 'version-mismatch', 'out-of-stock'],
      handle: async ({ params, headers, body, principal }) => {
        const stock = await set({
          productId: params.id,
          onHand: body.onHand,
          ifMatch: headers['if-match'],
          userId: principal.userId,
        });
        return { status: 200, body: stock, headers: { ETag: entityTag(stock.version) } };
      },
    }),
    adjustRoute(dependencies),
    movementsRoute(dependencies),
  ];
}

function adjustRoute({ adjust }: StockRoutesDependencies): Route {
  return route({
    method: 'post',
    path: `${path}/adjustments`,
    access: 'staff',
    quota: 'staff',
    tag,
    operationId: 'adjustStock',
    summary: 'Add to the stock or take from it',
    description: 'With an `Idempotency-Key` the same request may be sent again: it answers the movement as it was made.',
    params: productParams,
    headers: z.object({ 'idempotency-key': idempotencyKeyHeader }),
    body: adjustmentBody,
    replies: {
      201: {
        description: 'The movement, made now or by an earlier request with this key',
        body: movementSchema,
        headers: { 'Idempotency-Replayed': '`true` when an earlier request had made it' },
      },
    },
    problems: ['not-found', 'out-of-stock', 'idempotency-key-reused'],
    handle: async ({ params, headers, body, principal }) => {
      const idempotencyKey = headers['idempotency-key'];
      const { movement, replayed } = await adjust({ productId: params.id, ...body, userId: principal.userId, idempotencyKey });
      return { status: 201, body: movement, headers: replayed ? { 'Idempotency-Replayed': 'true' } : {} };
    },
  });
}

function movementsRoute({ read, movements }: StockRoutesDependencies): Route {
  return route({
    method: 'get',
    path: `${path}/movements`,
    access: 'staff',
    quota: 'staff',
    tag,
    operationId: 'listStockMovements',
    summary: 'List the movements of the stock, newest first',
    description: 'The stock on hand is always the sum of all movements.',
    params: productParams,
    query: z.strictObject({ limit: limitParameter, cursor: cursorParameter }),
    replies: {
      200: {
        description: 'A page of the ledger',
        body: pageOf(movementSchema),
        headers: { Link: 'The next page, `rel="next"`' },
      },
    },
    problems: ['not-found'],
    handle: async ({ params, query, url }) => {
      await read(params.id);
      return pageReply(await movements({ productId: params.id, limit: query.limit, cursor: query.cursor }), url);
    },
  });
}
