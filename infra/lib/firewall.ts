import type { Stack } from 'aws-cdk-lib';
import { CfnLoggingConfiguration, CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import type { DataStack } from './data-stack.ts';
import { createLogGroup } from './log-group.ts';
import type { Settings } from './settings.ts';

export interface FirewallOptions {
  readonly name: string;
  readonly settings: Settings;
  readonly data: DataStack;
  readonly balancerArn: string;
}

/** In five minutes from one address: above the shop's own 6,000 a minute, whose answer says when to come back. */
const requestsPerAddress = 40_000;

/** What these rules refuse is honest here, and the shop has checks of its own. */
const onlyCounted = [
  // An order of 2,000 lines has more than 8 KB,
  'SizeRestrictions_BODY',
  // and the cursor of a search may have 2 KB alone.
  'SizeRestrictions_QUERYSTRING',
  // A description may hold HTML: it is a text in an answer of JSON.
  'CrossSiteScripting_BODY',
];

/**
 * Keeps out what is known to be bad before it costs a task anything. The set of rules against SQL in requests is left out: the
 * shop sends parameters, never texts of requests, to its stores, and those rules refuse honest searches.
 */
export function createFirewall(stack: Stack, { name, settings, data, balancerArn }: FirewallOptions): CfnWebACL {
  const acl = new CfnWebACL(stack, 'Firewall', {
    name,
    scope: 'REGIONAL',
    defaultAction: { allow: {} },
    visibilityConfig: visible(name),
    rules: [
      {
        name: 'rate',
        priority: 0,
        action: { block: { customResponse: { responseCode: 429 } } },
        statement: { rateBasedStatement: { aggregateKeyType: 'IP', limit: requestsPerAddress, evaluationWindowSec: 300 } },
        visibilityConfig: visible('rate'),
      },
      managed('AWSManagedRulesAmazonIpReputationList', 1),
      managed('AWSManagedRulesKnownBadInputsRuleSet', 2),
      managed('AWSManagedRulesCommonRuleSet', 3, onlyCounted),
    ],
  });
  new CfnWebACLAssociation(stack, 'FirewallAssociation', { resourceArn: balancerArn, webAclArn: acl.attrArn });
  // WAF writes only to groups whose names start like this.
  const logs = createLogGroup(stack, 'FirewallLogs', { name: `aws-waf-logs-${name}`, key: data.key, settings });
  new CfnLoggingConfiguration(stack, 'FirewallLogging', {
    resourceArn: acl.attrArn,
    logDestinationConfigs: [`arn:aws:logs:${stack.region}:${stack.account}:log-group:${logs.logGroupName}`],
    redactedFields: ['authorization', 'cookie'].map((header) => ({ singleHeader: { Name: header } })),
    loggingFilter: {
      DefaultBehavior: 'DROP',
      Filters: [{ Behavior: 'KEEP', Conditions: [{ ActionCondition: { Action: 'BLOCK' } }], Requirement: 'MEETS_ANY' }],
    },
  });
  return acl;
}

function managed(rules: string, priority: number, counted: readonly string[] = []): CfnWebACL.RuleProperty {
  return {
    name: rules,
    priority,
    overrideAction: { none: {} },
    statement: {
      managedRuleGroupStatement: {
        vendorName: 'AWS',
        name: rules,
        ruleActionOverrides: counted.map((rule) => ({ name: rule, actionToUse: { count: {} } })),
      },
    },
    visibilityConfig: visible(rules),
  };
}

function visible(metricName: string): CfnWebACL.VisibilityConfigProperty {
  return { metricName, cloudWatchMetricsEnabled: true, sampledRequestsEnabled: true };
}
