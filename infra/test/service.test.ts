import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Template as Assertions, Match } from 'aws-cdk-lib/assertions';
import { resourcesOf, synthesize, textOf } from './synthesized.ts';

const synthesized = synthesize('prod');
const data = synthesized.template('data');
const service = synthesized.template('service');
const has = (type: string, properties: object) => Assertions.fromJSON({ ...service }).hasResourceProperties(type, properties);

describe('the front', () => {
  it('speaks TLS 1.2 and 1.3 with the certificate that was given, and sends everybody else there', () => {
    has('AWS::ElasticLoadBalancingV2::Listener', {
      Port: 443,
      Protocol: 'HTTPS',
      SslPolicy: Match.stringLikeRegexp('TLS13-1-2'),
      Certificates: [{ CertificateArn: Match.stringLikeRegexp('^arn:aws:acm:eu-west-1:123456789012:certificate/') }],
      DefaultActions: [{ Type: 'forward' }],
    });
    has('AWS::ElasticLoadBalancingV2::Listener', {
      Port: 80,
      DefaultActions: [{ Type: 'redirect', RedirectConfig: { Protocol: 'HTTPS', Port: '443', StatusCode: 'HTTP_301' } }],
    });
    equal(resourcesOf(service, 'AWS::ElasticLoadBalancingV2::Listener').length, 2);
  });

  it('asks /readyz, and lets a task that leaves finish for 30 s', () => {
    has('AWS::ElasticLoadBalancingV2::TargetGroup', {
      HealthCheckPath: '/readyz',
      Port: 3000,
      Matcher: { HttpCode: '200' },
      TargetGroupAttributes: Match.arrayWith([{ Key: 'deregistration_delay.timeout_seconds', Value: '30' }]),
    });
  });

  it('writes access logs, drops broken headers and is protected', () => {
    for (const attribute of [
      { Key: 'access_logs.s3.enabled', Value: 'true' },
      { Key: 'routing.http.drop_invalid_header_fields.enabled', Value: 'true' },
      { Key: 'deletion_protection.enabled', Value: 'true' },
    ]) {
      has('AWS::ElasticLoadBalancingV2::LoadBalancer', { LoadBalancerAttributes: Match.arrayWith([attribute]) });
    }
    const [[, bucketPolicy] = ['', undefined]] = resourcesOf(data, 'AWS::S3::BucketPolicy');
    match(JSON.stringify(bucketPolicy?.Properties), /s3:PutObject/);
  });

  it('has a firewall with managed rules and a rate, above the quota of the shop', () => {
    const [[, acl] = ['', undefined]] = resourcesOf(service, 'AWS::WAFv2::WebACL');
    const rules = acl?.Properties.Rules as readonly {
      Name: string;
      Statement: { RateBasedStatement?: { Limit: number; EvaluationWindowSec: number } };
    }[];
    deepEqual(
      rules.map(({ Name }) => Name),
      ['rate', 'AWSManagedRulesAmazonIpReputationList', 'AWSManagedRulesKnownBadInputsRuleSet', 'AWSManagedRulesCommonRuleSet'],
    );
    const { Limit = 0, EvaluationWindowSec = 1 } = rules[0]?.Statement.RateBasedStatement ?? {};
    ok((Limit / EvaluationWindowSec) * 60 > 6000, 'else a client never learns from the shop when to come back');
    const common = JSON.stringify(rules.at(-1));
    for (const honest of ['SizeRestrictions_BODY', 'SizeRestrictions_QUERYSTRING', 'CrossSiteScripting_BODY'])
      ok(common.includes(`{"ActionToUse":{"Count":{}},"Name":"${honest}"}`), honest);
    equal(resourcesOf(service, 'AWS::WAFv2::WebACLAssociation').length, 1);
  });
});

describe('the services', () => {
  it('roll back by themselves, keep all tasks while they change, and have no way in or out of the network', () => {
    const services = resourcesOf(service, 'AWS::ECS::Service');
    equal(services.length, 2);
    for (const [id, { Properties }] of services) {
      deepEqual(
        Properties.DeploymentConfiguration,
        { DeploymentCircuitBreaker: { Enable: true, Rollback: true }, MaximumPercent: 200, MinimumHealthyPercent: 100 },
        id,
      );
      equal(Properties.EnableExecuteCommand, false, id);
      const network = (Properties.NetworkConfiguration as { AwsvpcConfiguration: { AssignPublicIp: string; Subnets: unknown[] } })
        .AwsvpcConfiguration;
      equal(network.AssignPublicIp, 'DISABLED', id);
      for (const subnet of network.Subnets) match(textOf(subnet), /inside/, id);
      equal(network.Subnets.length, 3, id);
    }
  });

  it('scale: the api by processors and requests, the worker by processors and the age of events', () => {
    const policies = resourcesOf(service, 'AWS::ApplicationAutoScaling::ScalingPolicy').map(([id]) =>
      id.replace(/[0-9A-F]{8}$/, ''),
    );
    deepEqual(policies.sort(), [
      'ApiTaskCountTargetCpu',
      'ApiTaskCountTargetRequests',
      'WorkerTaskCountTargetCpu',
      'WorkerTaskCountTargetQueueAgeUpperPolicy',
    ]);
  });

  it('keep the number of tasks that they have scaled to, whatever is released', () => {
    const counts = (environment: 'dev' | 'prod') =>
      resourcesOf(synthesize(environment).template('service'), 'AWS::ECS::Service').map(
        ([, { Properties }]) => Properties.DesiredCount,
      );
    deepEqual(counts('prod'), [undefined, undefined]);
    deepEqual(counts('dev'), [undefined, 1], 'only what does not scale has a number');
  });

  it('are deleted before what they run on', () => {
    const [[id] = ['']] = resourcesOf(service, 'AWS::ECS::ClusterCapacityProviderAssociations');
    for (const [name, { DependsOn }] of resourcesOf(service, 'AWS::ECS::Service')) ok(DependsOn?.includes(id), name);
  });

  it('get new tasks more often than a password of the database changes twice', () => {
    const schedules = resourcesOf(service, 'AWS::Scheduler::Schedule');
    equal(schedules.length, 2);
    for (const [id, { Properties }] of schedules) {
      match(String(Properties.ScheduleExpression), /^cron\(\d+ 4 \? \* WED \*\)$/, id);
      match(textOf((Properties.Target as { Input: unknown }).Input), /"ForceNewDeployment":true/, id);
    }
  });
});

describe('the network', () => {
  it('lets tasks and stores reach nothing outside but AWS', () => {
    equal(resourcesOf(data, 'AWS::EC2::NatGateway').length, 0);
    const routes = resourcesOf(data, 'AWS::EC2::Route');
    equal(routes.length, 3);
    for (const [id] of routes) match(id, /public/, 'only public subnets have a way out');
    const endpoints = resourcesOf(data, 'AWS::EC2::VPCEndpoint').map(([, { Properties }]) =>
      textOf(Properties.ServiceName).split('.').slice(3).join('.'),
    );
    deepEqual(endpoints.sort(), ['dynamodb', 'ecr.api', 'ecr.dkr', 'logs', 's3', 'secretsmanager', 'sqs']);
  });

  it('is open to the world on ports 80 and 443 of the balancer alone, and no rule is there twice', () => {
    const rules = resourcesOf(data, 'AWS::EC2::SecurityGroupIngress').map(([, { Properties }]) => Properties);
    const open = rules.filter(({ CidrIp }) => CidrIp !== undefined);
    deepEqual(open.map(({ FromPort, GroupId }) => `${textOf(GroupId)} ${FromPort}`).sort(), [
      '<BalancerGroup.GroupId> 443',
      '<BalancerGroup.GroupId> 80',
    ]);
    const portOf = (port: unknown) => (textOf(port).includes('Endpoint.Port') ? '3307' : textOf(port));
    const shown = rules.map(
      (rule) => `${textOf(rule.GroupId)} ${textOf(rule.SourceSecurityGroupId ?? rule.CidrIp)} ${portOf(rule.FromPort)}`,
    );
    equal(new Set(shown).size, shown.length, shown.sort().join('\n'));
  });
});
