/** What of ECS's client is used. */
interface Ecs {
  runTask?(request: Record<string, unknown>): Promise<object>;
  describeTasks?(request: Record<string, unknown>): Promise<object>;
}

interface Event {
  readonly RequestType: string;
  readonly RequestId: string;
  readonly ResourceProperties: Readonly<Record<string, unknown>>;
}

export function start(ecs: Ecs, event: Event): Promise<{ PhysicalResourceId: string; Data?: { taskArn: string } }>;
export function hasEnded(
  ecs: Ecs,
  event: Event & { readonly Data: { readonly taskArn: string } },
): Promise<{ IsComplete: boolean }>;
