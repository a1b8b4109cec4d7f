import { z } from 'zod';

/** The steps of an order at which a process of the tests may be told to end, in the order in which they come. */
export const crashPoints = [
  'before-reserve',
  'before-reserve-commit',
  'after-reserve-commit',
  'before-claim',
  'after-claim',
  'after-order-row',
  'after-lines',
  'after-outbox',
  'before-order-commit',
  'after-order-commit',
  'before-reply',
  'before-lease',
  'before-publish',
  'after-publish',
  'after-mark-published',
  'before-settle-commit',
  'after-settle-commit',
  'before-confirm',
  'before-confirm-commit',
  'after-confirm-commit',
  'before-void-commit',
  'after-void-commit',
] as const;

export type CrashPoint = (typeof crashPoints)[number];

/** At which point, and the how many-th time that it is reached. */
export interface CrashSetting {
  readonly point: CrashPoint;
  readonly occurrence: number;
}

/** `POINT` or `POINT:N`. */
export const crashSetting = z.string().transform((text, context): CrashSetting => {
  const [name, count = '1'] = text.split(':');
  const point = crashPoints.find((known) => known === name);
  if (point !== undefined && /^[1-9]\d{0,5}$/.test(count)) return { point, occurrence: Number(count) };
  context.addIssue({ code: 'custom', message: `has to be one of ${crashPoints.join(', ')}, with :N for the N-th time` });
  return z.NEVER;
});
