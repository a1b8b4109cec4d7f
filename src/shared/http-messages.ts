import { IncomingMessage, ServerResponse } from 'node:http';
import type { Express } from 'express';

/** The classes that a server makes its requests and responses of. */
export interface HttpMessages {
  readonly IncomingMessage: typeof IncomingMessage;
  readonly ServerResponse: typeof ServerResponse;
}

/**
 * Requests and responses that are those of Express from the beginning. Else Express gives each one another prototype, which makes all that
 * is done with it slower, and they would have nothing of Express before it has seen them (docs/decisions/0039).
 */
export function expressMessages(app: Express): HttpMessages {
  class ExpressRequest extends IncomingMessage {}
  class ExpressResponse extends ServerResponse {}
  // the prototypes that Express made, with the app in them, stand behind those of the classes, and Express then finds its own
  Object.setPrototypeOf(ExpressRequest.prototype, app.request);
  Object.setPrototypeOf(ExpressResponse.prototype, app.response);
  app.request = ExpressRequest.prototype as typeof app.request;
  app.response = ExpressResponse.prototype as typeof app.response;
  return { IncomingMessage: ExpressRequest, ServerResponse: ExpressResponse as typeof ServerResponse };
}
