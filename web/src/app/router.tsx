import { QueryClient, useQuery } from '@tanstack/react-query';
import { type ErrorRouteComponent, Link, Navigate, createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, useNavigate } from '@tanstack/react-router';
import { type ReactElement, type ReactNode, Suspense, useCallback } from 'react';

import { Shell } from '@/app/Shell';
import { Button } from '@/components/ui/button';
import { Notice } from '@/components/ui/notice';
import { ProblemNotice } from '@/components/ui/problem';
import { Skeleton } from '@/components/ui/skeleton';
import { Waiting } from '@/components/ui/waiting';
import { Words } from '@/components/ui/words';
import { carbonRegionsQuery } from '@/lib/carbon';
import { homeToOpen, homesQuery, siteToOpen } from '@/lib/homes';
import { statusQuery } from '@/lib/status';

interface Context {
  queries: QueryClient;
}

const SHORT_WAIT_MS = 150; // a quick answer needs no skeleton
const DAY = /^\d{4}-\d{2}-\d{2}$/;

// Every page comes with its own part of the program, fetched when it is opened.
const CarbonPage = lazyRouteComponent(() => import('@/features/carbon'), 'CarbonPage');
const ConnectCard = lazyRouteComponent(() => import('@/features/connect'), 'ConnectCard');
const DevicePage = lazyRouteComponent(() => import('@/features/devices'), 'DevicePage');
const DevicesPage = lazyRouteComponent(() => import('@/features/devices'), 'DevicesPage');
const GridPage = lazyRouteComponent(() => import('@/features/grid'), 'GridPage');
const HomePage = lazyRouteComponent(() => import('@/features/home'), 'HomePage');
const PlanPage = lazyRouteComponent(() => import('@/features/plan'), 'PlanPage');
const SavingsPage = lazyRouteComponent(() => import('@/features/savings'), 'SavingsPage');
const SitesPage = lazyRouteComponent(() => import('@/features/sites'), 'SitesPage');
const SourcesPage = lazyRouteComponent(() => import('@/features/sources'), 'SourcesPage');
const StartPage = lazyRouteComponent(() => import('@/features/start'), 'StartPage');
const Upload = lazyRouteComponent(() => import('@/features/connect'), 'Upload');
const TrainNow = lazyRouteComponent(() => import('@/features/train'), 'TrainNow');

/** Holds the place of a part of a page while its program is fetched; without it the whole page would be hidden, and lose its focus. */
function Part({ children }: { children: ReactNode }): ReactElement {
  return <Suspense fallback={<Skeleton className="h-32 w-full" />}>{children}</Suspense>;
}

function trainNow(site: string): ReactElement {
  return (
    <Suspense fallback={null}>
      <TrainNow region={site} />
    </Suspense>
  );
}

/** Brings the file of a home in. */
function uploadOf(site: string, onImported: () => void): ReactElement {
  return (
    <Part>
      <Upload site={site} onImported={onImported} />
    </Part>
  );
}

/** One's own files, and the ways to real data that are still open. */
function Connect(): ReactElement | null {
  const status = useQuery(statusQuery);
  if (!status.data) return null;
  return (
    <Part>
      <ConnectCard options={status.data.connect} afterImport={trainNow} />
    </Part>
  );
}

/** What a page says that has no home to show. */
function NoHome({ title }: { title: string }): ReactElement {
  return (
    <div className="grid gap-5">
      <h1 className="text-title font-semibold">{title}</h1>
      <Notice
        title="No home yet"
        actions={
          <Button asChild look="primary">
            <Link to="/start">Add a home</Link>
          </Button>
        }
      >
        Say where it is and what is measured there; its readings and tomorrow's forecast appear here.
      </Notice>
    </div>
  );
}

/** What there is while no region has readings, and how to get there. */
function NoRegion(): ReactElement | null {
  const status = useQuery(statusQuery);
  if (!status.data) return null; // the loader waits for it
  const followed = status.data.regions.find(({ kind }) => kind === 'region');
  return (
    <div className="grid gap-5">
      <h1 className="text-title font-semibold">Grid</h1>
      <Notice
        title={followed ? `No readings of ${followed.name} yet` : 'No region yet'}
        actions={
          <Button asChild>
            <Link to="/start">Add a home instead</Link>
          </Button>
        }
      >
        <Words>Its forecast appears here as soon as there are enough of them. `watthour doctor` shows what is missing; below is how to add readings.</Words>
      </Notice>
      <Connect />
    </div>
  );
}

/** The first home with readings, else the first region; until there is one, how to get there. */
function First(): ReactElement | null {
  const status = useQuery(statusQuery);
  if (!status.data) return null; // the loader waits for it
  const shown = siteToOpen(status.data.regions);
  if (!shown) return <NoRegion />;
  if (shown.kind === 'home') return <Navigate to="/home/$home" params={{ home: shown.id }} replace />;
  return <Navigate to="/grid/$region" params={{ region: shown.id }} replace />;
}

/** The home of the pages of homes when the address names none. */
function FirstHome({ title, to }: { title: string; to: '/home/$home' | '/plan/$home' | '/savings/$home' | '/devices/$home' }): ReactElement | null {
  const found = useQuery(homesQuery);
  if (!found.data) return null; // the loader waits for it
  const home = homeToOpen(found.data.homes);
  return home ? <Navigate to={to} params={{ home: home.id }} replace /> : <NoHome title={title} />;
}

function FirstRegion(): ReactElement | null {
  const status = useQuery(statusQuery);
  const region = status.data?.regions.find(({ kind, last_time }) => kind === 'region' && last_time !== null);
  return region ? <Navigate to="/grid/$region" params={{ region: region.id }} replace /> : <NoRegion />;
}

/** The first region whose carbon intensity is known, or how to get one. */
function FirstCarbon(): ReactElement | null {
  const found = useQuery(carbonRegionsQuery);
  if (!found.data) return null; // the loader waits for it
  const first = found.data.regions[0];
  if (first) return <Navigate to="/carbon/$region" params={{ region: first.region }} replace />;
  return (
    <div className="grid gap-5">
      <h1 className="text-title font-semibold">Carbon</h1>
      <Notice
        title="No carbon intensity yet"
        actions={
          <Button asChild>
            <Link to="/sources">What is connected</Link>
          </Button>
        }
      >
        <Words>It is computed from a region's generation by fuel: set `EIA_API_KEY`, or import such a table. `watthour doctor` shows what is missing.</Words>
      </Notice>
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

const LoadProblem: ErrorRouteComponent = ({ error }) => <ProblemNotice error={error} onRetry={() => window.location.reload()} />;

/** Holds the place of a page of which it is not known yet which one it is. */
function WaitingForPage(): ReactElement {
  return (
    <Waiting name="the page">
      <div className="grid gap-5">
        <Skeleton className="h-8 w-48" />
        <Skeleton className="h-64 w-full" />
      </div>
    </Waiting>
  );
}

const root = createRootRouteWithContext<Context>()({
  component: Shell,
  errorComponent: ({ error, reset }) => <ProblemNotice error={error} onRetry={reset} />,
  notFoundComponent: NotFound,
});

const first = createRoute({
  getParentRoute: () => root,
  path: '/',
  loader: ({ context }) => context.queries.ensureQueryData(statusQuery),
  component: First,
  errorComponent: LoadProblem,
});

const firstHome = createRoute({
  getParentRoute: () => root,
  path: '/home',
  loader: ({ context }) => context.queries.ensureQueryData(homesQuery),
  component: () => <FirstHome title="Home" to="/home/$home" />,
  errorComponent: LoadProblem,
});

const home = createRoute({
  getParentRoute: () => root,
  path: '/home/$home',
  component: function HomeRoute(): ReactElement {
    const { home: shown } = home.useParams();
    const navigate = useNavigate();
    return <HomePage key={shown} home={shown} onHome={(chosen: string) => void navigate({ to: '/home/$home', params: { home: chosen } })} />;
  },
});

const firstPlan = createRoute({
  getParentRoute: () => root,
  path: '/plan',
  loader: ({ context }) => context.queries.ensureQueryData(homesQuery),
  component: () => <FirstHome title="Plan" to="/plan/$home" />,
  errorComponent: LoadProblem,
});

const plan = createRoute({
  getParentRoute: () => root,
  path: '/plan/$home',
  component: function PlanRoute(): ReactElement {
    const { home: shown } = plan.useParams();
    const navigate = useNavigate();
    return <PlanPage key={shown} home={shown} onHome={(chosen: string) => void navigate({ to: '/plan/$home', params: { home: chosen } })} />;
  },
});

const firstSavings = createRoute({
  getParentRoute: () => root,
  path: '/savings',
  loader: ({ context }) => context.queries.ensureQueryData(homesQuery),
  component: () => <FirstHome title="Savings" to="/savings/$home" />,
  errorComponent: LoadProblem,
});

const savings = createRoute({
  getParentRoute: () => root,
  path: '/savings/$home',
  component: function SavingsRoute(): ReactElement {
    const { home: shown } = savings.useParams();
    const navigate = useNavigate();
    return <SavingsPage key={shown} home={shown} onHome={(chosen: string) => void navigate({ to: '/savings/$home', params: { home: chosen } })} />;
  },
});

const firstDevices = createRoute({
  getParentRoute: () => root,
  path: '/devices',
  loader: ({ context }) => context.queries.ensureQueryData(homesQuery),
  component: () => <FirstHome title="Devices" to="/devices/$home" />,
  errorComponent: LoadProblem,
});

const devices = createRoute({
  getParentRoute: () => root,
  path: '/devices/$home',
  component: function DevicesRoute(): ReactElement {
    const { home: shown } = devices.useParams();
    const navigate = useNavigate();
    return <DevicesPage key={shown} home={shown} onHome={(chosen: string) => void navigate({ to: '/devices/$home', params: { home: chosen } })} />;
  },
});

const device = createRoute({
  getParentRoute: () => root,
  path: '/devices/$home/$device',
  component: function DeviceRoute(): ReactElement {
    const shown = device.useParams();
    return <DevicePage key={`${shown.home} ${shown.device}`} home={shown.home} device={shown.device} />;
  },
});

const sources = createRoute({
  getParentRoute: () => root,
  path: '/sources',
  component: SourcesPage,
});

const start = createRoute({
  getParentRoute: () => root,
  path: '/start',
  validateSearch: (search: Record<string, unknown>): { home?: string | undefined } => {
    const begun = search['home'];
    return { home: typeof begun === 'string' ? begun : undefined };
  },
  component: function StartRoute(): ReactElement {
    const navigate = useNavigate();
    const { home: begun } = start.useSearch();
    const onBegun = useCallback((chosen: string) => void navigate({ to: '/start', search: { home: chosen }, replace: true, resetScroll: false }), [navigate]);
    return (
      <StartPage
        begun={begun}
        onBegun={onBegun}
        onHome={(chosen: string) => void navigate({ to: '/home/$home', params: { home: chosen } })}
        upload={uploadOf}
      />
    );
  },
});

const firstRegion = createRoute({
  getParentRoute: () => root,
  path: '/grid',
  loader: ({ context }) => context.queries.ensureQueryData(statusQuery),
  component: FirstRegion,
  errorComponent: LoadProblem,
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
        onDay={(chosen: string | undefined) => void navigate({ to: '/grid/$region', params: { region }, search: chosen ? { day: chosen } : {}, resetScroll: false })}
        onRegion={(chosen: string) => void navigate({ to: '/grid/$region', params: { region: chosen }, search: day ? { day } : {} })}
        connect={<Connect />}
        train={trainNow(region)}
      />
    );
  },
});

const firstCarbon = createRoute({
  getParentRoute: () => root,
  path: '/carbon',
  loader: ({ context }) => context.queries.ensureQueryData(carbonRegionsQuery),
  component: FirstCarbon,
  errorComponent: LoadProblem,
});

const carbon = createRoute({
  getParentRoute: () => root,
  path: '/carbon/$region',
  component: function CarbonRoute(): ReactElement {
    const { region } = carbon.useParams();
    const navigate = useNavigate();
    return <CarbonPage key={region} region={region} onRegion={(chosen: string) => void navigate({ to: '/carbon/$region', params: { region: chosen } })} />;
  },
});

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
  const routeTree = root.addChildren([first, firstHome, home, firstPlan, plan, firstSavings, savings, firstDevices, devices, device, sources, start, firstCarbon, carbon, firstRegion, grid, sites]);
  return createRouter({
    routeTree,
    context: { queries },
    scrollRestoration: true,
    defaultPreload: 'intent',
    // What stands around a page, and its navigation, are there from the beginning, however slow the server is.
    defaultPendingComponent: WaitingForPage,
    defaultPendingMs: SHORT_WAIT_MS,
    defaultPendingMinMs: 0,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
