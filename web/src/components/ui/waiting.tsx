import { type ReactElement, type ReactNode, useEffect, useState } from 'react';

import { Card } from '@/components/ui/card';
import { Skeleton } from '@/components/ui/skeleton';
import { Words } from '@/components/ui/words';
import { ApiProblem } from '@/lib/problem';

/** Who waits longer than this is told what for. */
const LATE_MS = 4000;

/** Whether a component has been there for so long. */
function useIsLate(afterMs = LATE_MS): boolean {
  const [isLate, setIsLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setIsLate(true), afterMs);
    return () => clearTimeout(timer);
  }, [afterMs]);
  return isLate;
}

interface WaitingProps {
  /** What is on its way: `the next 96 hours`. */
  name: string;
  /** Why the last attempt failed, while it is made again. */
  failure?: Error | null | undefined;
  /** Holds the place; a card if nothing else is said. */
  children?: ReactNode;
}

/** Holds the place of what is on its way; once that takes long it says so, and what the server said meanwhile. */
export function Waiting({ name, failure, children }: WaitingProps): ReactElement {
  const isLate = useIsLate();
  const said = failure instanceof ApiProblem ? failure.detail : null;
  return (
    <div role="status" aria-label={`Loading ${name}`}>
      {isLate || failure ? (
        <p className="mb-3">
          <span className="font-medium">Still waiting for {name}.</span>{' '}
          <span className="text-muted">{said ? <Words>{said}</Words> : 'On a slow machine the first answer takes minutes.'} It is asked again by itself; nothing need be done.</span>
        </p>
      ) : null}
      {children ?? (
        <Card>
          <Skeleton className="mb-3 h-6 w-40" />
          <Skeleton className="h-64 w-full" />
        </Card>
      )}
    </div>
  );
}
