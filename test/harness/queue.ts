import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import { SQS } from '@aws-sdk/client-sqs';
import type { SqsSettings } from '../../src/shared/sqs-queue.ts';

/** What goes wrong with a request. `refuse` names the bodies of a batch that SQS says it could not take. */
export type QueueFault = 'none' | 'cut before' | 'cut after' | { readonly refuse: (body: string) => boolean };

export interface QueueService {
  /** how the shop reaches the queue: through a proxy that obeys `faultOf` */
  readonly settings: SqsSettings;
  readonly deadLetterQueueUrl: string;
  /** reaches the service directly */
  readonly sqs: SQS;
  /** decides for each request of the shop; the action is SQS's name of the call */
  faultOf: (action: string) => QueueFault;
  /** the actions of the shop's requests so far */
  readonly actions: readonly string[];
  /** messages that wait and messages that are held */
  counts(queueUrl?: string): Promise<{ waiting: number; held: number }>;
  close(): Promise<void>;
}

const program = join(__dirname, 'queue-service.ts');
const region = 'local';

/** A queue of its own, whose dead-letter queue takes what was received `maxReceives` times in vain. */
export async function startQueue({ maxReceives = 3 }: { maxReceives?: number } = {}): Promise<QueueService> {
  const { url: serviceUrl, sqs, close } = await startQueueService();
  const dead = await sqs.createQueue({ QueueName: 'events-dead' });
  const { Attributes: { QueueArn: deadLetterTargetArn } = {} } = await sqs.getQueueAttributes({
    QueueUrl: dead.QueueUrl,
    AttributeNames: ['QueueArn'],
  });
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount: maxReceives });
  const { QueueUrl = '' } = await sqs.createQueue({ QueueName: 'events', Attributes: { RedrivePolicy } });

  const proxy = await startProxy(serviceUrl, (action) => service.faultOf(action));
  const service: QueueService = {
    settings: { queueUrl: QueueUrl, endpoint: proxy.url, region },
    deadLetterQueueUrl: dead.QueueUrl ?? '',
    sqs,
    faultOf: () => 'none',
    actions: proxy.actions,
    counts: async (queueUrl = QueueUrl) => {
      const { Attributes = {} } = await sqs.getQueueAttributes({ QueueUrl: queueUrl, AttributeNames: ['All'] });
      return {
        waiting: Number(Attributes.ApproximateNumberOfMessages),
        held: Number(Attributes.ApproximateNumberOfMessagesNotVisible),
      };
    },
    close: async () => {
      await proxy.close();
      await close();
    },
  };
  return service;
}

/** A service without any queue, and a client of it. */
export async function startQueueService(): Promise<{ readonly url: string; readonly sqs: SQS; close(): Promise<void> }> {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [program], { env: { PATH }, stdio: ['ignore', 'pipe', 'inherit'], timeout: 300_000 });
  const exited = once(child, 'exit');
  const [url] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const sqs = new SQS({ region, endpoint: url, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } });
  return {
    url,
    sqs,
    close: async () => {
      sqs.destroy();
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function startProxy(serviceUrl: string, faultOf: (action: string) => QueueFault) {
  const actions: string[] = [];
  const server = createServer(async (request, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    try {
      const body = (await buffer(request)).toString();
      const target = request.headers['x-amz-target'];
      const action = String(target).replace('AmazonSQS.', '');
      actions.push(action);
      const fault = faultOf(action);
      if (fault === 'cut before') return void request.socket.destroy();
      const { kept, failed } = typeof fault === 'object' ? split(body, fault.refuse) : { kept: body, failed: [] };
      const answer = await fetch(serviceUrl, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-target': String(target),
          authorization: String(request.headers.authorization),
        },
        body: kept,
        signal: gone.signal,
      });
      const text = await answer.text();
      if (fault === 'cut after') return void request.socket.destroy();
      response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(failed.length === 0 ? text : JSON.stringify({ ...JSON.parse(text), Failed: failed }));
    } catch {
      request.socket.destroy();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // listening on a TCP port, so it is no pipe's name
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    actions,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Batch {
  readonly Entries: readonly { readonly Id: string; readonly MessageBody: string }[];
}

function split(body: string, refuse: (body: string) => boolean) {
  // the SDK's own JSON of SendMessageBatch
  const batch = JSON.parse(body) as Batch;
  const { true: refused = [], false: taken = [] } = Object.groupBy(batch.Entries, ({ MessageBody }) =>
    refuse(MessageBody) ? 'true' : 'false',
  );
  return {
    kept: JSON.stringify({ ...batch, Entries: taken }),
    failed: refused.map(({ Id }) => ({ Id, SenderFault: false, Code: 'InternalError', Message: 'refused' })),
  };
}
