/** The usual things of a home as a form asks for them, and as the API keeps them. */
import type { HomeAppliance, HomeEquipment } from '@/client';
import { formatNumber, formatQuantity } from '@/lib/numbers';

export type Kind = 'dishwasher' | 'washing_machine' | 'car' | 'battery';

/** What was typed, by the name of its field. */
export type Typed = Record<string, string>;

export interface Question {
  field: string;
  label: string;
  type: 'text' | 'number' | 'time' | 'device' | 'channel' | 'days';
  hint?: string;
}

interface KindOfThing {
  label: string;
  /** What is in the fields before anybody types; of an appliance, a label on it or its manual tells better. */
  usual: Typed;
  questions: readonly Question[];
}

const NAME: Question = { field: 'name', label: 'Name', type: 'text' };
const RUN: readonly Question[] = [
  NAME,
  { field: 'power_kw', label: 'Power while it runs, kW', type: 'number', hint: 'on average over the run' },
  { field: 'minutes', label: 'Length of a run, minutes', type: 'number' },
  { field: 'earliest', label: 'May begin from', type: 'time' },
  { field: 'deadline', label: 'Done by', type: 'time' },
  { field: 'days', label: 'Runs', type: 'days' },
  { field: 'device', label: 'What measures it', type: 'device', hint: 'tells when it ran; needed for Savings' },
];

export const KINDS: Record<Kind, KindOfThing> = {
  dishwasher: { label: 'Dishwasher', usual: { name: 'dishwasher', power_kw: '0.6', minutes: '120', earliest: '20:00', deadline: '07:00', days: 'all' }, questions: RUN },
  washing_machine: { label: 'Washing machine', usual: { name: 'washing machine', power_kw: '0.5', minutes: '120', earliest: '07:00', deadline: '21:00', days: 'request' }, questions: RUN },
  car: {
    label: 'Car',
    usual: { name: 'car', energy_kwh: '10', max_charge_kw: '11', min_charge_kw: '1.4', arrival: '18:00', departure: '07:00', days: 'all' },
    questions: [
      NAME,
      { field: 'energy_kwh', label: 'Energy for each stay, kWh', type: 'number', hint: 'about 18 kWh for 100 km' },
      { field: 'max_charge_kw', label: 'Most it takes, kW', type: 'number' },
      { field: 'min_charge_kw', label: 'Least it takes, kW', type: 'number' },
      { field: 'arrival', label: 'At home from', type: 'time' },
      { field: 'departure', label: 'Leaves at', type: 'time' },
      { field: 'days', label: 'Charges', type: 'days' },
      { field: 'device', label: 'What measures it', type: 'device', hint: 'tells when it charged; needed for Savings' },
    ],
  },
  battery: {
    label: 'Battery',
    usual: { name: 'battery', capacity_kwh: '10', max_charge_kw: '5', max_discharge_kw: '5' },
    questions: [
      NAME,
      { field: 'capacity_kwh', label: 'What it holds, kWh', type: 'number' },
      { field: 'max_charge_kw', label: 'Most it takes, kW', type: 'number' },
      { field: 'max_discharge_kw', label: 'Most it gives, kW', type: 'number' },
      { field: 'channel', label: 'What tells how full it is', type: 'channel', hint: 'a channel in percent; without one half full is assumed' },
    ],
  },
};

export const DAYS: Record<'appliance' | 'car', readonly (readonly [string, string])[]> = {
  appliance: [
    ['all', 'every day'],
    ['workdays', 'Monday to Friday'],
    ['request', 'only when I ask for it'],
  ],
  car: [
    ['all', 'every day'],
    ['workdays', 'Monday to Friday'],
  ],
};

/** A typed number with a point or a comma; what is none is sent as typed, so that the server names it. */
function numberOf(typed: string | undefined): number {
  return Number((typed ?? '').trim().replace(',', '.') || Number.NaN);
}

/** The field whose text is no number above nought, if there is one. */
export function faultOf(kind: Kind, typed: Typed): string | null {
  const isWrong = ({ field, type }: Question): boolean => {
    const value = typed[field] ?? '';
    if (type === 'number') return !(numberOf(value) > 0);
    return (type === 'text' || type === 'time') && value.trim() === '';
  };
  return KINDS[kind].questions.find(isWrong)?.field ?? null;
}

const WORKDAYS: NonNullable<HomeAppliance['weekdays']> = ['mon', 'tue', 'wed', 'thu', 'fri'];

/** The equipment with one more thing in it. */
export function withThing(equipment: HomeEquipment, kind: Kind, typed: Typed): HomeEquipment {
  const text = (field: string): string => (typed[field] ?? '').trim();
  const number = (field: string): number => numberOf(typed[field]);
  const device = text('device') ? { device: text('device') } : {};
  const weekdays = typed['days'] === 'workdays' ? { weekdays: WORKDAYS } : {};
  if (kind === 'battery') {
    const channel = text('channel') ? { channel: text('channel') } : {};
    const made = { name: text('name'), capacity_kwh: number('capacity_kwh'), max_charge_kw: number('max_charge_kw'), max_discharge_kw: number('max_discharge_kw'), ...channel };
    return { ...equipment, batteries: [...(equipment.batteries ?? []), made] };
  }
  if (kind === 'car') {
    const power = { energy_kwh: number('energy_kwh'), max_charge_kw: number('max_charge_kw'), min_charge_kw: number('min_charge_kw') };
    return { ...equipment, cars: [...(equipment.cars ?? []), { name: text('name'), ...power, arrival: text('arrival'), departure: text('departure'), ...weekdays, ...device }] };
  }
  const request = typed['days'] === 'request' ? { on_request: true } : {};
  const made = { name: text('name'), power_kw: number('power_kw'), minutes: number('minutes'), earliest: text('earliest'), deadline: text('deadline'), ...weekdays, ...request, ...device };
  return { ...equipment, appliances: [...(equipment.appliances ?? []), made] };
}

export interface Thing {
  group: 'appliances' | 'cars' | 'batteries' | 'heats';
  name: string;
  words: string;
}

const daysInWords = (weekdays: readonly string[] | null | undefined): string => (weekdays ? `, ${weekdays.join(', ')}` : '');

/** What is kept, in a line each. */
export function thingsOf(equipment: HomeEquipment): Thing[] {
  const { appliances = [], cars = [], batteries = [], heats = [] } = equipment;
  return [
    ...appliances.map((each): Thing => {
      const power = each.profile_kw ? `${formatNumber(each.profile_kw.length * (each.profile_minutes ?? 15))} min` : `${formatQuantity(each.power_kw, 'kW', 1)}, ${formatQuantity(each.minutes, 'min')}`;
      const when = each.earliest || each.deadline ? `, ${each.earliest ?? 'any time'} to ${each.deadline ?? 'a day later'}` : '';
      return { group: 'appliances', name: each.name, words: `${power}${when}${daysInWords(each.weekdays)}${each.on_request ? ', when asked for' : ''}` };
    }),
    ...cars.map((each): Thing => ({ group: 'cars', name: each.name ?? 'car', words: `${formatQuantity(each.energy_kwh, 'kWh', 1)} from ${each.arrival} to ${each.departure}${daysInWords(each.weekdays)}` })),
    ...batteries.map((each): Thing => ({ group: 'batteries', name: each.name ?? 'battery', words: `${formatQuantity(each.capacity_kwh, 'kWh', 1)}${each.channel ? '' : ', how full it is is assumed'}` })),
    ...heats.map((each): Thing => ({ group: 'heats', name: each.name ?? 'house', words: `${formatNumber(each.lowest_c, 1)} to ${formatQuantity(each.highest_c, '°C', 1)}` })),
  ];
}

/** The equipment without one of its things. */
export function withoutThing(equipment: HomeEquipment, { group, name }: Thing): HomeEquipment {
  const usual = { appliances: '', cars: 'car', batteries: 'battery', heats: 'house' }[group];
  return { ...equipment, [group]: (equipment[group] ?? []).filter((each) => (each.name ?? usual) !== name) };
}
