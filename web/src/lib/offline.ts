/**
 * What the service worker (public/sw.js) shows while the server is not reached: which answers on the page are kept ones, how
 * old they are, and asking anew until the server answers again.
 */
import type { QueryClient } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';

export const KEPT_AT = 'X-Watthour-Kept-At';
const TRY_AGAIN_MS = 10_000;
const LOOK_FOR_UPDATES_MS = 3_600_000;

/** When each kept answer on the page had come, by its address; `round` tells one asked before the server came back. */
const kept = new Map<string, { at: number; round: number }>();
let round = 0;
let oldest: number | null = null;
let hasNewVersion = false;
const listeners = new Set<() => void>();

function settle(): void {
  oldest = kept.size > 0 ? Math.min(...[...kept.values()].map(({ at }) => at)) : null;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Notes whether an answer of the API is one that was kept. */
export function noteAnswer(url: string, response: Response): void {
  const at = Date.parse(response.headers.get(KEPT_AT) ?? '');
  if (Number.isNaN(at)) {
    if (!kept.delete(url)) return;
  } else kept.set(url, { at, round });
  settle();
}

/** The instant of the oldest kept answer on the page; null while all is from the server. */
export function useKeptSince(): number | null {
  return useSyncExternalStore(subscribe, () => oldest);
}

/** Whether another version of the app will be there when the page is loaded again. */
export function useHasNewVersion(): boolean {
  return useSyncExternalStore(subscribe, () => hasNewVersion);
}

/** Asks for everything on the page again, and for what is on no page when it is next shown. */
export async function askAgain(queries: QueryClient): Promise<void> {
  round += 1;
  const asked = round;
  // Nothing is thrown away: a page that is just being drawn watches its answers a moment later, and would begin anew without them.
  await queries.invalidateQueries({ type: 'inactive', refetchType: 'none', predicate: ({ state }) => state.fetchStatus === 'idle' });
  // What is on its way for the first time is not asked anew below: it was asked before, and so passes the worker by.
  const asIsAsked = new Set(queries.getQueryCache().findAll({ fetchStatus: 'fetching', predicate: (query) => !query.isActive() || query.state.data === undefined }));
  await queries.refetchQueries({ type: 'active' });
  await Promise.allSettled([...asIsAsked].map(({ promise }) => promise));
  await queries.refetchQueries({ predicate: (query) => asIsAsked.has(query) }, { cancelRefetch: false });
  for (const [url, { round: of }] of kept) if (of < asked) kept.delete(url);
  settle();
}

async function isReached(): Promise<boolean> {
  try {
    return (await fetch('/health', { cache: 'no-store' })).ok;
  } catch {
    return false;
  }
}

/** Asks anew when the network goes or comes, and every few seconds while kept answers are shown. */
export function useAskingAgain(queries: QueryClient): void {
  const isOld = useKeptSince() !== null;
  useEffect(() => {
    const ask = (): void => void askAgain(queries);
    window.addEventListener('online', ask);
    window.addEventListener('offline', ask);
    return () => {
      window.removeEventListener('online', ask);
      window.removeEventListener('offline', ask);
    };
  }, [queries]);
  useEffect(() => {
    if (!isOld) return undefined;
    const timer = setInterval(() => {
      void isReached().then((yes) => (yes ? askAgain(queries) : undefined));
    }, TRY_AGAIN_MS);
    return () => clearInterval(timer);
  }, [isOld, queries]);
}

/** Lets the service worker keep the app and its answers; browsers allow one only over https and on localhost. */
export async function startKeeping(queries: QueryClient): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  const { serviceWorker } = navigator;
  let isFirst = serviceWorker.controller === null;
  serviceWorker.addEventListener('controllerchange', () => {
    if (isFirst) void askAgain(queries); // what came before it stood by was not kept
    else {
      hasNewVersion = true;
      settle();
    }
    isFirst = false;
  });
  try {
    const registration = await serviceWorker.register('/sw.js');
    setInterval(() => void registration.update().catch(() => undefined), LOOK_FOR_UPDATES_MS); // offline: an hour later then
  } catch {
    // A browser that forbids it (private windows do) shows the same app, with a network only.
  }
}
