/** After the last suite of the services. */
export { tearDown as default } from './services-setup.ts';
