import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { logQueries } from '../lib/log-queries.ts';
import { metricNamespace, routeClasses, shopMetrics } from '../lib/metrics.ts';
import { resourcesOf, synthesize } from './synthesized.ts';

const root = join(import.meta.dirname, '..', '..');
const operations = synthesize('prod').template('operations');
const alarms = [
  ...resourcesOf(operations, 'AWS::CloudWatch::Alarm'),
  ...resourcesOf(operations, 'AWS::CloudWatch::CompositeAlarm'),
].map(([, { Properties }]) => Properties);

describe('the alarms', () => {
  it('lead to a section of the runbook each, and no section is without an alarm', () => {
    const runbook = readFileSync(join(root, 'docs', 'runbook.md'), 'utf8');
    const sections = [...runbook.matchAll(/^## ([a-z-]+)$/gm)].map(([, id = '']) => id);
    const linked = alarms.map(
      ({ AlarmDescription }) => /docs\/runbook\.md#([a-z-]+)$/.exec(String(AlarmDescription))?.[1] ?? 'none',
    );
    deepEqual([...new Set(linked)].sort(), sections.sort());
    for (const id of sections) {
      const text = runbook.split(`## ${id}\n`)[1]?.split('\n## ')[0] ?? '';
      for (const part of ['**Means.**', '**Look at.**', '**Do.**']) ok(text.includes(part), `${id}: ${part}`);
    }
  });

  it('are heard when they begin and when they end; the windows of an objective only together', () => {
    for (const { AlarmName, AlarmActions, OKActions } of alarms) {
      const window = /-(long|short)$/.test(String(AlarmName));
      equal(AlarmActions === undefined, window, String(AlarmName));
      equal(OKActions === undefined, window, String(AlarmName));
    }
    equal(resourcesOf(operations, 'AWS::CloudWatch::CompositeAlarm').length, 4);
  });

  it('may publish to the topic of the operators', () => {
    const policies = resourcesOf(operations, 'AWS::SNS::TopicPolicy').map(([, { Properties }]) => Properties.PolicyDocument);
    const statements = policies.flatMap((policy) => (policy as { Statement: readonly Record<string, unknown>[] }).Statement);
    const allowed = statements.filter(({ Effect, Action }) => Effect === 'Allow' && Action === 'sns:Publish');
    deepEqual(
      allowed.map(({ Principal, Condition }) => ({ Principal, Condition })),
      [
        {
          Principal: { Service: 'cloudwatch.amazonaws.com' },
          Condition: { StringEquals: { 'aws:SourceAccount': '123456789012' } },
        },
      ],
    );
  });

  it('burn at 14.4 and 6 times the errors that are allowed', () => {
    const thresholds = Object.fromEntries(alarms.map(({ AlarmName, Threshold }) => [AlarmName, Threshold]));
    equal(thresholds['shop-prod-availability-burn-fast-long'], 0.0144);
    equal(thresholds['shop-prod-availability-burn-slow-short'], 0.006);
    equal(thresholds['shop-prod-order-latency-burn-fast-short'], 0.144);
    equal(thresholds['shop-prod-order-latency-burn-slow-long'], 0.06);
  });

  it('take silence of the workers and of the targets for bad news', () => {
    const bad = alarms.filter(({ TreatMissingData }) => TreatMissingData === 'breaching').map(({ AlarmName }) => AlarmName);
    deepEqual(bad.sort(), ['shop-prod-audit-missing', 'shop-prod-outbox-age', 'shop-prod-too-few-targets']);
  });
});

describe('the metrics of the shop', () => {
  const text = JSON.stringify(operations);

  it('are all shown or watched, with the dimensions in which the shop writes them, and no other is', () => {
    const expected = Object.entries(shopMetrics).flatMap(([name, { dimensions }]) =>
      dimensions.length === 0 ? [name] : routeClasses.map((routeClass) => `${name} RouteClass=${routeClass}`),
    );
    const body = text.replaceAll('\\', '');
    const shown = [...body.matchAll(new RegExp(`\\["${metricNamespace}","(\\w+)"(?:,"(\\w+)","(\\w+)")?`, 'g'))].map(
      ([, name, dimension, value]) => (dimension === undefined ? name : `${name} ${dimension}=${value}`),
    );
    const watched = metricsIn(operations).map(({ MetricName, Dimensions = [] }) =>
      [MetricName, ...Dimensions.map(({ Name, Value }) => `${Name}=${Value}`)].join(' '),
    );
    ok(shown.length > 10 && watched.length > 5);
    // what is watched has to be shown too, so that who is called can look at it
    deepEqual([...new Set(shown)].sort(), expected.sort());
    deepEqual(
      watched.filter((metric) => !expected.includes(metric)),
      [],
    );
  });

  it('have the names and units that the shop writes', () => {
    const source = readFileSync(join(root, 'src', 'shop-metrics.ts'), 'utf8');
    const units = /const units = \{([^}]*)\}/.exec(source)?.[1] ?? '';
    const written = Object.fromEntries([...units.matchAll(/(\w+): '(\w+)'/g)].map(([, name = '', unit]) => [name, unit]));
    deepEqual(Object.fromEntries(Object.entries(shopMetrics).map(([name, { unit }]) => [name, unit])), written);
    match(source, new RegExp(`namespace: '${metricNamespace}'`));
    match(source, /RouteClass: quota/);
  });

  it('count the audit in the interval that the shop has by itself', () => {
    const config = readFileSync(join(root, 'src', 'shared', 'config.ts'), 'utf8');
    const [missing] = alarms.filter(({ AlarmName }) => AlarmName === 'shop-prod-audit-missing');
    equal(missing?.Period, Number(/AUDIT_INTERVAL_SECONDS: wholeNumber\([^)]*\)\.default\((\d+)\)/.exec(config)?.[1]));
  });

  it('have the classes of routes that the shop has quotas for', () => {
    const config = readFileSync(join(root, 'src', 'shared', 'config.ts'), 'utf8');
    const names = /type QuotaName = ([^;]+);/.exec(config)?.[1]?.match(/\w+/g);
    deepEqual([...routeClasses].sort(), names?.sort());
  });
});

describe('the saved queries', () => {
  it('ask for fields that the shop logs', () => {
    const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => readFileSync(join(root, 'src', path), 'utf8'))
      .join('\n');
    const ofPino = ['@timestamp', 'level', 'msg'];
    for (const { fields } of Object.values(logQueries))
      for (const field of fields.filter((name) => !ofPino.includes(name)))
        for (const part of field.split('.')) match(sources, new RegExp(`\\b${part}\\b`), field);
    for (const query of Object.values(logQueries))
      for (const [, event = ''] of query.filterStatements.join().matchAll(/"([a-z]+-[a-z-]+)"/g))
        match(sources, new RegExp(`'${event}': \\['`), event);
    equal(resourcesOf(operations, 'AWS::Logs::QueryDefinition').length, Object.keys(logQueries).length);
  });
});

interface WatchedMetric {
  readonly MetricName: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: string }[];
}

/** The shop's metrics anywhere in the resources of a template, those inside of expressions among them. */
function metricsIn(value: unknown): readonly WatchedMetric[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('MetricName' in value && 'Namespace' in value && value.Namespace === metricNamespace) return [value as WatchedMetric];
  return Object.values(value).flatMap(metricsIn);
}
