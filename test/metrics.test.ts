import { createMetrics } from '../src/shared/metrics.ts';
import { type ReadMetric, readMetrics } from './harness/embedded-metrics.ts';
import { eventually } from './harness/eventually.ts';
import { type Shop, startShop } from './harness/shop.ts';

const valuesOf = (metrics: readonly ReadMetric[], name: string, routeClass?: string) =>
  metrics.filter((metric) => metric.name === name && metric.dimension.RouteClass === routeClass).flatMap(({ values }) => values);
const sumOf = (...what: Parameters<typeof valuesOf>) => valuesOf(...what).reduce((sum, value) => sum + value, 0);

describe('metrics of a shop', () => {
  let shop: Shop;
  const measured = () => shop.log.flatMap(readMetrics);
  beforeAll(async () => {
    shop = await startShop({ overrides: { metricsEveryMs: 100, orderIntervals: { gauges: 100 } } });
  });
  afterAll(() => shop.stop());

  it('tell what was ordered, refused and answered, by the class of the route', async () => {
    const customer = await shop.signUp();
    const { id: productId } = await shop.makeProduct({ initialStock: 5 });
    for (const key of ['a', 'b', 'a'])
      await shop.place(customer, [{ productId, quantity: 2 }], { 'Idempotency-Key': key }).expect(201);
    await shop.place(customer, [{ productId, quantity: 9 }]).expect(409);
    for (let n = 0; n < 3; n++) await shop.api.get(`/api/products/${productId}`).expect(200);
    await eventually(async () => {
      const metrics = measured();
      expect(sumOf(metrics, 'Orders')).toBe(2);
      expect(sumOf(metrics, 'OutOfStock')).toBe(1);
      expect(sumOf(metrics, 'Requests', 'orders')).toBe(4);
      expect(sumOf(metrics, 'Errors', 'orders')).toBe(0);
      expect(valuesOf(metrics, 'LatencyMs', 'orders')).toHaveLength(4);
      expect(sumOf(metrics, 'Requests', 'browsing')).toBe(3);
      expect([sumOf(metrics, 'CacheMisses'), sumOf(metrics, 'CacheHits')]).toEqual([1, 2]);
      expect(valuesOf(metrics, 'OutboxAgeSeconds').length).toBeGreaterThan(0);
      expect(valuesOf(metrics, 'DeadLetters').at(-1)).toBe(0);
    });
    expect(new Set(measured().map(({ namespace }) => namespace))).toEqual(new Set(['Shop']));
  });

  it('are one line for each class and interval, however many requests there were', async () => {
    const before = shop.log.length;
    await Promise.all(Array.from({ length: 300 }, () => shop.api.get('/api/products').expect(200)));
    await eventually(async () => {
      const metrics = shop.log.slice(before).flatMap(readMetrics);
      expect(sumOf(metrics, 'Requests', 'browsing')).toBe(300);
    });
    const lines = shop.log.slice(before).filter((line) => line.includes('"_aws"'));
    expect(lines.length).toBeLessThan(300);
    for (const line of lines) for (const { values } of readMetrics(line)) expect(values.length).toBeLessThanOrEqual(100);
  });

  it('tell of traces that somebody else has begun, and of the order', async () => {
    const customer = await shop.signUp();
    const { id: productId } = await shop.makeProduct();
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const { body } = await shop
      .place(customer, [{ productId, quantity: 1 }], {
        traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
        'X-Amzn-Trace-Id': 'Self=1-67891234-12456789abcdef012345678;Root=1-67891233-abcdef012345678912345678',
      })
      .expect(201);
    await customer.api.get(`/api/orders/${body.id}`).set('traceparent', 'nonsense').expect(200);
    const lines = () => shop.log.map((line) => JSON.parse(line)).filter(({ route }) => route?.startsWith('/api/orders'));
    await eventually(async () =>
      expect(lines().slice(-2)).toMatchObject([
        { traceId, amazonTraceId: '1-67891233-abcdef012345678912345678', location: `/api/orders/${body.id}` },
        { params: { id: body.id } },
      ]),
    );
    expect(lines().at(-1).traceId).toBeUndefined();
  });
});

describe('a distribution', () => {
  it('keeps a hundred values, each seen one with the same chance', () => {
    jest.useFakeTimers();
    const lines: string[] = [];
    let turn = 0;
    const metrics = createMetrics({
      namespace: 'Test',
      units: { Wait: 'Milliseconds' },
      log: { info: (line: unknown) => void lines.push(JSON.stringify(line)) },
      random: () => {
        turn = (turn + 0.618_033_988_75) % 1;
        return turn;
      },
    });
    for (let value = 0; value < 10_000; value++) metrics.note('Wait', value);
    jest.advanceTimersByTime(60_000);
    jest.useRealTimers();
    const [{ values } = { values: [] }] = lines.flatMap(readMetrics);
    expect(values).toHaveLength(100);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean).toBeGreaterThan(4000);
    expect(mean).toBeLessThan(6000);
    metrics.close();
    expect(lines).toHaveLength(1);
  });
});
