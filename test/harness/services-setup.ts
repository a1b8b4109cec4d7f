import { missingPrograms, type Services, startServices } from './services.ts';

let services: Services | undefined;

/** Before the first suite of the services: starts them and tells the suites where they are. */
export default async function setUp(): Promise<void> {
  const missing = missingPrograms();
  if (missing.length > 0)
    throw new Error(
      missing.map(({ program, debianPackage }) => `${program} is missing (apt-get install ${debianPackage})`).join('; '),
    );
  services = await startServices();
  Object.assign(process.env, services.variables);
}

export async function tearDown(): Promise<void> {
  await services?.stop();
}
