import { z } from 'zod';
import { entityTag, matchesIfNoneMatch } from '../../shared/entity-tag.ts';
import { Failure } from '../../shared/failure.ts';
import { idempotencyKeyHeader } from '../../shared/idempotency-key.ts';
import { idParameter } from '../../shared/identifier.ts';
import { cursorParameter, limitParameter, pageOf, pageReply } from '../../shared/page.ts';
import { hasRole, type Principal } from '../../shared/principal.ts';
import { type Reply, type Route, route } from '../../shared/route.ts';

import {
  dayParameter,
  fromParameter,
  orderSchema,
  placeOrderBody,
  shipOrderBody,
  statusParameter,
  summarySchema,
  timelineSchema,
  toParameter,
} from './order-schema.ts';
import type { Order, Orders } from './orders-api.ts';

const tag = 'Orders';
const params = z.strictObject({ id: idParameter });
const etagHeader = { ETag: 'The version of the order, as a strong entity tag' };
const oneOrder = { description: 'The order', body: orderSchema, headers: etagHeader };
const maxSummaryDays = 3700;

/** HTTP ↔ orders. Customers see their own orders only; for them somebody else's order does not exist. */
export function orderRoutes(orders: Orders, now: () => number): readonly Route[] {
  return [
    placeOrder(orders),
    listOrders(orders),
    summarizeOrders(orders, now),
    getOrder(orders),
    listOrderEvents(orders),
    cancelOrder(orders),
    shipOrder(orders),
    deliverOrder(orders),
  ];
}

const placeOrder = (orders: Orders) =>
  route({
    method: 'post',
    path: '/api/orders',
    access: 'customer',
    quota: 'orders',
    shedding: 'early',
    tag,
    operationId: 'placeOrder',
    summary: 'Place an order',
    description:
      'All lines or none. With an `Idempotency-Key` the same request may be sent again: it answers the order as it was placed.',
    headers: z.object({ 'idempotency-key': idempotencyKeyHeader }),
    body: placeOrderBody,
    replies: {
      201: {
        description: 'The order was placed, now or by an earlier request with this key',
        body: orderSchema,
        headers: {
          ...etagHeader,
          Location: 'Where the order is',
          'Idempotency-Replayed': '`true` when an earlier request had placed it',
        },
      },
    },
    problems: ['out-of-stock', 'total-changed', 'mixed-currencies', 'idempotency-in-flight', 'idempotency-key-reused'],
    handle: async ({ principal, body, headers }) => {
      const key = headers['idempotency-key'];
      const { order, replayed } = await orders.place({
        userId: principal.userId,
        items: body.items,
        ...(body.expectedTotal !== undefined && { expectedTotal: body.expectedTotal }),
        ...(key !== undefined && { idempotencyKey: key }),
      });
      const reply = orderReply(order, 201);
      return {
        ...reply,
        headers: { ...reply.headers, Location: `/api/orders/${order.id}`, ...(replayed && { 'Idempotency-Replayed': 'true' }) },
      };
    },
  });

const listOrders = (orders: Orders) =>
  route({
    method: 'get',
    path: '/api/orders',
    access: 'customer',
    quota: 'orders',
    tag,
    operationId: 'listOrders',
    summary: 'List orders, newest first',
    description: 'Customers list their own orders, staff everybody’s.',
    query: z.strictObject({
      limit: limitParameter,
      cursor: cursorParameter,
      status: statusParameter.optional(),
      from: fromParameter.optional(),
      to: toParameter.optional(),
      userId: idParameter.optional().meta({ description: 'Staff only' }),
    }),
    replies: {
      200: { description: 'A page of orders', body: pageOf(orderSchema), headers: { Link: 'The next page, `rel="next"`' } },
    },
    problems: [],
    handle: async ({ principal, query, url }) => {
      if (query.userId !== undefined && !hasRole(principal, 'staff'))
        throw new Failure('malformed', { detail: 'userId is a filter for staff.' });
      const userId = hasRole(principal, 'staff') ? query.userId : principal.userId;
      const page = await orders.list({
        limit: query.limit,
        ...(userId !== undefined && { userId }),
        ...(query.status !== undefined && { status: query.status }),
        ...(query.from !== undefined && { from: query.from }),
        ...(query.to !== undefined && { before: query.to }),
        ...(query.cursor !== undefined && { cursor: query.cursor }),
      });
      return pageReply(page, url);
    },
  });

const summarizeOrders = (orders: Orders, now: () => number) =>
  route({
    method: 'get',
    path: '/api/orders/summary',
    access: 'staff',
    quota: 'staff',
    tag,
    operationId: 'summarizeOrders',
    summary: 'Orders placed and cancelled, by currency',
    description: 'Facts count on the day they happened (UTC). Both days are included; without them it is today.',
    query: z.strictObject({ from: dayParameter.optional(), to: dayParameter.optional() }),
    replies: { 200: { description: 'One entry for each currency', body: summarySchema } },
    problems: [],
    handle: async ({ query }) => {
      const today = new Date(now()).toISOString().slice(0, 10);
      const from = query.from ?? query.to ?? today;
      const to = query.to ?? (today > from ? today : from);
      const days = (Date.parse(to) - Date.parse(from)) / 86_400_000;
      if (days < 0 || days > maxSummaryDays)
        throw new Failure('malformed', { detail: `to has to be from 0 to ${maxSummaryDays} days after from.` });
      return { status: 200, body: { data: await orders.summary({ from, to }) } };
    },
  });

const getOrder = (orders: Orders) =>
  route({
    method: 'get',
    path: '/api/orders/{id}',
    access: 'customer',
    quota: 'orders',
    tag,
    operationId: 'getOrder',
    summary: 'Read an order',
    params,
    headers: z.object({ 'if-none-match': z.string().optional() }),
    replies: { 200: oneOrder, 304: { description: 'Nothing changed since the version of `If-None-Match`' } },
    problems: ['not-found'],
    handle: async ({ principal, params: { id }, headers }) => {
      const reply = orderReply(await orders.get({ orderId: id, ...ownOnly(principal) }), 200);
      if (!matchesIfNoneMatch(headers['if-none-match'], reply.headers.ETag)) return reply;
      return { status: 304, headers: reply.headers };
    },
  });

const listOrderEvents = (orders: Orders) =>
  route({
    method: 'get',
    path: '/api/orders/{id}/events',
    access: 'customer',
    quota: 'orders',
    tag,
    operationId: 'listOrderEvents',
    summary: 'What happened to an order, oldest first',
    params,
    headers: z.object({ accept: z.string().optional() }),
    replies: { 200: { description: 'The timeline', body: timelineSchema } },
    problems: ['not-found', 'not-acceptable'],
    handle: async ({ principal, params: { id }, headers }) => {
      if (wantsOnlyEventStream(headers.accept))
        throw new Failure('not-acceptable', { detail: 'The timeline exists as application/json only.' });
      return { status: 200, body: { data: await orders.timeline({ orderId: id, ...ownOnly(principal) }) } };
    },
  });

const cancelOrder = (orders: Orders) =>
  route({
    method: 'post',
    path: '/api/orders/{id}/cancel',
    access: 'customer',
    quota: 'orders',
    tag,
    operationId: 'cancelOrder',
    summary: 'Cancel an order that was not shipped',
    description: 'The pieces go back to stock. Cancelling twice is no error.',
    params,
    replies: { 200: oneOrder },
    problems: ['not-found', 'illegal-transition'],
    handle: async ({ principal, params: { id } }) =>
      orderReply(
        await orders.transition({
          orderId: id,
          to: 'cancelled',
          by: hasRole(principal, 'staff') ? 'staff' : 'customer',
          ...ownOnly(principal),
        }),
        200,
      ),
  });

const shipOrder = (orders: Orders) =>
  route({
    method: 'post',
    path: '/api/orders/{id}/ship',
    access: 'staff',
    quota: 'staff',
    tag,
    operationId: 'shipOrder',
    summary: 'Ship a confirmed order',
    params,
    body: shipOrderBody,
    bodyOptional: true,
    replies: { 200: oneOrder },
    problems: ['not-found', 'illegal-transition'],
    handle: async ({ params: { id }, body }) =>
      orderReply(
        await orders.transition({
          orderId: id,
          to: 'shipped',
          by: 'staff',
          ...(body?.carrier !== undefined && { carrier: body.carrier }),
          ...(body?.trackingNumber !== undefined && { trackingNumber: body.trackingNumber }),
        }),
        200,
      ),
  });

const deliverOrder = (orders: Orders) =>
  route({
    method: 'post',
    path: '/api/orders/{id}/deliver',
    access: 'staff',
    quota: 'staff',
    tag,
    operationId: 'deliverOrder',
    summary: 'Mark a shipped order as delivered',
    params,
    replies: { 200: oneOrder },
    problems: ['not-found', 'illegal-transition'],
    handle: async ({ params: { id } }) => orderReply(await orders.transition({ orderId: id, to: 'delivered', by: 'staff' }), 200),
  });

function ownOnly(principal: Principal): { readonly userId?: string } {
  return hasRole(principal, 'staff') ? {} : { userId: principal.userId };
}

function orderReply(order: Order, status: number) {
  return { status, body: order, headers: { ETag: entityTag(order.version) } } satisfies Reply;
}

/** A client that would take JSON as well gets JSON. */
function wantsOnlyEventStream(accept: string | undefined): boolean {
  const types = (accept ?? '*/*').split(',').map((entry) => entry.split(';', 1)[0]?.trim().toLowerCase());
  return (
    types.includes('text/event-stream') && !['application/json', 'application/*', '*/*'].some((type) => types.includes(type))
  );
}
