import { foldCase } from './product.ts';

/** Letters and digits of any script, with the marks that belong to them. */
const word = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu;
const maxQueryWords = 8;
const maxIndexedWords = 2000;

/**
 * Two characters in front of each word: so no word is a stop word or too short for an engine's index.
 */
const marker = 'w0';

/** InnoDB leaves words of more than 84 characters out of its index; longer ones are cut, in the index and in the query alike. */
const maxEncodedLength = 80;

/** The words of a text, encoded for the index, each once. */
export function indexedWords(texts: readonly (string | undefined)[]): string {
  const words = new Set<string>();
  for (const text of texts) {
    for (const found of wordsOf(text ?? '')) {
      if (words.size >= maxIndexedWords) return [...words].join(' ');
      words.add(found);
    }
  }
  return [...words].join(' ');
}

/** The words to look for, encoded, at most 8: what comes after them is not looked at. Empty for a text without any word. */
export function queryWords(text: string): readonly string[] {
  return [...new Set(wordsOf(text))].slice(0, maxQueryWords);
}

function wordsOf(text: string): string[] {
  const folded = foldCase(text.normalize('NFKC')).normalize('NFKC');
  return (folded.match(word) ?? []).map(encode);
}

/**
 * Words become plain ASCII letters and digits, so that they mean nothing to an engine and every engine cuts and compares them
 * alike. The beginning of a word stays the beginning of its encoding: `z` is `zz`, a character beyond ASCII `z` and four digits.
 */
function encode(found: string): string {
  let encoded = marker;
  for (const character of found) {
    const next = /[a-y0-9]/.test(character) ? character : escaped(character);
    if (encoded.length + next.length > maxEncodedLength) break;
    encoded += next;
  }
  return encoded;
}

function escaped(character: string): string {
  return character === 'z' ? 'zz' : `z${(character.codePointAt(0) ?? 0).toString(32).padStart(4, '0')}`;
}
