import { type LucideIcon, UtilityPole } from 'lucide-react';

interface Destination {
  label: string;
  to: '/';
  /** Paths that belong to it. */
  prefix: string;
  icon: LucideIcon;
}

/** The rooms of the house, in the order people need them; one line each. */
export const NAVIGATION: readonly Destination[] = [{ label: 'Grid', to: '/', prefix: '/grid', icon: UtilityPole }];
