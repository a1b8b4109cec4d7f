import { validationFailure } from '../../shared/failure.ts';
import { usernameKey } from './username.ts';

export const maxPasswordLength = 128;

/** Can it be anybody's password? What is not costs no hash. Length in characters, not UTF-16 units. */
export function isPossiblePassword(password: string): boolean {
  return password.length <= 2 * maxPasswordLength && password.isWellFormed() && Array.from(password).length <= maxPasswordLength;
}

const ownNames = ['shop'];
// Of a password that is little more than one of these, the rest is what people add to satisfy a rule.
const shortestStem = 4;

/** @throws validation (422) with the reason, at `pointer`, when the password may not be chosen */
export async function checkNewPassword(
  password: string,
  { username, minLength, pointer }: { username: string; minLength: number; pointer: string },
): Promise<void> {
  const refuse = (detail: string) => validationFailure([{ pointer, detail }]);
  const length = Array.from(password.normalize('NFC')).length;
  if (length < minLength) throw refuse(`has to be at least ${minLength} characters long`);
  if (await isCommon(password, username)) throw refuse('is too common or too close to the username');
}

async function isCommon(password: string, username: string): Promise<boolean> {
  const known = await commonPasswords();
  const whole = usernameKey(password);
  const stem = stemOf(whole);
  const own = [usernameKey(username), stemOf(usernameKey(username)), ...ownNames];
  const compact = whole.replace(/[^\p{L}\p{N}]+/gu, '');
  if (known.has(whole) || own.includes(whole) || isRepeated(whole)) return true;
  if (compact.length > 1 && isRepeated(compact)) return true;
  return stem.length >= shortestStem && (known.has(stem) || own.includes(stem));
}

/** The word in the middle: without digits, signs and spaces at the ends. */
function stemOf(text: string): string {
  return text.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '');
}

/** One to four characters over and over, or a run such as `abcdefghijkl` and `987654321098`. */
function isRepeated(text: string): boolean {
  if (/^(.{1,4}?)\1+$/su.test(text)) return true;
  const codes = Array.from(text, (character) => character.codePointAt(0) ?? 0);
  const steps = codes.slice(1).map((code, index) => code - (codes[index] ?? 0));
  return steps.every((step) => step === 1 || step === -9) || steps.every((step) => step === -1 || step === 9);
}

let list: Promise<ReadonlySet<string>> | undefined;

/** The list is large and needed only where a password is chosen, so it is loaded then. */
function commonPasswords(): Promise<ReadonlySet<string>> {
  list ??= import('@zxcvbn-ts/language-common').then(({ dictionary }) => new Set(dictionary['passwords-common']));
  return list;
}
