import { z } from 'zod';

const bare = /^[\x21-\x7e]{1,255}$/;
const quoted = /^"([\x20\x21\x23-\x7e]{1,255})"$/;

/**
 * The request header `Idempotency-Key`: 1 to 255 visible ASCII characters, bare or as a quoted string (RFC 8941, section 3.3.3);
 * `"k"` and `k` are one key.
 */
export const idempotencyKeyHeader = z
  .string()
  .refine(
    (value) => quoted.test(value) || (bare.test(value) && !value.startsWith('"')),
    'has to be 1 to 255 visible ASCII characters, quoted or bare',
  )
  .transform((value) => quoted.exec(value)?.[1] ?? value)
  .optional()
  .meta({
    description: 'Names this request, so that sending it again has no second effect',
    override: { type: 'string', minLength: 1, maxLength: 257 },
  });
