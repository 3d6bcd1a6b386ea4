import { useQueryClient } from '@tanstack/react-query';
import { type ReactElement, useEffect, useState } from 'react';

import { Button } from '@/components/ui/button';
import { Notice } from '@/components/ui/notice';
import { useAskingAgain, useHasNewVersion, useKeptSince } from '@/lib/offline';
import { HOUR_MS, formatAge, formatClock, formatShortDay, localDay } from '@/lib/time';

const HALF_MINUTE_MS = 30_000;

/** `14:05`, or `Sat 21 Nov, 14:05` of another day, by the clock of who looks. */
function whenOf(instant: number, now: number): string {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const clock = formatClock(instant, zone);
  return localDay(instant, zone) === localDay(now, zone) ? clock : `${formatShortDay(instant, zone)}, ${clock}`;
}

function Kept({ since }: { since: number }): ReactElement {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), HALF_MINUTE_MS);
    return () => clearInterval(timer);
  }, []);
  const age = Math.max(0, now - since);
  return (
    <Notice look="warn" role="status" title={`Offline: as of ${whenOf(since, now)}, ${formatAge(age / HOUR_MS)} ago`}>
      Watthour cannot be reached from here. This is what it last answered; it is asked again every few seconds. Until then nothing can be changed.
    </Notice>
  );
}

/** Says when what is shown is kept from before, and when a newer version of the app is there. */
export function OfflineNotice(): ReactElement | null {
  useAskingAgain(useQueryClient());
  const since = useKeptSince();
  const hasNewVersion = useHasNewVersion();
  if (since === null && !hasNewVersion) return null;
  return (
    <div className="mx-auto grid max-w-6xl gap-3 px-4 pt-5 sm:px-6">
      {since === null ? null : <Kept since={since} />}
      {hasNewVersion ? (
        <Notice role="status" title="A new version of Watthour is here" actions={<Button onClick={() => window.location.reload()}>Load it</Button>} />
      ) : null}
    </div>
  );
}
