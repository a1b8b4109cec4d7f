import { attackRow } from './attack-row.ts';
import type { Row } from './bench-row.ts';
import { growthRow } from './growth-row.ts';
import { loginRows } from './login-rows.ts';
import { oneClientRow } from './one-client-row.ts';
import { orderRows } from './order-rows.ts';
import { overloadRow } from './overload-row.ts';
import { processRows } from './process-rows.ts';
import { readRows } from './read-rows.ts';
import { transferRows } from './transfer-rows.ts';
import { vendureRow } from './vendure-row.ts';
import { workerRow } from './worker-row.ts';

/** All rows, in the order of the table. A new one is added here and has everything else from there. */
export const rows: readonly Row[] = [
  ...readRows,
  ...orderRows,
  oneClientRow,
  overloadRow,
  ...loginRows,
  attackRow,
  ...processRows,
  workerRow,
  ...transferRows,
  growthRow,
  vendureRow,
];
