import { CalendarClock, House, Leaf, type LucideIcon, MapPin, PiggyBank, PlugZap, RadioTower, UtilityPole } from 'lucide-react';

export interface Destination {
  label: string;
  to: '/home' | '/plan' | '/savings' | '/devices' | '/carbon' | '/sources' | '/grid' | '/sites';
  /** Paths that belong to it. */
  prefixes: readonly string[];
  icon: LucideIcon;
}

/** The rooms of the house, in the order people need them; one line each. */
export const NAVIGATION: readonly Destination[] = [
  { label: 'Home', to: '/home', prefixes: ['/home'], icon: House },
  { label: 'Plan', to: '/plan', prefixes: ['/plan'], icon: CalendarClock },
  { label: 'Savings', to: '/savings', prefixes: ['/savings'], icon: PiggyBank },
  { label: 'Devices', to: '/devices', prefixes: ['/devices'], icon: PlugZap },
  { label: 'Carbon', to: '/carbon', prefixes: ['/carbon'], icon: Leaf },
  { label: 'Sources', to: '/sources', prefixes: ['/sources', '/start'], icon: RadioTower },
  { label: 'Grid', to: '/grid', prefixes: ['/grid'], icon: UtilityPole },
  { label: 'Sites', to: '/sites', prefixes: ['/sites'], icon: MapPin },
];

/** A phone of 320 px has room for so many, and one entry that opens the others. */
export const ALWAYS_SHOWN = 5;

/** Whether an address belongs to a destination: `/home/flat` to Home, `/homes` to none. */
export function isAt(path: string, { prefixes }: Destination): boolean {
  return prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
}


