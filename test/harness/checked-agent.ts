import supertest, { type Response, type Test } from 'supertest';

export type Agent = ReturnType<typeof supertest.agent>;

/** A client whose every answer is checked, also those that a test only waits for. */
export function checkedAgent({ url, check, token }: { url: string; check: (response: Response) => void; token?: string }): Agent {
  const agent = supertest.agent(url);
  agent.use((request: Test) => void request.expect(check));
  if (token !== undefined) agent.set('Authorization', `Bearer ${token}`);
  return agent;
}
