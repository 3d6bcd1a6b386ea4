import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Download } from 'lucide-react';
import { type ReactElement, useEffect, useState } from 'react';

import type { HomeSavings, SavingsRow } from '@/client';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { Choice } from '@/components/ui/choice';
import { HomeChoice } from '@/components/ui/home-choice';
import { Notice } from '@/components/ui/notice';
import { ProblemNotice } from '@/components/ui/problem';
import { SimulatedBanner } from '@/components/ui/simulated';
import { Waiting } from '@/components/ui/waiting';
import { Words } from '@/components/ui/words';
import { cn } from '@/lib/cn';
import { homeQuery, rememberHome } from '@/lib/homes';
import { useLive } from '@/lib/live';
import { formatMoney } from '@/lib/money';
import { useNow } from '@/lib/now';
import { formatNumber } from '@/lib/numbers';
import { ApiProblem } from '@/lib/problem';
import { localDay } from '@/lib/time';
import { formatEnergy } from '@/lib/usage';

import { RowsTable } from './RowsTable';
import { type By, fileOf, savingsQuery } from './queries';
import { type Period, coverageInWords, savedInWords, spanOf } from './words';

const MINUTE_MS = 60_000;
const HERE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const PERIODS = [
  { value: 'month', label: 'This month' },
  { value: 'last', label: 'Last month' },
  { value: 'year', label: 'This year' },
] as const;
const ROWS = [
  { value: 'run', label: 'Runs' },
  { value: 'day', label: 'Days' },
  { value: 'month', label: 'Months' },
] as const;
const PERIOD_WORDS: Record<Period, string> = { month: 'This month', last: 'Last month', year: 'This year' };

function Figure({ name, children, note }: { name: string; children: string; note: string }): ReactElement {
  return (
    <div className="min-w-0">
      <dt className="text-small text-muted">{name}</dt>
      <dd className="text-title font-semibold wrap-anywhere">{children}</dd>
      <dd className="text-small text-muted">{note}</dd>
    </div>
  );
}

/** What the runs of the period came to, beside what they are compared with. */
function TotalCard({ total, currency }: { total: SavingsRow; currency: string }): ReactElement {
  const saved = (money: number | null, carbonKg: number | null): string => savedInWords(money, carbonKg, currency) ?? 'Not known';
  const lacks = coverageInWords(total);
  return (
    <Card title="Beside other times" note={`${total.n_runs} ${total.n_runs === 1 ? 'run' : 'runs'} that were done`}>
      <dl className="grid grid-cols-[minmax(0,1fr)] gap-4 sm:grid-cols-2 lg:grid-cols-4">
        <Figure name="Against starting at once" note="each run begun as soon as it might, batteries at rest">
          {saved(total.saved_money, total.saved_carbon_kg)}
        </Figure>
        <Figure name="Against your usual habit" note="each begun when that device usually was before there were plans">
          {saved(total.saved_usual_money, total.saved_usual_carbon_kg)}
        </Figure>
        <Figure name="Missed beside the best" note="what the best times, known afterwards, would have saved more">
          {total.regret_money === null ? 'Not known' : `${formatMoney(total.regret_money, currency)}${total.captured === null ? '' : `; ${formatNumber(100 * total.captured)} % of the most was saved`}`}
        </Figure>
        <Figure name="Shifted" note="energy used at another time; none was saved by that">
          {formatEnergy(total.shifted_kwh)}
        </Figure>
      </dl>
      {total.is_estimated || lacks.length > 0 ? (
        <p className="text-small mt-3">
          {total.is_estimated ? <span className="hatched rounded px-1 font-medium">Partly estimated.</span> : null} {lacks.length > 0 ? `${lacks.join('; ')}; the rest is not counted.` : ''}
        </p>
      ) : null}
    </Card>
  );
}

function Nothing({ home, remarks }: { home: string; remarks: readonly string[] }): ReactElement {
  return (
    <Notice
      title="Nothing was run in this time yet"
      actions={
        <Button asChild look="primary">
          <Link to="/plan/$home" params={{ home }}>
            Look at the plan
          </Link>
        </Button>
      }
    >
      What was saved is counted here once a planned thing has run and its device or the meter has told so. Only what was done counts.
      {remarks.map((words) => (
        <p key={words} className="mt-1">
          <Words>{words}</Words>
        </p>
      ))}
    </Notice>
  );
}

interface SavedProps {
  home: string;
  savings: HomeSavings;
  period: Period;
  isOld: boolean;
  children: ReactElement;
}

function Saved({ savings, period, isOld, children }: SavedProps): ReactElement {
  const { total, currency, remarks, carbon } = savings;
  const answer = savedInWords(total.saved_money, total.saved_carbon_kg, currency);
  return (
    <>
      <p aria-live="polite" className={cn('text-answer max-w-4xl font-semibold text-balance', isOld && 'opacity-60')}>
        {PERIOD_WORDS[period]}: {answer === null ? 'what was saved is not known' : `${answer.charAt(0).toLowerCase()}${answer.slice(1)}, against starting at once`}.
      </p>
      {remarks.length > 0 ? (
        <Notice title="What is not known, or not counted">
          <ul className="list-disc pl-4">
            {remarks.map((words) => (
              <li key={words}>
                <Words>{words}</Words>
              </li>
            ))}
          </ul>
        </Notice>
      ) : null}
      <TotalCard total={total} currency={currency} />
      {children}
      <p className="text-small text-muted">
        Costs are what a run added to the bill by the tariff, carbon what it added to that of the import{carbon ? ` (${carbon})` : '; nobody tells it here'}. A negative number means that it cost or emitted more.
      </p>
    </>
  );
}

interface SavingsPageProps {
  home: string;
  onHome: (home: string) => void;
}

/** What planned runs have cost, and would have cost at other times. */
export function SavingsPage({ home, onHome }: SavingsPageProps): ReactElement {
  const [period, setPeriod] = useState<Period>('month');
  const [by, setBy] = useState<By>('run');
  const now = useNow(MINUTE_MS);
  const timeZone = useQuery(homeQuery(home)).data?.time_zone ?? HERE;
  const span = spanOf(period, localDay(now, timeZone));
  const query = useQuery(savingsQuery(home, span, by));
  const { data: savings, error } = query;
  const status = error instanceof ApiProblem ? error.status : null;
  const lacks = status === 409 || (status === 404 && error instanceof ApiProblem && error.field !== 'home');
  useLive(status === 404 && !lacks ? null : home);

  useEffect(() => {
    document.title = `Savings, ${home} · Watthour`;
  }, [home]);
  useEffect(() => {
    if (savings) rememberHome(savings.home);
  }, [savings]);

  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-5">
      {savings?.is_simulated ? (
        <SimulatedBanner>
          <Link to="/start" className="text-accent font-medium underline">
            Add your own home
          </Link>
        </SimulatedBanner>
      ) : null}
      <header className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
        <h1 className="text-title flex min-w-0 flex-wrap items-center gap-x-2 font-semibold">
          Savings of <HomeChoice home={home} onHome={onHome} />
        </h1>
      </header>
      <div className="flex flex-wrap gap-x-4 gap-y-2">
        <Choice label="Time" value={period} options={PERIODS} onChange={setPeriod} />
        <Choice label="A row for each" value={by} options={ROWS} onChange={setBy} />
      </div>
      {error && lacks ? (
        <Notice
          title="Nothing can be counted yet"
          actions={
            <Button asChild look="primary">
              <Link to="/plan/$home" params={{ home }}>
                Say it on the page Plan
              </Link>
            </Button>
          }
        >
          <Words>{error instanceof ApiProblem ? error.detail : error.message}</Words>
        </Notice>
      ) : error ? (
        <ProblemNotice error={error} onRetry={() => void query.refetch()} />
      ) : null}
      {savings && !lacks ? (
        savings.rows.length === 0 ? (
          <Nothing home={home} remarks={savings.remarks} />
        ) : (
          <Saved home={home} savings={savings} period={period} isOld={query.isPlaceholderData}>
            <div aria-busy={query.isPlaceholderData} className={cn(query.isPlaceholderData && 'opacity-60')}>
              <RowsTable
                savings={savings}
                actions={
                  <Button asChild square look="quiet">
                    <a href={fileOf(home, span, by)} download={`watthour-${home}-savings.csv`} aria-label="Download savings as CSV" title="Download CSV">
                      <Download aria-hidden className="size-5" />
                    </a>
                  </Button>
                }
              />
            </div>
          </Saved>
        )
      ) : error ? null : (
        <Waiting name="what was saved" failure={query.failureReason} />
      )}
    </div>
  );
}
