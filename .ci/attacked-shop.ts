// What the tools need of the shop that they attack.

/** Waits until it is ready, at most half a minute. */
export async function shopIsReady(url: string): Promise<void> {
  for (let attempt = 0; attempt < 120; attempt += 1) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    if (answer?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error('The shop that was to be attacked did not start.');
}

export async function signInAsAdmin(url: string, password: string): Promise<{ token: string; productId: string }> {
  const post = async (path: string, body: object, headers: Readonly<Record<string, string>> = {}) => {
    const init = { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) };
    const answer = await fetch(`${url}${path}`, init);
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
    return (await answer.json()) as Record<string, string>;
  };
  const { accessToken = '' } = await post('/api/auth/login', { username: 'admin', password });
  const product = { sku: 'LAMP', name: 'Lamp', price: { amount: 1, currency: 'GBP' }, initialStock: 1_000_000 };
  const { id = '' } = await post('/api/products', product, { Authorization: `Bearer ${accessToken}` });
  return { token: accessToken, productId: id };
}

/** The 99th percentile of product reads in milliseconds, one after the other, while so many clients sign in with wrong passwords. */
export async function readQuantiles(
  { url, productId }: { url: string; productId: string },
  { seconds, logins }: { seconds: number; logins: number },
): Promise<number> {
  const endsAt = performance.now() + seconds * 1000;
  const times: number[] = [];
  const body = JSON.stringify({ username: 'nobody.at.all', password: 'a wrong password' });
  const signIn = async () => {
    while (performance.now() < endsAt)
      await fetch(`${url}/api/auth/login`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })
        .then((answer) => answer.arrayBuffer())
        .catch(() => undefined);
  };
  const read = async () => {
    while (performance.now() < endsAt) {
      const beganAt = performance.now();
      const answer = await fetch(`${url}/api/products/${productId}`).catch(() => undefined);
      // a connection that the client had kept while nobody used it may have ended
      if (answer === undefined) continue;
      await answer.arrayBuffer();
      if (answer.status !== 200) throw new Error(`a product read answered ${answer.status}`);
      times.push(performance.now() - beganAt);
    }
  };
  await Promise.all([read(), ...Array.from({ length: logins }, signIn)]);
  return times.toSorted((one, other) => one - other)[Math.floor(times.length * 0.99)] ?? 0;
}
