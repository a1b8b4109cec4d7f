import { deepEqual, equal, notEqual } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { RegoEngine, TemplateFile } from '@aws/cloudformation-validate';
import { acknowledgedFindings } from '../lib/acknowledged-findings.ts';
import { checkAwsSolutions } from '../lib/nag.ts';
import { createShop } from '../lib/shop.ts';
import { exampleInputs, stackNames, synthesize, synthesizeAnew } from './synthesized.ts';

const environments = ['dev', 'prod'] as const;
const synthesized = { dev: synthesize('dev'), prod: synthesize('prod') };

describe('synthesis', () => {
  for (const environment of environments) {
    it(`gives the same files twice (${environment})`, () => {
      const [one, two] = [synthesized[environment], synthesizeAnew(environment)];
      deepEqual(filesOf(one.folder), filesOf(two.folder));
      notEqual(filesOf(one.folder).size, 0);
    });

    it(`looks nothing up (${environment})`, () => {
      const manifest = JSON.parse(readFileSync(join(synthesized[environment].folder, 'manifest.json'), 'utf8'));
      equal(manifest.missing, undefined);
      for (const stack of stackNames) {
        const text = readFileSync(synthesized[environment].file(stack), 'utf8');
        equal(/dummy|Fn::GetAZs/.test(text), false, stack);
      }
    });

    it(`gives templates without a finding of AWS's own validation (${environment})`, () => {
      const engine = new RegoEngine();
      const found = stackNames.flatMap((stack) =>
        engine
          .validateStandard(new TemplateFile(synthesized[environment].file(stack)), {
            severityLevel: 'WARN',
            exclude: { ids: Object.keys(harmless) },
          })
          .diagnostics.map(({ ruleId, message, propertyPath }) => `${stack} ${ruleId} ${propertyPath}: ${message}`),
      );
      deepEqual(found, []);
    });
  }
});

/** Warnings that are meant to be so. */
const harmless = {
  W3010: 'the zones are an input: asking for them would need an account',
  W3005: 'CDK names a dependency that a reference implies too',
  W9013: 'the account is an input',
};

describe('cdk-nag', () => {
  it('finds what is acknowledged, and nothing else', () => {
    const found = new Set<string>();
    for (const environment of environments) {
      const { violations, suppressed } = findingsOf(environment);
      deepEqual(violations, []);
      for (const { reason, at } of suppressed) found.add(`${at.replace(/^shop-[a-z]+-/, '')}: ${reason}`);
    }
    const idle = acknowledgedFindings.filter(({ stack, path, reason }) => !found.has(`${stack}/${path}: ${reason}`));
    deepEqual(idle, [], 'acknowledged, but not found');
  });

  it('fails the synthesis when a finding is not acknowledged', () => {
    const kept = acknowledgedFindings.filter(({ id }) => id !== 'AwsSolutions-RDS14');
    const { violations } = findingsOf('prod', kept);
    deepEqual(violations, ['AwsSolutions-RDS14']);
  });

  it('has a reason of a whole sentence for each', () => {
    for (const { id, reason } of acknowledgedFindings) equal(/^[A-Za-z].{40,}\.$/.test(reason), true, id);
  });
});

interface Report {
  readonly pluginReports: readonly {
    readonly pluginName: string;
    readonly violations: readonly { readonly ruleName: string }[];
    readonly suppressedViolations: readonly { readonly reason: string; readonly acknowledgedAt: string }[];
  }[];
}

function findingsOf(environment: (typeof environments)[number], acknowledged = acknowledgedFindings) {
  const folder = `${synthesized[environment].folder}-nag`;
  after(() => rmSync(folder, { recursive: true, force: true }));
  const app = createShop({ environment, inputs: exampleInputs, imageTag: '1.0.0', outdir: folder });
  checkAwsSolutions(app, acknowledged);
  let failed = false;
  try {
    app.synth();
  } catch {
    failed = true;
  }
  const report: Report = JSON.parse(readFileSync(join(folder, 'validation-report.json'), 'utf8'));
  const nag = report.pluginReports.find(({ pluginName }) => pluginName === 'AwsSolutions');
  const violations = nag?.violations.map(({ ruleName }) => ruleName) ?? ['no report'];
  equal(failed, violations.length > 0, 'a finding fails the synthesis');
  return {
    violations,
    suppressed: (nag?.suppressedViolations ?? []).map(({ reason, acknowledgedAt }) => ({ reason, at: acknowledgedAt })),
  };
}

function filesOf(folder: string): ReadonlyMap<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files
      .map(({ parentPath, name }) => join(parentPath, name))
      // who called which line, for messages of the CLI; nothing of it is deployed
      .filter((path) => !path.endsWith('.metadata.json') && !path.endsWith('validation-report.json'))
      .sort()
      .map((path) => [path.slice(folder.length), createHash('sha256').update(readFileSync(path)).digest('hex')]),
  );
}
