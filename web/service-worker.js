// Lets the page work without a network: keeps its own files. Model files are kept by the worker.

// `cargo xtask page-files` replaces both lines when the page is built.
const VERSION = "@VERSION@";
const FILES = [/* @FILES@ */];

const PREFIX = "dnd-shell-";
const CACHE = PREFIX + VERSION;
const MANIFEST = "manifest.json";
// Milliseconds after which a slow network counts as none.
const PATIENCE = 1000;

const scope = new URL("./", self.location.href);

// Whether no other version has been at work here.
let isFirst = false;

self.addEventListener("install", (event) => {
  event.waitUntil(install());
});

self.addEventListener("activate", (event) => {
  event.waitUntil(activate());
});

self.addEventListener("fetch", (event) => {
  const request = event.request;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== scope.origin || FILES.length === 0) {
    return;
  }
  if (!url.pathname.startsWith(scope.pathname) || request.headers.has("range")) {
    return;
  }
  const path = url.pathname.slice(scope.pathname.length);
  if (path.startsWith("models/")) {
    return;
  }
  if (request.mode === "navigate") {
    event.respondWith(page(request));
  } else if (path === MANIFEST) {
    event.respondWith(networkFirst(request));
  } else {
    event.respondWith(cacheFirst(request));
  }
});

async function install() {
  const cache = await caches.open(CACHE);
  // Asks the server about what the browser has already, so that all files are of one version and none
  // is sent twice.
  const requests = FILES.map((file) => new Request(new URL(file, scope), { cache: "no-cache" }));
  await cache.addAll(requests);
  // A new version waits until no page of the older one is open, whose files it would take away.
  if (!self.registration.active) {
    isFirst = true;
    await self.skipWaiting();
  }
}

async function activate() {
  for (const name of await caches.keys()) {
    if (name.startsWith(PREFIX) && name !== CACHE) {
      await caches.delete(name);
    }
  }
  if (isFirst) {
    await self.clients.claim();
  }
}

async function kept(request, options) {
  const cache = await caches.open(CACHE);
  return cache.match(request, options);
}

// A helper's program is asked for with a query.
async function cacheFirst(request) {
  return (await kept(request, { ignoreSearch: true })) || fetch(request);
}

// The page is the same whatever its query says.
async function page(request) {
  const found = await kept(request, { ignoreSearch: true });
  // A browser refuses a page that a server gave by way of another address.
  if (found && !found.redirected) {
    return found;
  }
  try {
    return await fetch(request);
  } catch (error) {
    const start = await kept(scope);
    if (start) {
      return start;
    }
    throw error;
  }
}

// The server knows best which model files it has, and a slow one does not hold up the page.
async function networkFirst(request) {
  const network = fetch(request);
  // When the limit passes first, nobody waits for this failure any more.
  network.catch(() => {});
  const limit = new Promise((resolve) => setTimeout(resolve, PATIENCE));
  const answer = await Promise.race([network, limit]).catch(() => undefined);
  if (answer && answer.status < 500) {
    return answer;
  }
  return (await kept(request)) || answer || network;
}
