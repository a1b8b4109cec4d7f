import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { askedAgain } from '../bench/bench-shop.ts';
import { slopeOf } from '../bench/soak-slope.ts';

const run = promisify(execFile);
const soak = (...words: string[]) =>
  run(process.execPath, [join(__dirname, '..', 'bench', 'soak.ts'), ...words], { timeout: 110_000 });

describe('the soak', () => {
  it('samples a shop under load, and fails when its memory leaks', async () => {
    const words = ['--embedded', '--trial', '--minutes', '0.15', '--every', '0.2', '--leak', 'memory'];
    const table = /^\| heap .* yes \|\n(?:\|.*\n)*\| files .* (?:no|unclear) \|$/m;
    const said = /requests, \d+ a second; audit clean over \d+ orders/;
    const failed = { code: 1, stdout: expect.stringMatching(new RegExp(`${table.source}[^]*${said.source}`, 'm')) };
    await expect(soak(...words)).rejects.toMatchObject(failed);
  }, 120_000);

  it('asks again where a busy shop sheds what it is asked', async () => {
    const statuses = [503, 201, 200];
    expect(await askedAgain(async () => ({ status: statuses.shift() ?? 0 }))).toEqual({ status: 201 });
  });

  const sampled = (valueAt: (hour: number, index: number) => number) =>
    slopeOf({
      limitPerHour: 10,
      samples: Array.from({ length: 100 }, (_, index) => [index / 600, valueAt(index / 600, index)] as const),
    });

  it('tells a slope from ups and downs', () => {
    const noise = (index: number) => Math.sin(index * 12.9898) * 2;
    expect(sampled((hour, index) => 100 + 30 * hour + noise(index))).toMatchObject({ grows: true, isUnclear: false });
    expect(sampled((hour, index) => 100 + hour + noise(index) / 4)).toMatchObject({ grows: false, isUnclear: false });
    expect(sampled((hour, index) => 100 - 300 * hour + noise(index))).toMatchObject({ grows: false, isUnclear: false });
    expect(sampled((_, index) => (index % 10 === 3 ? 500 : 100))).toMatchObject({ grows: false, isUnclear: false, perHour: 0 });
  });

  it('says when the time was too short for that', () => {
    expect(sampled((_, index) => 100 + 40 * (Math.floor(index / 10) % 2))).toMatchObject({ grows: false, isUnclear: true });
    expect(() => slopeOf({ limitPerHour: 10, samples: [[0, 1]] })).toThrow('too few');
  });
});
