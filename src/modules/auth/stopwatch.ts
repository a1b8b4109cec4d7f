/** Milliseconds that never run backwards and go on while the machine sleeps, which the monotonic clock alone does not. */
export function createStopwatch(): () => number {
  let total = 0;
  let monotonic = performance.now();
  let wall = Date.now();
  return () => {
    const nextMonotonic = performance.now();
    const nextWall = Date.now();
    total += Math.max(nextMonotonic - monotonic, nextWall - wall);
    monotonic = nextMonotonic;
    wall = nextWall;
    return total;
  };
}
