/** How a replay ends, as the exit code of the process. */
export const exitCodes = {
  /** the shop and the file agree to the penny and the piece */
  agrees: 0,
  differs: 1,
  /** wrong usage, a file that can not be read, a sign-in or a product that the shop refuses */
  setup: 2,
  /** the shop holds products that are not from an earlier run of this file */
  notEmpty: 3,
  /** the shop did not answer for too long; the same command goes on where this run ended */
  gaveUp: 4,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Ends the run with one line for the user. */
export class ReplayStop extends Error {
  readonly exitCode: ExitCode;

  constructor(reason: 'setup' | 'notEmpty' | 'gaveUp', message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ReplayStop';
    this.exitCode = exitCodes[reason];
  }
}
