import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { FileUp, Upload as UploadIcon } from 'lucide-react';
import { type DragEvent, type FormEvent, type ReactElement, type ReactNode, useId, useRef, useState } from 'react';

import type { ImportPreview, ImportedRows } from '@/client';
import { Button } from '@/components/ui/button';
import { Fold } from '@/components/ui/fold';
import { Notice } from '@/components/ui/notice';
import { ProblemNotice } from '@/components/ui/problem';
import { Head, RowHead, Table, Value } from '@/components/ui/table';
import { cn } from '@/lib/cn';
import { homeQuery } from '@/lib/homes';
import { formatNumber } from '@/lib/numbers';
import { formatInstant } from '@/lib/time';

import { onThePage, problemOnThePage } from './onThePage';
import { type Choices, holidaysQuery, preview, upload } from './queries';

const UNITS = ['MW', 'kW', 'W', 'GW', 'MWh', 'kWh', 'Wh', 'GWh'];
const ORDERS = [
  { value: 'dmy', label: 'Day first (31.12.2021)' },
  { value: 'mdy', label: 'Month first (12/31/2021)' },
  { value: 'ymd', label: 'Year first (2021-12-31)' },
];
const MARKS = [
  { value: 'point', label: 'Point (1,234.5)' },
  { value: 'comma', label: 'Comma (1.234,5)' },
];
const ENDS = [
  { value: 'start', label: 'The start of each interval' },
  { value: 'end', label: 'The end of each interval' },
];
const METERS = [
  { value: 'interval', label: 'Energy or mean power of each interval' },
  { value: 'counter', label: 'The reading of a meter that counts up' },
  { value: 'samples', label: 'Power at each moment' },
];
const SOLAR = [
  { value: 'yes', label: 'Yes: keep negative values' },
  { value: 'no', label: 'No: leave negative values out' },
];
/** What can be chosen on the page, by the name of the option of the command line. */
const CHOOSABLE = {
  time_zone: { label: 'Time zone' },
  unit: { label: 'Unit' },
  value_column: { label: 'Column of values' },
  time_column: { label: 'Column of times' },
  date_order: { label: 'Dates', options: ORDERS },
  decimal: { label: 'Decimal mark', options: MARKS },
  named_by: { label: 'Each time is', options: ENDS },
  meter: { label: 'Each value is', options: METERS },
  solar: { label: 'Energy is also fed in, such as from solar panels', options: SOLAR },
  site: { label: 'Name of the place or home' },
};
const CONTROL = 'rounded-control border-control-line bg-surface h-10 w-full min-w-0 border px-3 font-normal';

interface Option {
  value: string;
  label: string;
}

function zones(): Option[] {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const all = [own, 'UTC', ...Intl.supportedValuesOf('timeZone')];
  return [...new Set(all)].map((zone) => ({ value: zone, label: zone }));
}

interface PickProps {
  label: string;
  /** What was recognised or chosen; empty: nothing yet. */
  value: string;
  options: readonly Option[];
  isOpen: boolean;
  onChange: (value: string) => void;
}

function Pick({ label, value, options, isOpen, onChange }: PickProps): ReactElement {
  return (
    <label className="text-small grid min-w-0 gap-1 font-medium">
      <span>
        {label} {isOpen ? <span className="text-warn">(please choose)</span> : null}
      </span>
      <select value={isOpen ? '' : value} onChange={(event) => onChange(event.target.value)} className={cn(CONTROL, isOpen && 'border-warn')}>
        {isOpen || (value === '' && options.every((option) => option.value !== '')) ? (
          <option value="" disabled>
            Choose…
          </option>
        ) : null}
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </label>
  );
}

const named = (names: readonly string[]): Option[] => names.map((name) => ({ value: name, label: name }));

/** The word of a proposed channel that names its site, such as `load_2021` of `grid.load_2021.demand`. */
const proposedSite = (found: ImportPreview): string => found.channel?.split('.')[1] ?? '';

const countries = new Intl.DisplayNames('en', { type: 'region' });

/** The time zone that a table is read in, where it is known. */
const zoneOf = (found: ImportPreview, choices: Choices): string | null => choices.time_zone ?? found.time_zone;

/** The calendar that an import of a new site takes: the one chosen, else the likely one, which is shown. */
function useHolidays(found: ImportPreview | undefined, choices: Choices): { chosen: string; options: Option[] } | null {
  const zone = found?.is_new_site ? zoneOf(found, choices) : null;
  const { data } = useQuery({ ...holidaysQuery(zone ?? ''), enabled: zone !== null });
  if (zone === null || !data) return null;
  const options = data.countries.flatMap(({ code, parts }) => [
    { value: code, label: countries.of(code) ?? code },
    ...parts.map((part) => ({ value: `${code}-${part}`, label: `${countries.of(code) ?? code}: ${part}` })),
  ]);
  return { chosen: choices.holidays ?? data.likely ?? '', options: [{ value: '', label: 'None' }, ...options] };
}

interface SettingsProps {
  found: ImportPreview;
  choices: Choices;
  /** The home or place is chosen already. */
  isSettled: boolean;
  onChoose: (choice: Choices) => void;
  /** The calendars of a new site. */
  holidays: ReactNode;
}

function Settings({ found, choices, isSettled, onChoose, holidays }: SettingsProps): ReactElement {
  const open = new Set(found.questions.map(({ field }) => field));
  // What was open once stays where it was asked, also when it is answered.
  const [asked, setAsked] = useState<ReadonlySet<string>>(open);
  if ([...open].some((field) => !asked.has(field))) setAsked(new Set([...asked, ...open]));
  const [site, setSite] = useState(choices.site ?? proposedSite(found));
  const columns = found.value_columns.length > 0 ? found.value_columns : found.columns;
  const ofFile = [
    {
      field: 'time_zone',
      label: 'Time zone',
      value: choices.time_zone ?? found.time_zone ?? '',
      options: zones(),
      onChange: (value: string) => onChoose({ time_zone: value }),
    },
    { field: 'unit', label: 'Unit', value: found.unit ?? '', options: named(UNITS), onChange: (value: string) => onChoose({ unit: value }) },
    {
      field: 'value_column',
      label: 'Column of values',
      value: found.value_column,
      options: named(columns.includes(found.value_column) ? columns : [found.value_column, ...columns]),
      onChange: (value: string) => onChoose({ value_column: value }),
    },
    {
      field: 'time_column',
      label: 'Column of times',
      value: found.time_columns[0] ?? '',
      options: named(found.columns),
      onChange: (value: string) => onChoose({ time_column: value }),
    },
    { field: 'date_order', label: 'Dates', value: found.date_order, options: ORDERS, onChange: (value: string) => onChoose({ date_order: value }) },
    { field: 'decimal', label: 'Decimal mark', value: found.decimal, options: MARKS, onChange: (value: string) => onChoose({ decimal: value }) },
    { field: 'named_by', label: 'Each time is', value: found.names_end ? 'end' : 'start', options: ENDS, onChange: (value: string) => onChoose({ named_by: value }) },
    { field: 'meter', label: 'Each value is', value: found.meter, options: METERS, onChange: (value: string) => onChoose({ meter: value }) },
    ...(open.has('solar') || choices.solar
      ? [
          {
            field: 'solar',
            label: 'Energy is also fed in, such as from solar panels',
            value: choices.solar ?? '',
            options: SOLAR,
            onChange: (value: string) => onChoose({ solar: value }),
          },
        ]
      : []),
  ];
  const read = ofFile.filter(({ field, value }) => !asked.has(field) && value !== ''); // a time zone may be in each time itself
  return (
    <>
      <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-4">
        {isSettled ? null : (
          <label className="text-small grid min-w-0 gap-1 font-medium">
            <span>
              Name of the place or home {open.has('channel') ? <span className="text-warn">(please confirm)</span> : null}
            </span>
            <span className="flex gap-2">
              <input value={site} onChange={(event) => setSite(event.target.value)} autoComplete="off" className={CONTROL} />
              <Button onClick={() => onChoose({ site: site.trim() })} disabled={site.trim() === '' || site.trim() === choices.site}>
                Use
              </Button>
            </span>
          </label>
        )}
        {ofFile.filter(({ field }) => asked.has(field)).map(({ field, ...pick }) => (
          <Pick key={field} isOpen={open.has(field)} {...pick} />
        ))}
        {holidays}
      </div>
      <Fold title="Change how the file is read" className="mt-3">
        <div className="text-body mt-2 grid gap-3 sm:grid-cols-2 lg:grid-cols-4">
          {read.map(({ field, ...pick }) => (
            <Pick key={field} isOpen={false} {...pick} />
          ))}
        </div>
      </Fold>
    </>
  );
}

/** An instant by the clock of the chosen zone, or as written in the file where the zone is still open. */
function when(time: string | null, zone: string | null): string {
  if (time === null) return 'none';
  return zone === null ? time.slice(0, 16).replace('T', ' ') : formatInstant(Date.parse(time), zone, Date.now());
}

function Understood({ found, choices, homeZone }: { found: ImportPreview; choices: Choices; homeZone: string | null }): ReactElement {
  const isOpen = found.questions.some(({ field }) => field === 'time_zone');
  const zone = isOpen ? null : (zoneOf(found, choices) ?? homeZone ?? 'UTC');
  const refused = Object.entries(found.refused);
  return (
    <>
      <dl className="text-small mt-4 flex flex-wrap gap-x-6 gap-y-1">
        {[
          ['Rows', formatNumber(found.rows)],
          ['Step', found.step_seconds === null ? 'unknown' : `${formatNumber(found.step_seconds / 60)} min`],
          ['From', when(found.first_time, zone)],
          ['To', when(found.last_time, zone)],
          ...(found.separator === null ? [] : [['Columns separated by', found.separator] as const]),
        ].map(([name, value]) => (
          <div key={name} className="flex gap-x-1.5">
            <dt className="text-muted">{name}</dt>
            <dd className="tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
      {refused.length > 0 ? (
        <Notice look="warn" title={`${formatNumber(refused.reduce((sum, [, count]) => sum + count, 0))} rows cannot be read`} className="mt-3">
          {refused.map(([rule, count]) => `${rule.replaceAll('_', ' ')} fails in ${formatNumber(count)}`).join('; ')}.
        </Notice>
      ) : null}
      {found.notes.length > 0 ? (
        <ul className="text-small text-muted mt-3 list-disc pl-4">
          {found.notes.map((note) => (
            <li key={note}>{onThePage(note, CHOOSABLE)}</li>
          ))}
        </ul>
      ) : null}
      <div className="mt-3">
        <Table aria-label="First rows as read">
          <thead>
            <tr>
              <Head className="text-left">In the file</Head>
              <Head className="text-left">Start of the interval</Head>
              <Head unit={found.unit ?? 'unit open'}>Value</Head>
            </tr>
          </thead>
          <tbody>
            {found.values.map(({ time, value }, row) => (
              <tr key={`${time ?? ''} ${found.cells[row]?.join(' ') ?? ''}`}>
                <RowHead className="max-w-64 truncate font-mono font-normal">{found.cells[row]?.slice(0, 6).join(' | ') ?? ''}</RowHead>
                <Value className="text-left">{when(time, zone)}</Value>
                <Value>{value === null ? 'gap' : value}</Value>
              </tr>
            ))}
          </tbody>
        </Table>
      </div>
    </>
  );
}

interface ImportedProps {
  rows: ImportedRows;
  /** What can be done next with the site, such as a button that trains now. */
  next?: ((site: string) => ReactNode) | undefined;
  /** Whoever shows this leads on by itself. */
  isSettled: boolean;
}

function Imported({ rows, next, isSettled }: ImportedProps): ReactElement {
  const refused = rows.refused_rows > 0 ? ` ${formatNumber(rows.refused_rows)} rows were refused; they are listed with the reason.` : '';
  const nDoubted = Object.values(rows.doubted).reduce((sum, count) => sum + count, 0);
  const doubted = nDoubted > 0 ? ` ${formatNumber(nDoubted)} values cannot be right, such as a home that draws 450 kW; they are kept but not used. Is the unit right?` : '';
  return (
    <Notice role="status" title={`${formatNumber(rows.new_rows)} new rows for ${rows.region}`} className="mt-3">
      {rows.new_rows === 0 ? 'All data in this file were imported before.' : 'They are in the store.'}
      {refused}
      {doubted}{' '}
      {(isSettled ? [] : rows.next)
        .filter(({ command }) => !command.startsWith('watthour train '))
        .map(({ text, command }) => (
          <span key={command} className="block">
            {text} <code className="font-mono break-words">{command}</code>
          </span>
        ))}
      {isSettled ? null : (
        <a className="text-accent font-medium underline" href={`/grid/${rows.region}`}>
          Open {rows.region}
        </a>
      )}
      {rows.region && next ? <div className="mt-2">{next(rows.region)}</div> : null}
    </Notice>
  );
}

interface DropProps {
  file: File | null;
  onFile: (file: File) => void;
}

function Drop({ file, onFile }: DropProps): ReactElement {
  const [isOver, setIsOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setIsOver(false);
    const [first] = event.dataTransfer.files;
    if (first) onFile(first);
  };
  return (
    <div
      onDragOver={(event) => {
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={drop}
      className={cn(
        'rounded-card border-control-line flex flex-wrap items-center gap-x-4 gap-y-2 border border-dashed p-4',
        isOver && 'bg-accent-wash border-accent',
      )}
    >
      <FileUp aria-hidden className="text-muted size-6 shrink-0" />
      <label htmlFor={id} className="text-small min-w-0 flex-1 basis-48">
        <span className="block font-medium">Table of readings (CSV, Green Button XML or Parquet)</span>
        <span className="text-muted">{file ? file.name : 'Drop a file here, or choose one. You see a preview before anything is imported.'}</span>
      </label>
      <input
        id={id}
        ref={input}
        type="file"
        accept=".csv,.txt,.tsv,.xml,.parquet,.pq,text/csv,text/xml,application/xml"
        onChange={(event) => {
          const chosen = event.target.files?.[0];
          if (chosen) onFile(chosen);
        }}
        className="sr-only"
      />
      <Button onClick={() => input.current?.click()}>Choose a file</Button>
    </div>
  );
}

interface UploadProps {
  next?: ((site: string) => ReactNode) | undefined;
  /** Id of the home that the file is of; without one the file or a person names it. */
  site?: string;
  /** Called once rows are in the store. */
  onImported?: () => void;
}

/** Brings a table in: a file dropped or chosen, what was understood of it, and then the import. */
export function Upload({ next, site, onImported }: UploadProps): ReactElement {
  const isSettled = site !== undefined;
  const settled: Choices = isSettled ? { site } : {};
  const [file, setFile] = useState<File | null>(null);
  const [choices, setChoices] = useState<Choices>(settled);
  const queries = useQueryClient();
  const home = useQuery({ ...homeQuery(site ?? ''), enabled: isSettled });
  const [seen, setSeen] = useState<ImportedRows | null>(null); // stays while the next look is under way or fails
  const lastLook = useRef<Choices | null>(null);
  const looking = useMutation({
    mutationFn: preview,
    // An earlier look may be answered after a later one.
    onSuccess: (rows, { choices: said }) => {
      if (said === lastLook.current) setSeen(rows);
    },
  });
  const sending = useMutation({
    mutationFn: upload,
    onSuccess: async () => {
      await queries.invalidateQueries();
      onImported?.();
    },
  });
  const look = (chosen: File, said: Choices): void => {
    if (chosen !== file) setSeen(null);
    setFile(chosen);
    setChoices(said);
    lastLook.current = said;
    sending.reset();
    looking.mutate({ file: chosen, choices: said });
  };
  const found = seen?.preview;
  const calendar = useHolidays(found ?? undefined, choices);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (file) sending.mutate({ file, choices: calendar?.chosen ? { ...choices, holidays: calendar.chosen } : choices });
  };
  const isReady = looking.data !== undefined && looking.error === null && !looking.isPending && (found?.questions.length ?? 0) === 0;
  return (
    <form onSubmit={submit} aria-label="Import a file" aria-busy={looking.isPending || sending.isPending}>
      <Drop file={file} onFile={(chosen) => look(chosen, settled)} />
      {looking.isPending ? (
        <p role="status" className="text-small text-muted mt-3">
          Reading the file…
        </p>
      ) : null}
      {file && looking.error ? (
        <ProblemNotice
          error={problemOnThePage(looking.error, CHOOSABLE)}
          className="mt-3"
          actions={Object.keys(choices).length > Object.keys(settled).length ? <Button onClick={() => look(file, settled)}>Start again with this file</Button> : null}
        />
      ) : null}
      {file && found && !sending.data ? (
        <section aria-label="How the file was read" className="mt-4">
          <Settings
            key={file.name}
            found={found}
            choices={choices}
            isSettled={isSettled}
            onChoose={(choice) => look(file, { ...choices, ...choice })}
            holidays={
              calendar ? (
                <Pick
                  label="Public holidays"
                  value={calendar.chosen}
                  options={calendar.options}
                  isOpen={false}
                  onChange={(value) => setChoices({ ...choices, holidays: value })}
                />
              ) : null
            }
          />
          <Understood found={found} choices={choices} homeZone={home.data?.time_zone ?? null} />
        </section>
      ) : null}
      {file && looking.data && !found && !looking.error && !sending.data ? (
        <Notice title="A file of a known layout" className="mt-3">
          It needs no further choices{looking.data.region ? `: it holds ${looking.data.region}` : ''}.
        </Notice>
      ) : null}
      {file && seen && !sending.data ? (
        <div className="mt-3 flex flex-wrap items-center gap-3">
          <Button type="submit" look="primary" disabled={!isReady || sending.isPending}>
            <UploadIcon aria-hidden className="size-4" />
            {sending.isPending ? (found && !found.is_sample ? `Importing ${formatNumber(found.rows)} rows…` : 'Importing…') : 'Import'}
          </Button>
          {found && found.questions.length > 0 ? (
            <p role="status" className="text-small text-warn">
              Open: {found.questions.map(({ problem }) => problem).join('; ')}.
            </p>
          ) : null}
        </div>
      ) : null}
      {sending.data ? <Imported rows={sending.data} next={next} isSettled={isSettled} /> : null}
      {sending.error ? <ProblemNotice error={problemOnThePage(sending.error, CHOOSABLE)} className="mt-3" /> : null}
    </form>
  );
}
