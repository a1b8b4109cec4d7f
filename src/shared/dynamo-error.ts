import { isNativeError } from 'node:util/types';
import { unavailable } from './failure.ts';

/** The condition of a write did not hold. */
export function isRefused(error: unknown): boolean {
  return nameOf(error) === 'ConditionalCheckFailedException';
}

/** Errors that say that the request itself is wrong: a fault of ours, not of the store. */
const ourFaults = new Set(['ValidationException', 'SerializationException', 'ItemCollectionSizeLimitExceededException']);
const networkCodes =
  /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_AGAIN|ESOCKET|ERR_STREAM|CERT_|DEPTH_|SELF_SIGNED|UNABLE_)/;
const networkNames = new Set([
  'TimeoutError',
  'AbortError',
  'NetworkingError',
  'CredentialsProviderError',
  'TokenProviderError',
  'WaitForActiveTimeout',
]);

/** Runs one request; every way in which the store can fail to do its part is `unavailable`. */
export async function guarded<Result>(request: () => Promise<Result>): Promise<Result> {
  try {
    return await request();
  } catch (error) {
    throw storeFailure(error);
  }
}

/** `unavailable` for what the store failed to do; any other error as it is. */
export function storeFailure(error: unknown): unknown {
  return isStoreFailure(error) ? unavailable('The key-value store can not be reached.', error) : error;
}

/** A table is being made or changed already. */
export function isTableInUse(error: unknown): boolean {
  return nameOf(error) === 'ResourceInUseException';
}

function isStoreFailure(error: unknown): boolean {
  const name = nameOf(error);
  if (networkNames.has(name) || networkCodes.test(codeOf(error))) return true;
  // Everything that the service itself answered: throttling, faults of its own, missing rights or tables.
  return isServiceAnswer(error) && !isRefused(error) && !ourFaults.has(name);
}

function isServiceAnswer(error: unknown): boolean {
  return typeof error === 'object' && error !== null && '$metadata' in error;
}

function nameOf(error: unknown): string {
  return isNativeError(error) ? error.name : '';
}

function codeOf(error: unknown): string {
  return isNativeError(error) && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
