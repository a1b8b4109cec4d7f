import mysql from 'mysql2/promise';
import { newId } from '../../src/shared/identifier.ts';
import { chooseProducts, orderParameters, orderStatements, readLoop, runLoop, type ShelfRow } from './order-loop.ts';

/**
 * What a careful engineer writes by hand: one transaction per order, every statement prepared and kept, a pool of connections, no ORM and no
 * HTTP. More connections than these are slower on two cores; fewer leave the server waiting for round trips.
 */
const connections = 16;

const loop = await readLoop();
const pool = mysql.createPool({ uri: loop.database, connectionLimit: connections, dateStrings: true, supportBigNumbers: true });
pool.on('connection', (connection) => {
  // this is the driver's own connection, which takes callbacks
  connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
});
const statements = orderStatements('FOR UPDATE');

await runLoop(loop, async () => {
  const ids = chooseProducts(loop);
  const connection = await pool.getConnection();
  try {
    await connection.query('START TRANSACTION');
    const [found] = await connection.execute<(ShelfRow & mysql.RowDataPacket)[]>(statements.read, [...ids]);
    const [{ affectedRows }] = await connection.execute<mysql.ResultSetHeader>(statements.reserve, [...ids]);
    if (affectedRows !== ids.length) throw new Error('A product is sold out.');
    for (const [name, parameters] of orderParameters(found, newId)) await connection.execute(statements[name], parameters);
    await connection.query('COMMIT');
  } finally {
    connection.release();
  }
});
await pool.end();
