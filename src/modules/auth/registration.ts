import { setTimeout as pause } from 'node:timers/promises';
import { Failure, unavailable } from '../../shared/failure.ts';
import { newId } from '../../shared/identifier.ts';
import type { Role } from '../../shared/principal.ts';
import { claimAgeMs } from './limits.ts';
import type { NameClaim, NameStore } from './name-store.ts';
import type { PasswordHasher } from './password-hash.ts';
import type { User } from './user.ts';
import type { UserStore } from './user-store.ts';
import { displayedUsername, usernameKey } from './username.ts';

export type Registration = ReturnType<typeof createRegistration>;

// Whoever claimed the name a moment ago is about to write his user.
const claimPauseMs = 50;
const maxAttempts = 40;

/** Makes users: claims the name, then writes the user. One name has one user, whatever happens between the two. */
export function createRegistration({
  users,
  names,
  hasher,
  now,
}: {
  users: UserStore;
  names: NameStore;
  hasher: PasswordHasher;
  now: () => number;
}) {
  const holderOf = async ({ userId }: NameClaim): Promise<User | undefined> => {
    const user = await users.read(userId);
    return user?.state === 'gone' ? undefined : user;
  };

  /** One try: is the name ours now, is it worth a second try at once, or after a pause? @throws duplicate */
  const tryToClaim = async (nameKey: string, mine: NameClaim): Promise<'ours' | 'again' | 'later'> => {
    if (await names.claim(nameKey, mine)) return 'ours';
    const holder = await names.read(nameKey);
    if (holder === undefined) return 'again';
    // The answer to our own claim was lost.
    if (holder.requestId === mine.requestId) return 'ours';
    if ((await holderOf(holder)) !== undefined) throw nameTaken();
    if (now() - holder.createdAt < claimAgeMs) return 'later';
    // Its registration died. First it must never come to make its user, then the name changes hands.
    if (!(await users.forbid(holder.userId))) throw nameTaken();
    return (await names.takeOver({ nameKey, from: holder, to: mine })) ? 'ours' : 'again';
  };

  const claimName = async (nameKey: string, mine: NameClaim): Promise<void> => {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const outcome = await tryToClaim(nameKey, mine);
      if (outcome === 'ours') return;
      if (outcome === 'later') await pause(claimPauseMs);
    }
    throw unavailable('Somebody else is registering this name right now.');
  };

  return {
    /** The user who has a name, in any state but gone. */
    async findByName(username: string): Promise<User | undefined> {
      const claim = await names.read(usernameKey(username));
      return claim && holderOf(claim);
    },

    /** @throws duplicate, overloaded, unavailable */
    async makeUser({ username, password, roles }: { username: string; password: string; roles: readonly Role[] }): Promise<User> {
      const nameKey = usernameKey(username);
      const holder = await names.read(nameKey);
      if (holder !== undefined && (await holderOf(holder)) !== undefined) throw nameTaken();
      const passwordHash = await hasher.hash(password);
      const createdAt = now();
      const user: User = {
        id: newId(createdAt),
        username: displayedUsername(username),
        nameKey,
        passwordHash,
        token: 1,
        roles,
        state: 'active',
        createdAt,
        requestId: newId(createdAt),
      };
      await claimName(nameKey, { userId: user.id, requestId: user.requestId, createdAt });
      if (!(await users.create(user))) throw unavailable('The registration took too long, and its name was taken over.');
      return user;
    },
  };
}

function nameTaken(): Failure {
  return new Failure('duplicate', { detail: 'The username is taken.' });
}
