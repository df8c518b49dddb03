// Lets the page work without a network: keeps its own files. Model files are kept by the worker.

// `cargo xtask page-files` replaces both lines when the page is built.
const VERSION = "@VERSION@";
const FILES = [/* @FILES@ */];

const PREFIX = "dnd-shell-";
const CACHE = PREFIX + VERSION;
const MANIFEST = "manifest.json";
// Milliseconds after which a slow network counts as none.
const PATIENCE = 3000;

const scope = new URL("./", self.location.href);

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
  if (request.mode === "navigate" || path === MANIFEST) {
    event.respondWith(networkFirst(request));
  } else {
    event.respondWith(cacheFirst(request));
  }
});

async function install() {
  const cache = await caches.open(CACHE);
  // Past the browser's own cache, so that all files are of one version.
  await cache.addAll(FILES.map((file) => new Request(new URL(file, scope), { cache: "reload" })));
  await self.skipWaiting();
}

async function activate() {
  for (const name of await caches.keys()) {
    if (name.startsWith(PREFIX) && name !== CACHE) {
      await caches.delete(name);
    }
  }
  await self.clients.claim();
}

// What is kept for a request. A page is the same whatever its query says.
async function kept(request) {
  const cache = await caches.open(CACHE);
  if (request.mode !== "navigate") {
    return cache.match(request);
  }
  const found = await cache.match(request, { ignoreSearch: true });
  return found || cache.match(new URL("index.html", scope));
}

async function cacheFirst(request) {
  return (await kept(request)) || fetch(request);
}

// A new version shows up at once where there is a network, and a slow one does not hold up the page.
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
