/** What a device is and does, in words. */
import type { DeviceEntry, DeviceKind, Flexibility } from '@/client';
import type { PartUsage, Usage } from '@/lib/usage';

/** Every kind there is, in the order in which they are offered. */
export const KINDS: Record<DeviceKind, string> = {
  washing_machine: 'Washing machine',
  dishwasher: 'Dishwasher',
  tumble_dryer: 'Tumble dryer',
  fridge: 'Fridge',
  freezer: 'Freezer',
  oven: 'Oven',
  hob: 'Hob',
  kettle: 'Kettle',
  microwave: 'Microwave',
  television: 'Television',
  computer: 'Computer',
  router: 'Router',
  lights: 'Lights',
  fan: 'Fan',
  water_heater: 'Water heater',
  electric_heater: 'Electric heater',
  heat_pump: 'Heat pump',
  air_conditioner: 'Air conditioner',
  ev_charger: 'Car charger',
  battery: 'Battery',
  solar: 'Solar panels',
  circuit: 'Circuit of the fuse box',
  sensor: 'Sensor',
  other: 'Other',
};

export const FLEXIBILITIES: Record<Flexibility, string> = {
  fixed: 'Fixed: runs when people need it',
  shiftable: 'May start at another time',
  interruptible: 'May be paused',
  adjustable: 'May run at a part of its power',
};

/** What they give is used in the home beside what comes from the grid. */
const MAKERS = new Set<string>(['solar', 'battery']);

/** The last word of an id, by which an address names a device. */
export function wordOf(id: string): string {
  return id.slice(id.lastIndexOf('.') + 1);
}

/** The device that an address names: by its id or the last word of it. */
export function deviceNamed(devices: readonly DeviceEntry[], name: string): DeviceEntry | undefined {
  return devices.find(({ id }) => id === name || wordOf(id) === name);
}

export type State = 'current' | 'late' | 'silent' | 'unmeasured';

/** Whether something is heard as it usually is. */
export function stateOf({ heard_at, is_late }: Pick<PartUsage, 'heard_at' | 'is_late'>, isMeasured: boolean): State {
  if (!isMeasured) return 'unmeasured';
  if (heard_at === null) return 'silent';
  return is_late ? 'late' : 'current';
}

/**
 * What the home used today: what came from the grid, and what its own panels and battery gave; null where one of them is not known.
 * What a battery takes in is not used yet.
 */
export function usedToday({ parts }: Pick<Usage, 'parts'>): number | null {
  const mains = parts.find(({ part_kind }) => part_kind === 'home')?.today_kwh ?? null;
  const makers = parts.filter(({ part_kind, device_kind }) => part_kind === 'device' && MAKERS.has(device_kind ?? ''));
  if (mains === null || makers.some(({ today_kwh }) => today_kwh === null)) return null;
  return makers.reduce((sum, { today_kwh }) => sum - (today_kwh ?? 0), mains);
}

/** Which part of what the home used today a device used; null where that is not known or it makes energy. */
export function shareOf({ today_kwh, device_kind }: PartUsage, used: number | null): number | null {
  if (MAKERS.has(device_kind ?? '') || today_kwh === null || today_kwh < 0 || used === null || used <= 0 || today_kwh > used) return null;
  return today_kwh / used;
}
