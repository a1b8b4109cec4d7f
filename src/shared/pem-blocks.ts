const pemBlock = /-----BEGIN PRIVATE KEY-----[\s\S]+?-----END PRIVATE KEY-----\n?/g;

/**
 * The PKCS#8 blocks of a text, in their order; `\n` may be written as two characters, as in a line of an environment file.
 * @param name of the setting or file, for what is thrown
 * @throws when another block stands beside them, which would be lost without a word
 */
export function pemBlocks(text: string, name: string): readonly string[] {
  const other = otherBlocksIn(text);
  if (other !== undefined) throw new Error(`${name} ${other}`);
  return blocksIn(text);
}

/** What is wrong with a text that holds more than whole PKCS#8 blocks, in words that follow its name. */
export function otherBlocksIn(text: string): string | undefined {
  if (text.split('-----BEGIN ').length - 1 === blocksIn(text).length) return undefined;
  return 'holds a PEM block that is no whole PKCS#8 private key (BEGIN PRIVATE KEY): openssl pkcs8 -topk8 -nodes makes one of other forms';
}

function blocksIn(text: string): readonly string[] {
  return text.replaceAll('\\n', '\n').match(pemBlock) ?? [];
}
