import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readInputs } from './lib/inputs.ts';
import { checkAwsSolutions } from './lib/nag.ts';
import { type EnvironmentName, settings } from './lib/settings.ts';
import { createShop } from './lib/shop.ts';

/** `npm run synth`: the templates of every environment with the example's inputs, in `cdk.out`, and how many resources they hold. */
for (const environment of Object.keys(settings) as EnvironmentName[]) {
  const outdir = join(import.meta.dirname, 'cdk.out', environment);
  const inputs = readInputs(join(import.meta.dirname, 'inputs', 'example.json'));
  const app = createShop({ environment, inputs, imageTag: 'latest', outdir });
  checkAwsSolutions(app);
  app.synth();
  for (const file of readdirSync(outdir).filter((name) => name.endsWith('.template.json'))) {
    const { Resources } = JSON.parse(readFileSync(join(outdir, file), 'utf8'));
    process.stdout.write(`${file.replace('.template.json', '')}: ${Object.keys(Resources).length} resources\n`);
  }
}
