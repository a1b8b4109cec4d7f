import { randomUUID } from 'node:crypto';
import type { Account, Shop } from './shop.ts';

/** Who asks: nobody, the customer whose it is, another one, staff, an admin, and one whose session has ended. */
export const actors = ['anonymous', 'owner', 'other', 'staff', 'admin', 'revoked'] as const;
export type Actor = (typeof actors)[number];

export interface Sent {
  readonly path?: string;
  /** a text is sent as lines of JSON */
  readonly body?: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a request needs that is good but for who sends it. */
export interface Scene {
  readonly shop: Shop;
  /** who asks; the owner for nobody */
  readonly caller: Account;
  readonly owner: Account;
  /** an order of the owner */
  order(): Promise<string>;
  /** the same, once it may be shipped */
  confirmedOrder(): Promise<string>;
  product(): Promise<string>;
}

interface Cells {
  readonly request: (scene: Scene) => Promise<Sent>;
  /** the status for each actor, in their order */
  readonly expected: readonly [number, number, number, number, number, number];
}

const plain = async (): Promise<Sent> => ({});
const toEverybody = (status: number) => [status, status, status, status, status, status] as const;
/** Those who are signed in, about what is theirs. */
const ownOnly = (status: number) => [401, status, status, status, status, 401] as const;
const staffOnly = (status: number) => [401, 403, 403, status, status, 401] as const;
const adminOnly = (status: number) => [401, 403, 403, 403, status, 401] as const;
/** Everybody may read it, and a token that is sent has to be good. */
const optional = (status: number) => [status, status, status, status, status, 401] as const;
const ownerOrStaff = (status: number) => [401, status, 404, status, status, 401] as const;

const freshUser = () => ({ username: `m-${randomUUID().slice(0, 18)}`, password: 'a fine long password' });
const newProduct = () => ({ sku: `M-${randomUUID()}`, name: 'New', price: { amount: 1, currency: 'GBP' } });
const ofOrder =
  (suffix: string, body?: object) =>
  async ({ order }: Scene): Promise<Sent> => ({ path: `/api/orders/${await order()}${suffix}`, ...(body && { body }) });
const ofProduct =
  (suffix: string, sent: Omit<Sent, 'path'> = {}) =>
  async ({ product }: Scene): Promise<Sent> => ({ path: `/api/products/${await product()}${suffix}`, ...sent });
const ofUser =
  (suffix: string, body?: object) =>
  async ({ owner }: Scene): Promise<Sent> => ({ path: `/api/auth/users/${owner.id}${suffix}`, ...(body && { body }) });
const current = { 'If-Match': '"1"' };

/** Every route by its operation: a good request, and who may send it. A route that is missing here fails the matrix. */
export const accessMatrix: Readonly<Record<string, Cells>> = {
  register: { request: async () => ({ body: freshUser() }), expected: toEverybody(201) },
  login: {
    request: async ({ owner: { username, password } }) => ({ body: { username, password } }),
    expected: toEverybody(200),
  },
  refresh: { request: async ({ owner: { refreshToken } }) => ({ body: { refreshToken } }), expected: toEverybody(200) },
  logout: { request: plain, expected: ownOnly(204) },
  eraseAccount: { request: async ({ caller: { password } }) => ({ body: { password } }), expected: ownOnly(204) },
  deactivateAccount: { request: async ({ caller: { password } }) => ({ body: { password } }), expected: ownOnly(204) },
  getAccount: { request: plain, expected: ownOnly(200) },
  exportPersonalData: { request: plain, expected: ownOnly(200) },
  changePassword: {
    request: async ({ caller: { password } }) => ({ body: { currentPassword: password, newPassword: 'another fine long one' } }),
    expected: ownOnly(204),
  },
  listSessions: { request: plain, expected: ownOnly(200) },
  endSession: {
    request: async ({ owner }) => ({ path: `/api/auth/sessions/${owner.refreshToken.split('.')[1]}` }),
    // not even an admin ends the session of somebody else: he resets the password
    expected: [401, 204, 404, 404, 404, 401],
  },
  listUsers: { request: plain, expected: adminOnly(200) },
  getUser: { request: ofUser(''), expected: adminOnly(200) },
  setRoles: { request: ofUser('/roles', { roles: ['customer'] }), expected: adminOnly(200) },
  restoreUser: { request: ofUser('/restore'), expected: adminOnly(200) },
  resetPassword: { request: ofUser('/reset-password'), expected: adminOnly(200) },
  getKeys: { request: plain, expected: toEverybody(200) },
  listProducts: { request: plain, expected: optional(200) },
  readProduct: { request: ofProduct(''), expected: optional(200) },
  readStock: { request: ofProduct('/stock'), expected: optional(200) },
  createProduct: { request: async () => ({ body: newProduct() }), expected: staffOnly(201) },
  replaceProduct: {
    request: async (scene) => ofProduct('', { body: newProduct(), headers: current })(scene),
    expected: staffOnly(200),
  },
  patchProduct: { request: ofProduct('', { body: { name: 'Other' }, headers: current }), expected: staffOnly(200) },
  deleteProduct: { request: ofProduct('', { headers: current }), expected: staffOnly(204) },
  importProducts: { request: async () => ({ body: JSON.stringify(newProduct()) }), expected: staffOnly(200) },
  exportProducts: { request: plain, expected: staffOnly(200) },
  adjustStock: { request: ofProduct('/stock/adjustments', { body: { delta: 1, reason: 'found' } }), expected: staffOnly(201) },
  setStock: { request: ofProduct('/stock', { body: { onHand: 7 }, headers: current }), expected: staffOnly(200) },
  listStockMovements: { request: ofProduct('/stock/movements'), expected: staffOnly(200) },
  placeOrder: {
    request: async ({ product }) => ({ body: { items: [{ productId: await product(), quantity: 1 }] } }),
    expected: ownOnly(201),
  },
  listOrders: { request: plain, expected: ownOnly(200) },
  summarizeOrders: { request: plain, expected: staffOnly(200) },
  getOrder: { request: ofOrder(''), expected: ownerOrStaff(200) },
  listOrderEvents: { request: ofOrder('/events'), expected: ownerOrStaff(200) },
  cancelOrder: { request: ofOrder('/cancel'), expected: ownerOrStaff(200) },
  shipOrder: {
    request: async ({ confirmedOrder }) => ({ path: `/api/orders/${await confirmedOrder()}/ship`, body: {} }),
    expected: staffOnly(200),
  },
  // it is not shipped yet: who may, learns that
  deliverOrder: { request: ofOrder('/deliver'), expected: staffOnly(409) },
  getLiveness: { request: plain, expected: toEverybody(200) },
  getReadiness: { request: plain, expected: toEverybody(200) },
};
