import { embedded, type Mutant } from './mutant.ts';

const registration = 'src/modules/auth/registration.ts';
const names = 'src/modules/auth/name-store.ts';
const users = 'src/modules/auth/user-store.ts';
const admins = 'src/modules/auth/admin-set.ts';
const erasure = 'src/modules/auth/erasure.ts';
const races = (story: string) => embedded('account-races', story);
const crash = (story: string) => embedded('auth-crashes', `a process that dies between any two writes ${story}`);

/** A name has one user, one admin stays, and whoever is erased is gone. */
export const accountMutants: readonly Mutant[] = [
  {
    guard: 'an unknown name costs a hash as well',
    file: 'src/modules/auth/password-hash.ts',
    text: 'const against = known ?? (await dummyHash());',
    mutation: 'if (known === undefined) return false;\n      const against = known;',
    noticedBy: [embedded('accounts', 'signing in answers a wrong password and an unknown name alike, with the same work')],
  },
  {
    guard: 'looking for a user takes as long whether there is one or not',
    file: 'src/modules/auth/sign-in.ts',
    text: 'await Promise.all([find(nameKey), pause(lookUpMs)])',
    mutation: 'await Promise.all([find(nameKey)])',
    noticedBy: [embedded('equal-times', 'looking for a user takes its time before the hash begins, whether there is one or not')],
  },
  {
    guard: 'a sign-in that can not be checked is refused before it is counted',
    file: 'src/modules/auth/sign-in.ts',
    text: 'hasher.refuseWhenFull();\n      return counted(nameKey, async () => {',
    mutation: 'return counted(nameKey, async () => {\n        hasher.refuseWhenFull();',
    noticedBy: [embedded('password-hash', 'hashing passwords refuses a sign-in before it is counted and its user is looked for')],
  },
  {
    guard: 'hashes take what requests leave',
    file: 'src/modules/auth/password-hash.ts',
    text: 'void dummyHash().then(hashBelowRequests);',
    mutation: 'void dummyHash();',
    noticedBy: [embedded('password-hash', 'hashing passwords beside requests takes what they leave of the processor')],
  },
  {
    guard: 'a password is hashed with the pepper',
    file: 'src/modules/auth/password-hash.ts',
    text: "createHmac('sha384', pepper)",
    mutation: "createHmac('sha384', '')",
    noticedBy: [embedded('password-hash', 'hashing passwords needs the pepper')],
  },
  {
    guard: 'a name that was claimed lately is waited for',
    file: registration,
    text: "if (now() - holder.createdAt < claimAgeMs) return 'later';",
    mutation: '',
    noticedBy: [races('a name that was claimed lately is waited for: the second one is told that it is taken')],
  },
  {
    guard: 'a registration that lost its name can not come back',
    file: registration,
    text: 'if (!(await users.forbid(holder.userId))) throw nameTaken();',
    mutation: '',
    noticedBy: [
      races('a name that was claimed a minute ago without a user goes to the next one, and the first can not come back'),
    ],
  },
  {
    guard: 'a name is taken over from the claim that was read',
    file: names,
    text: '{ equals: { user_id: from.userId, request_id: from.requestId } },',
    mutation: '{},',
    noticedBy: [races('a name that was claimed goes over to one alone, when two take it over')],
  },
  {
    guard: 'an erasure frees a name that is still its user’s',
    file: names,
    text: ', { equals: { user_id: userId } }',
    mutation: '',
    noticedBy: [races('a name that an erasure frees late stays with the user who has taken it meanwhile')],
  },
  {
    guard: 'an erasure forgets its user’s name after it was freed',
    file: erasure,
    text: 'await names.free(gone.nameKey, userId);\n      await users.forgetName(userId);',
    mutation: 'await users.forgetName(userId);\n      await names.free(gone.nameKey, userId);',
    noticedBy: [crash('of the erasing itself goes on where it stopped')],
  },
  {
    guard: 'an erasure removes what is personal before it frees the name',
    file: erasure,
    text: 'await users.strip(settled);',
    mutation: '',
    noticedBy: [embedded('erasure', 'erasing removes everything personal and frees the name')],
  },
  {
    guard: 'a registration whose answer was lost is recognised as done',
    file: registration,
    text: "if (holder.requestId === mine.requestId) return 'ours';",
    mutation: '',
    noticedBy: [crash('of a registration leaves the name to one user')],
  },
  {
    guard: 'a new user whose answer was lost is recognised as made',
    file: users,
    text: "return found !== undefined && found.state !== 'gone' && found.requestId === user.requestId;",
    mutation: 'return false;',
    noticedBy: [crash('of a registration leaves the name to one user')],
  },
  {
    guard: 'a change of a user whose answer was lost is recognised as made',
    file: users,
    text: "return found?.state !== 'gone' && found?.changeId === changed.changeId ? found : undefined;",
    mutation: 'return undefined;',
    noticedBy: [crash('of a password change leaves one password, and sessions that fit it')],
  },
  {
    guard: 'a change of a user has the counter that was read in its condition',
    file: users,
    text: '{\n        equals: { token: user.token },\n      }',
    mutation: '{}',
    noticedBy: [embedded('accounts', 'changing the password happens once when many try at once')],
  },
  {
    guard: 'a mark is cleared by the change that it belongs to',
    file: users,
    text: ', { equals: { change_id: changeId } }',
    mutation: '',
    noticedBy: [races('a change of a user that is finished late leaves the mark of the next one alone')],
  },
  {
    guard: 'a change asks the store whether its session still lives',
    file: 'src/modules/auth/sessions.ts',
    text: '|| session.token < user.token) throw unauthenticated();',
    mutation: ') throw unauthenticated();',
    noticedBy: [races('a change of a user is refused when the session that makes it has ended meanwhile')],
  },
  {
    guard: 'an admin who makes a change is one by what the store says',
    file: 'src/modules/auth/user-administration.ts',
    text: 'await requireAdmin(principal);',
    mutation: '',
    noticedBy: [races('an admin who was demoted elsewhere can not undo it with his old token')],
  },
  {
    guard: 'the last admin stays',
    file: admins,
    text: "if (!member && present?.member === true && !others.some((other) => other.member)) throw new Failure('last-admin');",
    mutation: '',
    noticedBy: [embedded('roles-and-admins', 'the last admin stays, whatever he does')],
  },
  {
    guard: 'the set of admins is written in the version that was read',
    file: admins,
    text: '{ equals: { version } }',
    mutation: '{}',
    noticedBy: [embedded('roles-and-admins', 'the last admin is one of two who take each other’s role at the same time')],
  },
  {
    guard: 'a grant that comes late brings back no admin',
    file: admins,
    text: 'if (present !== undefined && (present.counter > counter || (present.counter === counter && member))) return false;',
    mutation: '',
    noticedBy: [races('an admin whose grant is finished late does not come back after he was removed')],
  },
  {
    guard: 'an existing user is never made the first admin',
    file: 'src/modules/auth/first-admin.ts',
    text: 'if (!isAdmin(user))',
    mutation: 'if (user === undefined)',
    noticedBy: [embedded('first-admin', 'the first admin is never an existing user: the start is refused and says why')],
  },
  {
    guard: 'a password that an admin made signs in once',
    file: users,
    text: "absent: ['one_time_used_by' as const]",
    mutation: 'absent: []',
    noticedBy: [races('a password that an admin made signs in once, also when two use it at the same time')],
  },
  {
    guard: 'tries that run at once count as failures until they end',
    file: 'src/modules/auth/login-failures.ts',
    text: 'if (account.failures + account.running < limit)',
    mutation: 'if (account.failures < limit)',
    noticedBy: [embedded('login-failures', 'wrong passwords are counted exactly when they come at once')],
  },
  {
    guard: 'an account pauses after too many wrong passwords',
    file: 'src/modules/auth/login-failures.ts',
    text: 'if (account.failures >= limit) throw throttled(account.endsAt - now());',
    mutation: '',
    noticedBy: [embedded('login-failures', 'wrong passwords pause an account after ten, also for the right one')],
  },
  {
    guard: 'an account pauses after too many wrong passwords in all processes together',
    file: 'src/modules/auth/shared-login-failures.ts',
    text: 'if (failures.total < limit && failures.total + runs.total <= limit)',
    mutation: 'if (limit > 0)',
    noticedBy: [
      embedded('shared-sign-in', 'wrong passwords in two processes pause an account after ten, wherever they were sent'),
    ],
  },
];
