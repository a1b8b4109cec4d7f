import { parseSync } from '@swc/core';

/** One place where a file names another one: a statement, `import()`, `require()`, a type `import()`, a worker's URL, … */
export interface Reference {
  /** undefined when it is computed, so that nobody can tell what it names */
  readonly specifier: string | undefined;
  /** gone at run time */
  readonly typeOnly: boolean;
  readonly line: number;
}

export interface SourceFile {
  /** from the root of the repository, with `/` */
  readonly path: string;
  readonly references: readonly Reference[];
  /** lines of `export * from` and its kin */
  readonly starExports: readonly number[];
  /** lines of `const { … } = process` */
  readonly openedProcess: readonly number[];
  readonly texts: readonly { readonly text: string; readonly line: number }[];
  /** lines of the top-level statements that leave something behind at run time */
  readonly runtimeStatements: readonly number[];
}

/** Parses TypeScript or JavaScript. @throws what the parser says of a file that it can't read */
export function readSource(path: string, code: string): SourceFile {
  const bytes = Buffer.from(code);
  const found = {
    path,
    references: [] as Reference[],
    starExports: [] as number[],
    openedProcess: [] as number[],
    texts: [] as { text: string; line: number }[],
    runtimeStatements: [] as number[],
  };
  const module: unknown = parseSync(code, { syntax: /\.[cm]?ts$/.test(path) ? 'typescript' : 'ecmascript', target: 'es2024' });
  if (!isNode(module)) throw new Error(`${path}: the parser answered no syntax tree`);
  const lineOf = (node: Node): number => lineAt(bytes, node.span?.start ?? 1);
  visit(module, (node) => {
    const reference = referenceIn(node);
    if (reference) found.references.push({ ...reference, line: lineOf(node) });
    if (isStarExport(node)) found.starExports.push(lineOf(node));
    if (opensProcess(node)) found.openedProcess.push(lineOf(node));
    const text = textOf(node);
    if (text !== undefined) found.texts.push({ text, line: lineOf(node) });
  });
  found.runtimeStatements.push(
    ...nodesIn(module.body)
      .filter((statement) => !isErased(statement))
      .map(lineOf),
  );
  return found;
}

/** A node of swc's syntax tree, of which only these parts matter here. */
interface Node {
  readonly type: string;
  readonly span?: { readonly start: number };
  readonly [part: string]: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function nodesIn(value: unknown): readonly Node[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}

function visit(value: unknown, look: (node: Node) => void): void {
  if (Array.isArray(value)) for (const item of value) visit(item, look);
  else if (typeof value === 'object' && value !== null) {
    if (isNode(value)) look(value);
    for (const part of Object.values(value)) visit(part, look);
  }
}

/** swc counts bytes from 1. */
function lineAt(bytes: Buffer, start: number): number {
  let line = 1;
  for (const byte of bytes.subarray(0, start - 1)) if (byte === 10) line += 1;
  return line;
}

type Unplaced = Omit<Reference, 'line'>;

function referenceIn(node: Node): Unplaced | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ExportNamedDeclaration':
      return isNode(node.source) ? { specifier: textOf(node.source), typeOnly: node.typeOnly === true } : undefined;
    case 'TsImportType':
      return { specifier: textOf(node.argument), typeOnly: true };
    case 'TsModuleDeclaration':
      return isNode(node.id) && node.id.type === 'StringLiteral' ? { specifier: textOf(node.id), typeOnly: true } : undefined;
    case 'TsExternalModuleReference':
      return { specifier: textOf(node.expression), typeOnly: false };
    case 'CallExpression':
      return loads(node.callee) ? { specifier: textOf(firstArgument(node)), typeOnly: false } : undefined;
    case 'NewExpression':
      // new URL('./x.ts', import.meta.url) is how a worker or a child process is started.
      return isNamed(node.callee, 'URL') && isMeta(argument(node, 1))
        ? { specifier: textOf(firstArgument(node)), typeOnly: false }
        : undefined;
    default:
      return undefined;
  }
}

/** `import`, `require`, `require.resolve`, `import.meta.resolve` */
function loads(callee: unknown): boolean {
  if (!isNode(callee)) return false;
  if (callee.type === 'Import' || isNamed(callee, 'require')) return true;
  return (
    callee.type === 'MemberExpression' &&
    isNamed(callee.property, 'resolve') &&
    (isMeta(callee.object) || isNamed(callee.object, 'require'))
  );
}

/** `import.meta` or a part of it */
function isMeta(node: unknown): boolean {
  return isNode(node) && (node.type === 'MetaProperty' || (node.type === 'MemberExpression' && isMeta(node.object)));
}

function isNamed(node: unknown, name: string): boolean {
  return isNode(node) && node.type === 'Identifier' && node.value === name;
}

function argument(call: Node, index: number): unknown {
  const given: unknown = Array.isArray(call.arguments) ? call.arguments[index] : undefined;
  return typeof given === 'object' && given !== null && 'expression' in given ? given.expression : undefined;
}

function firstArgument(call: Node): unknown {
  return argument(call, 0);
}

/** What a string or a template without holes says; of a template with holes, the text around them is not a whole: undefined. */
function textOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'StringLiteral' && typeof node.value === 'string') return node.value;
  if (node.type === 'TemplateElement' && typeof node.raw === 'string') return node.raw;
  if (node.type === 'TemplateLiteral' && nodesIn(node.expressions).length === 0) return textOf(nodesIn(node.quasis)[0]);
  return undefined;
}

function isStarExport(node: Node): boolean {
  if (node.type === 'ExportAllDeclaration') return true;
  return (
    node.type === 'ExportNamedDeclaration' && nodesIn(node.specifiers).some(({ type }) => type === 'ExportNamespaceSpecifier')
  );
}

function opensProcess(node: Node): boolean {
  return (
    node.type === 'VariableDeclarator' && isNamed(node.init, 'process') && isNode(node.id) && node.id.type === 'ObjectPattern'
  );
}

function isErased(statement: Node): boolean {
  const declaration = statement.type === 'ExportDeclaration' ? statement.declaration : statement;
  if (!isNode(declaration)) return false;
  return (
    declaration.type === 'TsInterfaceDeclaration' ||
    declaration.type === 'TsTypeAliasDeclaration' ||
    declaration.typeOnly === true
  );
}
