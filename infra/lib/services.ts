import { Duration, type Stack } from 'aws-cdk-lib';
import { AdjustmentType } from 'aws-cdk-lib/aws-applicationautoscaling';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import {
  AvailabilityZoneRebalancing,
  type Cluster,
  FargatePlatformVersion,
  FargateService,
  type FargateTaskDefinition,
  PropagatedTagSource,
} from 'aws-cdk-lib/aws-ecs';
import type { ApplicationTargetGroup } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import type { DataStack } from './data-stack.ts';
import type { ServiceSize, Settings } from './settings.ts';
import type { Tasks } from './tasks.ts';

export interface Services {
  readonly api: FargateService;
  readonly worker: FargateService;
}

export interface ServicesOptions {
  readonly name: string;
  readonly settings: Settings;
  readonly data: DataStack;
  readonly cluster: Cluster;
  readonly tasks: Tasks;
  readonly targets: ApplicationTargetGroup;
}

const targetCpuPercent = 60;
/** New tasks help after a minute or so; going back slowly costs little. */
const scaleOutCooldown = Duration.seconds(60);
const scaleInCooldown = Duration.minutes(5);

/** New tasks first, then the old ones go; a deployment whose tasks don't get healthy ends where it began. */
export function createServices(stack: Stack, options: ServicesOptions): Services {
  const { settings, tasks, targets } = options;
  const api = createService(stack, { ...options, kind: 'api', definition: tasks.api.definition, size: settings.api });
  api.attachToApplicationTargetGroup(targets);
  const worker = createService(stack, { ...options, kind: 'worker', definition: tasks.worker.definition, size: settings.worker });
  scaleApi(api, options);
  scaleWorker(worker, options);
  return { api, worker };
}

interface ServiceOptions extends ServicesOptions {
  readonly kind: 'api' | 'worker';
  readonly definition: FargateTaskDefinition;
  readonly size: ServiceSize;
}

function createService(stack: Stack, { kind, definition, size, name, settings, data, cluster }: ServiceOptions): FargateService {
  return new FargateService(stack, kind === 'api' ? 'Api' : 'Worker', {
    serviceName: `${name}-${kind}`,
    cluster,
    taskDefinition: definition,
    // Where it scales, a release must not put the number back; the least that it may be is set with the scaling.
    ...(size.minTasks === size.maxTasks && { desiredCount: size.minTasks }),
    platformVersion: FargatePlatformVersion.VERSION1_4,
    capacityProviderStrategies: [{ capacityProvider: settings.spot ? 'FARGATE_SPOT' : 'FARGATE', weight: 1 }],
    vpcSubnets: { subnets: data.network.vpc.isolatedSubnets },
    securityGroups: [data.network.tasks],
    assignPublicIp: false,
    minHealthyPercent: 100,
    maxHealthyPercent: 200,
    circuitBreaker: { enable: true, rollback: true },
    availabilityZoneRebalancing: AvailabilityZoneRebalancing.ENABLED,
    enableExecuteCommand: false,
    propagateTags: PropagatedTagSource.SERVICE,
    ...(kind === 'api' && { healthCheckGracePeriod: Duration.seconds(90) }),
  });
}

function scaleApi(service: FargateService, { settings: { api }, targets }: ServicesOptions): void {
  const scaling = service.autoScaleTaskCount({ minCapacity: api.minTasks, maxCapacity: api.maxTasks });
  const cooldowns = { scaleOutCooldown, scaleInCooldown };
  scaling.scaleOnCpuUtilization('Cpu', { targetUtilizationPercent: targetCpuPercent, ...cooldowns });
  scaling.scaleOnRequestCount('Requests', {
    requestsPerTarget: api.requestsPerTargetPerMinute,
    targetGroup: targets,
    ...cooldowns,
  });
}

/** More workers when events wait, whatever the processors say: a worker mostly waits for the database. Fewer when the processors are idle. */
function scaleWorker(service: FargateService, { settings: { worker }, data }: ServicesOptions): void {
  if (worker.maxTasks === worker.minTasks) return;
  const scaling = service.autoScaleTaskCount({ minCapacity: worker.minTasks, maxCapacity: worker.maxTasks });
  scaling.scaleOnCpuUtilization('Cpu', { targetUtilizationPercent: targetCpuPercent, scaleOutCooldown, scaleInCooldown });
  const events = Queue.fromQueueArn(service, 'Events', data.queues.events.queueArn);
  scaling.scaleOnMetric('QueueAge', {
    metric: new Metric({
      namespace: 'AWS/SQS',
      metricName: 'ApproximateAgeOfOldestMessage',
      dimensionsMap: { QueueName: events.queueName },
      statistic: Stats.MAXIMUM,
      period: Duration.minutes(1),
    }),
    scalingSteps: [
      { lower: 20, change: 1 },
      { lower: 60, change: 3 },
    ],
    adjustmentType: AdjustmentType.CHANGE_IN_CAPACITY,
    cooldown: scaleOutCooldown,
    evaluationPeriods: 3,
    datapointsToAlarm: 2,
  });
}
