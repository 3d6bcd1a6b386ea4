import { type ComponentProps, type ReactElement, type ReactNode, useId } from 'react';

import { cn } from '@/lib/cn';

interface CardProps extends Omit<ComponentProps<'section'>, 'title'> {
  title?: ReactNode;
  /** One line under the title: what the numbers stand on. */
  note?: ReactNode;
  /** Controls at the right of the title. */
  actions?: ReactNode;
}

/** A surface with a heading; the unit a page is laid out in. */
export function Card({ title, note, actions, className, children, ...rest }: CardProps): ReactElement {
  const heading = useId();
  return (
    <section
      aria-labelledby={title ? heading : undefined}
      className={cn('bg-surface border-line rounded-card min-w-0 border p-4 sm:p-5', className)}
      {...rest}
    >
      {title || actions ? (
        <header className="mb-3 flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
          <div className="min-w-0">
            {title ? (
              <h2 id={heading} className="text-title font-semibold">
                {title}
              </h2>
            ) : null}
            {note ? <p className="text-small text-muted">{note}</p> : null}
          </div>
          {actions ? <div className="flex flex-wrap items-center gap-2">{actions}</div> : null}
        </header>
      ) : null}
      {children}
    </section>
  );
}
