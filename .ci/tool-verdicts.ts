// What the tools of .ci/security-tools.ts found, judged from what they wrote. A tool that did not do its work found nothing either, so
// each verdict asks for a sign that it did.
import type { Ended } from './run-program.ts';

export interface Verdict {
  readonly ok: boolean;
  readonly told: string;
}

/** How many requests had which status; under `unanswered` those whose connection failed. */
export type Statuses = Readonly<Record<string, number>>;

export interface Traffic {
  /** how long the product reads took that were answered with 200, in milliseconds */
  readonly readMs: readonly number[];
  readonly reads: Statuses;
  readonly signIns: Statuses;
}

const colour = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/**
 * What seems to be injectable on the way is looked at again by sqlmap itself; what it calls so in the end is a finding. Its exit code
 * says nothing: it is 0 too when no request was answered.
 */
export function sqlmapVerdict({ code, timedOut, output }: Ended, seconds: number): Verdict {
  const [found] = /is vulnerable|identified the following injection point/i.exec(output) ?? [];
  if (found !== undefined) return { ok: false, told: found };
  if (/all tested parameters do not appear to be injectable/.test(output)) return { ok: true, told: 'nothing found' };
  const began = /testing for SQL injection on/.test(output);
  if (timedOut && began) return { ok: true, told: `nothing found in ${seconds} s, then stopped` };
  if (timedOut) return { ok: false, told: `had not begun to inject after ${seconds} s` };
  return { ok: false, told: `ended without a verdict, ${codeOf(code)}: ${lastProblem(output)}` };
}

/** One of the listed paths, which the shop has: where it is not found, nothing would be. */
const knownPath = 'openapi.json';

/**
 * @param report what ffuf wrote with `-of json` and no filter: an entry for each path that was answered; undefined: nothing
 * @param paths of its list
 */
export function ffufVerdict({ code, output }: Ended, report: string | undefined, paths: readonly string[]): Verdict {
  if (code !== 0) return { ok: false, told: `did not run to its end, ${codeOf(code)}: ${lastProblem(output)}` };
  const { results } = JSON.parse(report ?? '{"results":[]}') as {
    results: readonly { input: { FUZZ: string }; status: number }[];
  };
  const statuses = new Map(results.map(({ input, status }) => [input.FUZZ, status]));
  const unanswered = paths.filter((path) => !statuses.has(path));
  if (unanswered.length > 0)
    return { ok: false, told: `no answer to ${unanswered.length} of ${paths.length} paths: ${unanswered.slice(0, 5).join(' ')}` };
  if (statuses.get(knownPath) !== 200) return { ok: false, told: `${knownPath} was not found, so nothing would be` };
  const found = [...statuses].filter(([path, status]) => path !== knownPath && status !== 404 && !isNoId(path, status));
  const told = found.map(([path, status]) => `${path} (${status})`).join(' ');
  return { ok: found.length === 0, told: told || `no hidden path among ${paths.length}` };
}

/** 500 slow sockets, beside which products are read and many sign in; `quiet` is the same without both. */
export function slowVerdict({ code, output }: Ended, { quiet, busy }: { quiet: Traffic; busy: Traffic }): Verdict {
  const plain = output.replaceAll(colour, '');
  const [yes, no] = ['YES', 'NO'].map((word) => new RegExp(`service available:\\s*${word}`).test(plain));
  const faults = [
    ...(code === 0 ? [] : [`did not run to its end, ${codeOf(code)}: ${lastProblem(plain)}`]),
    ...(no ? ['service was not always available'] : yes ? [] : ['nothing was said about the service']),
    ...readFaults(quiet.reads).map((fault) => `quiet: ${fault}`),
    ...readFaults(busy.reads),
    ...signInFaults(busy.signIns),
  ];
  const figures = [
    `p99 of a product read ${p99Of(busy.readMs)}, quiet ${p99Of(quiet.readMs)}`,
    `sign-ins: ${listOf(busy.signIns) || 'none'}`,
  ];
  return {
    ok: faults.length === 0,
    told: [...(faults.length > 0 ? faults : ['service available throughout']), ...figures].join('; '),
  };
}

/** One in a hundred may meet a kept connection that ends; with more the 99th percentile would be of the lucky ones. */
function readFaults({ 200: read = 0, unanswered = 0, ...others }: Statuses): readonly string[] {
  return [
    ...(read === 0 ? ['no product read was answered'] : []),
    ...(unanswered * 100 > read ? [`${unanswered} product reads were not answered`] : []),
    ...(listOf(others) === '' ? [] : [`product reads answered ${listOf(others)}`]),
  ];
}

/** Wrong passwords are refused, or turned away when too many wait. */
function signInFaults({ 401: refused = 0, 503: _turnedAway, unanswered: _lost, ...others }: Statuses): readonly string[] {
  return [
    ...(refused === 0 ? ['no sign-in was checked'] : []),
    ...(listOf(others) === '' ? [] : [`sign-ins answered ${listOf(others)}`]),
  ];
}

function p99Of(times: readonly number[]): string {
  const p99 = times.toSorted((one, other) => one - other)[Math.floor(times.length * 0.99)];
  return p99 === undefined ? 'unknown' : `${p99.toFixed(1)} ms`;
}

const listOf = (statuses: Statuses): string =>
  Object.entries(statuses)
    .map(([status, times]) => `${status} ${times}`)
    .join(', ');

/** What stands in the list for an id below a documented path, and is none; that it is refused otherwise than with 404 is no finding. */
const isNoId = (path: string, status: number): boolean =>
  status < 500 && /^api\/(?:products|orders|auth\/users)\/[^/]+$/.test(path);

const codeOf = (code: number | undefined): string => (code === undefined ? 'killed or not started' : `code ${code}`);

/** The last line that tells of an error, else the last one. */
function lastProblem(output: string): string {
  const lines = output.split('\n').map((line) => line.trim());
  return lines.findLast((line) => /error|critical/i.test(line)) ?? lines.findLast((line) => line !== '') ?? 'no output';
}
