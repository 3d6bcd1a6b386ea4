import { type ReactElement, useEffect } from 'react';

interface DevicePageProps {
  home: string;
  device: string;
}

/** One device: its past, its forecast, and what is worth knowing about it. */
export function DevicePage({ device }: DevicePageProps): ReactElement {
  useEffect(() => {
    document.title = 'Device · Watthour';
  }, []);
  return <h1 className="text-title font-semibold">{device}</h1>;
}
