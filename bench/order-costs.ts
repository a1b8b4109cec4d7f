import { parseArgs } from 'node:util';
import prices from './aws-prices.json' with { type: 'json' };

/** What a million orders cost on AWS: only what grows with them. Everything that is there without an order is in docs/operations.md. */
const usage =
  'usage: node bench/order-costs.ts [--shop-ms 0.84] [--database-ms 0.57]   (processor time an order, from task-capacity.ts)\n';

/** How much of what is paid for is used: tasks are added at 60 % (infra/lib), a database should have half of it left. */
const [shopUse, databaseUse] = [0.6, 0.5];
const memoryGbPerVcpu = 2;
const queueRequestsPerOrder = 4;
const logBytesPerOrder = 300;
const million = 1_000_000;

interface Cost {
  readonly part: string;
  readonly formula: string;
  readonly usd: number;
}

function costsOf({ shopMs, databaseMs }: { readonly shopMs: number; readonly databaseMs: number }): readonly Cost[] {
  const hours = (milliseconds: number) => (milliseconds * million) / 3_600_000;
  const taskHour = prices.fargateVcpuHour + memoryGbPerVcpu * prices.fargateGbHour;
  const databaseVcpuHour = prices.databaseHour / prices.databaseVcpus;
  return [
    {
      part: 'tasks',
      formula: `${shopMs} ms ÷ ${shopUse} × P(vCPU hour + ${memoryGbPerVcpu} GB hours)`,
      usd: (hours(shopMs) / shopUse) * taskHour,
    },
    {
      part: 'writer of the database',
      formula: `${databaseMs} ms ÷ ${databaseUse} × P(class hour) ÷ ${prices.databaseVcpus}`,
      usd: (hours(databaseMs) / databaseUse) * databaseVcpuHour,
    },
    {
      part: 'queue',
      formula: `${queueRequestsPerOrder} requests × P`,
      usd: queueRequestsPerOrder * prices.sqsMillionRequests,
    },
    {
      part: 'logs',
      formula: `${logBytesPerOrder} bytes × P(GB ingested)`,
      usd: ((logBytesPerOrder * million) / 1e9) * prices.logGbIngested,
    },
  ];
}

function main(): void {
  const { values } = parseArgs({
    options: { 'shop-ms': { type: 'string', default: '0.84' }, 'database-ms': { type: 'string', default: '0.57' } },
  });
  const [shopMs = 0, databaseMs = 0] = [values['shop-ms'], values['database-ms']].map(Number);
  if (!(shopMs > 0 && databaseMs > 0)) throw new Error(usage);
  const costs = costsOf({ shopMs, databaseMs });
  const sum = costs.reduce((total, { usd }) => total + usd, 0);
  const lines = [
    `| a million orders, ${prices.region}, prices as assumed on ${prices.assumedOn}, not looked up | formula | USD |`,
    '|---|---|---|',
    ...costs.map(({ part, formula, usd }) => `| ${part} | ${formula} | ${usd.toFixed(2)} |`),
    `| together | | ${sum.toFixed(2)} |`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

main();
