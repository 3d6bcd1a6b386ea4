import { type ReactElement, useEffect } from 'react';

import { HomeChoice } from '@/components/ui/home-choice';

interface HomePageProps {
  home: string;
  onHome: (home: string) => void;
}

/** What a home uses now, what it will use, and what is odd. */
export function HomePage({ home, onHome }: HomePageProps): ReactElement {
  useEffect(() => {
    document.title = 'Home · Watthour';
  }, []);
  return (
    <h1 className="text-title font-semibold">
      <HomeChoice home={home} onHome={onHome} />
    </h1>
  );
}
