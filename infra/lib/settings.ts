/** How large each environment is. What does not depend on size stands where it is built. */
export interface Settings {
  /** zones that have endpoints of AWS services; tasks of other zones go there through the network of the region */
  readonly endpointZones: 1 | 2 | 3;
  readonly api: ServiceSize & {
    /** a task more is started above this */
    readonly requestsPerTargetPerMinute: number;
  };
  readonly worker: ServiceSize;
  readonly database: {
    /** absent: serverless, between `capacity.min` and `capacity.max` */
    readonly instanceClass?: string;
    readonly capacity: { readonly min: number; readonly max: number };
    /** besides the writer, in other zones */
    readonly readers: 0 | 1 | 2;
    /** of the parameter group: all tasks of two versions at once have to fit, see `connections.ts` */
    readonly maxConnections: number;
    readonly backupDays: number;
  };
  readonly cache: { readonly nodeType: string; readonly replicas: 0 | 1 | 2 };
  readonly logDays: 7 | 30 | 90 | 365;
  /** copies of the database and the tables, besides the continuous ones */
  readonly backups: { readonly dailyDays: number; readonly monthlyDays: number } | undefined;
  /** whether deleting a stack keeps what it holds, and stores refuse to be deleted */
  readonly keepsData: boolean;
  /** tasks on spare capacity cost a third and may be stopped with two minutes' notice */
  readonly spot: boolean;
}

export interface ServiceSize {
  /** 1024 are one processor. A process uses one, so a task of one process has no use for more. */
  readonly cpu: 256 | 512 | 1024;
  readonly memoryMiB: 512 | 1024 | 2048;
  readonly minTasks: number;
  readonly maxTasks: number;
}

export type EnvironmentName = keyof typeof settings;

export const settings = {
  /** Costs little: one of everything, small, on spare capacity, and gone without a trace when it is deleted. */
  dev: {
    endpointZones: 1,
    api: { cpu: 512, memoryMiB: 1024, minTasks: 1, maxTasks: 2, requestsPerTargetPerMinute: 6_000 },
    worker: { cpu: 256, memoryMiB: 512, minTasks: 1, maxTasks: 1 },
    database: { capacity: { min: 0.5, max: 2 }, readers: 0, maxConnections: 160, backupDays: 1 },
    cache: { nodeType: 'cache.t4g.micro', replicas: 0 },
    logDays: 7,
    backups: undefined,
    keepsData: false,
    spot: true,
  },
  /** Loses a zone without losing an order or a minute. */
  prod: {
    endpointZones: 3,
    api: { cpu: 1024, memoryMiB: 2048, minTasks: 3, maxTasks: 24, requestsPerTargetPerMinute: 30_000 },
    worker: { cpu: 1024, memoryMiB: 2048, minTasks: 2, maxTasks: 8 },
    database: {
      instanceClass: 'r7g.xlarge',
      capacity: { min: 1, max: 16 },
      readers: 1,
      maxConnections: 1_600,
      backupDays: 35,
    },
    cache: { nodeType: 'cache.m7g.large', replicas: 2 },
    logDays: 90,
    backups: { dailyDays: 35, monthlyDays: 365 },
    keepsData: true,
    spot: false,
  },
} as const satisfies Record<string, Settings>;

export function isEnvironmentName(name: unknown): name is EnvironmentName {
  return typeof name === 'string' && Object.hasOwn(settings, name);
}
