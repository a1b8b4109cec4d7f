/** Each test file of the project `services` begins with this: its stores are on the servers (stores.ts). */
process.env.TEST_STORES = 'services';
