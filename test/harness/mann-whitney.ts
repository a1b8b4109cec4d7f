/** How surprising it is that two samples come from one distribution. */
export interface RankTest {
  /** two-sided; small means that they differ */
  readonly p: number;
  /** the chance that a value of the first is below one of the second; 0.5 when neither is */
  readonly below: number;
}

/** The Mann-Whitney U test with the normal approximation and its correction for ties, for samples of 20 and more. */
export function mannWhitney(one: readonly number[], other: readonly number[]): RankTest {
  const all = [...one.map((value) => ({ value, first: true })), ...other.map((value) => ({ value, first: false }))];
  all.sort((a, b) => a.value - b.value);
  let rankSum = 0;
  let ties = 0;
  for (let start = 0; start < all.length; ) {
    let end = start;
    while (end < all.length && all[end]?.value === all[start]?.value) end += 1;
    const rank = (start + 1 + end) / 2;
    const size = end - start;
    ties += size ** 3 - size;
    rankSum += rank * all.slice(start, end).filter(({ first }) => first).length;
    start = end;
  }
  const [n, m] = [one.length, other.length];
  const u = n * m + (n * (n + 1)) / 2 - rankSum;
  const variance = ((n * m) / 12) * (n + m + 1 - ties / ((n + m) * (n + m - 1)));
  const z = variance === 0 ? 0 : (Math.abs(u - (n * m) / 2) - 0.5) / Math.sqrt(variance);
  return { p: Math.min(1, 2 * (1 - normal(Math.max(0, z)))), below: u / (n * m) };
}

/** The standard normal distribution (Abramowitz and Stegun, 26.2.17), within 1e-7. */
function normal(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return 1 - (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
}
