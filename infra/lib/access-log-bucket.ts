import { Duration, RemovalPolicy, type Stack } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { Settings } from './settings.ts';

/** For the lines that the balancer writes; it can only write to buckets that S3 itself encrypts. */
export function createAccessLogBucket(
  stack: Stack,
  { name, settings }: { readonly name: string; readonly settings: Settings },
): Bucket {
  return new Bucket(stack, 'AccessLogs', {
    bucketName: `${name}-access-logs-${stack.account}-${stack.region}`,
    encryption: BucketEncryption.S3_MANAGED,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    lifecycleRules: [{ expiration: Duration.days(settings.logDays), abortIncompleteMultipartUploadAfter: Duration.days(1) }],
    removalPolicy: settings.keepsData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
  });
}
