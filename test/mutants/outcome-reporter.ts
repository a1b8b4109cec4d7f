import { writeFileSync } from 'node:fs';

/** What became of the tests of one file, as far as a mutant's verdict needs it; Jest gives more. */
export interface SuiteOutcome {
  readonly testFilePath: string;
  /** why no test of the file was run */
  readonly failureMessage?: string | null;
  readonly testResults: readonly {
    readonly fullName: string;
    readonly status: string;
    readonly failureMessages: readonly string[];
  }[];
}

/** the variable that names the file for the outcomes */
export const outcomeFileVariable = 'MUTANT_OUTCOMES';

/** Writes down how each test ended. What `--json` writes holds the values that were compared, which may be no JSON at all. */
export default class OutcomeReporter {
  onRunComplete(_contexts: unknown, { testResults }: { testResults: readonly SuiteOutcome[] }): void {
    const outcomes = testResults.map(({ testFilePath, failureMessage, testResults: tests }): SuiteOutcome => {
      const kept = tests.map(({ fullName, status, failureMessages }) => ({ fullName, status, failureMessages }));
      return { testFilePath, failureMessage: failureMessage ?? null, testResults: kept };
    });
    writeFileSync(process.env[outcomeFileVariable] ?? '', JSON.stringify(outcomes));
  }
}
