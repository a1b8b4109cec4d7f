import { z } from 'zod';

/** A time in answers: RFC 3339 in UTC with milliseconds. */
export const timestamp = z.iso.datetime().meta({ example: '2026-11-23T09:30:00.000Z' });
