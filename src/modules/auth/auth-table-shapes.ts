import { type DynamoTable, describeTable, type TableDescription } from '../../shared/dynamo-table.ts';

const text = { type: String };
const number = { type: Number };
/** Indexes hold the keys alone: an index lags behind, so whoever finds something in one reads the item itself. */
const index = (name: string, rangeKey: string) => ({
  type: String,
  index: { name, type: 'global' as const, rangeKey, project: false },
});

export const userIndexes = { creation: 'users_by_creation', marks: 'users_by_mark', erasures: 'users_by_erasure' };
export const sessionIndexes = { user: 'sessions_by_user' };

/** Every table of the module, in the notation of dynamoose. Those with `expires` have a TTL. */
export const authTables = {
  Users: {
    user_id: { type: String, hashKey: true },
    state: text,
    token: number,
    username: text,
    name_key: text,
    password_hash: text,
    roles: { type: Array, schema: [String] },
    created_at: number,
    request_id: text,
    change_id: text,
    mark_queue: index(userIndexes.marks, 'mark_at'),
    mark_at: number,
    mark_except: text,
    mark_joins_admins: { type: Boolean },
    one_time_until: number,
    one_time_used_by: text,
    erase_queue: index(userIndexes.erasures, 'erase_at'),
    erase_at: number,
    listed: index(userIndexes.creation, 'user_id'),
  },
  Usernames: { name_key: { type: String, hashKey: true }, user_id: text, request_id: text, created_at: number },
  Sessions: {
    session_id: { type: String, hashKey: true },
    user_id: index(sessionIndexes.user, 'session_id'),
    token: number,
    generation: number,
    key_id: text,
    secret: text,
    device: text,
    created_at: number,
    rotated_at: number,
    expires: number,
  },
  Revocations: {
    minute: { type: Number, hashKey: true },
    revocation_id: { type: String, rangeKey: true },
    user_id: text,
    lowest_token: number,
    except: text,
    session_id: text,
    expires: number,
  },
  Admins: {
    set_id: { type: String, hashKey: true },
    version: number,
    entries: { type: Array, schema: [{ type: Object, schema: { user_id: String, counter: Number, member: Boolean } }] },
  },
} satisfies Record<string, DynamoTable['attributes']>;

/**
 * The tables as infrastructure has to make them: names, which a prefix may come before, keys, indexes and the attribute of the TTL.
 * Local stores are given the very same. infra/ imports it, so this file loads no library.
 */
export const tableDescriptions: readonly TableDescription[] = Object.entries(authTables).map(([name, attributes]) =>
  describeTable({ name, attributes }),
);
