import { ChevronLeft, ChevronRight } from 'lucide-react';
import { type ReactElement, useState } from 'react';

import { Button } from '@/components/ui/button';
import { shiftDay } from '@/lib/time';

interface DayNavigationProps {
  day: string;
  first: string;
  last: string;
  onDay: (day: string) => void;
}

/** One day back, one day on, or any day. */
export function DayNavigation({ day, first, last, onDay }: DayNavigationProps): ReactElement {
  // A date being typed passes through impossible ones; only a possible one opens a day.
  const [typed, setTyped] = useState<string | null>(null);
  const open = (chosen: string): void => {
    const isPossible = first <= chosen && chosen <= last;
    setTyped(isPossible ? null : chosen);
    if (isPossible && chosen !== day) onDay(chosen);
  };
  return (
    <nav aria-label="Day" className="flex items-center gap-2">
      <Button square aria-label="Previous day" disabled={day <= first} onClick={() => onDay(shiftDay(day, -1))}>
        <ChevronLeft aria-hidden className="size-5" />
      </Button>
      <input
        type="date"
        aria-label="Day shown"
        value={typed ?? day}
        min={first}
        max={last}
        required
        onChange={(event) => open(event.target.value)}
        onBlur={() => setTyped(null)}
        className="rounded-control border-line bg-surface text-small h-10 border px-3 font-medium"
      />
      <Button square aria-label="Next day" disabled={day >= last} onClick={() => onDay(shiftDay(day, 1))}>
        <ChevronRight aria-hidden className="size-5" />
      </Button>
      {day === last ? null : (
        <Button look="quiet" onClick={() => onDay(last)}>
          Latest
        </Button>
      )}
    </nav>
  );
}
