/** The part of V8's format that is read here (the type Profile of the inspector's protocol); times in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

/** A function in one place of the call tree; `ms` counts what it called as well. */
export interface Frame {
  readonly name: string;
  ms: number;
  selfMs: number;
  readonly callees: Map<string, Frame>;
}

const notWork = new Set(['(idle)', '(program)', '(root)']);

/** The calls after `fromMicroseconds` of the monotonic clock, merged by name; what is no work is left out. */
export function callTree({ nodes, startTime, samples, timeDeltas }: CpuProfile, fromMicroseconds: number): Frame {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const names = new Map(nodes.map((node) => [node.id, nameOf(node)]));
  const root = newFrame('all');
  const stacks = new Map<number, readonly string[]>();
  const stackOf = (id: number): readonly string[] => {
    const known = stacks.get(id);
    if (known !== undefined) return known;
    const parent = parents.get(id);
    const stack = parent === undefined ? [] : [...stackOf(parent), names.get(id) ?? '?'];
    stacks.set(id, stack);
    return stack;
  };
  let at = startTime;
  for (const [index, id] of samples.entries()) {
    const delta = timeDeltas[index] ?? 0;
    at += delta;
    if (at < fromMicroseconds || notWork.has(names.get(id) ?? '')) continue;
    add(root, stackOf(id), delta / 1000);
  }
  return root;
}

function add(root: Frame, stack: readonly string[], ms: number): void {
  let frame = root;
  frame.ms += ms;
  for (const name of stack) {
    const callee = frame.callees.get(name) ?? newFrame(name);
    frame.callees.set(name, callee);
    callee.ms += ms;
    frame = callee;
  }
  frame.selfMs += ms;
}

function newFrame(name: string): Frame {
  return { name, ms: 0, selfMs: 0, callees: new Map() };
}

function nameOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const file = url.replace(/^.*\/(?=dist\/|node_modules\/)/, '').replace(/^(?:dist\/src|node_modules)\//, '');
  return url === '' ? functionName : `${functionName || '(anonymous)'} ${file}:${lineNumber + 1}`;
}

/** The share of the time that each function took itself, wherever it was called, the longest first. */
export function selfShares(root: Frame): readonly { readonly name: string; readonly share: number }[] {
  const sums = new Map<string, number>();
  const visit = (frame: Frame) => {
    sums.set(frame.name, (sums.get(frame.name) ?? 0) + frame.selfMs);
    for (const callee of frame.callees.values()) visit(callee);
  };
  visit(root);
  return [...sums].map(([name, ms]) => ({ name, share: ms / root.ms })).sort((one, other) => other.share - one.share);
}
