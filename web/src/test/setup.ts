import '@testing-library/jest-dom/vitest';
import { cleanup, configure } from '@testing-library/react';
import { afterEach, beforeEach, vi } from 'vitest';

import { FakeSocket } from './socket';

// A busy machine takes longer than a second for the first page.
configure({ asyncUtilTimeout: 8000 });
afterEach(cleanup);

// jsdom has no layout: tests see a narrow, light screen.
vi.stubGlobal('matchMedia', (media: string) => ({ matches: false, media, addEventListener: () => {}, removeEventListener: () => {} }));
vi.stubGlobal('scrollTo', () => {});
vi.stubGlobal('WebSocket', FakeSocket);
beforeEach(() => {
  FakeSocket.made = [];
});
vi.stubGlobal(
  'ResizeObserver',
  class {
    observe(): void {}
    unobserve(): void {}
    disconnect(): void {}
  },
);
