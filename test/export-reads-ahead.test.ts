import { exportProducts } from '../src/modules/catalog/product-export.ts';
import type { Database } from '../src/shared/database.ts';

const page = Array.from({ length: 500 }, (_, number) => ({ sku: `SKU-${String(number).padStart(3, '0')}`, attributes: '{}' }));

describe('the page that an export reads ahead', () => {
  it('harms nobody when it can not be read and the client has left', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown) => void unhandled.push(error);
    process.on('unhandledRejection', note);
    let reads = 0;
    const rows = async () => {
      reads += 1;
      if (reads > 1) throw new Error('the store is down');
      return page;
    };
    // nothing else of it is used
    const texts = exportProducts({ dialect: 'sqlite', rows } as unknown as Database, 'application/x-ndjson');
    await texts.next();
    await texts.return(undefined);
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.off('unhandledRejection', note);
    expect({ reads, unhandled }).toEqual({ reads: 2, unhandled: [] });
  });
});
