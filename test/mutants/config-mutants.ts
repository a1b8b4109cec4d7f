import { embedded, type Mutant } from './mutant.ts';

const config = 'src/shared/config.ts';
const rules = 'src/shared/config-rules.ts';
const folder = 'src/shared/data-folder.ts';
const audit = 'src/commands/audit.ts';
const inProduction = (story: string) => embedded('config', `the configuration in production ${story}`);
const takesNoSample = inProduction('takes no first admin with a password that is short, a sample, or published with the shop');
const rotated = embedded(
  'key-rotation',
  'npm run keys leaves a file where it is, to whom it is, and as open as it was, behind a symbolic link too',
);
const auditsUsers = embedded(
  'audit-command',
  'npm run audit ends with 2 when it can not look at the users, unless a server that runs does',
);

/** Nothing starts on settings that would hurt later, and the commands beside the shop leave it as whole as it was. */
export const configMutants: readonly Mutant[] = [
  {
    guard: 'production names the stores that it lacks',
    file: rules,
    text: "if (given.ALLOW_EMBEDDED !== 'true') {",
    mutation: "if (given.ALLOW_EMBEDDED === 'false') {",
    noticedBy: [inProduction('names all that is missing at once')],
  },
  {
    guard: 'production makes up no secret',
    file: rules,
    text: 'if (given[name] === undefined) problems.push(`${name} is missing: production does not make up secrets`);',
    mutation: 'continue;',
    noticedBy: [inProduction('names all that is missing at once')],
  },
  {
    guard: 'production refuses cheap password hashes',
    file: rules,
    text: 'if (Number(given.BCRYPT_COST ?? 12) < 12)',
    mutation: 'if (Number(given.BCRYPT_COST ?? 12) < 1)',
    noticedBy: [inProduction('refuses a weak or harmful BCRYPT_COST')],
  },
  {
    guard: 'production refuses weak and sample secrets',
    file: config,
    text: 'if (production) problems.push(...weakSecrets(parsed.success ? parsed.data : readableOf(given)));',
    mutation: '',
    noticedBy: [
      inProduction('refuses a weak or harmful PASSWORD_PEPPER'),
      inProduction('runs on embedded storage only when told so, and looks at the secrets all the same'),
    ],
  },
  {
    guard: 'weak secrets are named beside settings that can not be read',
    file: config,
    text: 'parsed.success ? parsed.data : readableOf(given)',
    mutation: 'parsed.data ?? {}',
    noticedBy: [inProduction('names a weak secret beside a setting that can not be read')],
  },
  {
    guard: 'production looks at the password of the first admin',
    file: rules,
    text: 'if (ADMIN_PASSWORD !== undefined) problems.push(',
    mutation: 'if (ADMIN_PASSWORD === undefined) problems.push(',
    noticedBy: [takesNoSample],
  },
  {
    guard: 'the first admin’s password is as long as any',
    file: rules,
    text: "if (Array.from(password.normalize('NFC')).length < minLength)",
    mutation: 'if (minLength < 0)',
    noticedBy: [takesNoSample],
  },
  {
    guard: 'the first admin’s password is no sample',
    file: rules,
    text: 'if (isSample(password) || ',
    mutation: 'if (',
    noticedBy: [takesNoSample],
  },
  {
    guard: 'the first admin’s password is none that the docs show',
    file: rules,
    text: ' || publishedPasswords.includes(password.trim().toLowerCase())',
    mutation: '',
    noticedBy: [takesNoSample],
  },
  {
    guard: 'embedded storage has both roles, however they are written',
    file: rules,
    text: "const roles = new Set(splitList(given.ROLES ?? 'web,worker'));",
    mutation: "const roles = new Set([given.ROLES ?? 'web,worker']);",
    noticedBy: ['web,', 'web,web', ' web'].map((roles) => embedded('config', `the configuration refuses ROLES=${roles} by name`)),
  },
  {
    guard: 'a drain is over before pm2 ends the process',
    file: rules,
    text: 'if (drainMs(given, production) > longestDrainMs)',
    mutation: 'if (longestDrainMs < 0)',
    noticedBy: [
      embedded(
        'config',
        'the configuration lets a drain take what pm2 waits for, less the time to close the stores, and not a millisecond more',
      ),
    ],
  },
  {
    guard: 'a signing key of another form is not left out in silence',
    file: 'src/shared/config-fields.ts',
    text: 'if (other !== undefined) {',
    mutation: 'if (false) {',
    noticedBy: [
      embedded(
        'config',
        'the configuration takes no signing keys beside which stands a key of another form, which would be lost in silence',
      ),
    ],
  },
  {
    guard: 'a rotation loses no signing key of another form',
    file: 'src/shared/pem-blocks.ts',
    text: 'if (other !== undefined) throw new Error(`${name} ${other}`);',
    mutation: '',
    noticedBy: [
      embedded('key-rotation', 'npm run keys leaves a file alone that holds a key of another form, which the new one would not'),
    ],
  },
  {
    guard: 'a rotated key file stays behind its symbolic link',
    file: folder,
    text: 'const file = old === undefined ? path : realpathSync(path);',
    mutation: 'const file = path;',
    noticedBy: [rotated],
  },
  {
    guard: 'a rotated key file keeps its owner, group and mode',
    file: folder,
    text: 'if (old !== undefined) giveAs(old, handle, file);',
    mutation: '',
    noticedBy: [rotated],
  },
  {
    guard: 'a key file that can not be left to its owner is not replaced',
    file: folder,
    text: 'throw new Error(`${file} can not be left to its owner and group (${uid}:${gid}): ${reason(cause)}`, { cause });',
    mutation: 'void cause;',
    noticedBy: [
      embedded('key-rotation', 'npm run keys by somebody else changes nothing when it can not leave the file to its owner'),
    ],
  },
  {
    guard: 'an audit that leaves the users to another service says so',
    file: audit,
    text: "if (!modules.auth) return { leftOut: 'auth is not one of the MODULES of this process' };",
    mutation: '',
    noticedBy: [embedded('audit-command', 'npm run audit leaves the users to another service where MODULES says so')],
  },
  {
    guard: 'an audit that can not read the users fails',
    file: audit,
    text: 'if (!(error instanceof FolderInUseError)) throw error;',
    mutation: 'if (!(error instanceof Error)) throw error;',
    noticedBy: [auditsUsers],
  },
  {
    guard: 'an audit that finds no users fails',
    file: audit,
    text: 'throw new Error(`There is no store of users in ${dataDir}: set DATA_DIR, or AWS_REGION for DynamoDB.`);',
    mutation: "return { leftOut: 'there is none' };",
    noticedBy: [auditsUsers],
  },
  {
    guard: 'a signing key is a strong one',
    file: 'src/shared/config-fields.ts',
    text: '(key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048',
    mutation: '(key.asymmetricKeyDetails?.modulusLength ?? 0) >= 512',
    noticedBy: [inProduction('refuses a weak or harmful JWT_PRIVATE_KEYS')],
  },
];
