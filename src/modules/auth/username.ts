const form = /^[\p{L}\p{M}\p{Nd}._@+-]{3,64}$/u;
const startsWithMark = /^\p{M}/u;
// Nothing longer is normalized: a character of NFKC was four units at most.
const longestText = 256;

/** The form in which a username is kept and shown: NFKC. */
export function displayedUsername(username: string): string {
  return username.normalize('NFKC');
}

/** 3 to 64 letters (with their combining marks), digits and `. _ @ + -` of any script. */
export function isUsername(username: string): boolean {
  if (username.length > longestText || !username.isWellFormed()) return false;
  const displayed = displayedUsername(username);
  return form.test(displayed) && !startsWithMark.test(displayed);
}

/**
 * The form in which usernames are compared: NFKC and case folded (UAX #15; Unicode, section 3.13). JavaScript has no case
 * folding; upper case and then lower case, character by character, folds at least as much (`ß` with `ss`, `ς` with `σ`).
 */
export function usernameKey(username: string): string {
  const folded = Array.from(displayedUsername(username).toUpperCase(), (character) => character.toLowerCase());
  return folded.join('').normalize('NFKC');
}
