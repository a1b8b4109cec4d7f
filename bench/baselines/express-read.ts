import { json } from 'node:stream/consumers';
import express from 'express';

/** The same route in plain Express as its documentation shows it, without any middleware; the product is in memory. */
const { body } = (await json(process.stdin)) as { body: string };
const product = JSON.parse(body);
const products = new Map([[product.id, product]]);
const app = express();
app.get('/api/products/:id', (request, response) => {
  const found = products.get(request.params.id);
  if (found === undefined) response.sendStatus(404);
  else response.json(found);
});
const server = app.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify(server.address())}\n`);
});
