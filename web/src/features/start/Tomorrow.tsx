import { useQuery } from '@tanstack/react-query';
import { type ReactElement, useMemo } from 'react';

import type { EntityAhead, HomeEntry } from '@/client';
import { DayCard } from '@/charts/day/DayCard';
import { daysOf, formatOfAhead, highestOf, historyInWords, intervalsOfAhead } from '@/charts/day/ahead';
import { Notice } from '@/components/ui/notice';
import { ProblemNotice } from '@/components/ui/problem';
import { Skeleton } from '@/components/ui/skeleton';
import { Words } from '@/components/ui/words';
import { formatDay, formatInstant } from '@/lib/time';
import { sentence } from '@/lib/words';

import { aheadQuery } from './queries';

interface MainSpan {
  first: string;
  until: string;
}

/** From when to when the whole home is known. */
function spanOf(home: HomeEntry): MainSpan | null {
  const main = home.channels.find(({ id }) => id === home.main_channel);
  if (!main?.first_time || !main.last_time) return null;
  return { first: main.first_time, until: new Date(Date.parse(main.last_time) + main.resolution_seconds * 1000).toISOString() };
}

function Forecast({ ahead, home, span, now }: { ahead: EntityAhead; home: HomeEntry; span: MainSpan; now: number }): ReactElement {
  const { time_zone: zone } = home;
  const intervals = useMemo(() => intervalsOfAhead(ahead, [], zone), [ahead, zone]);
  const format = useMemo(() => formatOfAhead(ahead, [], zone), [ahead, zone]);
  const { next } = daysOf(ahead, zone);
  const highest = highestOf(intervals, format);
  const day = ahead.archive ? formatDay(next) : 'Tomorrow';
  return (
    <DayCard
      title={ahead.archive ? `Forecast for ${day}` : "Tomorrow's forecast"}
      intervals={intervals}
      format={format}
      now={now}
      issuedAt={Date.parse(ahead.issued_at)}
      isSimulated={ahead.simulated}
      start={Math.max(0, intervals.findIndex(({ part }) => part === 'day'))}
      label={`Forecast of ${home.name}`}
      file={`${home.id}-${next}`}
      lead={
        <div className="mb-3">
          {highest ? <p className="text-answer font-semibold">{`${day} most: ${highest}`}</p> : null}
          <p className="text-small text-muted">
            It rests on {historyInWords(span.first, span.until)}, from {formatInstant(Date.parse(span.first), zone, now)} to {formatInstant(Date.parse(span.until), zone, now)}. Made by: {ahead.model_label}.
          </p>
          {ahead.archive ? (
            <p className="text-small text-warn mt-1">The readings end long ago, so what follows is the day after the last of them, and not tomorrow.</p>
          ) : null}
          {ahead.fallback ? (
            <p className="text-small text-muted mt-1">
              <Words>{ahead.fallback}</Words>
            </p>
          ) : null}
        </div>
      }
    />
  );
}

/** Tomorrow's forecast as soon as it can be honest; until then, what it waits for. */
export function Tomorrow({ home, now }: { home: HomeEntry; now: number }): ReactElement {
  const { data, error, refetch } = useQuery(aheadQuery(home.id));
  const span = spanOf(home);
  if (!data) return error ? <ProblemNotice error={error} onRetry={() => void refetch()} /> : <Skeleton className="h-64 w-full" />;
  const ahead = data.ahead?.forecasts[0];
  if (ahead && span) return <Forecast ahead={ahead} home={home} span={span} now={now} />;
  const why = data.ahead?.not_forecast[0] ?? (data.tooLittle ? { problem: data.tooLittle.detail, remedy: data.tooLittle.remedy } : null);
  return (
    <Notice role="status" title="Tomorrow cannot be forecast yet">
      <p>{span ? `So far there are ${historyInWords(span.first, span.until)}.` : 'There are no readings of the whole home yet; a reading appears when its interval has ended.'} The forecast appears here by itself as soon as there are enough.</p>
      {why && span ? (
        <p className="text-muted mt-1">
          <Words>{sentence(why.problem)}</Words> {why.remedy ? <Words>{why.remedy}</Words> : null}
        </p>
      ) : null}
    </Notice>
  );
}
