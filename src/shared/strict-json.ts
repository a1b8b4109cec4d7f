/** Why a text is no acceptable JSON; the message is safe to show and echoes nothing. */
export class JsonRefused extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'JsonRefused';
  }
}

const maxDepth = 32;
/** Names that write to a prototype when a careless copy of the value is made. */
const forbiddenNames: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Parses the JSON that parsers agree about (I-JSON, RFC 7493): no name twice in an object, well-formed Unicode; further no
 * more than 32 levels and no name that reaches a prototype. `JSON.parse` alone takes the last of two equal names in silence.
 * @throws JsonRefused
 */
export function parseStrictJson(text: string): unknown {
  const value = parse(text);
  checkStructure(text);
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new JsonRefused('The body is not JSON.', { cause });
  }
}

/** Walks over a text that is known to be JSON. `names` holds the names of each open object, undefined for an array. */
function checkStructure(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === '{' || character === '[') {
      open.push(character === '{' ? new Set() : undefined);
      if (open.length > maxDepth) throw new JsonRefused(`The body is nested more than ${maxDepth} levels deep.`);
    } else if (character === '}' || character === ']') {
      open.pop();
    } else if (character === '"') {
      const end = endOfString(text, index);
      const content = decoded(text.slice(index, end + 1));
      if (isFollowedByColon(text, end)) checkName(content, open.at(-1));
      index = end;
    }
  }
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

function isEscaped(text: string, quote: number): boolean {
  let backslashes = 0;
  while (text[quote - 1 - backslashes] === '\\') backslashes += 1;
  return backslashes % 2 === 1;
}

function decoded(literal: string): string {
  if (!literal.includes('\\')) return literal.slice(1, -1);
  const content = String(JSON.parse(literal));
  if (!content.isWellFormed()) throw new JsonRefused('The body holds half of a surrogate pair.');
  return content;
}

function isFollowedByColon(text: string, end: number): boolean {
  let next = end + 1;
  while (text[next] === ' ' || text[next] === '\n' || text[next] === '\r' || text[next] === '\t') next += 1;
  return text[next] === ':';
}

function checkName(name: string, names: Set<string> | undefined): void {
  if (forbiddenNames.has(name)) throw new JsonRefused('The body has a member with a name that is not allowed.');
  if (names?.has(name)) throw new JsonRefused('The body names a member twice.');
  names?.add(name);
}
