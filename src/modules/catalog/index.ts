import type { Logger } from 'pino';
import { type Database, isStoreDown } from '../../shared/database.ts';
import { unavailable } from '../../shared/failure.ts';
import type { Module } from '../../shared/module.ts';
import type { VersionedCopies } from '../../shared/versioned-copies.ts';
import type { Catalog } from './catalog-api.ts';
import { createProductCache, type ProductCacheSettings } from './product-cache.ts';
import { exportProducts } from './product-export.ts';
import { importProducts } from './product-import.ts';
import { listProducts } from './product-list.ts';
import { productRoutes } from './product-routes.ts';
import { createProductStore } from './product-store.ts';
import { productTransferRoutes } from './product-transfer-routes.ts';
import { deleteReleased, listHeld, lookUpReservations } from './reservation-store.ts';
import { createReserve } from './reserve.ts';
import { createSettling } from './settle-reservation.ts';
import { createSharedRead } from './shared-products.ts';
import { listMovements } from './stock-movements.ts';
import { stockRoutes } from './stock-routes.ts';
import { adjustStock, readStock, setStock } from './stock-store.ts';

export type {
  Catalog,
  Reservation,
  ReservationItem,
  ReservationState,
  ReservedLine,
} from './catalog-api.ts';

export { auditCatalog } from './catalog-audit.ts';
export { type AuditedReservation, type ReservationPage, readReservations, reservationPages } from './reservation-pages.ts';

/** Every method of the contract, for a client that stands in for the module. */
export const catalogMethods = {
  reserve: true,
  commit: true,
  release: true,
  heldReservations: true,
  reservationStates: true,
  forget: true,
} as const satisfies Record<keyof Catalog, true>;

export interface CatalogDependencies {
  readonly db: Database;
  readonly log: Logger;
  /** milliseconds since 1970 */
  readonly now: () => number;
  readonly cache?: Partial<ProductCacheSettings>;
  /** products that all processes share; absent: each process has its own only */
  readonly copies?: VersionedCopies | undefined;
}

const cachedProducts = 10_000;
/** With other processes beside this one an anonymous reader may see a product as it was a second ago. */
const maxAgeBesideOthersMs = 1000;

/** Builds the catalog. It starts nothing by itself and has no background tasks: nothing expires in it. */
export function createCatalog({ db, log, now, cache: settings, copies }: CatalogDependencies): Module<Catalog> {
  const onChanged = (id: string, version: number) => {
    cache.invalidate(id);
    copies?.outdate(id, version);
  };
  const store = createProductStore({ db, now, onChanged });
  const cache = createProductCache(copies === undefined ? store.read : createSharedRead(copies, store.read), {
    maxProducts: cachedProducts,
    ...((db.dialect === 'mysql' || copies !== undefined) && { maxAgeMs: maxAgeBesideOthersMs }),
    ...settings,
  });
  copies?.onOutdated(cache.invalidate);
  const reserve = createReserve(db);
  const { commit, release } = createSettling({ db, now });
  const answered = answering(log);

  const api: Catalog = {
    reserve: (...request) => answered(() => reserve(...request)),
    commit: (reservationId) => answered(() => commit(reservationId)),
    release: (reservationId) => answered(() => release(reservationId)),
    heldReservations: (query) => answered(() => listHeld(db, query)),
    reservationStates: (ids) =>
      answered(async () => {
        const rows = await lookUpReservations(db, ids, { lock: false });
        return [...rows.values()].map(({ id, state }) => ({ reservationId: id, state }));
      }),
    forget: (ids) => answered(() => db.transaction((tx) => deleteReleased(tx, ids))),
  };

  const routes = [
    ...productRoutes({ store, cache, readStock: (id) => readStock(db, id), list: (query) => listProducts(db, query) }),
    ...productTransferRoutes({
      importRows: (rows, createdBy) => importProducts(rows, { db, now, onChanged, createdBy }),
      exportAs: (type) => exportProducts(db, type),
    }),
    ...stockRoutes({
      read: (id) => readStock(db, id),
      adjust: (request) => adjustStock({ db, now }, request),
      set: (request) => setStock({ db, now }, request),
      movements: (query) => listMovements(db, query),
    }),
  ];
  return { api, routes, tasks: [] };
}

/** The contract knows `unavailable` only: for a store that is down, and for a COMMIT whose outcome nobody knows. */
function answering(log: Logger) {
  return async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (!isStoreDown(error)) throw error;
      log.warn({ error: error instanceof Error ? error.message : String(error) }, 'the catalog could not reach its store');
      throw unavailable('The catalog can not answer right now.', error);
    }
  };
}
