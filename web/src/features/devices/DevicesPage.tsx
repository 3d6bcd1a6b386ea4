import { type ReactElement, useEffect } from 'react';

import { HomeChoice } from '@/components/ui/home-choice';

interface DevicesPageProps {
  home: string;
  onHome: (home: string) => void;
}

/** The devices and zones of a home. */
export function DevicesPage({ home, onHome }: DevicesPageProps): ReactElement {
  useEffect(() => {
    document.title = 'Devices · Watthour';
  }, []);
  return (
    <h1 className="text-title font-semibold">
      Devices of <HomeChoice home={home} onHome={onHome} />
    </h1>
  );
}
