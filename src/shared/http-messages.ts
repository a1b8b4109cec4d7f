import { IncomingMessage, ServerResponse } from 'node:http';
import type { Express } from 'express';

/**
 * Classes for `http.createServer` whose prototypes are the very ones that Express gives to each request and answer. Express
 * sets them anyway, and on objects that have another prototype this makes every later access slow: it is most of what a
 * request costs. Has to be called before the first request.
 */
export function messageClasses(app: Express): { IncomingMessage: typeof IncomingMessage; ServerResponse: typeof ServerResponse } {
  class FrontRequest extends IncomingMessage {}
  class FrontResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {}
  Object.setPrototypeOf(FrontRequest.prototype, app.request);
  Object.setPrototypeOf(FrontResponse.prototype, app.response);
  // these objects inherit all that Express's types ask for
  app.request = FrontRequest.prototype as Express['request'];
  app.response = FrontResponse.prototype as Express['response'];
  return { IncomingMessage: FrontRequest, ServerResponse: FrontResponse };
}
