import { z } from 'zod';
import { type Route, route } from '../../shared/route.ts';
import { timestamp } from '../../shared/timestamp.ts';
import type { Auth } from '../auth/index.ts';

import { orderSchema } from './order-schema.ts';
import type { Order, Orders } from './orders-api.ts';

const personalDataSchema = z
  .strictObject({
    user: z.strictObject({ id: z.string(), username: z.string(), roles: z.array(z.string()), createdAt: timestamp }),
    sessions: z.array(z.strictObject({ id: z.string(), device: z.string(), createdAt: timestamp, lastUsedAt: timestamp })),
    orders: z.array(orderSchema),
  })
  .meta({ id: 'PersonalData' });

const pageSize = 100;

/** The export of one's own data spans two modules, so it lives where both are known. */
export function personalDataRoutes(auth: Auth, orders: Orders): readonly Route[] {
  return [
    route({
      method: 'get',
      path: '/api/auth/me/export',
      access: 'customer',
      quota: 'orders',
      tag: 'Accounts',
      operationId: 'exportPersonalData',
      summary: 'Account, sessions and orders of the caller',
      description: 'How an order was sent is told by its events, `GET /api/orders/{id}/events`.',
      replies: { 200: { description: 'Account, sessions and orders', body: personalDataSchema } },
      problems: [],
      handle: async ({ principal }) => {
        const { user, sessions } = await auth.personalData(principal.userId);
        const body = { user, sessions, orders: await allOrders(orders, principal.userId) };
        return { status: 200, body };
      },
    }),
  ];
}

async function allOrders(orders: Orders, userId: string): Promise<readonly Order[]> {
  const all: Order[] = [];
  let cursor: string | undefined;
  do {
    const page = await orders.list({ userId, limit: pageSize, ...(cursor !== undefined && { cursor }) });
    all.push(...page.data);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return all;
}
