import { App } from 'aws-cdk-lib';
import { readInputs } from './lib/inputs.ts';
import { checkAwsSolutions } from './lib/nag.ts';
import { isEnvironmentName } from './lib/settings.ts';
import { createShop } from './lib/shop.ts';

/** `cdk … -c environment=dev|prod -c inputs=FILE -c image=TAG`; without a file the example, which is good for synthesis only. */
const given = new App({ autoSynth: false }).node;
const environment = given.tryGetContext('environment') ?? 'prod';
if (!isEnvironmentName(environment)) throw new Error(`There are no settings for the environment ${environment}.`);
const inputs = readInputs(given.tryGetContext('inputs') ?? 'inputs/example.json');
const app = createShop({ environment, inputs, imageTag: String(given.tryGetContext('image') ?? 'latest') });
checkAwsSolutions(app);
app.synth();
