import { Duration, type Stack } from 'aws-cdk-lib';
import { type IRepository, Repository } from 'aws-cdk-lib/aws-ecr';
import {
  type ContainerDefinition,
  ContainerDependencyCondition,
  ContainerImage,
  CpuArchitecture,
  FargateTaskDefinition,
  LinuxParameters,
  LogDriver,
  OperatingSystemFamily,
  TmpfsMountOption,
} from 'aws-cdk-lib/aws-ecs';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import { grantAccess, livenessProbe } from './container-scripts.ts';
import type { ContainerSettings, SettingsOfContainers } from './container-settings.ts';
import type { DataStack } from './data-stack.ts';
import { createLogGroup } from './log-group.ts';
import { ports } from './ports.ts';
import type { ServiceSize, Settings } from './settings.ts';
import { permissionsOf, type TaskKind } from './task-permissions.ts';

export interface Tasks {
  readonly api: Task;
  readonly worker: Task;
  readonly migration: Task;
  readonly operator: Task;
}

export interface Task {
  readonly definition: FargateTaskDefinition;
  readonly logs: LogGroup;
}

export interface TasksOptions {
  readonly name: string;
  readonly settings: Settings;
  readonly data: DataStack;
  readonly containers: SettingsOfContainers;
  readonly imageTag: string;
}

/** Programs of the image, as `npm run build` lays them out. */
export const programs = {
  server: 'dist/src/server.js',
  migrate: 'dist/src/commands/migrate.js',
  audit: 'dist/src/commands/audit.js',
};
/** What ECS waits between SIGTERM and SIGKILL: more than the drain and closing the stores take together. */
export const stopTimeout = Duration.seconds(60);
/** Objects have no `__proto__` (docs/decisions/0036-hardening-of-the-process.md), and the heap grows in small steps (0040). */
const node = ['node', '--disable-proto=delete', '--max-semi-space-size=16', '--heap-growing-percent=100'] as const;
/** of the image `node` */
const unprivilegedUser = '1000:1000';
const small = { cpu: 256, memoryMiB: 512 } as const;

/** Four kinds of task from one image: two services, the migration of each deployment, and the operator's commands. */
export function createTasks(stack: Stack, options: TasksOptions): Tasks {
  const { containers, settings } = options;
  const registry = Repository.fromRepositoryAttributes(stack, 'Registry', {
    repositoryArn: options.data.registry.repositoryArn,
    repositoryName: options.data.registry.repositoryName,
  });
  const task = (kind: TaskKind, size: Pick<ServiceSize, 'cpu' | 'memoryMiB'>) =>
    createTask(stack, { ...options, kind, size, registry });

  const api = task('api', settings.api);
  const server = { command: [programs.server], serves: true };
  api.add('shop', { ...server, settings: containers.api }).addPortMappings({ containerPort: ports.shop });
  const worker = task('worker', settings.worker);
  worker.add('shop', { ...server, settings: containers.worker });

  const migration = task('migration', small);
  const grant = migration.add('grant', { command: grantAccess, settings: containers.grant, essential: false });
  const migrate = migration.add('migrate', { command: [programs.migrate], settings: containers.migration });
  migrate.addContainerDependencies({ container: grant, condition: ContainerDependencyCondition.SUCCESS });

  const operator = task('operator', small);
  operator.add('shop', { command: [programs.audit], settings: containers.operator });
  return { api, worker, migration, operator };
}

interface Container {
  readonly command: readonly string[];
  readonly settings: ContainerSettings;
  readonly essential?: boolean;
  /** answers `/livez` */
  readonly serves?: boolean;
}

interface TaskOptions extends TasksOptions {
  readonly kind: TaskKind;
  readonly size: Pick<ServiceSize, 'cpu' | 'memoryMiB'>;
  readonly registry: IRepository;
}

function createTask(stack: Stack, { kind, size, registry, name, settings, data, imageTag }: TaskOptions) {
  const id = `${kind[0]?.toUpperCase()}${kind.slice(1)}`;
  const definition = new FargateTaskDefinition(stack, `${id}Task`, {
    family: `${name}-${kind}`,
    cpu: size.cpu,
    memoryLimitMiB: size.memoryMiB,
    runtimePlatform: { cpuArchitecture: CpuArchitecture.X86_64, operatingSystemFamily: OperatingSystemFamily.LINUX },
    taskRole: roleOf(stack, `${id}TaskRole`, `What the ${kind} task of ${name} may do`),
    executionRole: roleOf(stack, `${id}ExecutionRole`, `What ECS needs to start the ${kind} task of ${name}`),
  });
  for (const statement of permissionsOf(kind, data)) definition.taskRole.addToPrincipalPolicy(statement);
  definition.obtainExecutionRole().addToPrincipalPolicy(
    new PolicyStatement({
      actions: ['kms:Decrypt'],
      resources: [data.key.keyArn],
      conditions: { StringEquals: { 'kms:ViaService': `secretsmanager.${stack.region}.amazonaws.com` } },
    }),
  );
  const logs = createLogGroup(stack, `${id}Logs`, { name: `/${name}/${kind}`, key: data.key, settings });
  const add = (
    container: string,
    { command, settings: told, essential = true, serves = false }: Container,
  ): ContainerDefinition =>
    definition.addContainer(container, {
      containerName: container,
      image: ContainerImage.fromEcrRepository(registry, imageTag),
      entryPoint: [...node],
      command: [...command],
      environment: { ...told.environment },
      secrets: { ...told.secrets },
      essential,
      user: unprivilegedUser,
      readonlyRootFilesystem: true,
      linuxParameters: writableTmp(stack, `${id}${container}Linux`),
      logging: LogDriver.awsLogs({ logGroup: logs, streamPrefix: kind }),
      stopTimeout,
      ...(serves && { healthCheck: probe(ports.shop) }),
    });
  return { definition, logs, add };
}

function roleOf(stack: Stack, id: string, description: string): Role {
  return new Role(stack, id, {
    assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': stack.account } },
    }),
    description,
  });
}

/** Node keeps compiled code there; nothing else is written. It is memory of the task, and gone with it. */
function writableTmp(stack: Stack, id: string): LinuxParameters {
  const parameters = new LinuxParameters(stack, id, { initProcessEnabled: true });
  parameters.addTmpfs({
    containerPath: '/tmp',
    size: 64,
    mountOptions: [TmpfsMountOption.NOSUID, TmpfsMountOption.NODEV, TmpfsMountOption.NOEXEC],
  });
  return parameters;
}

function probe(port: number) {
  return {
    command: [...livenessProbe(port)],
    interval: Duration.seconds(15),
    timeout: Duration.seconds(5),
    retries: 3,
    startPeriod: Duration.seconds(60),
  };
}
