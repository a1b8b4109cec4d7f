import { readFileSync } from 'node:fs';

/** What differs from account to account: nothing here is a secret. `inputs/example.json` shows a whole file. */
export interface Inputs {
  /** twelve digits */
  readonly account: string;
  readonly region: string;
  /** three zones of the region; named, because asking AWS for them would need an account at synthesis */
  readonly zones: readonly string[];
  /** of ACM, in the same region */
  readonly certificateArn: string;
  /** gets the alarms and the warnings of the budget */
  readonly operatorEmail: string;
  readonly monthlyBudgetUsd: number;
  /** origins whose browsers may call the shop; may be empty */
  readonly corsOrigins: readonly string[];
}

/** @throws with a line for each problem of the file */
export function readInputs(path: string): Inputs {
  const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (!isInputs(value)) throw new Error(`${path}:\n${problemsOf(value).join('\n')}`);
  return value;
}

function isInputs(value: unknown): value is Inputs {
  return problemsOf(value).length === 0;
}

const rules: Readonly<
  Record<keyof Inputs, readonly [isRight: (value: unknown, all: Record<string, unknown>) => boolean, rule: string]>
> = {
  account: [(value) => matches(value, /^\d{12}$/), 'has to be an account of twelve digits'],
  region: [(value) => matches(value, /^[a-z]{2}(-[a-z]+)+-\d$/), 'has to be a region such as eu-west-1'],
  zones: [
    (value, { region }) => isListOf(value, (zone) => zone.startsWith(String(region))) && new Set(value).size === 3,
    'has to name three zones of the region',
  ],
  certificateArn: [
    (value, { account, region }) => String(value).startsWith(`arn:aws:acm:${region}:${account}:certificate/`),
    'has to be the ARN of a certificate of ACM in this account and region',
  ],
  operatorEmail: [(value) => matches(value, /^[^@\s]+@[^@\s]+$/), 'has to be an address'],
  monthlyBudgetUsd: [(value) => typeof value === 'number' && value > 0, 'has to be a number above 0'],
  corsOrigins: [
    (value) => isListOf(value, (origin) => URL.canParse(origin) && new URL(origin).origin === origin),
    'has to be a list of origins such as https://shop.example',
  ],
};

function problemsOf(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return ['has to be an object'];
  const given = Object.fromEntries(Object.entries(value));
  const unknown = Object.keys(given).filter((name) => !(name in rules));
  return [
    ...unknown.map((name) => `  ${name} is no input`),
    ...Object.entries(rules).flatMap(([name, [isRight, rule]]) => (isRight(given[name], given) ? [] : [`  ${name} ${rule}`])),
  ];
}

function matches(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}

function isListOf(value: unknown, isRight: (text: string) => boolean): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string' && isRight(entry));
}
