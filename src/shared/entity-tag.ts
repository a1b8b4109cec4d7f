import { Failure } from './failure.ts';

/** The strong entity tag of a version (RFC 9110, section 8.8.3). */
export function entityTag(version: number): string {
  return `"${version}"`;
}

const tagList = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"(?:[ \t]*,[ \t]*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")*$/;
const singleTag = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/g;

/**
 * Checks an If-Match header against the current version (strong comparison, RFC 9110, section 13.1.1).
 * @throws precondition-required (428) without the header, malformed (400) for `*` or no entity tag, version-mismatch (412)
 */
export function assertIfMatch(header: string | undefined, currentVersion: number): void {
  const tags = parseIfMatch(header);
  if (!tags.includes(entityTag(currentVersion))) throw versionMismatch(currentVersion);
}

/** The strong tags of an If-Match header; weak ones are left out because they never match. @throws 428 or 400 as above */
export function parseIfMatch(header: string | undefined): readonly string[] {
  if (header === undefined)
    throw new Failure('precondition-required', { detail: 'Send If-Match with the ETag of the version that you read.' });
  const value = header.trim();
  if (!tagList.test(value))
    throw new Failure('malformed', { detail: 'If-Match has to name the entity tag that was read, such as "7".' });
  return [...value.matchAll(singleTag)].filter(([, weak]) => weak === undefined).map(([, , tag]) => `"${tag}"`);
}

export function versionMismatch(currentVersion: number): Failure {
  return new Failure('version-mismatch', { members: { currentVersion } });
}

/** May the answer be 304? Weak comparison (RFC 9110, section 13.1.2); a header that can't be read never matches. */
export function matchesIfNoneMatch(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  const value = header.trim();
  if (value === '*') return true;
  if (!tagList.test(value)) return false;
  const opaque = tag.replace(/^W\//, '');
  return [...value.matchAll(singleTag)].some(([, , candidate]) => `"${candidate}"` === opaque);
}
