import { buildApp } from 'fauxqs';

/**
 * A program: SQS's stand-in, in memory, until it is killed. `buildApp` leaves the listening to us; the package's own start would
 * listen on every address of the machine. Writes its URL as the only line of its output.
 */
const app = buildApp({ logger: false });

app.listen({ port: 0, host: '127.0.0.1' }).then(
  (url) => process.stdout.write(`${url}\n`),
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 1;
  },
);
