import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino';

const maxTextLength = 1000;
const maxStackLength = 4000;
const maxDepth = 5;
const maxMembers = 100;
/** what waits for a slow reader of stdout; beyond it lines are dropped rather than requests held up */
const maxBacklogBytes = 4 * 1024 * 1024;

const secretNames = /^(?:set-)?cookie$|authorization|password|secret|token|pepper|private_?key|api_?key/i;
const secretTexts: readonly (readonly [RegExp, string])[] = [
  [/\bBearer +[^\s"',]+/gi, 'Bearer [redacted]'],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, '[redacted]'],
  [/(:\/\/)[^\s/@:]*:[^\s/@]*@/g, '$1[redacted]@'],
];
/** What JSON leaves as it is although it breaks lines, moves the cursor or turns the direction of text on a terminal. */
const unprintable = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
/** Holds where any of the patterns above may: nearly all texts are done with after this one look. */
const needsALook = /\bBearer |\beyJ|:\/\/|[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/i;

/**
 * Writes one line of JSON for each event to stdout, or to the given stream. Members whose name speaks of a secret are
 * replaced, and so are tokens and passwords inside texts; control characters are escaped and long texts cut. Of an error only
 * name, message, code and stack are written, because errors of libraries carry statements, parameters and rows.
 */
export function createLogger({
  level,
  stream = standardOutput(),
}: {
  readonly level: string;
  readonly stream?: DestinationStream;
}): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      // the formatter below handles errors wherever they appear
      serializers: { err: (value: unknown) => value },
      formatters: { level: (label) => ({ level: label }), log: presentableMembers },
      hooks: {
        logMethod(input, method) {
          const [first, message] = input;
          const members = first instanceof Error ? { error: first } : typeof first === 'string' ? {} : first;
          const text = typeof first === 'string' ? first : message;
          method.call(this, members, text === undefined ? undefined : presentableText(text, maxTextLength));
        },
      },
    },
    stream,
  );
}

function standardOutput(): DestinationStream {
  const stream = destination({ dest: 1, sync: false, maxLength: maxBacklogBytes });
  let failing = false;
  // a reader that went away must not end the process
  stream.on('error', () => {
    failing = true;
  });
  stream.on('write', () => {
    failing = false;
  });
  // what could not be written before is given up at the end: sonic-boom would try for ever, and the process would never be gone
  const flushSync = stream.flushSync.bind(stream);
  stream.flushSync = () => {
    if (!failing) flushSync();
  };
  return stream;
}

function presentableMembers(members: object): Record<string, unknown> {
  return membersOf(members, 0);
}

function membersOf(members: object, depth: number): Record<string, unknown> {
  // without a prototype, so that no name means anything
  const presented: Record<string, unknown> = Object.create(null);
  for (const [name, value] of Object.entries(members).slice(0, maxMembers))
    presented[presentableText(name, maxTextLength)] = secretNames.test(name) ? '[redacted]' : presentable(value, depth);
  return presented;
}

function presentable(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return presentableText(value, maxTextLength);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return presentableError(value, depth);
  if (depth >= maxDepth) return '[nested]';
  if (Array.isArray(value)) return value.slice(0, maxMembers).map((entry) => presentable(entry, depth + 1));
  if (value instanceof Date) return value.toJSON();
  return membersOf(value, depth + 1);
}

function presentableError(error: Error, depth: number): Record<string, unknown> {
  return {
    name: presentableText(error.name, maxTextLength),
    message: presentableText(error.message, maxTextLength),
    ...('code' in error && typeof error.code === 'string' && { code: presentableText(error.code, maxTextLength) }),
    stack: presentableText(error.stack ?? '', maxStackLength),
    ...(error.cause instanceof Error && depth < maxDepth && { cause: presentableError(error.cause, depth + 1) }),
  };
}

function presentableText(text: string, maxLength: number): string {
  if (text.length <= maxLength && !needsALook.test(text)) return text;
  let cut = text.length > maxLength ? `${text.slice(0, maxLength)}… (${text.length} characters)` : text;
  for (const [pattern, replacement] of secretTexts) cut = cut.replaceAll(pattern, replacement);
  return cut.replaceAll(unprintable, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
