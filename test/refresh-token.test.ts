import crypto from 'node:crypto';
import { makeRefreshKey } from '../src/modules/auth/index.ts';
import { createRefreshTokens } from '../src/modules/auth/refresh-token.ts';

describe('a forged refresh token', () => {
  afterEach(() => jest.restoreAllMocks());

  it('is compared whole and in constant time: how long it takes tells nothing about the right one', () => {
    const tokens = createRefreshTokens([makeRefreshKey()]);
    const session = { id: '019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f', generation: 1, keyId: tokens.newestKeyId, secret: 'secret' };
    const genuine = tokens.mint(session) ?? '';
    const forged = genuine.slice(0, -43) + 'A'.repeat(43);
    const compare = jest.spyOn(crypto, 'timingSafeEqual');
    const [good, bad] = [genuine, forged].map((token) => {
      const presented = tokens.parse(token);
      return presented !== undefined && tokens.isGenuine(presented, session);
    });
    expect([good, bad]).toEqual([true, false]);
    const [genuineProof, forgedProof] = [genuine, forged].map((token) => Buffer.from(token.slice(-43)));
    expect(compare.mock.calls).toEqual([
      [genuineProof, genuineProof],
      [forgedProof, genuineProof],
    ]);
  });
});
