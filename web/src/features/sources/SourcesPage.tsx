import { type ReactElement, useEffect } from 'react';

/** What is connected, and when it last spoke. */
export function SourcesPage(): ReactElement {
  useEffect(() => {
    document.title = 'Sources · Watthour';
  }, []);
  return <h1 className="text-title font-semibold">Sources</h1>;
}
