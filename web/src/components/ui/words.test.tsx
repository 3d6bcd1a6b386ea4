// @vitest-environment jsdom
import { render, screen } from '@testing-library/react';
import { expect, test } from 'vitest';

import { Words } from './words';

test('a command between backticks is shown as code, without them', () => {
  render(
    <p>
      <Words>Run `watthour train` or `watthour backfill ny`, then look again.</Words>
    </p>,
  );
  expect(screen.getByText('watthour train').tagName).toBe('CODE');
  expect(screen.getByText('watthour backfill ny').tagName).toBe('CODE');
  expect(document.body.textContent).toBe('Run watthour train or watthour backfill ny, then look again.');
});

test('a backtick without a second one hides nothing', () => {
  render(<Words>It costs 5` and that is all.</Words>);
  expect(document.body.textContent).toBe('It costs 5` and that is all.');
});
