import type { Dynamo } from './dynamo.ts';
import type { TableDescription } from './dynamo-table.ts';

/**
 * Tells a local store that has a TTL which attribute of a table it is. Elsewhere the infrastructure does it, and the shop has no right to.
 * Idempotent.
 */
export async function letExpire(
  { client, createsTables, removesExpired }: Dynamo,
  { name, timeToLive }: TableDescription,
): Promise<void> {
  if (timeToLive === undefined || !createsTables || !removesExpired) return;
  const isOff = async () =>
    (await client.describeTimeToLive({ TableName: name })).TimeToLiveDescription?.TimeToLiveStatus === 'DISABLED';
  if (!(await isOff())) return;
  try {
    const TimeToLiveSpecification = { AttributeName: timeToLive, Enabled: true };
    await client.updateTimeToLive({ TableName: name, TimeToLiveSpecification });
  } catch (error) {
    // another process may have done it at the same moment
    if (await isOff()) throw error;
  }
}
