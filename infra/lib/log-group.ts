import { RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Settings } from './settings.ts';

/** Every log of an environment is encrypted and ends: `name` has to hold the name of the environment, which the key asks for. */
export function createLogGroup(
  scope: Construct,
  id: string,
  { name, key, settings }: { readonly name: string; readonly key: IKey; readonly settings: Settings },
): LogGroup {
  return new LogGroup(scope, id, {
    logGroupName: name,
    retention: settings.logDays,
    encryptionKey: key,
    removalPolicy: settings.keepsData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
  });
}
