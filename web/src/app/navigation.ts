import { type LucideIcon, MapPin, UtilityPole } from 'lucide-react';

interface Destination {
  label: string;
  to: '/' | '/sites';
  /** Paths that belong to it. */
  prefix: string;
  icon: LucideIcon;
}

/** The rooms of the house, in the order people need them; one line each. */
export const NAVIGATION: readonly Destination[] = [
  { label: 'Grid', to: '/', prefix: '/grid', icon: UtilityPole },
  { label: 'Sites', to: '/sites', prefix: '/sites', icon: MapPin },
];
