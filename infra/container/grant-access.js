// Runs in the migration task, with the driver of the shop's image: makes the user of the shop, who may read and write rows but
// not change the schema. Doing it again changes nothing; passwords are changed by rotation alone.
import mysql from 'mysql2/promise';

const { MYSQL_URL, GRANTEE_USER, GRANTEE_PASSWORD, SCHEMA } = process.env;
const connection = await mysql.createConnection(MYSQL_URL);
await connection.query("CREATE USER IF NOT EXISTS ?@'%' IDENTIFIED BY ? REQUIRE SSL", [GRANTEE_USER, GRANTEE_PASSWORD]);
await connection.query("GRANT SELECT, INSERT, UPDATE, DELETE ON ??.* TO ?@'%'", [SCHEMA, GRANTEE_USER]);
await connection.end();
