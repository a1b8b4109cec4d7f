import type { MissingProgram } from './services.ts';

/** Says at the end of a run which suites did not run on the servers, and what is missing for them. */
export default class LeftOutReporter {
  readonly #suites: readonly string[];
  readonly #missing: readonly MissingProgram[];

  constructor(_config: unknown, { suites, missing }: { suites: readonly string[]; missing: readonly MissingProgram[] }) {
    this.#suites = suites;
    this.#missing = missing;
  }

  onRunComplete(): void {
    const programs = this.#missing.map(({ program, debianPackage }) => `  ${program} (apt-get install ${debianPackage})`);
    const suites = this.#suites.map((suite) => `  ${suite}`);
    process.stderr.write(
      ['', 'Missing programs:', ...programs, 'so these suites did not run on MariaDB and DynamoDB Local:', ...suites, ''].join(
        '\n',
      ),
    );
  }
}
