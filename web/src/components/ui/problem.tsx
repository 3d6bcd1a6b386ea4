import { RotateCw } from 'lucide-react';
import type { ReactElement, ReactNode } from 'react';

import { Button } from '@/components/ui/button';
import { Notice } from '@/components/ui/notice';
import { Words } from '@/components/ui/words';
import { ApiProblem } from '@/lib/problem';

interface ProblemNoticeProps {
  error: unknown;
  onRetry?: () => void;
  actions?: ReactNode;
  className?: string;
}

/** What went wrong and what to do about it, in the API's own words. */
export function ProblemNotice({ error, onRetry, actions, className }: ProblemNoticeProps): ReactElement {
  const problem =
    error instanceof ApiProblem
      ? error
      : new ApiProblem('This page failed', error instanceof Error ? error.message : String(error), 'Reload the page.', null);
  return (
    <Notice
      look="bad"
      role="alert"
      title={problem.title}
      {...(className ? { className } : {})}
      actions={
        <>
          {onRetry ? (
            <Button onClick={onRetry}>
              <RotateCw aria-hidden className="size-4" /> Try again
            </Button>
          ) : null}
          {actions}
        </>
      }
    >
      <p>
        <Words>{problem.detail}</Words>
      </p>
      {problem.remedy ? (
        <p className="mt-1 font-medium">
          <Words>{problem.remedy}</Words>
        </p>
      ) : null}
    </Notice>
  );
}
