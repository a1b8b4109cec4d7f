import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { otherBlocksIn, pemBlocks } from './pem-blocks.ts';

/** How the text of an environment variable is read: schemas whose messages say what the variable has to be. */

export const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `has to be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `has to be a whole number from ${min} to ${max}`);
export const flag = z.enum(['true', 'false'], 'has to be true or false').transform((value) => value === 'true');
export const url = (...protocols: readonly string[]) =>
  z
    .string()
    .refine(
      (value) => URL.canParse(value) && protocols.includes(new URL(value).protocol),
      `has to be a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    );
/** What stands between commas, without the spaces around it. */
export function splitList(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}
export const list = z.string().transform(splitList);
export const quota = (limit: number, windowSeconds: number) =>
  z
    .string()
    .regex(/^\d{1,9}\/\d{1,6}$/, 'has to be LIMIT/SECONDS, such as 6000/60')
    .default(`${limit}/${windowSeconds}`)
    .transform((value) => {
      const [most = 0, seconds = 0] = value.split('/').map(Number);
      return { limit: most, windowSeconds: seconds };
    })
    .refine((value) => value.limit > 0 && value.windowSeconds > 0, 'has to be LIMIT/SECONDS, both above 0');
/** The text itself, or `file:` and a path. */
export const textOrFile = z.string().transform((value, context) => {
  if (!value.startsWith('file:')) return value;
  try {
    return readFileSync(value.slice('file:'.length), 'utf8');
  } catch {
    context.addIssue({ code: 'custom', message: 'names a file that can not be read' });
    return z.NEVER;
  }
});
export const privateKeys = textOrFile.transform((text, context) => {
  const other = otherBlocksIn(text);
  if (other !== undefined) {
    context.addIssue({ code: 'custom', message: other });
    return z.NEVER;
  }
  const blocks = pemBlocks(text, 'JWT_PRIVATE_KEYS');
  if (blocks.length === 0) context.addIssue({ code: 'custom', message: 'holds no PKCS#8 PEM block' });
  for (const block of blocks)
    if (!isStrongRsaKey(block))
      context.addIssue({ code: 'custom', message: 'holds a key that is no RSA key of 2048 bits or more' });
  return blocks;
});

function isStrongRsaKey(pem: string): boolean {
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
  } catch {
    return false;
  }
}

export function isOrigin(value: string): boolean {
  return URL.canParse(value) && new URL(value).origin === value;
}
