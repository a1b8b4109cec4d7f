import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resourcesOf, type Template, textOf } from './synthesized.ts';

export interface Container {
  readonly Name: string;
  readonly EntryPoint: readonly string[];
  readonly Command: readonly string[];
  readonly Environment: readonly { readonly Name: string; readonly Value: unknown }[];
  readonly Secrets: readonly { readonly Name: string; readonly ValueFrom: unknown }[];
  readonly HealthCheck?: { readonly Command: readonly string[] };
  readonly ReadonlyRootFilesystem: boolean;
  readonly User: string;
  readonly StopTimeout: number;
  readonly LinuxParameters: { readonly Tmpfs: readonly { readonly ContainerPath: string }[] };
}

/** By the family of the task, without the name of the environment, and the name of the container. */
export function containersOf(template: Template): ReadonlyMap<string, Container> {
  return new Map(
    resourcesOf(template, 'AWS::ECS::TaskDefinition').flatMap(([, { Properties }]) =>
      (Properties.ContainerDefinitions as readonly Container[]).map((container): [string, Container] => [
        `${String(Properties.Family).split('-').at(-1)}/${container.Name}`,
        container,
      ]),
    ),
  );
}

/** What the container would see: the image's own variables, and samples for what is known at deployment and for secrets. */
export function environmentOf({ Environment, Secrets }: Container): Readonly<Record<string, string>> {
  const plain = Environment.map(({ Name, Value }) => [Name, typeof Value === 'string' ? Value : sampleOf(Name)]);
  const secret = Secrets.map(({ Name }) => [Name, sampleOf(Name)]);
  return { ...ofImage(), ...Object.fromEntries([...plain, ...secret]) };
}

/** What the last stage of the Dockerfile sets for every container. */
function ofImage(): Readonly<Record<string, string>> {
  const dockerfile = readFileSync(join(import.meta.dirname, '..', '..', 'Dockerfile'), 'utf8');
  const lines = [...dockerfile.slice(dockerfile.lastIndexOf('\nFROM ')).matchAll(/^ENV (.+)$/gm)];
  const pairs = lines.flatMap(([, line = '']) => line.split(' ').map((pair) => pair.split('=')));
  return Object.fromEntries(pairs);
}

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** A password may hold anything that a URL gives a meaning to. */
export const awkwardPassword = 'p/a?s#s:w@o%rd&+ 1';

const samples: Readonly<Record<string, string>> = {
  DATABASE_HOST: 'shop-prod.cluster-abc.eu-west-1.rds.amazonaws.com',
  DATABASE_USER: 'shop_clone',
  DATABASE_PASSWORD: awkwardPassword,
  CACHE_HOST: 'master.shop-prod.abc.euw1.cache.amazonaws.com',
  CACHE_PASSWORD: awkwardPassword,
  SQS_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/123456789012/shop-prod-events',
  SQS_DEAD_LETTER_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/123456789012/shop-prod-dead-letters',
  JWT_PRIVATE_KEYS: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  REFRESH_KEYS: 'k4TzQ9mWb2XsLr7VdGyH1nJcFp8RuEa3ZtKo6MiB5wYxNqCvDhSjUfPl0gAeIO2r',
  PASSWORD_PEPPER: 'Zt7KqW3mXb9VsLr2GyHd1nJcFp8RuEa4To6MiB5wYxNqCvDhSjUfPl0gAeIOkzQ9',
  ADMIN_USERNAME: 'admin',
  ADMIN_PASSWORD: randomBytes(24).toString('base64url'),
  GRANTEE_USER: 'shop',
  GRANTEE_PASSWORD: awkwardPassword,
};

function sampleOf(name: string): string {
  const sample = samples[name];
  if (sample === undefined) throw new Error(`There is no sample for ${name}.`);
  return sample;
}

/** The secret that a container's variable is read from, as text. */
export function sourcesOf({ Secrets }: Container): Readonly<Record<string, string>> {
  return Object.fromEntries(Secrets.map(({ Name, ValueFrom }) => [Name, textOf(ValueFrom)]));
}
