const pemBlock = /-----BEGIN PRIVATE KEY-----[\s\S]+?-----END PRIVATE KEY-----\n?/g;

/** The PKCS#8 blocks of a text, in their order; `\n` may be written as two characters, as in a line of an environment file. */
export function pemBlocks(text: string): readonly string[] {
  return text.replaceAll('\\n', '\n').match(pemBlock) ?? [];
}
