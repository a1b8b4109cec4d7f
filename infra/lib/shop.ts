import { App, Tags } from 'aws-cdk-lib';
import flags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };
import { DataStack } from './data-stack.ts';
import type { Inputs } from './inputs.ts';
import { OperationsStack } from './operations-stack.ts';
import { ServiceStack } from './service-stack.ts';
import { type EnvironmentName, settings } from './settings.ts';

export interface ShopOptions {
  readonly environment: EnvironmentName;
  readonly inputs: Inputs;
  /** the tag of the image in the shop's own registry */
  readonly imageTag: string;
  /** where the templates go; absent: a new temporary folder, or the one that the CDK CLI names */
  readonly outdir?: string;
}

/** CloudFormation itself then refuses to change what another stack uses. */
const strongReferences = { '@aws-cdk/core:defaultCrossStackReferences': 'strong' };

/**
 * Three stacks, by how long things live: `data` outlives every release, `service` is changed by each, `operations` watches
 * both. Synthesis looks nothing up: the same options give the same templates anywhere.
 */
export function createShop({ environment, inputs, imageTag, outdir }: ShopOptions): App {
  const app = new App({
    postCliContext: { ...flags, ...strongReferences },
    analyticsReporting: false,
    treeMetadata: false,
    // The tests run a newer version of it, and say which warnings are meant to be.
    builtinCloudFormationValidation: false,
    ...(outdir !== undefined && { outdir }),
  });
  const common = {
    name: `shop-${environment}`,
    settings: settings[environment],
    inputs,
    env: { account: inputs.account, region: inputs.region },
  };
  const data = new DataStack(app, `${common.name}-data`, common);
  const service = new ServiceStack(app, `${common.name}-service`, { ...common, data, imageTag });
  new OperationsStack(app, `${common.name}-operations`, { ...common, data, service });
  Tags.of(app).add('shop:environment', environment, {
    // CloudFormation knows no tags of it.
    excludeResourceTypes: ['AWS::ApplicationAutoScaling::ScalableTarget'],
  });
  return app;
}
