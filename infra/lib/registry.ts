import { RemovalPolicy, type Stack } from 'aws-cdk-lib';
import { Repository, RepositoryEncryption, TagMutability, TagStatus } from 'aws-cdk-lib/aws-ecr';
import type { Key } from 'aws-cdk-lib/aws-kms';

const keptImages = 50;

/** The images of the shop. A tag names one image for ever, so a roll-back runs what ran before. */
export function createRegistry(
  stack: Stack,
  { name, key, keepsData }: { readonly name: string; readonly key: Key; readonly keepsData: boolean },
): Repository {
  return new Repository(stack, 'Registry', {
    repositoryName: name,
    imageTagMutability: TagMutability.IMMUTABLE,
    imageScanOnPush: true,
    encryption: RepositoryEncryption.KMS,
    encryptionKey: key,
    lifecycleRules: [{ tagStatus: TagStatus.ANY, maxImageCount: keptImages, description: 'Roll-backs go this far' }],
    removalPolicy: keepsData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    emptyOnDelete: !keepsData,
  });
}
