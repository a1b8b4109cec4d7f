import { once } from 'node:events';
import { connect } from 'node:net';
import { runChild } from './child-process.ts';
import { eventually } from './harness/eventually.ts';

/** Whether something listens there. */
async function listens(address: string): Promise<boolean> {
  const { port, hostname } = new URL(address);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

describe('the servers of a run', () => {
  it('are its own, and are gone when it was killed', async () => {
    const run = runChild(`
      delete process.env.TEST_MYSQL_URL;
      delete process.env.TEST_DYNAMODB_ENDPOINT;
      const { startServices } = await import(${JSON.stringify(`file://${process.cwd()}/test/harness/services.ts`)});
      console.log(JSON.stringify((await startServices()).variables));
      setInterval(() => {}, 1000);
    `);
    const addresses: string[] = Object.values(JSON.parse((await run.line()) ?? '{}'));
    expect(addresses).toHaveLength(2);
    expect(addresses).not.toContain(process.env.TEST_MYSQL_URL);
    expect(await Promise.all(addresses.map(listens))).toEqual([true, true]);
    await run.kill();
    await eventually(async () => expect(await Promise.all(addresses.map(listens))).toEqual([false, false]));
  });
});
