import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { Moon, Sun } from 'lucide-react';
import type { ReactElement } from 'react';

import { NAVIGATION } from '@/app/navigation';
import { StoreNotices } from '@/app/StoreNotices';
import { useTheme } from '@/lib/theme';
import { Button } from '@/components/ui/button';
import { cn } from '@/lib/cn';

function Wordmark(): ReactElement {
  return (
    <Link to="/" className="text-title flex items-center gap-2 font-semibold">
      <svg aria-hidden viewBox="0 0 32 32" className="size-7">
        <rect width="32" height="32" rx="7" className="fill-accent" />
        <path
          d="M5 20c3 0 3.6-9 7-9s3.6 11 7.5 11S24 12 27 12"
          fill="none"
          strokeWidth="3"
          strokeLinecap="round"
          className="stroke-on-accent"
        />
      </svg>
      Watthour
    </Link>
  );
}

function ThemeToggle(): ReactElement {
  const [theme, choose] = useTheme();
  const other = theme === 'dark' ? 'light' : 'dark';
  const Icon = theme === 'dark' ? Sun : Moon;
  return (
    <Button look="quiet" square aria-label={`Switch to ${other}`} onClick={() => choose(other)}>
      <Icon aria-hidden className="size-5" />
    </Button>
  );
}

/** What stays while pages change. */
export function Shell(): ReactElement {
  const path = useLocation({ select: (location) => location.pathname });
  return (
    <>
      <a
        href="#content"
        className="bg-accent text-on-accent rounded-control absolute top-2 left-2 z-20 -translate-y-20 px-4 py-2 focus:translate-y-0"
      >
        Skip to content
      </a>
      <header className="border-line bg-surface border-b">
        <div className="mx-auto flex h-14 max-w-6xl items-center gap-4 px-4 sm:px-6">
          <Wordmark />
          <nav aria-label="Pages" className="min-w-0 flex-1 overflow-x-auto">
            <ul className="flex gap-1">
              {NAVIGATION.map(({ label, to, prefix, icon: Icon }) => {
                const isHere = path.startsWith(prefix);
                return (
                  <li key={label}>
                    <Link
                      to={to}
                      aria-current={isHere ? 'page' : undefined}
                      className={cn(
                        'rounded-control text-small flex h-10 items-center gap-2 px-3 font-medium',
                        isHere ? 'bg-accent-wash text-accent' : 'text-muted hover:bg-sunken hover:text-ink',
                      )}
                    >
                      <Icon aria-hidden className="size-4" />
                      {label}
                    </Link>
                  </li>
                );
              })}
            </ul>
          </nav>
          <ThemeToggle />
        </div>
      </header>
      <StoreNotices />
      <main id="content" className="mx-auto max-w-6xl px-4 py-5 sm:px-6 sm:py-7">
        <Outlet />
      </main>
    </>
  );
}
