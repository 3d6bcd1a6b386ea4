import { expect, test } from 'vitest';

import { toProblem, unwrap } from './problem';

const refused = { title: 'Unknown site', detail: 'no region or site has this name', remedy: 'Did you mean ny?' };

test('a problem keeps its own words', async () => {
  const asking = unwrap(Promise.resolve({ error: refused, response: new Response(null, { status: 404 }) }));
  await expect(asking).rejects.toMatchObject({ ...refused, status: 404 });
});

test('a server that is not there is named, with the cure', async () => {
  const asking = unwrap(Promise.reject(new TypeError('Failed to fetch')));
  await expect(asking).rejects.toMatchObject({ title: 'Watthour does not answer', status: null });
});

test('an answer that is no problem body still says its status', () => {
  expect(toProblem('<html>', 502)).toMatchObject({ title: 'The server answered 502', status: 502 });
});
