/**
 * The service worker of pages that open without a network, those in the field and those of citizens: it keeps their
 * shell. It keeps nothing of the city: answers of the API pass it by.
 */
declare const self: ServiceWorkerGlobalScope;
/** The files of the shell, put in by the build; with other files it is another worker. */
declare const JINGWEI_SHELL: { version: string; files: string[]; page: string; cache: string };

const { version, files, page: PAGE, cache: PREFIX } = JINGWEI_SHELL;
const CACHE = PREFIX + version;
/** Milliseconds after which a network that does not answer counts as none. */
const PATIENCE = 4_000;

self.addEventListener("install", (event) => {
  const all = [PAGE, ...files].map((address) => new Request(address, { cache: "reload" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(all)));
});

self.addEventListener("activate", (event) => {
  const tidy = async () => {
    for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(tidy());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (files.includes(address.pathname)) event.respondWith(file(request));
});

/** The page from the server as long as it answers, else as it was kept. */
async function page(request: Request): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), PATIENCE);
  try {
    const answer = await fetch(request.url, { signal: late.signal, credentials: "same-origin" });
    if (answer.status < 500) return answer;
  } catch {
    // no network
  } finally {
    clearTimeout(timer);
  }
  return (await caches.match(PAGE)) ?? Response.error();
}

async function file(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request);
}

export {};
