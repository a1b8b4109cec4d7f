import { RemovalPolicy, type Stack } from 'aws-cdk-lib';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { CfnSecret, type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Settings } from './settings.ts';

export interface ShopSecrets {
  /** PEM blocks, the first signs; an operator puts them in, see docs/operations.md */
  readonly jwtPrivateKeys: ISecret;
  /** comma-separated, newest first */
  readonly refreshKeys: ISecret;
  /** can't be changed later: without it no password fits any more */
  readonly passwordPepper: ISecret;
  /** `username` and `password` of the first admin, who is made when there is none */
  readonly firstAdmin: ISecret;
}

/**
 * What only the shop knows. Secrets Manager makes the random ones once and never again; rotating the signing keys is append,
 * move to the front, drop: an operator's steps with days between them, which no function could hurry.
 */
export function createSecrets(
  stack: Stack,
  { name, key, settings: { keepsData } }: { readonly name: string; readonly key: Key; readonly settings: Settings },
): ShopSecrets {
  const removalPolicy = keepsData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
  const random = { passwordLength: 64, excludePunctuation: true };
  const secret = (id: string, path: string, description: string) =>
    new Secret(stack, id, {
      secretName: `${name}/${path}`,
      description,
      encryptionKey: key,
      removalPolicy,
      generateSecretString:
        id === 'FirstAdmin'
          ? { ...random, secretStringTemplate: JSON.stringify({ username: 'admin' }), generateStringKey: 'password' }
          : random,
    });
  // A generated string is no key, so this one starts without a value.
  const jwtPrivateKeys = new CfnSecret(stack, 'JwtPrivateKeys', {
    name: `${name}/jwt-private-keys`,
    description: 'PKCS#8 PEM blocks: the first signs access tokens, all verify',
    kmsKeyId: key.keyArn,
  });
  jwtPrivateKeys.applyRemovalPolicy(removalPolicy);
  return {
    jwtPrivateKeys: Secret.fromSecretCompleteArn(stack, 'JwtPrivateKeysValue', jwtPrivateKeys.ref),
    refreshKeys: secret('RefreshKeys', 'refresh-keys', 'Comma-separated, newest first: refresh tokens are derived from them'),
    passwordPepper: secret('PasswordPepper', 'password-pepper', 'Never change it: no password would fit any more'),
    firstAdmin: secret('FirstAdmin', 'first-admin', 'The admin who is made when there is none'),
  };
}
