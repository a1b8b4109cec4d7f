import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSqsQueue, type SqsQueue } from '../src/shared/sqs-queue.ts';

describe('a queue that stops in the middle of an answer', () => {
  let stuck: Server;
  let queue: SqsQueue;
  beforeAll(async () => {
    stuck = createServer((_request, response) => response.writeHead(200, { 'Content-Length': 99 }).write('{'));
    await once(stuck.listen(0, '127.0.0.1'), 'listening');
    const endpoint = `http://127.0.0.1:${(stuck.address() as AddressInfo).port}`; // it listens on a port
    queue = createSqsQueue({ queueUrl: `${endpoint}/000000000000/events`, endpoint, region: 'local' });
  });
  afterAll(() => {
    queue.close();
    stuck.closeAllConnections();
    stuck.close();
  });

  it('is down, instead of holding up the relay for ever', async () => {
    await expect(queue.ping()).rejects.toMatchObject({ code: 'unavailable' });
  });
});
