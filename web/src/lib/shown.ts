import { type RefObject, useEffect, useRef } from 'react';

/** Brings what a press has opened into view, such as a form below the list it was chosen from. */
export function useShown<T extends HTMLElement>(opened: unknown, block: 'nearest' | 'start' = 'nearest'): RefObject<T | null> {
  const element = useRef<T>(null);
  useEffect(() => {
    // A browser without smooth movement, and jsdom, may lack it.
    if (opened) element.current?.scrollIntoView?.({ block, behavior: 'smooth' });
  }, [opened, block]);
  return element;
}
