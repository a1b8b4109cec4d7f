import { randomUUID } from 'node:crypto';
import { type HttpAnswer, jsonPost, openHttpSocket } from './http-socket.ts';

/** A connection of a customer that stays open: one order after the other. */
export interface OrderSocket {
  /** Sends an order of one piece of each product and waits for the whole answer. @throws when the connection breaks */
  place(productIds: readonly string[]): Promise<HttpAnswer>;
  close(): void;
}

export function openOrderSocket({ port, token }: { readonly port: number; readonly token: string }): OrderSocket {
  const { ask, close } = openHttpSocket(port);
  return {
    place: (productIds) => {
      const headers = { Authorization: `Bearer ${token}`, 'Idempotency-Key': randomUUID() };
      const items = productIds.map((productId) => `{"productId":"${productId}","quantity":1}`);
      return ask(jsonPost('/api/orders', headers, `{"items":[${items.join()}]}`));
    },
    close,
  };
}

const linesPerOrder = 3;

/** Different products, one of them the hot one if there is one. */
export function chooseProducts({
  productIds,
  hotProductId,
}: {
  readonly productIds: readonly string[];
  readonly hotProductId?: string;
}): readonly string[] {
  const chosen = new Set(hotProductId === undefined ? [] : [hotProductId]);
  while (chosen.size < linesPerOrder) chosen.add(productIds[Math.floor(Math.random() * productIds.length)] ?? '');
  return [...chosen];
}
