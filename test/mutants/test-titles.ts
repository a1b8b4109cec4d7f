import { parseSync } from '@swc/core';

export interface Titles {
  /** match the full names of the tests of a file; what a table fills in may be anything */
  readonly tests: readonly RegExp[];
  /** lines of the hooks that run before tests */
  readonly hooksBefore: readonly { readonly first: number; readonly last: number }[];
}

/** Finds the tests of a file without running it. */
export function readTitles(code: string): Titles {
  const bytes = Buffer.from(code);
  const lineAt = (position: number) =>
    bytes
      .subarray(0, position - 1)
      .toString()
      .split('\n').length;
  const tests: RegExp[] = [];
  const hooksBefore: { first: number; last: number }[] = [];
  const visit = (value: unknown, outer: string): void => {
    if (typeof value !== 'object' || value === null) return;
    const call = callIn(value as Part);
    if (call?.name === 'it' || call?.name === 'test') tests.push(new RegExp(`^${outer}${call.title}$`, 's'));
    if (call?.name === 'beforeAll' || call?.name === 'beforeEach')
      hooksBefore.push({ first: lineAt(call.span.start), last: lineAt(call.span.end) });
    const inner = call?.name?.startsWith('describe') ? `${outer}${call.title} ` : outer;
    for (const part of Object.values(value)) visit(part, inner);
  };
  visit(parseSync(code, { syntax: 'typescript', target: 'es2024' }), '');
  return { tests, hooksBefore };
}

/** A node of swc's syntax tree, of which only these parts matter here. */
interface Part {
  readonly type?: string;
  readonly value?: unknown;
  readonly span?: { readonly start: number; readonly end: number };
  readonly callee?: Part;
  readonly tag?: Part;
  readonly object?: Part;
  readonly arguments?: readonly { readonly expression: Part }[];
  readonly quasis?: readonly { readonly raw: string }[];
}

/** A call of `it('…')`, `it.each(…)('…')` and the like; `title` is the source of a pattern, empty when there is none. */
function callIn(part: Part) {
  if (part.type !== 'CallExpression' || part.callee === undefined || part.span === undefined) return undefined;
  const { name, each } = calleeIn(part.callee);
  return { name, span: part.span, title: patternOf(part.arguments?.[0]?.expression, each) };
}

/** `it`, `it.each(…)`, or a function such as `describeWithRedis()` that answers one of them. */
function calleeIn(callee: Part): { readonly name: string | undefined; readonly each: boolean } {
  const made = callee.callee ?? callee.tag;
  const { value, object } = made ?? callee;
  const name = object?.value ?? value;
  return { name: typeof name === 'string' ? name : undefined, each: object !== undefined };
}

function patternOf(title: Part | undefined, each: boolean): string {
  const texts = title?.quasis?.map(({ raw }) => raw) ?? (typeof title?.value === 'string' ? [title.value] : []);
  const pattern = texts.map((text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*');
  return each ? pattern.replaceAll(/%[a-z#]|\\\$[\w\\.]+/g, '.*') : pattern;
}
