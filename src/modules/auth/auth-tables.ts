import type { Dynamo } from '../../shared/dynamo.ts';
import type { DynamoCollection } from '../../shared/dynamo-collection.ts';
import { openCollection } from '../../shared/dynamo-collection.ts';
import { authTables } from './auth-table-shapes.ts';

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

export interface AuthTables {
  readonly users: DynamoCollection<UserItem>;
  readonly usernames: DynamoCollection<UsernameItem>;
  readonly sessions: DynamoCollection<SessionItem>;
  readonly revocations: DynamoCollection<RevocationItem>;
  readonly admins: DynamoCollection<AdminSetItem>;
}

export async function openAuthTables(dynamo: Dynamo, prefix: string): Promise<AuthTables> {
  const open = <Item extends object>(name: keyof typeof authTables) =>
    openCollection<Item>(dynamo, { name: `${prefix}${name}`, attributes: authTables[name] });
  const [users, usernames, sessions, revocations, admins] = await Promise.all([
    open<UserItem>('Users'),
    open<UsernameItem>('Usernames'),
    open<SessionItem>('Sessions'),
    open<RevocationItem>('Revocations'),
    open<AdminSetItem>('Admins'),
  ]);
  return { users, usernames, sessions, revocations, admins };
}
