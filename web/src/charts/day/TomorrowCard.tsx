import { useQuery } from '@tanstack/react-query';
import { type ReactElement, useMemo } from 'react';

import type { EntityAhead, Reading } from '@/client';
import { Card } from '@/components/ui/card';
import { Fold } from '@/components/ui/fold';
import { Notice } from '@/components/ui/notice';
import { ProblemNotice } from '@/components/ui/problem';
import { Skeleton } from '@/components/ui/skeleton';
import { Words } from '@/components/ui/words';
import { ApiProblem } from '@/lib/problem';
import { formatAge, formatDay, formatInstant, localDay, relativeDay } from '@/lib/time';

import { DayCard } from './DayCard';
import { daysOf, expectedUse, formatOfAhead, highestOf, historyInWords, intervalsOfAhead, learnedInWords } from './ahead';
import { intervalToStartWith } from './intervals';
import { aheadQuery, readingsQuery } from './queries';

/** Too little is known; or nothing measures the device. */
const NO_FORECAST = new Set([409, 400]);
const NONE: readonly Reading[] = [];

/** Holds the place of the card. */
export function TomorrowSkeleton(): ReactElement {
  return (
    <div role="status" aria-label="Loading the forecast">
      <Card>
        <Skeleton className="mb-3 h-12 w-48" />
        <Skeleton className="mb-3 h-16 w-full max-w-xl" />
        <Skeleton className="mb-2 h-24 w-full sm:h-10" />
        <Skeleton className="h-64 w-full sm:h-80" />
        <Skeleton className="mt-2 h-10 w-48" />
      </Card>
    </div>
  );
}

interface BasisProps {
  ahead: EntityAhead;
  /** Start of the first reading there is; null where that is not known. */
  since: string | null;
  /** What else it lacks, in words. */
  lacks: string | null;
  timeZone: string;
  now: number;
}

/** What the forecast stands on, and what it had to do without. */
function Basis({ ahead, since, lacks, timeZone, now }: BasisProps): ReactElement {
  const { known_until, data_age_hours, model_label, fallback, missing_inputs, stale, archive } = ahead;
  const history = since && known_until ? historyInWords(since, known_until) : null;
  const better = [lacks, fallback, ...missing_inputs].filter((words) => words !== null);
  const age = data_age_hours === null || archive ? null : `${formatAge(data_age_hours)} ago`;
  const until = known_until === null ? null : `known until ${formatInstant(Date.parse(known_until), timeZone, now)}${age ? `, ${age}` : ''}`;
  return (
    <>
      <p className="text-small text-muted">
        {until ? `Rests on ${[history, until].filter(Boolean).join(', ')}. ` : null}Made by: {model_label}
        {learnedInWords(ahead, now)}.
      </p>
      {stale ? (
        <Notice look="warn" className="mt-2" title={`The newest reading is ${formatAge(data_age_hours ?? 0)} old`}>
          What happened since is not in this forecast.
        </Notice>
      ) : null}
      {archive ? (
        <Notice className="mt-2" title="These readings have ended">
          The hours after the last one are forecast as they would have been then.
        </Notice>
      ) : null}
      {better.length > 0 ? (
        <Fold title="What would make it better" className="mt-1">
          <ul className="mt-1 list-disc pl-4">
            {better.map((words) => (
              <li key={words}>
                <Words>{words}</Words>
              </li>
            ))}
          </ul>
        </Fold>
      ) : null}
    </>
  );
}

interface TomorrowProps {
  home: string;
  device?: string | undefined;
  ahead: EntityAhead;
  timeZone: string;
  since: string | null;
  lacks: string | null;
  now: number;
}

function Tomorrow({ ahead, timeZone, since, lacks, now, ...of }: TomorrowProps): ReactElement {
  const { home, device } = of;
  const { first, next } = daysOf(ahead, timeZone);
  const [channel] = ahead.channels;
  const measured = useQuery({ ...readingsQuery(home, channel ?? '', first, first), enabled: channel !== undefined }).data?.readings ?? NONE;
  const { intervals, format } = useMemo(
    () => ({ intervals: intervalsOfAhead(ahead, measured, timeZone), format: formatOfAhead(ahead, measured, timeZone) }),
    [ahead, measured, timeZone],
  );
  const day = relativeDay(next, localDay(now, timeZone)) ?? formatDay(next);
  const highest = highestOf(intervals, format);
  const sentence = expectedUse(ahead, next) ?? (highest ? `Highest at ${highest}` : 'There is no forecast for this day.');
  return (
    <DayCard
      title={day}
      intervals={intervals}
      format={format}
      now={now}
      issuedAt={Date.parse(ahead.issued_at)}
      isSimulated={ahead.simulated}
      start={intervalToStartWith(intervals, now)}
      label={`Chart of ${first} and ${next}; arrow keys choose ${format.step.one}`}
      file={['watthour', home, device, next].filter(Boolean).join('-')}
      lead={
        <div className="mb-3">
          <p className="text-title max-w-4xl font-semibold text-balance">{sentence}</p>
          <Basis ahead={ahead} since={since} lacks={lacks} timeZone={timeZone} now={now} />
        </div>
      }
    />
  );
}

interface TomorrowCardProps {
  home: string;
  /** A device in it; without one, the home. */
  device?: string | undefined;
  timeZone: string;
  /** Start of the first reading of the channel that is forecast; null where that is not known. */
  since: string | null;
  /** What the forecast lacks beside what it says itself, in words. */
  lacks?: string | null;
  now: number;
}

/** What a home or a device in it will use tomorrow, with the band, and what that rests on. */
export function TomorrowCard({ home, device, timeZone, since, lacks = null, now }: TomorrowCardProps): ReactElement {
  const query = useQuery(aheadQuery(home, device));
  const [ahead] = query.data?.forecasts ?? [];
  if (ahead) return <Tomorrow home={home} device={device} ahead={ahead} timeZone={timeZone} since={since} lacks={lacks} now={now} />;
  if (query.error instanceof ApiProblem && NO_FORECAST.has(query.error.status ?? 0)) {
    return (
      <Card title="Tomorrow">
        <Notice title="No forecast yet">
          <Words>{query.error.detail}</Words>{' '}
          {query.error.remedy ? <Words>{query.error.remedy}</Words> : null}
        </Notice>
      </Card>
    );
  }
  if (query.error) {
    return (
      <Card title="Tomorrow">
        <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />
      </Card>
    );
  }
  return <TomorrowSkeleton />;
}
