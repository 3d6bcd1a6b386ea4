import { CircleAlert } from 'lucide-react';
import { type ComponentProps, type ReactElement, type ReactNode, useId } from 'react';

import { cn } from '@/lib/cn';

const CONTROL = 'rounded-control border-control-line bg-surface text-body h-11 w-full min-w-0 border px-3 font-normal';

interface TextFieldProps extends ComponentProps<'input'> {
  label: string;
  /** An example, or where to find it. */
  hint?: string | undefined;
  /** What is wrong with what was typed, and the cure. */
  fault?: ReactNode;
}

/** A question with one line to type into; large enough for a thumb. */
export function TextField({ label, hint, fault, ...rest }: TextFieldProps): ReactElement {
  const id = useId();
  const described = fault ? `${id}-fault` : hint ? `${id}-hint` : undefined; // the cure says what the hint does
  return (
    <div className="text-small grid min-w-0 content-start gap-1 font-medium">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        aria-describedby={described}
        aria-invalid={fault ? true : undefined}
        autoComplete="off"
        className={cn(CONTROL, fault ? 'border-bad' : '')}
        {...rest}
      />
      {fault ? (
        <div id={`${id}-fault`} role="alert" className="text-bad flex min-w-0 items-start gap-1.5">
          <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
          <div className="min-w-0 break-words">{fault}</div>
        </div>
      ) : null}
      {hint && !fault ? (
        <p id={`${id}-hint`} className="text-muted font-normal break-words">
          {hint}
        </p>
      ) : null}
    </div>
  );
}

interface SelectFieldProps extends ComponentProps<'select'> {
  label: string;
  hint?: string | undefined;
  options: readonly (readonly [value: string, text: string])[];
}

/** A question with one answer of many. */
export function SelectField({ label, hint, options, ...rest }: SelectFieldProps): ReactElement {
  const id = useId();
  return (
    <div className="text-small grid min-w-0 content-start gap-1 font-medium">
      <label htmlFor={id}>{label}</label>
      <select id={id} aria-describedby={hint ? `${id}-hint` : undefined} className={CONTROL} {...rest}>
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
      {hint ? (
        <p id={`${id}-hint`} className="text-muted font-normal break-words">
          {hint}
        </p>
      ) : null}
    </div>
  );
}
