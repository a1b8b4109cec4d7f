import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const page = join(import.meta.dirname, '..', 'docs', 'performance.md');

/** Parts of docs/performance.md that programs write, by the word that their first mark begins with. */
const parts = {
  measured: ['<!-- measured: npm run bench writes this part -->', '<!-- end of what is measured -->'],
  twoWorkers: ['<!-- two workers: npm run bench -- --workers 2 writes this part -->', '<!-- end of two workers -->'],
  growth: ['<!-- growth: npm run bench -- growth writes this part -->', '<!-- end of growth -->'],
  vendure: ['<!-- vendure: npm run bench -- vendure writes this part -->', '<!-- end of vendure -->'],
  soak: ['<!-- soak: npm run soak writes this part -->', '<!-- end of soak -->'],
} as const;

/** @throws when the page has no such part */
export function writePart(name: keyof typeof parts, lines: readonly string[]): void {
  const [from, to] = parts[name];
  const known = readFileSync(page, 'utf8');
  const [start, end] = [known.indexOf(from), known.indexOf(to)];
  if (start === -1 || end < start) throw new Error(`${page} has no part for ${name}.`);
  writeFileSync(page, known.slice(0, start) + [from, ...lines, to].join('\n') + known.slice(end + to.length));
}
