/** Where each tier listens. The stores have other ports than the usual ones, which scanners try first. */
export const ports = { http: 80, https: 443, shop: 3000, database: 3307, cache: 6380 } as const;
