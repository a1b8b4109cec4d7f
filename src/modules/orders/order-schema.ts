import { z } from 'zod';
import { idParameter } from '../../shared/identifier.ts';
import { timestamp } from '../../shared/timestamp.ts';
import { orderStatuses } from './order.ts';

/** The schemas of the orders' wire contract: what validates is what the OpenAPI document shows. */

const currency = z.string().regex(/^[A-Z]{3}$/, 'has to be a currency code of ISO 4217');
const money = z
  .strictObject({ amount: z.int().min(0).meta({ description: 'Integer minor units', example: 1299 }), currency })
  .meta({ id: 'Amount', description: 'Money: integer minor units of an ISO 4217 currency' });

export const placeOrderBody = z
  .strictObject({
    items: z
      .array(
        z.strictObject({
          productId: idParameter,
          quantity: z.int('has to be a whole number').min(1).max(1_000_000),
        }),
      )
      .min(1)
      .max(2000)
      .meta({ description: 'Repeated products add up' }),
    expectedTotal: money.optional().meta({ description: 'Refuse with `total-changed` when the order would cost something else' }),
  })
  .meta({ id: 'PlaceOrder', example: { items: [{ productId: '019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f', quantity: 2 }] } });

const printable = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^\P{C}+$/u, 'may hold printable characters only');
export const shipOrderBody = z
  .strictObject({ carrier: printable.optional(), trackingNumber: printable.optional() })
  .meta({ id: 'ShipOrder' });

const status = z.enum(orderStatuses);

export const orderSchema = z
  .strictObject({
    id: idParameter,
    userId: idParameter.meta({ description: 'Who ordered; a pseudonym after the account was erased' }),
    status,
    items: z.array(
      z.strictObject({
        productId: idParameter,
        sku: z.string(),
        name: z.string(),
        unitPrice: money,
        quantity: z.int().min(1),
        lineTotal: money,
      }),
    ),
    total: money,
    version: z.int().min(1),
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .meta({ id: 'Order', description: 'Names, skus and prices are those of the moment of ordering' });

export const timelineSchema = z
  .strictObject({
    data: z.array(
      z
        .strictObject({
          sequence: z.int().min(1).meta({ description: 'From 1, without gaps' }),
          type: z.enum(orderStatuses.map((name) => `order.${name}` as const)),
          status,
          at: timestamp,
          by: z.enum(['customer', 'staff', 'system']),
          carrier: z.string().optional(),
          trackingNumber: z.string().optional(),
        })
        .meta({ id: 'OrderEvent' }),
    ),
  })
  .meta({ id: 'OrderTimeline' });

/** A sum of many orders may go beyond what JSON numbers hold exactly. */
const sum = z
  .strictObject({ amount: z.number().min(0).meta({ description: 'Integer minor units, rounded beyond 2^53 − 1' }), currency })
  .meta({ id: 'Sum' });
const facts = z.strictObject({ count: z.int(), pieces: z.int(), total: sum }).meta({ id: 'DayFacts' });
export const summarySchema = z
  .strictObject({ data: z.array(z.strictObject({ currency, placed: facts, cancelled: facts }).meta({ id: 'CurrencySummary' })) })
  .meta({ id: 'OrderSummary' });

const isRealDay = (day: string) =>
  !Number.isNaN(Date.parse(`${day}T00:00:00Z`)) && new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
export const dayParameter = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/, 'has to be a date such as 2026-01-31')
  .refine(isRealDay, 'is no date of the calendar')
  .refine((day) => day < '9999', 'is beyond the calendar')
  .meta({ description: 'UTC date', example: '2026-01-31' });

/** A date or a date-time; a date stands for its whole day. */
const timeParameter = z.union([dayParameter, z.iso.datetime({ offset: true })], 'has to be a date or a date-time (RFC 3339)');

const dayMs = 86_400_000;
const isDay = (time: string) => time.length === 10;
/** Four-digit years only: others do not sort as text. */
const isInRange = (time: string) => /^\d{4}-/.test(time);
const outOfRange = 'is beyond the calendar';

export const fromParameter = timeParameter
  .transform((time) => new Date(isDay(time) ? `${time}T00:00:00Z` : time).toISOString())
  .refine(isInRange, outOfRange)
  .meta({ description: 'Created then or later: a UTC date or a date-time', override: { type: 'string' } });
export const toParameter = timeParameter
  .transform((time) => (isDay(time) ? new Date(Date.parse(`${time}T00:00:00Z`) + dayMs) : new Date(time)).toISOString())
  .refine(isInRange, outOfRange)
  .meta({ description: 'Created until the end of this UTC date, or before this date-time', override: { type: 'string' } });
export const statusParameter = status;
