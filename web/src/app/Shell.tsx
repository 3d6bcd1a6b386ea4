import { Link, Outlet } from '@tanstack/react-router';
import { Moon, Sun } from 'lucide-react';
import { type ReactElement, Suspense } from 'react';

import { Navigation } from '@/app/PageList';
import { OfflineNotice } from '@/app/OfflineNotice';
import { StoreNotices } from '@/app/StoreNotices';
import { useTheme } from '@/lib/theme';
import { Button } from '@/components/ui/button';
import { Waiting } from '@/components/ui/waiting';

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
          <Navigation />
          <div className="ml-auto">
            <ThemeToggle />
          </div>
        </div>
      </header>
      <OfflineNotice />
      <StoreNotices />
      <main id="content" tabIndex={-1} className="mx-auto max-w-6xl px-4 pt-5 pb-24 outline-none sm:px-6 sm:pt-7 md:pb-7">
        <Suspense fallback={<Waiting name="the page" />}>
          <Outlet />
        </Suspense>
      </main>
    </>
  );
}
