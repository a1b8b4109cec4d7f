import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';

/** The least that Node can do: sends the same headers and bytes whatever is asked. They come as JSON on the standard input. */
const { headers, body } = (await json(process.stdin)) as { headers: Record<string, string>; body: string };
const bytes = Buffer.from(body);
const server = createServer((_request, response) => {
  response.writeHead(200, headers);
  response.end(bytes);
});
server.listen({ port: 0, host: '127.0.0.1' }, () => {
  process.stdout.write(`${JSON.stringify(server.address())}\n`);
});
