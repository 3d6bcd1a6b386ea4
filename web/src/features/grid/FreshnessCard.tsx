import { CircleCheck, CircleDashed, CircleX, Clock } from 'lucide-react';
import type { ReactElement } from 'react';

import type { ArrivalFinding, Freshness, SourceState } from '@/client';
import { Badge } from '@/components/ui/badge';
import { Card } from '@/components/ui/card';
import { Words } from '@/components/ui/words';
import { formatAge, formatInstant } from '@/lib/time';

const SOURCE_LOOKS = {
  ok: { icon: CircleCheck, word: 'works', tint: 'text-good' },
  running: { icon: CircleDashed, word: 'being asked', tint: 'text-muted' },
  interrupted: { icon: CircleX, word: 'interrupted', tint: 'text-bad' },
  failed: { icon: CircleX, word: 'failed', tint: 'text-bad' },
  never: { icon: CircleDashed, word: 'not run yet', tint: 'text-muted' },
} as const;

/** Whether a series is late, with its age; an archive ends, and nothing of it is late. */
function Age({ row }: { row: Freshness }): ReactElement {
  const age = row.age_hours === null ? null : `${formatAge(row.age_hours)} old`;
  if (row.archive) return <span className="text-muted">archive</span>;
  if (!row.stale) return <span className="text-muted">{age ?? 'none yet'}</span>;
  return (
    <Badge look="warn">
      <Clock aria-hidden className="size-3.5" />
      {age === null ? 'none yet' : `stale, ${age}`}
    </Badge>
  );
}

function Series({ row, timeZone, now }: { row: Freshness; timeZone: string; now: number }): ReactElement {
  const written = (time: string): string => formatInstant(Date.parse(time), timeZone, now);
  const span = row.archive && row.first_time ? `${written(row.first_time)} to ` : 'last value ';
  return (
    <li className="border-line flex flex-wrap items-baseline justify-between gap-x-3 border-b py-2 last:border-b-0">
      <span className="font-medium">{row.label}</span>
      <Age row={row} />
      <span className="text-muted w-full">{row.last_time ? `${span}${written(row.last_time)}` : 'no value yet'}</span>
    </li>
  );
}

function Source({ source }: { source: SourceState }): ReactElement {
  const { icon: Icon, word, tint } = SOURCE_LOOKS[source.state];
  const age = source.age_hours === null ? null : `${formatAge(source.age_hours)} ago`;
  return (
    <li className="py-1.5">
      <div className="flex flex-wrap items-center justify-between gap-x-3">
        <span className="min-w-0 font-medium break-words">{source.label}</span>
        <span className="text-muted inline-flex items-center gap-1.5">
          <Icon aria-hidden className={`size-4 ${tint}`} />
          {[word, age].filter(Boolean).join(', ')}
        </span>
      </div>
      {source.problem ? (
        <p className="text-bad break-words">
          <Words>{source.problem}</Words>
        </p>
      ) : null}
    </li>
  );
}

/** What is wrong with values that came, by how they lie beside a forecast of the same, and the cure. */
function Finding({ finding }: { finding: ArrivalFinding }): ReactElement {
  return (
    <li className="py-1.5">
      <p className="break-words">
        <Words>{finding.words}</Words>
      </p>
      <p className="text-muted break-words">
        <Words>{finding.cure}</Words>
      </p>
    </li>
  );
}

interface FreshnessCardProps {
  series: readonly Freshness[];
  /** Those of this site. */
  sources: readonly SourceState[];
  /** What is odd about the values that came, of this site. */
  findings: readonly ArrivalFinding[];
  timeZone: string;
  now: number;
}

/** How old the data is and whether the sources answer. */
export function FreshnessCard({ series, sources, findings, timeZone, now }: FreshnessCardProps): ReactElement {
  return (
    <Card title="Data">
      {series.length > 0 ? (
        <ul className="text-small" aria-label="Age of the data">
          {series.map((row) => (
            <Series key={`${row.channel} ${row.label}`} row={row} timeZone={timeZone} now={now} />
          ))}
        </ul>
      ) : (
        <p className="text-small text-muted">
          <Words>No data yet. Connect a source, or run `watthour ingest`.</Words>
        </p>
      )}
      {findings.length > 0 ? (
        <>
          <h3 className="text-small text-muted mt-3 mb-1 font-medium">Odd values</h3>
          <ul className="text-small" aria-label="Odd values">
            {findings.map((finding) => (
              <Finding key={`${finding.channel} ${finding.beside} ${finding.fault} ${finding.first_day}`} finding={finding} />
            ))}
          </ul>
        </>
      ) : null}
      {sources.length > 0 ? (
        <>
          <h3 className="text-small text-muted mt-3 mb-1 font-medium">Sources</h3>
          <ul className="text-small" aria-label="Sources">
            {sources.map((source) => (
              <Source key={source.name} source={source} />
            ))}
          </ul>
        </>
      ) : null}
    </Card>
  );
}
