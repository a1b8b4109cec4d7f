import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { readInputs } from '../lib/inputs.ts';
import type { EnvironmentName } from '../lib/settings.ts';
import { createShop } from '../lib/shop.ts';

export const stackNames = ['data', 'service', 'operations'] as const;
export type StackName = (typeof stackNames)[number];

export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DependsOn?: readonly string[];
  readonly DeletionPolicy?: string;
}

export type Template = Readonly<{ Resources: Readonly<Record<string, Resource>>; Outputs?: Readonly<Record<string, unknown>> }>;

export const exampleInputs = readInputs(join(import.meta.dirname, '..', 'inputs', 'example.json'));

export type Synthesized = ReturnType<typeof synthesizeAnew>;
const synthesized = new Map<EnvironmentName, Synthesized>();

/** The templates as they are deployed; each environment is synthesized once for all tests. */
export function synthesize(environment: EnvironmentName): Synthesized {
  const known = synthesized.get(environment) ?? synthesizeAnew(environment);
  synthesized.set(environment, known);
  return known;
}

/** In a folder that is gone after the tests. */
export function synthesizeAnew(environment: EnvironmentName) {
  const folder = mkdtempSync(join(tmpdir(), 'shop-infra-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const app = createShop({ environment, inputs: exampleInputs, imageTag: '1.0.0', outdir: folder });
  app.synth();
  const file = (stack: StackName) => join(folder, `shop-${environment}-${stack}.template.json`);
  return {
    app,
    folder,
    file,
    template: (stack: StackName): Template => JSON.parse(readFileSync(file(stack), 'utf8')),
  };
}

/** All resources of a type, by logical id. */
export function resourcesOf(template: Template, type: string): readonly (readonly [id: string, resource: Resource])[] {
  return Object.entries(template.Resources).filter(([, { Type }]) => Type === type);
}

/** What the template leaves to be known at deployment, as text: good enough to compare and to read. */
export function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return value.map(textOf).join(', ');
  const [[name, argument] = ['', undefined]] = Object.entries(value);
  if (name === 'Ref') return String(argument).startsWith('AWS::') ? `<${argument}>` : `<${unhashed(String(argument))}>`;
  if (name === 'Fn::GetAtt' && Array.isArray(argument)) return `<${unhashed(String(argument[0]))}.${argument[1]}>`;
  if (name === 'Fn::Join' && Array.isArray(argument)) return (argument[1] as unknown[]).map(textOf).join(argument[0]);
  if (name === 'Fn::ImportValue') return `<${unhashed(String(argument).replace(/^.*ExportsOutput(?:Ref|FnGetAtt)/, ''))}>`;
  if (name === 'Fn::Select' && Array.isArray(argument)) return `<part ${argument[0]} of ${textOf(argument[1])}>`;
  if (name === 'Fn::Split' && Array.isArray(argument)) return textOf(argument[1]);
  return JSON.stringify(value);
}

/** Without the eight digits that CDK appends: they tell a reader nothing. */
export function unhashed(id: string): string {
  return id.replace(/[0-9A-F]{8}$/, '').replace(/[0-9A-F]{8}(?=[A-Z][a-z])/, '');
}
