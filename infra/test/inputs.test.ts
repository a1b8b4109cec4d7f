import { deepEqual, throws } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readInputs } from '../lib/inputs.ts';
import { exampleInputs } from './synthesized.ts';

const folder = mkdtempSync(join(tmpdir(), 'shop-inputs-'));
after(() => rmSync(folder, { recursive: true, force: true }));

describe('the inputs of an account', () => {
  const read = (inputs: object) => {
    const path = join(folder, 'inputs.json');
    writeFileSync(path, JSON.stringify(inputs));
    return readInputs(path);
  };

  it('are those of the file', () => {
    deepEqual(read(exampleInputs), exampleInputs);
  });

  it('are refused with all their problems at once', () => {
    const bad = {
      account: '42',
      region: 'Ireland',
      zones: ['a'],
      certificateArn: 'none',
      operatorEmail: 'nobody',
      monthlyBudgetUsd: 0,
      corsOrigins: ['https://shop.example/'],
      typo: true,
    };
    const named = ['typo', 'account', 'region', 'zones', 'certificateArn', 'operatorEmail', 'monthlyBudgetUsd', 'corsOrigins'];
    throws(() => read(bad), new RegExp(named.join('[\\s\\S]*')));
    throws(() => read({}), /account[\s\S]*corsOrigins/);
  });

  it('name a certificate and zones of the very region', () => {
    throws(() => read({ ...exampleInputs, region: 'eu-central-1' }), /zones[\s\S]*certificateArn/);
    throws(() => read({ ...exampleInputs, zones: ['eu-west-1a', 'eu-west-1a', 'eu-west-1b'] }), /zones/);
  });
});
