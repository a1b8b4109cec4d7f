import type { Dynamo } from '../../shared/dynamo.ts';
import type { DynamoCollection } from '../../shared/dynamo-collection.ts';
import { openCollection } from '../../shared/dynamo-collection.ts';
import { type DynamoTable, describeTable, type TableDescription } from '../../shared/dynamo-table.ts';

/** Items as they are stored. Times are milliseconds since 1970, but `expires`, the attribute of DynamoDB's TTL, is seconds. */
export interface UserItem {
  readonly user_id: string;
  readonly state: string;
  readonly token: number;
  readonly username?: string;
  readonly name_key?: string;
  readonly password_hash?: string;
  readonly roles?: readonly string[];
  readonly created_at?: number;
  readonly request_id?: string;
  readonly change_id?: string;
  readonly mark_queue?: string;
  readonly mark_at?: number;
  readonly mark_except?: string;
  readonly mark_joins_admins?: boolean;
  readonly one_time_until?: number;
  readonly one_time_used_by?: string;
  readonly erase_queue?: string;
  readonly erase_at?: number;
  readonly listed?: string;
}

export interface UsernameItem {
  readonly name_key: string;
  readonly user_id: string;
  readonly request_id: string;
  readonly created_at: number;
}

export interface SessionItem {
  readonly session_id: string;
  readonly user_id: string;
  readonly token: number;
  readonly generation: number;
  readonly key_id: string;
  readonly secret: string;
  readonly device: string;
  readonly created_at: number;
  readonly rotated_at: number;
  readonly expires: number;
}

export interface RevocationItem {
  readonly minute: number;
  readonly revocation_id: string;
  readonly user_id?: string;
  readonly lowest_token?: number;
  readonly except?: string;
  readonly session_id?: string;
  readonly expires: number;
}

export interface AdminSetItem {
  readonly set_id: string;
  readonly version: number;
  readonly entries: readonly { readonly user_id: string; readonly counter: number; readonly member: boolean }[];
}

const text = { type: String };
const number = { type: Number };
/** Indexes hold the keys alone: an index lags behind, so whoever finds something in one reads the item itself. */
const index = (name: string, rangeKey: string) => ({
  type: String,
  index: { name, type: 'global' as const, rangeKey, project: false },
});

export const userIndexes = { creation: 'users_by_creation', marks: 'users_by_mark', erasures: 'users_by_erasure' };
export const sessionIndexes = { user: 'sessions_by_user' };

/** Every table of the module. Those with `expires` have a TTL. */
const tables = {
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
 * Local stores are given the very same.
 */
export const tableDescriptions: readonly TableDescription[] = Object.entries(tables).map(([name, attributes]) =>
  describeTable({ name, attributes }),
);

export interface AuthTables {
  readonly users: DynamoCollection<UserItem>;
  readonly usernames: DynamoCollection<UsernameItem>;
  readonly sessions: DynamoCollection<SessionItem>;
  readonly revocations: DynamoCollection<RevocationItem>;
  readonly admins: DynamoCollection<AdminSetItem>;
}

export async function openAuthTables(dynamo: Dynamo, prefix: string): Promise<AuthTables> {
  const open = <Item extends object>(name: keyof typeof tables) =>
    openCollection<Item>(dynamo, { name: `${prefix}${name}`, attributes: tables[name] });
  const [users, usernames, sessions, revocations, admins] = await Promise.all([
    open<UserItem>('Users'),
    open<UsernameItem>('Usernames'),
    open<SessionItem>('Sessions'),
    open<RevocationItem>('Revocations'),
    open<AdminSetItem>('Admins'),
  ]);
  return { users, usernames, sessions, revocations, admins };
}
