import { Fragment, type ReactElement } from 'react';

/** A sentence of the API: what stands between backticks is a command and shown as one. */
export function Words({ children }: { children: string }): ReactElement {
  const parts = children.split('`');
  return (
    <>
      {parts.map((part, index) =>
        // Every second part is a command, unless the mark that ends it is missing.
        index % 2 === 1 && index < parts.length - 1 ? (
          // oxlint-disable-next-line react/no-array-index-key -- the same words always stand at the same place
          <code key={index} className="bg-sunken rounded px-1 font-mono text-[0.92em] break-words">
            {part}
          </code>
        ) : (
          // oxlint-disable-next-line react/no-array-index-key -- as above
          <Fragment key={index}>{index % 2 === 1 ? `\`${part}` : part}</Fragment>
        ),
      )}
    </>
  );
}
