import { Link, useLocation } from '@tanstack/react-router';
import { Ellipsis } from 'lucide-react';
import { type ReactElement, useEffect, useId, useRef, useState } from 'react';

import { ALWAYS_SHOWN, type Destination, NAVIGATION, isAt } from '@/app/navigation';
import { cn } from '@/lib/cn';

const ENTRY =
  'rounded-control text-tab lg:text-small flex h-14 w-full flex-col items-center justify-center font-medium -outline-offset-2 md:px-3 lg:h-10 lg:flex-row lg:gap-2 lg:outline-offset-2';
const LOOKS = { here: 'text-accent lg:bg-accent-wash', else: 'text-muted hover:bg-sunken hover:text-ink' };

interface EntryProps {
  destination: Destination;
  path: string;
  onOpen?: () => void;
  className?: string;
}

function Entry({ destination, path, onOpen, className }: EntryProps): ReactElement {
  const { label, to, icon: Icon } = destination;
  const isHere = isAt(path, destination);
  return (
    <Link to={to} onClick={onOpen} aria-current={isHere ? 'page' : undefined} className={cn(ENTRY, isHere ? LOOKS.here : LOOKS.else, className)}>
      <Icon aria-hidden className="size-5 shrink-0 lg:size-4" />
      {label}
    </Link>
  );
}

/** Opens and shuts a part of the page; a press elsewhere, the Escape key and `key`, where it changes, shut it. */
function useOpened(key: string): { isOpen: boolean; toggle: () => void; shut: () => void; box: React.RefObject<HTMLLIElement | null>; button: React.RefObject<HTMLButtonElement | null> } {
  const [openedAt, setOpenedAt] = useState<string | null>(null);
  const box = useRef<HTMLLIElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const isOpen = openedAt === key;
  useEffect(() => {
    if (!isOpen) return undefined;
    const onPointer = ({ target }: PointerEvent): void => {
      if (!(target instanceof Node && box.current?.contains(target))) setOpenedAt(null);
    };
    const onKey = ({ key: pressed }: KeyboardEvent): void => {
      if (pressed !== 'Escape') return;
      setOpenedAt(null);
      button.current?.focus();
    };
    document.addEventListener('pointerdown', onPointer);
    document.addEventListener('keydown', onKey);
    return () => {
      document.removeEventListener('pointerdown', onPointer);
      document.removeEventListener('keydown', onKey);
    };
  }, [isOpen]);
  return { isOpen, toggle: () => setOpenedAt(isOpen ? null : key), shut: () => setOpenedAt(null), box, button };
}

/** The pages that have no room of their own: opened by one more entry, and in the row itself where it is wide enough. */
function More({ destinations, path }: { destinations: readonly Destination[]; path: string }): ReactElement {
  const { isOpen, toggle, shut, box, button } = useOpened(path);
  const list = useId();
  const here = destinations.find((destination) => isAt(path, destination));
  return (
    <li ref={box} className="relative min-w-0 flex-1 md:flex-none lg:contents">
      <button
        ref={button}
        type="button"
        aria-expanded={isOpen}
        aria-controls={list}
        onClick={toggle}
        className={cn(ENTRY, 'lg:hidden', here || isOpen ? LOOKS.here : LOOKS.else)}
      >
        <Ellipsis aria-hidden className="size-5 shrink-0" />
        More {here ? <span className="sr-only">({here.label} is open)</span> : null}
      </button>
      <ul
        id={list}
        aria-label="More pages"
        className={cn(
          'bg-surface border-line rounded-card absolute right-1 bottom-full mb-1 w-44 border p-1 shadow-lg md:top-full md:right-0 md:bottom-auto md:mt-1 md:mb-0',
          'lg:static lg:contents',
          isOpen ? 'block' : 'hidden',
        )}
      >
        {destinations.map((destination) => (
          <li key={destination.label}>
            <Entry destination={destination} path={path} onOpen={shut} className="text-small h-11 flex-row justify-start gap-3 px-3 lg:justify-center lg:gap-2" />
          </li>
        ))}
      </ul>
    </li>
  );
}

/** Within reach of the thumb on a phone, at the top on a desk; one list for keyboard and screen reader. */
export function Navigation(): ReactElement {
  const path = useLocation({ select: (location) => location.pathname });
  return (
    <nav
      aria-label="Pages"
      className="border-line bg-surface fixed inset-x-0 bottom-0 z-10 border-t pb-[env(safe-area-inset-bottom)] md:static md:border-0 md:pb-0"
    >
      <ul className="mx-auto flex max-w-lg md:mx-0 md:max-w-none lg:gap-1">
        {NAVIGATION.slice(0, ALWAYS_SHOWN).map((destination) => (
          <li key={destination.label} className="min-w-0 flex-1 md:flex-none">
            <Entry destination={destination} path={path} />
          </li>
        ))}
        <More destinations={NAVIGATION.slice(ALWAYS_SHOWN)} path={path} />
      </ul>
    </nav>
  );
}
