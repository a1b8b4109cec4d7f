import { Stack } from 'aws-cdk-lib';
import { CfnClusterCapacityProviderAssociations, Cluster, ContainerInsights } from 'aws-cdk-lib/aws-ecs';
import type { CfnWebACL } from 'aws-cdk-lib/aws-wafv2';
import type { Construct } from 'constructs';
import { type Balancer, createBalancer } from './balancer.ts';
import { settingsOfContainers } from './container-settings.ts';
import type { DataStack, ShopStackProps } from './data-stack.ts';
import { createFirewall } from './firewall.ts';
import { createLogGroup } from './log-group.ts';
import { createMigration } from './migration.ts';
import { createRenewal } from './renewal.ts';
import { createServices, type Services } from './services.ts';
import { createTasks, type Tasks } from './tasks.ts';

export interface ServiceStackProps extends ShopStackProps {
  readonly data: DataStack;
  readonly imageTag: string;
}

/** What a release changes: the tasks and what leads to them. It holds nothing that can't be made again. */
export class ServiceStack extends Stack {
  readonly cluster: Cluster;
  readonly balancer: Balancer;
  readonly firewall: CfnWebACL;
  readonly tasks: Tasks;
  readonly services: Services;

  constructor(scope: Construct, id: string, props: ServiceStackProps) {
    const { name, settings, inputs, data, imageTag } = props;
    super(scope, id, { ...props, description: `Tasks of ${name}`, terminationProtection: settings.keepsData });
    // Made before ECS would make it itself, without a key and for ever.
    const insights = createLogGroup(this, 'InsightsLogs', {
      name: `/aws/ecs/containerinsights/${name}/performance`,
      key: data.key,
      settings,
    });
    this.cluster = new Cluster(this, 'Cluster', {
      clusterName: name,
      vpc: data.network.vpc,
      containerInsightsV2: ContainerInsights.ENABLED,
    });
    this.cluster.node.addDependency(insights);
    const capacity = new CfnClusterCapacityProviderAssociations(this, 'CapacityProviders', {
      cluster: this.cluster.clusterName,
      capacityProviders: ['FARGATE', 'FARGATE_SPOT'],
      defaultCapacityProviderStrategy: [],
    });
    const containers = settingsOfContainers(this, data, inputs);
    this.tasks = createTasks(this, { name, settings, data, containers, imageTag });
    this.balancer = createBalancer(this, { name, settings, inputs, data });
    this.firewall = createFirewall(this, { name, settings, data, balancerArn: this.balancer.balancer.loadBalancerArn });
    const common = { name, settings, data, cluster: this.cluster };
    const migration = createMigration(this, { ...common, task: this.tasks.migration });
    this.services = createServices(this, { ...common, tasks: this.tasks, targets: this.balancer.targets });
    // Services go before what they run on, also when the stack is deleted.
    for (const service of Object.values(this.services)) service.node.addDependency(migration, capacity);
    createRenewal(this, { Api: this.services.api, Worker: this.services.worker });
  }
}
