import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

const program = join(__dirname, '..', 'src', 'commands', 'health.ts');

async function check(variables: Readonly<Record<string, string>>): Promise<{ code: number | null; said: string }> {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [program], {
    env: { PATH, ...variables },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 30_000,
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const [code] = await once(child, 'close');
  return { code, said };
}

async function checkAgainst(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  // listening on a TCP port, so it is no pipe's name
  const { port } = server.address() as AddressInfo;
  try {
    return await check({ PORT: String(port), HOST: '0.0.0.0' });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('the health check of a container', () => {
  it('passes when the process says that it lives', async () => {
    const paths: (string | undefined)[] = [];
    const answer: RequestListener = (request, response) => {
      paths.push(request.url);
      response.end('{"status":"live"}');
    };
    expect(await checkAgainst(answer)).toEqual({ code: 0, said: '' });
    expect(paths).toEqual(['/livez']);
  });

  it('fails, and says why, when the process answers something else', async () => {
    const { code, said } = await checkAgainst((_request, response) => response.writeHead(503).end());
    expect({ code, said }).toEqual({ code: 1, said: '/livez answers 503\n' });
  });

  it.each(['headers', 'the end of the body'])('fails when %s never come', async (what) => {
    const { code, said } = await checkAgainst((_request, response) => {
      if (what !== 'headers') response.write('{');
    });
    expect(code).toBe(1);
    expect(said).toMatch(/abort|timeout/i);
  });

  it('fails when nothing listens', async () => {
    const { code, said } = await check({ PORT: '1' });
    expect(code).toBe(1);
    expect(said).toContain('ECONNREFUSED');
  });
});
