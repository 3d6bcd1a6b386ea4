/** What is connected, and adding, trying and removing it. */
import { queryOptions } from '@tanstack/react-query';

import { type SourceEntry, newPast, newSource, newThing, type NewThing, past, removedSource, sources, triedSource } from '@/client';
import { unwrap } from '@/lib/problem';

const LOOK_AGAIN_MS = 3000;
const LOOK_AT_PAST_MS = 1000;
const PAST_DAYS = 730;

export const sourcesQuery = queryOptions({
  queryKey: ['sources'],
  queryFn: ({ signal }) => unwrap(sources({ signal })),
  refetchInterval: LOOK_AGAIN_MS,
  staleTime: 0,
});

export type Said = Record<string, string | boolean>;

export const trySource = (kind: string, settings: Said) => unwrap(triedSource({ body: { kind, settings } }));

export const addSource = (kind: string, settings: Said) => unwrap(newSource({ body: { kind, settings } }));

export const removeSource = (kind: string, host: string | null) => unwrap(removedSource({ query: { kind, host } }));

/** How far the past of what was added is brought in. */
export const pastQuery = queryOptions({
  queryKey: ['past'],
  queryFn: ({ signal }) => unwrap(past({ signal })),
  refetchInterval: ({ state }) => (state.data?.state === 'running' ? LOOK_AT_PAST_MS : false),
});

/** Begins to bring in two years of a thing, or of all that was added. */
export const bringPast = (thing: string | null) => unwrap(newPast({ body: { days: PAST_DAYS, thing } }));

export const addThing = (body: NewThing) => unwrap(newThing({ body }));

/** When a source last spoke, or was last asked. */
export const lastOf = ({ last_heard_at, last_run_at }: SourceEntry): string | null => last_heard_at ?? last_run_at;
