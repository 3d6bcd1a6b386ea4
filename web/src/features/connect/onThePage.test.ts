import { expect, test } from 'vitest';

import { ApiProblem } from '@/lib/problem';

import { onThePage, problemOnThePage } from './onThePage';

const CHOOSABLE = {
  decimal: { label: 'Decimal mark', options: [{ value: 'comma', label: 'Comma (1.234,5)' }] },
  solar: { label: 'Energy is also fed in', options: [{ value: 'yes', label: 'Yes' }, { value: 'no', label: 'No' }] },
  value_column: { label: 'Column of values' },
};

test.each([
  ['Use --decimal comma, or another --value-column.', 'Use “Decimal mark: Comma (1.234,5)”, or another “Column of values”.'],
  ['Use --solar if energy is also fed in.', 'Use “Energy is also fed in: Yes” if energy is also fed in.'],
  ['Use --no-solar to refuse these rows.', 'Use “Energy is also fed in: No” to refuse these rows.'],
  ['Name it with --value-column.', 'Name it with “Column of values”.'],
  ['Run `watthour listen --found`.', 'Run `watthour listen --found`.'],
])('%s', (said, shown) => {
  expect(onThePage(said, CHOOSABLE)).toBe(shown);
});

test('a problem keeps its field and status, and its cure names what can be chosen', () => {
  const shown = problemOnThePage(new ApiProblem('Invalid input', 'the unit is open', 'Use --value-column.', 400, 'unit', 'x'), CHOOSABLE);
  expect(shown).toMatchObject({ remedy: 'Use “Column of values”.', status: 400, field: 'unit', value: 'x' });
  const other = new Error('no network');
  expect(problemOnThePage(other, CHOOSABLE)).toBe(other);
});
