import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';

/** Ids as they travel: UUIDs in lower case. Another form is not an id and answers 400. */
export const idParameter = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, 'is not an id')
  .meta({ description: 'Opaque id', example: '019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f' });

/** A new id: UUIDv7 (RFC 9562, section 5.7), time-ordered, 74 random bits, so not guessable in sequence. */
export function newId(now: number = Date.now()): string {
  const time = now.toString(16).padStart(12, '0');
  // Node draws the random bits of many UUIDs at once; a draw for each id is a twentieth of what an order takes
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}

/** When an id was made (RFC 3339 UTC), by the clock of whoever made it. */
export function timeOfId(id: string): string {
  return new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toISOString();
}

/** The smallest id that can be made at a time (RFC 3339), so that a range of times is a range of ids. */
export function firstIdAt(time: string): string {
  const milliseconds = Math.max(0, new Date(time).getTime()).toString(16).padStart(12, '0');
  return `${milliseconds.slice(0, 8)}-${milliseconds.slice(8)}-0000-0000-000000000000`;
}

/** The id that a name always has: UUIDv8 (RFC 9562, section 5.8) over SHA-256 of the parts. */
export function derivedId(...parts: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest();
  return formatted(hash.subarray(0, 16));
}

function formatted(bytes: Buffer): string {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
