import { Duration, type Stack } from 'aws-cdk-lib';
import {
  ApplicationListener,
  ApplicationLoadBalancer,
  ApplicationProtocol,
  ApplicationTargetGroup,
  DesyncMitigationMode,
  ListenerAction,
  ListenerCertificate,
  SslPolicy,
  TargetGroupLoadBalancingAlgorithmType,
  TargetType,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { DataStack } from './data-stack.ts';
import type { Inputs } from './inputs.ts';
import { ports } from './ports.ts';
import type { Settings } from './settings.ts';

export interface Balancer {
  readonly balancer: ApplicationLoadBalancer;
  readonly targets: ApplicationTargetGroup;
}

export interface BalancerOptions {
  readonly name: string;
  readonly settings: Settings;
  readonly inputs: Inputs;
  readonly data: DataStack;
}

/** Less than the 65 s and more that the shop keeps idle connections open: the one who closes first is the balancer. */
const idleTimeout = Duration.seconds(60);
/** How long a task that leaves still gets answers through; the shop itself drains after that. */
const deregistrationDelay = Duration.seconds(30);

/** TLS ends here; port 80 only says where the shop really is. A target gets requests while its `/readyz` answers 200. */
export function createBalancer(stack: Stack, { name, settings, inputs, data }: BalancerOptions): Balancer {
  const balancer = new ApplicationLoadBalancer(stack, 'Balancer', {
    loadBalancerName: name,
    vpc: data.network.vpc,
    internetFacing: true,
    securityGroup: data.network.balancer,
    vpcSubnets: { subnets: data.network.vpc.publicSubnets },
    idleTimeout,
    dropInvalidHeaderFields: true,
    desyncMitigationMode: DesyncMitigationMode.STRICTEST,
    deletionProtection: settings.keepsData,
  });
  balancer.logAccessLogs(data.accessLogs, 'balancer');
  const targets = new ApplicationTargetGroup(stack, 'ApiTargets', {
    vpc: data.network.vpc,
    targetType: TargetType.IP,
    protocol: ApplicationProtocol.HTTP,
    port: ports.shop,
    deregistrationDelay,
    loadBalancingAlgorithmType: TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS,
    healthCheck: {
      path: '/readyz',
      interval: Duration.seconds(5),
      timeout: Duration.seconds(4),
      healthyThresholdCount: 2,
      unhealthyThresholdCount: 2,
      healthyHttpCodes: '200',
    },
  });
  new ApplicationListener(stack, 'HttpsListener', {
    loadBalancer: balancer,
    protocol: ApplicationProtocol.HTTPS,
    port: ports.https,
    certificates: [ListenerCertificate.fromArn(inputs.certificateArn)],
    sslPolicy: SslPolicy.TLS13_RES,
    defaultAction: ListenerAction.forward([targets]),
    open: false,
  });
  new ApplicationListener(stack, 'HttpListener', {
    loadBalancer: balancer,
    protocol: ApplicationProtocol.HTTP,
    port: ports.http,
    defaultAction: ListenerAction.redirect({ protocol: 'HTTPS', port: String(ports.https), permanent: true }),
    open: false,
  });
  return { balancer, targets };
}
