import { keepPreviousData, queryOptions } from '@tanstack/react-query';

import {
  type DeviceChange,
  type NewDevice,
  type NewZone,
  changedDevice,
  deviceInsights,
  events,
  homeHistory,
  newDevice,
  newZone,
  removedDevice,
  removedZone,
} from '@/client';
import { liveKeys } from '@/lib/live';
import { unwrap } from '@/lib/problem';

const FIVE_MINUTES_MS = 300_000;
const MOST_USES = 1000;

/** What a device used over local days. */
export const historyQuery = (home: string, device: string, start: string, end: string) =>
  queryOptions({
    queryKey: [...liveKeys(home).readings, 'history', device, start, end],
    queryFn: ({ signal }) => unwrap(homeHistory({ path: { home }, query: { device, start, end }, signal })),
    refetchInterval: FIVE_MINUTES_MS,
    placeholderData: keepPreviousData,
  });

/** What is worth knowing of the last weeks; days, not seconds, change it. */
export const insightsQuery = (home: string, device: string) =>
  queryOptions({
    queryKey: ['homes', home, 'insights', device],
    queryFn: ({ signal }) => unwrap(deviceInsights({ path: { home, device }, signal })),
    staleTime: FIVE_MINUTES_MS,
    refetchInterval: 2 * FIVE_MINUTES_MS,
  });

/** When it was used; whole days, so that an answer that was kept is found again. */
export const usesQuery = (home: string, device: string, start: string, end: string) =>
  queryOptions({
    queryKey: ['homes', home, 'uses', device, start, end],
    queryFn: ({ signal }) => unwrap(events({ path: { home }, query: { device, start, end, limit: MOST_USES }, signal })),
    refetchInterval: FIVE_MINUTES_MS,
  });

export const addDevice = (home: string, body: NewDevice) => unwrap(newDevice({ path: { home }, body }));

export const changeDevice = (home: string, device: string, body: DeviceChange) => unwrap(changedDevice({ path: { home, device }, body }));

export const removeDevice = (home: string, device: string, withReadings: boolean) =>
  unwrap(removedDevice({ path: { home, device }, query: { delete_readings: withReadings } }));

export const addZone = (home: string, body: NewZone) => unwrap(newZone({ path: { home }, body }));

export const removeZone = (home: string, zone: string) => unwrap(removedZone({ path: { home, zone } }));
