/*
 * Lets the app open where there is no network, with what the server last answered.
 *
 * The server is always asked first. What it answered to a GET of the API is kept in this browser with the instant it came;
 * it is shown again only when the server is not reached, and then carries that instant in a header, so that the page says how
 * old it is. Nothing is ever changed from here: other methods than GET pass by. docs/decisions/0039-offline.md says why.
 */
const VERSION = 'not built'; // these two lines are written by scripts/offline.mjs
const FILES = [];

const SHELL = `watthour-shell-${VERSION}`;
const ANSWERS = 'watthour-answers';
const KEPT_AT = 'X-Watthour-Kept-At';
const MOST_ANSWERS = 200;
const LARGEST_BYTES = 1_000_000;
const LONGEST_MS = { page: 5_000, answer: 20_000 }; // away from home, a private address gives no answer and no error for minutes
// What is no page of the app, by the first word of its address; as in watthour/api/web.py.
const NOT_PAGES = ['api', 'docs', 'health', 'ready', 'metrics', 'predict', 'reload-model', 'model-info', 'openapi.json'];

/** The files of this version, before it takes over: an app of which a part is missing would not open. */
async function prepare() {
  const shell = await caches.open(SHELL);
  await shell.addAll(FILES.map((path) => new Request(path, { cache: path.startsWith('/assets/') ? 'default' : 'no-cache' })));
  await self.skipWaiting();
}

/** The version before stays: pages that are still open may yet load parts of it. */
async function takeOver() {
  const shells = (await caches.keys()).filter((name) => name.startsWith('watthour-shell-') && name !== SHELL);
  await Promise.all(shells.slice(0, -1).map((name) => caches.delete(name)));
  await self.clients.claim();
}

/** The server's answer, or null where it is not reached in time: also where something between says so in its place. */
async function reached(request, longestMs) {
  try {
    const tooLong = longestMs && new Promise((_, fail) => setTimeout(() => fail(new Error('too long')), longestMs));
    const response = await (tooLong ? Promise.race([fetch(request), tooLong]) : fetch(request));
    const isFromBetween = response.status >= 502 && response.status <= 504 && !/json/.test(response.headers.get('Content-Type') ?? '');
    return isFromBetween ? null : response;
  } catch {
    return null;
  }
}

async function pageOf(request) {
  const response = await reached(request, LONGEST_MS.page);
  // A browser asks for the key only where no worker stands between, and what was kept is not for who does not have it.
  if (response?.status === 401) await Promise.all([caches.delete(ANSWERS), self.registration.unregister()]);
  return response ?? (await (await caches.open(SHELL)).match('/index.html')) ?? Response.error();
}

async function fileOf(request, path) {
  const isHashed = path.startsWith('/assets/'); // its name changes with its content
  if (isHashed) return (await caches.match(request)) ?? fetch(request);
  return (await reached(request)) ?? (await (await caches.open(SHELL)).match(path)) ?? Response.error();
}

function mayBeKept(request, response) {
  const type = response.headers.get('Content-Type') ?? '';
  const holdsKey = request.headers.has('Authorization') || request.headers.has('X-API-Key');
  return response.status === 200 && type.startsWith('application/json') && !holdsKey && !/no-store/.test(response.headers.get('Cache-Control') ?? '');
}

async function keep(request, response) {
  const body = await response.blob();
  if (body.size > LARGEST_BYTES) return;
  const headers = { 'Content-Type': 'application/json', [KEPT_AT]: new Date().toISOString() };
  const answers = await caches.open(ANSWERS);
  try {
    await answers.delete(request, { ignoreVary: true }); // so that the order is that of their age
    await answers.put(request.url, new Response(body, { headers }));
    const kept = await answers.keys();
    await Promise.all(kept.slice(0, Math.max(0, kept.length - MOST_ANSWERS)).map((old) => answers.delete(old)));
  } catch {
    await caches.delete(ANSWERS); // no room is left: begin anew
  }
}

async function answerOf(event) {
  const { request } = event;
  const kept = await (await caches.open(ANSWERS)).match(request.url);
  const response = await reached(request, kept && LONGEST_MS.answer); // with nothing to show, it is waited for
  if (response === null) return kept ?? Response.error();
  if (mayBeKept(request, response)) event.waitUntil(keep(request, response.clone()));
  else if (response.status === 401) event.waitUntil(caches.delete(ANSWERS));
  else if (response.status === 404) event.waitUntil(caches.open(ANSWERS).then((answers) => answers.delete(request.url)));
  return response;
}

self.addEventListener('install', (event) => event.waitUntil(prepare()));
self.addEventListener('activate', (event) => event.waitUntil(takeOver()));
self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== self.location.origin) return;
  if (request.mode === 'navigate') {
    if (!NOT_PAGES.includes(pathname.split('/')[1])) event.respondWith(pageOf(request));
  } else if (pathname.startsWith('/api/v1/')) {
    event.respondWith(answerOf(event));
  } else if (FILES.includes(pathname) || pathname.startsWith('/assets/')) {
    event.respondWith(fileOf(request, pathname));
  }
});
