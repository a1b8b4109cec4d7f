import { Duration } from 'aws-cdk-lib';
import { MathExpression, type Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { type ApplicationLoadBalancer, HttpCodeElb, HttpCodeTarget } from 'aws-cdk-lib/aws-elasticloadbalancingv2';

export interface BalancerCounts {
  readonly requests: Metric;
  /** answers of the shop */
  readonly shopErrors: Metric;
  /** answers of the balancer itself, when there was nobody to ask */
  readonly balancerErrors: Metric;
}

export function balancerCounts({ metrics }: ApplicationLoadBalancer, period = Duration.minutes(1)): BalancerCounts {
  return {
    requests: metrics.requestCount({ period }),
    shopErrors: metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, { period }),
    balancerErrors: metrics.httpCodeElb(HttpCodeElb.ELB_5XX_COUNT, { period }),
  };
}

/** A share of few requests says nothing: one failure of three is no burning budget. */
const leastRequests = 100;

/** The part of all requests that failed, 0 to 1, as customers see it: also while no task answers. */
export function failedShare(balancer: ApplicationLoadBalancer, period: Duration): MathExpression {
  const { requests, shopErrors, balancerErrors } = balancerCounts(balancer, period);
  return new MathExpression({
    // A request that reached no task is not among the balancer's requests.
    expression: `IF(FILL(requests, 0) + FILL(gone, 0) >= ${leastRequests}, (FILL(failed, 0) + FILL(gone, 0)) / (FILL(requests, 0) + FILL(gone, 0)), 0)`,
    usingMetrics: { requests, failed: shopErrors, gone: balancerErrors },
    period,
    label: `failed share over ${period.toHumanString()}`,
  });
}
