// Caches the files of the page so that it works offline. The worker stores the model files.

// `cargo xtask page-files` replaces both lines when the page is built.
const VERSION = "@VERSION@";
const FILES = [/* @FILES@ */];

const PREFIX = "dnd-shell-";
const CACHE = PREFIX + VERSION;
const MANIFEST = "manifest.json";
// Timeout in milliseconds, after which a slow network counts as offline.
const PATIENCE = 1000;

const scope = new URL("./", self.location.href);

// Whether no older version was active at installation.
let isFirst = false;

self.addEventListener("install", (event) => {
  event.waitUntil(install());
});

self.addEventListener("activate", (event) => {
  event.waitUntil(activate());
});

// A page whose visitor asks for the new version does not wait for the others.
self.addEventListener("message", (event) => {
  if (event.data === "take over") {
    event.waitUntil(self.skipWaiting());
  }
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
  // Revalidates cached files, so that all files are of one version and unchanged ones are not
  // sent again.
  const requests = FILES.map((file) => new Request(new URL(file, scope), { cache: "no-cache" }));
  await cache.addAll(requests);
  // A new version waits until all pages of the old one are closed, because it deletes their
  // files.
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

// Helpers request their script with a query.
async function cacheFirst(request) {
  return (await kept(request, { ignoreSearch: true })) || fetch(request);
}

// The page does not depend on its query.
async function page(request) {
  const found = await kept(request, { ignoreSearch: true });
  // Browsers reject redirected responses to navigation requests.
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

// The manifest of the server has priority, but a slow server must not block the page.
async function networkFirst(request) {
  const network = fetch(request);
  // Avoids an unhandled rejection when the timeout comes first.
  network.catch(() => {});
  const limit = new Promise((resolve) => setTimeout(resolve, PATIENCE));
  const answer = await Promise.race([network, limit]).catch(() => undefined);
  if (answer && answer.status < 500) {
    return answer;
  }
  return (await kept(request)) || answer || network;
}
