import { generateKeyPairSync, randomBytes, randomInt } from 'node:crypto';

/** A new RSA key to sign access tokens with: PKCS#8 PEM, 2048 bits. Takes a good part of a second. */
export function makeJwtKey(): string {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  }).privateKey;
}

/** A new secret for refresh tokens: 384 random bits as text. */
export function makeRefreshKey(): string {
  return randomBytes(48).toString('base64url');
}

/** A new pepper for passwords: 384 random bits as text. */
export function makePepper(): string {
  return randomBytes(48).toString('base64url');
}

// Without characters that are taken for each other.
const letters = 'abcdefghijkmnpqrstuvwxyz23456789';
const groups = 5;
const groupLength = 5;

/** A password to be typed once: 125 random bits in groups of five. */
export function makePassword(): string {
  const group = () => Array.from({ length: groupLength }, () => letters[randomInt(letters.length)]).join('');
  return Array.from({ length: groups }, group).join('-');
}
