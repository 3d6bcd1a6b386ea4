import { type ReactElement, useEffect } from 'react';

interface StartPageProps {
  /** Opens the page of a home. */
  onHome: (home: string) => void;
}

/** The first five minutes of a household. */
export function StartPage(_props: StartPageProps): ReactElement {
  useEffect(() => {
    document.title = 'Add a home · Watthour';
  }, []);
  return <h1 className="text-title font-semibold">Add a home</h1>;
}
