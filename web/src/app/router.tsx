import { QueryClient, useQuery } from '@tanstack/react-query';
import { Navigate, createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, useNavigate } from '@tanstack/react-router';
import type { ReactElement } from 'react';

import { Shell } from '@/app/Shell';
import { Notice } from '@/components/ui/notice';
import { ProblemNotice } from '@/components/ui/problem';
import { Words } from '@/components/ui/words';
import { ConnectCard } from '@/features/connect';
import { GridPage } from '@/features/grid';
import { TrainNow } from '@/features/train';
import { statusQuery } from '@/lib/status';

interface Context {
  queries: QueryClient;
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

function trainNow(site: string): ReactElement {
  return <TrainNow region={site} />;
}

/** One's own files, and the ways to real data that are still open. */
function Connect(): ReactElement | null {
  const status = useQuery(statusQuery);
  return status.data ? <ConnectCard options={status.data.connect} afterImport={trainNow} /> : null;
}

/** The first region with readings; until there is one, how to get there. */
function Home(): ReactElement | null {
  const status = useQuery(statusQuery);
  if (!status.data) return null; // the loader waits for it
  const shown = status.data.regions.find(({ last_time }) => last_time !== null);
  if (shown) return <Navigate to="/grid/$region" params={{ region: shown.id }} replace />;
  const [followed] = status.data.regions;
  return (
    <div className="grid gap-5">
      <h1 className="text-title font-semibold">Grid</h1>
      <Notice title={followed ? `No readings of ${followed.name} yet` : 'No region yet'}>
        <Words>Its forecast appears here as soon as there are enough of them. `watthour doctor` shows what is missing; below is how to add readings.</Words>
      </Notice>
      <Connect />
    </div>
  );
}

function NotFound(): ReactElement {
  return (
    <Notice look="warn" title="Page not found">
      <a href="/" className="text-accent font-medium underline">
        Go to the forecast
      </a>
    </Notice>
  );
}

const root = createRootRouteWithContext<Context>()({
  component: Shell,
  errorComponent: ({ error, reset }) => <ProblemNotice error={error} onRetry={reset} />,
  notFoundComponent: NotFound,
});

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  loader: ({ context }) => context.queries.ensureQueryData(statusQuery),
  component: Home,
  errorComponent: ({ error }) => <ProblemNotice error={error} onRetry={() => window.location.reload()} />,
});

const grid = createRoute({
  getParentRoute: () => root,
  path: '/grid/$region',
  validateSearch: (search: Record<string, unknown>): { day?: string | undefined } => {
    const day = search['day'];
    return { day: typeof day === 'string' && DAY.test(day) ? day : undefined };
  },
  component: function GridRoute(): ReactElement {
    const { region } = grid.useParams();
    const { day } = grid.useSearch();
    const navigate = useNavigate();
    return (
      <GridPage
        key={region}
        region={region}
        day={day}
        onDay={(chosen) => void navigate({ to: '/grid/$region', params: { region }, search: chosen ? { day: chosen } : {}, resetScroll: false })}
        onRegion={(chosen) => void navigate({ to: '/grid/$region', params: { region: chosen }, search: day ? { day } : {} })}
        connect={<Connect />}
        train={<TrainNow region={region} />}
      />
    );
  },
});

const SitesPage = lazyRouteComponent(() => import('@/features/sites'), 'SitesPage');

const sites = createRoute({
  getParentRoute: () => root,
  path: '/sites',
  component: function SitesRoute(): ReactElement {
    return (
      <div className="grid grid-cols-[minmax(0,1fr)] gap-5">
        <SitesPage train={trainNow} />
        <Connect />
      </div>
    );
  },
});

export function makeRouter(queries: QueryClient) {
  return createRouter({ routeTree: root.addChildren([home, grid, sites]), context: { queries }, scrollRestoration: true });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
