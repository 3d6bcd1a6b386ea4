import type { ComponentProps, ReactElement } from 'react';

import { cn } from '@/lib/cn';

/** Cells at the sides reach to the edges of the card, so that a first column can stay in sight. */
const EDGES = 'first:pl-4 last:pr-4 sm:first:pl-5 sm:last:pr-5';

interface TableProps extends ComponentProps<'table'> {
  'aria-label': string;
  boxClassName?: string;
}

/** A table that scrolls inside its own box, so that the page never scrolls sideways. */
export function Table({ 'aria-label': label, boxClassName, className, ...rest }: TableProps): ReactElement {
  return (
    // A box that scrolls must be reachable by keyboard.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <section tabIndex={0} aria-label={label} className={cn('relative -mx-4 overflow-auto sm:-mx-5', boxClassName)}>
      <table aria-label={label} className={cn('text-small w-full border-separate border-spacing-0', className)} {...rest} />
    </section>
  );
}

interface HeadProps extends ComponentProps<'th'> {
  /** The unit of the numbers below. */
  unit?: string;
}

export function Head({ unit, className, children, ...rest }: HeadProps): ReactElement {
  return (
    <th
      scope="col"
      className={cn('text-muted bg-surface border-line border-b py-2 pr-3 text-right align-bottom font-medium sm:pr-4', EDGES, className)}
      {...rest}
    >
      {children} {unit ? <span className="block font-normal">{unit}</span> : null}
    </th>
  );
}

export function RowHead({ className, ...rest }: ComponentProps<'th'>): ReactElement {
  return <th scope="row" className={cn('border-line border-b py-1.5 pr-3 text-left font-medium sm:pr-4', EDGES, className)} {...rest} />;
}

export function Value({ className, ...rest }: ComponentProps<'td'>): ReactElement {
  return <td className={cn('border-line border-b py-1.5 pr-3 text-right whitespace-nowrap sm:pr-4', EDGES, className)} {...rest} />;
}
