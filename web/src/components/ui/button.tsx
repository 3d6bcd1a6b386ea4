import { Slot } from 'radix-ui';
import type { ComponentProps, ReactElement } from 'react';

import { cn } from '@/lib/cn';

const LOOKS = {
  primary: 'bg-accent text-on-accent border-accent hover:brightness-110',
  plain: 'bg-surface text-ink border-line hover:bg-sunken',
  quiet: 'bg-transparent text-muted border-transparent hover:bg-sunken hover:text-ink',
};

interface ButtonProps extends ComponentProps<'button'> {
  look?: keyof typeof LOOKS;
  /** A square button that holds an icon; give it an `aria-label`. */
  square?: boolean;
  asChild?: boolean;
}

export function Button({ look = 'plain', square = false, asChild = false, className, ...rest }: ButtonProps): ReactElement {
  const Element = asChild ? Slot.Root : 'button';
  return (
    <Element
      type={asChild ? undefined : 'button'}
      className={cn(
        'rounded-control text-small inline-flex h-10 items-center justify-center gap-2 border font-medium whitespace-nowrap transition-colors',
        'disabled:cursor-not-allowed disabled:opacity-45 aria-disabled:pointer-events-none aria-disabled:opacity-45',
        square ? 'w-10' : 'px-3.5',
        LOOKS[look],
        className,
      )}
      {...rest}
    />
  );
}
