import { z } from 'zod';
import { idParameter } from '../../shared/identifier.ts';
import { roles } from '../../shared/principal.ts';
import { timestamp } from '../../shared/timestamp.ts';
import { isPossiblePassword, maxPasswordLength } from './password-rules.ts';
import { isUsername } from './username.ts';

/** The schemas of the wire contract of auth: what validates is what the OpenAPI document shows. */

const username = z
  .string()
  .refine(isUsername, 'has to be 3 to 64 letters, digits and . _ @ + -')
  .meta({
    description: 'Letters and digits of any script; compared after NFKC and case folding',
    example: 'ada',
    override: { minLength: 3, maxLength: 64 },
  });
const password = z
  .string()
  .refine(isPossiblePassword, `has to be at most ${maxPasswordLength} characters of well-formed text`)
  .meta({ example: 'correct horse battery staple', override: { format: 'password', maxLength: maxPasswordLength } });
const role = z.enum(roles);

export const credentialsBody = z.strictObject({ username, password }).meta({ id: 'Credentials' });
export const registerBody = z
  .strictObject({
    username,
    password: password.meta({
      description: 'At least 12 characters unless the shop is set up otherwise; common ones are refused',
    }),
  })
  .meta({ id: 'Registration' });
export const refreshBody = z.strictObject({ refreshToken: z.string() }).meta({ id: 'RefreshRequest' });
export const logoutBody = z
  .strictObject({ all: z.boolean().default(false).meta({ description: 'All sessions of the account, not only this one' }) })
  .meta({ id: 'LogoutRequest' });
export const passwordBody = z.strictObject({ password }).meta({ id: 'PasswordConfirmation' });
export const changePasswordBody = z
  .strictObject({ currentPassword: password, newPassword: password })
  .meta({ id: 'PasswordChange' });
export const rolesBody = z
  .strictObject({ roles: z.array(role).min(1).max(roles.length) })
  .meta({ id: 'RolesUpdate', description: 'Roles contain each other: admin ⊃ staff ⊃ customer' });

const account = { id: idParameter, username: z.string(), roles: z.array(role) };

export const tokensSchema = z
  .strictObject({
    accessToken: z.string().meta({ description: 'A JWT; send it as `Authorization: Bearer`' }),
    refreshToken: z.string().meta({ description: 'Good for one refresh; keep the new one' }),
    tokenType: z.literal('Bearer'),
    expiresIn: z.int().meta({ description: 'Seconds that the access token lives' }),
    user: z.strictObject(account),
  })
  .meta({ id: 'Tokens' });
export const accountSchema = z.strictObject({ ...account, createdAt: timestamp }).meta({ id: 'Account' });
export const userSchema = z
  .strictObject({
    ...account,
    state: z.enum(['active', 'deactivated', 'erasing']),
    createdAt: timestamp,
    eraseAt: timestamp.optional().meta({ description: 'When a deactivated account will be erased' }),
  })
  .meta({ id: 'User' });
export const sessionSchema = z
  .strictObject({
    id: idParameter,
    device: z.string().meta({ description: 'What the browser or program called itself when it signed in' }),
    createdAt: timestamp,
    lastUsedAt: timestamp.meta({ description: 'The newest refresh' }),
    current: z.boolean().meta({ description: 'The session that asks' }),
  })
  .meta({ id: 'Session' });
export const oneTimePasswordSchema = z
  .strictObject({
    password: z.string().meta({ description: 'Signs in once; it is shown only here' }),
    expiresAt: timestamp,
  })
  .meta({ id: 'OneTimePassword' });
export const jwksSchema = z
  .strictObject({
    keys: z.array(
      z.strictObject({ kty: z.string(), n: z.string(), e: z.string(), kid: z.string(), use: z.literal('sig'), alg: z.string() }),
    ),
  })
  .meta({ id: 'JsonWebKeySet', description: 'RFC 7517' });
