import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';

import { homesQuery } from '@/lib/homes';

/** What the names of simulated homes say too; it is said once, by a badge. */
const SIMULATED = / \(simulated\)$/;

interface HomeChoiceProps {
  home: string;
  onHome: (home: string) => void;
}

/** The name of the home shown, and where there are several the choice of another. */
export function HomeChoice({ home, onHome }: HomeChoiceProps): ReactElement {
  const found = useQuery(homesQuery).data?.homes ?? [];
  const here = found.find(({ id }) => id === home);
  if (found.length < 2) return <>{here ? here.name.replace(SIMULATED, '') : home}</>;
  return (
    <select
      aria-label="Home"
      value={here ? home : ''}
      onChange={(event) => onHome(event.target.value)}
      className="rounded-control border-control-line bg-surface -ml-1 h-10 max-w-full border px-2 font-semibold"
    >
      {here ? null : (
        <option value="" disabled>
          {home}
        </option>
      )}
      {found.map(({ id, name, simulated }) => (
        <option key={id} value={id}>
          {name.replace(SIMULATED, '') + (simulated ? ' (simulated)' : '')}
        </option>
      ))}
    </select>
  );
}
