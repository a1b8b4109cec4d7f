/** A row, or a pair of rows, that breaks an invariant. */
export interface Finding {
  /** the invariant's number, such as `I-01` */
  readonly invariant: string;
  /** which row: the table's noun and the id */
  readonly subject: string;
  readonly detail: string;
}
