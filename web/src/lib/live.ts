/**
 * The live line (WebSocket `/api/v1/live`): what arrives at a site brings the page's kept answers up to date.
 *
 * Everything that a page keeps of a site's measurements has a key of `liveKeys`; the line writes newest powers into
 * `usage` as they come, and has `usage`, `readings` and `forecast` asked for again when they have changed.
 */
import { type QueryClient, type QueryKey, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';

export interface SampleRow {
  time: string;
  measure: 'power' | 'counter';
  value: number;
}

export interface ReadingRow {
  time: string;
  value: number | null;
  available_at: string;
  quality: string[];
}

export type News =
  | { type: 'readings'; channel: string; site: string; unit: string; n_rows: number; rows: ReadingRow[] }
  | { type: 'samples'; channel: string; site: string; n_rows: number; rows: SampleRow[] }
  | { type: 'forecast'; channel: string; site: string; maker: string; model: string; issued_at: string; first_time: string; last_time: string }
  | { type: 'dropped'; n_messages: number };

type Said = News | { type: 'subscribed'; channels: string[]; sites: string[] } | { type: 'problem'; problem: { title: string; detail: string } };

/** Whether news come in, and since when that is so. */
export interface LiveState {
  state: 'connecting' | 'live' | 'reconnecting';
  /** By this browser's clock. [ms] */
  since: number;
}

export type Topic = 'usage' | 'readings' | 'forecast';

/** Where the answers about a site are kept. */
export const liveKeys = (site: string): Record<Topic, QueryKey> => ({
  usage: ['homes', site, 'usage'],
  readings: ['homes', site, 'readings'],
  forecast: ['homes', site, 'forecast'],
});

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
/** A line of a page that nobody has seen for so long is not believed to be open. */
const LONGEST_TRUST_MS = 60_000;
/** News that come within this time are shown together. */
const GATHER_MS = 250;
/** What the server computes is asked for no more often. */
const ASK_AGAIN_MS: Record<Topic, number> = { usage: 5000, readings: 5000, forecast: 60_000 };

/** The wait before the next attempt: twice as long each time, and not the same for every page that lost the server. */
export function waitBefore(attempt: number, chance = Math.random()): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt) * (0.75 + chance / 2);
}

/** What of an answer about usage the line knows better. */
interface UsageLike {
  at: string;
  parts: { channel: string | null; power_watts: number | null; heard_at: string | null; age_seconds: number | null; is_late: boolean }[];
}

/** The instant it is at the server: that of its last answer, and the time since. */
export function serverNow(at: string, answeredAt: number, now: number): number {
  return Date.parse(at) + Math.max(0, now - answeredAt);
}

/** The newest powers put into an answer about usage; an older one than is known changes nothing. */
export function withPowers<T extends UsageLike>(usage: T, powers: ReadonlyMap<string, SampleRow>, answeredAt: number, now: number): T {
  const at = serverNow(usage.at, answeredAt, now);
  const parts = usage.parts.map((part) => {
    const found = part.channel === null ? undefined : powers.get(part.channel);
    if (!found || (part.heard_at !== null && Date.parse(part.heard_at) >= Date.parse(found.time))) return part;
    const age_seconds = Math.max(0, (at - Date.parse(found.time)) / 1000);
    return { ...part, power_watts: found.value, heard_at: found.time, age_seconds, is_late: false };
  });
  return { ...usage, at: new Date(at).toISOString(), parts };
}

/** Gathers news of a site and brings the kept answers up to date; however many come, it holds one power a channel. */
export class Gathering {
  private powers = new Map<string, SampleRow>();
  private changed = new Set<Topic>();
  private askedAt = new Map<Topic, number>();
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private queries: QueryClient,
    private site: string,
  ) {}

  take(news: News): void {
    if (news.type === 'samples') {
      for (const row of news.rows) {
        const before = this.powers.get(news.channel);
        if (row.measure === 'power' && !(before && Date.parse(before.time) > Date.parse(row.time))) this.powers.set(news.channel, row);
      }
    } else if (news.type === 'readings') {
      this.changed.add('usage').add('readings').add('forecast');
    } else if (news.type === 'forecast') {
      this.changed.add('forecast');
    } else {
      this.everything();
    }
    this.plan(GATHER_MS);
  }

  /** What was answered before news came in may lack what came in between: it is asked for again. */
  caughtUp(): void {
    for (const queryKey of Object.values(liveKeys(this.site))) {
      void this.queries.invalidateQueries({ queryKey, predicate: ({ state }) => state.data !== undefined }, { cancelRefetch: false });
    }
  }

  /** Something may have been missed: all is asked for again. */
  everything(): void {
    this.changed.add('usage').add('readings').add('forecast');
    this.plan(0);
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private plan(wait: number): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.show();
    }, wait);
  }

  private show(): void {
    const keys = liveKeys(this.site);
    const now = Date.now();
    const usage = this.queries.getQueryState<UsageLike>(keys.usage);
    if (this.powers.size > 0 && usage?.data) {
      this.queries.setQueryData(keys.usage, withPowers(usage.data, this.powers, usage.dataUpdatedAt, now));
      this.powers.clear();
    }
    let soonest = Infinity;
    for (const topic of this.changed) {
      const wait = (this.askedAt.get(topic) ?? -Infinity) + ASK_AGAIN_MS[topic] - now;
      if (wait > 0) {
        soonest = Math.min(soonest, wait);
      } else {
        this.changed.delete(topic);
        this.askedAt.set(topic, now);
        void this.queries.invalidateQueries({ queryKey: keys[topic] }, { cancelRefetch: false });
      }
    }
    if (Number.isFinite(soonest)) this.plan(soonest);
  }
}

function addressOf({ protocol, host }: Location): string {
  return `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/api/v1/live`;
}

interface Listener {
  onState: (state: LiveState['state']) => void;
  onNews: (news: News) => void;
}

/** Keeps a line to the server open for the news of a site until it is told to stop. */
export function keepLine(site: string, { onState, onNews }: Listener, open = (): WebSocket => new WebSocket(addressOf(window.location))): () => void {
  let socket: WebSocket | null = null;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let attempt = 0;
  let hiddenAt: number | null = null;

  const connect = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const line = open();
    socket = line;
    line.addEventListener('open', () => {
      if (socket === line) line.send(JSON.stringify({ type: 'subscribe', sites: [site] }));
      else line.close();
    });
    line.addEventListener('message', ({ data }: MessageEvent<string>) => {
      if (socket !== line) return;
      const said = JSON.parse(data) as Said;
      if (said.type === 'subscribed') {
        attempt = 0;
        onState('live');
      } else if (said.type === 'problem') {
        lose(); // the site may be added yet: it is tried again
      } else {
        onNews(said);
      }
    });
    line.addEventListener('close', () => {
      if (socket === line) lose();
    });
  };

  /** Lets go of the line, which may take minutes to end where the network is gone. */
  const letGo = (): void => {
    // A line that is not open yet would complain if it were closed; it is closed when it opens.
    const line = socket;
    socket = null;
    if (line?.readyState === WebSocket.OPEN) line.close();
  };
  const lose = (): void => {
    letGo();
    onState('reconnecting');
    timer = setTimeout(connect, waitBefore(attempt));
    attempt += 1;
  };
  /** The network is back, or somebody looks again: nobody waits out the pause. */
  const hurry = (): void => {
    if (socket === null && document.visibilityState === 'visible') connect();
  };
  /** A phone that slept may hold a line that ended long ago without a word: it is opened anew. */
  const wake = (): void => {
    if (document.visibilityState !== 'visible') {
      hiddenAt = Date.now();
      return;
    }
    if (hiddenAt !== null && Date.now() - hiddenAt > LONGEST_TRUST_MS && socket !== null) {
      letGo();
      onState('reconnecting');
    }
    hiddenAt = null;
    hurry();
  };
  const drop = (): void => {
    if (socket !== null) lose();
  };

  window.addEventListener('online', hurry);
  window.addEventListener('offline', drop);
  document.addEventListener('visibilitychange', wake);
  connect();
  return () => {
    if (timer !== null) clearTimeout(timer);
    window.removeEventListener('online', hurry);
    window.removeEventListener('offline', drop);
    document.removeEventListener('visibilitychange', wake);
    letGo();
  };
}

/**
 * Keeps what is shown of a site up to date while a component is there, and says whether news come in; null: there is
 * no such site.
 *
 * `onNews` hears every message as it comes; what is shown needs none.
 */
export function useLive(site: string | null, onNews?: (news: News) => void): LiveState {
  const queries = useQueryClient();
  const [live, setLive] = useState<LiveState>(() => ({ state: 'connecting', since: Date.now() }));
  const heard = useRef(onNews);
  useEffect(() => {
    heard.current = onNews;
  });
  useEffect(() => {
    if (site === null) return undefined;
    const gathering = new Gathering(queries, site);
    let wasLost = false;
    const stop = keepLine(site, {
      onState: (state) => {
        // News are missed while there is no line.
        if (state === 'live') {
          if (wasLost) gathering.everything();
          else gathering.caughtUp();
        }
        wasLost = state !== 'live';
        setLive((before) => (before.state === state ? before : { state, since: Date.now() }));
      },
      onNews: (news) => {
        gathering.take(news);
        heard.current?.(news);
      },
    });
    return () => {
      stop();
      gathering.stop();
    };
  }, [queries, site]);
  return live;
}
