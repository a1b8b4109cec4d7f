import { z } from 'zod';
import { read } from './replay-client.ts';
import type { Session } from './replay-session.ts';

const facts = z.object({ count: z.number(), pieces: z.number(), total: z.object({ amount: z.number() }) });
const summarySchema = z.object({ data: z.array(z.object({ currency: z.string(), placed: facts, cancelled: facts })) });

/** What the shop's summary says of orders in pounds. */
export interface Summary {
  readonly orders: number;
  readonly pieces: number;
  /** pence */
  readonly total: number;
  readonly cancelled: number;
}

/** The summary from a day on until now, both with a day to spare: the clock of the shop may be another one. */
export async function summarySince(staff: Session, since: Date): Promise<Summary> {
  const query = `from=${dayOf(since.getTime() - dayMs)}&to=${dayOf(Date.now() + dayMs)}`;
  const answer = await staff.ask({ method: 'GET', path: `/api/orders/summary?${query}` });
  const pounds = read(answer, summarySchema).data.find(({ currency }) => currency === 'GBP');
  if (!pounds) return { orders: 0, pieces: 0, total: 0, cancelled: 0 };
  const { placed, cancelled } = pounds;
  return { orders: placed.count, pieces: placed.pieces, total: placed.total.amount, cancelled: cancelled.count };
}

const dayMs = 86_400_000;

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
