// Defines tests, and starts the browser and the servers.

import { execFile, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Proxy } from "./proxy.mjs";
import { Visit } from "./visit.mjs";

// `require` looks in NODE_PATH, `import` does not.
export const require = createRequire(import.meta.url);

/** A required environment variable. */
export function environment(name) {
  const value = process.env[name];
  if (!value) throw new Error(`environment variable ${name}: expected a path, found none`);
  return value;
}

/** Waits, to check that something does not happen. */
export const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

/** A built page and the models to compare it with. */
class Site {
  constructor(folder, encoder, bundle) {
    Object.assign(this, { folder, encoder, bundle });
  }

  /** A copy of the page in another folder, which may be modified. */
  copy(folder) {
    cpSync(this.folder, folder, { recursive: true });
    return new Site(folder, this.encoder, this.bundle);
  }

  get manifest() {
    return JSON.parse(readFileSync(join(this.folder, "manifest.json"), "utf8"));
  }

  /** The manifest's entry for a role. */
  file(role) {
    return this.manifest.files.find((file) => file.role === role);
  }

  /** An example set of the page, as text. */
  example(name) {
    return readFileSync(join(this.folder, "examples", name), "utf8");
  }
}

/** The page with small random models. */
export const small = () => {
  const models = environment("DND_SMALL_MODELS");
  return new Site(
    environment("DND_SMALL_PAGE"),
    join(models, "encoder"),
    join(models, "bundle.safetensors"),
  );
};

/** The page with small random models, two generators among them. */
export const twoModels = () => {
  const site = small();
  return new Site(environment("DND_TWO_MODELS_PAGE"), site.encoder, site.bundle);
};

/** The shipped page. */
export const shipped = () => {
  const folder = environment("DND_PAGE");
  const site = new Site(folder, environment("DND_ENCODER"));
  site.bundle = join(folder, site.file("bundle").path);
  return site;
};

// Fixtures, because Playwright ends them even when a test times out.
const playwright = require("@playwright/test").test.extend({
  chromium: [
    async ({}, use) => {
      const browser = await startBrowser();
      await use(browser);
      await browser.close();
    },
    { scope: "worker" },
  ],
  run: async ({ chromium }, use, info) => {
    const run = new Run(chromium);
    await use(run);
    if (info.status !== info.expectedStatus) {
      for (const line of run.console) console.log(`  | ${line}`);
      for (const [index, { page }] of run.visits.entries()) {
        const path = info.outputPath(`page-${index}.png`);
        const taken = await page
          .screenshot({ path, fullPage: true, timeout: 10_000 })
          .catch(() => undefined);
        if (taken) console.log(`  screenshot: ${path}`);
      }
    }
    await run.end();
    for (const note of run.notes) console.log(`   ${note}`);
  },
});

/**
 * Adds a test. Options: `seconds`, its timeout, and `allow`, patterns of console lines that it may
 * cause. A failure prints the console lines and saves a screenshot of each page.
 */
export function test(name, { seconds = 120, allow = [] }, body) {
  playwright(name, async ({ run }, info) => {
    info.setTimeout(seconds * 1000);
    run.allow = allow;
    await body(run);
    run.check();
  });
}

/** Waits until `probe` returns a truthy value, and returns it. */
export async function until(what, probe, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`);
    await pause(0.05);
  }
}

const FLAGS =
  "--headless=new --no-sandbox --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader " +
  "--disable-quic --no-first-run " +
  "--disable-background-networking --disable-component-update --disable-sync";

const chromium = () => require("@playwright/test").chromium;
const settings = () => ({
  executablePath: process.env.DND_CHROMIUM ?? "/usr/bin/chromium",
  args: FLAGS.split(" "),
});

/** Starts Chromium. Tests are isolated by contexts. */
export const startBrowser = () => chromium().launch(settings());

/** A running test: what it opened, and problems outside its assertions. */
export class Run {
  console = [];
  notes = [];
  visits = [];
  /** Patterns of console lines that are no problem. */
  allow = [];
  #browser;
  #problems = [];
  #cleanups = [];

  constructor(browser) {
    this.#browser = browser;
  }

  /** Something to print with the result, such as a measured time. */
  note(text) {
    this.notes.push(text);
  }

  /** Records a problem, which fails the test unless it is allowed. */
  problem(text) {
    this.console.push(text);
    if (!this.allow.some((allowed) => allowed.test(text))) this.#problems.push(text);
  }

  /** Fails if there were problems. */
  check() {
    if (this.#problems.length > 0) throw new Error(this.#problems.join("\n"));
  }

  /** Registers a cleanup for the end of the test; the last one runs first. */
  defer(cleanup) {
    this.#cleanups.push(cleanup);
  }

  async end() {
    for (const cleanup of this.#cleanups.splice(0).reverse()) await cleanup().catch(() => {});
  }

  /** An empty folder, deleted at the end of the test. */
  folder() {
    const folder = mkdtempSync(join(tmpdir(), "dnd-browser-"));
    this.defer(async () => rmSync(folder, { recursive: true, force: true }));
    return folder;
  }

  /** Serves a site with `dnd serve`. Returns `{address, stop}`. */
  async serve(site) {
    const child = spawn(environment("DND"), ["serve", site.folder, "--port", "0"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const stop = async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((done) => child.once("exit", done));
      child.kill("SIGTERM");
      await ended;
    };
    this.defer(stop);
    const address = await new Promise((done, failed) => {
      let [out, errors] = ["", ""];
      child.stderr.on("data", (data) => (errors += data));
      child.stdout.on("data", (data) => {
        out += data;
        if (out.includes("\n")) done(out.trim());
      });
      child.once("error", failed);
      child.once("exit", () => failed(new Error(`dnd serve ended: ${errors}`)));
    });
    return { address, stop };
  }

  /**
   * A proxy for a server. `fault(count)` returns source to run first in the count-th worker, those
   * of the helpers and the base model left out unless `ofAllWorkers`.
   */
  async proxy(address, fault, ofAllWorkers = false) {
    const proxy = await Proxy.start(address);
    this.defer(() => proxy.stop());
    const program = ofAllWorkers ? /\/worker-start\.js/ : /\/worker-start\.js$/;
    if (fault) proxy.change(program, (body, count) => (fault(count) || "") + body);
    return proxy;
  }

  /**
   * Opens the page in a fresh profile. Options: `site`, `query`, `fault(count)` and
   * `ofAllWorkers` (see `proxy`), `failing` (a proxy without a worker fault), and those of `open`.
   * A fault blocks the service worker, which would serve the first copy of worker-start.js to all
   * workers.
   */
  async visit({ site = small(), query = "", fault, ofAllWorkers, failing, ...options } = {}) {
    const server = await this.serve(site);
    const proxy =
      fault || failing ? await this.proxy(server.address, fault, ofAllWorkers) : undefined;
    const visit = await this.open(proxy?.address ?? server.address, query, {
      serviceWorkers: fault ? "block" : "allow",
      ...options,
    });
    return Object.assign(visit, { server, proxy, site });
  }

  /**
   * Opens an address in a fresh profile. Options: `persistent` (a separate browser with a cache on
   * disk; the default cache is in memory and too small for large files), and those of Playwright's
   * `newContext`.
   */
  async open(address, query, { persistent = false, ...rest } = {}) {
    const options = { viewport: { width: 1100, height: 900 }, ...rest };
    const context = persistent
      ? await chromium().launchPersistentContext(this.folder(), { ...settings(), ...options })
      : await this.#browser.newContext(options);
    this.defer(() => context.close());
    context.setDefaultTimeout(20_000);
    this.#watch(context, new URL(address).origin);
    const page = await context.newPage();
    const visit = new Visit(page, address);
    this.visits.push(visit);
    await page.goto(address + query);
    return visit;
  }

  #watch(context, origin) {
    context.on("console", (message) => {
      const line = `console ${message.type()}: ${message.text()} (${message.location()?.url})`;
      // Playwright logs this when it blocks a service worker.
      const own = message.text().includes("Service Worker registration blocked by Playwright");
      if (["error", "warning"].includes(message.type()) && !own) this.problem(line);
      else this.console.push(line);
    });
    context.on("weberror", (error) => this.problem(`page error: ${error.error()}`));
    context.on("request", (request) => {
      const url = new URL(request.url());
      if (["blob:", "data:"].includes(url.protocol)) return;
      if (url.origin !== origin) this.problem(`request to another origin: ${url}`);
      if (!["GET", "HEAD"].includes(request.method()))
        this.problem(`${request.method()} request to ${url}`);
    });
    context.addInitScript(() =>
      document.addEventListener("securitypolicyviolation", (violation) =>
        console.error(`policy violation: ${violation.violatedDirective} ${violation.blockedURI}`),
      ),
    );
  }

  /** The zip that the native program generates from the same prompts. */
  async native(site, prompts, seed, baseModel) {
    const folder = this.folder();
    writeFileSync(join(folder, "prompts.txt"), prompts);
    const values = {
      prompts: join(folder, "prompts.txt"),
      out: join(folder, "adapter.zip"),
      encoder: site.encoder,
    };
    Object.assign(values, { bundle: site.bundle, seed, "base-model": baseModel, device: "cpu" });
    const flags = Object.entries(values).flatMap(([name, value]) => [`--${name}`, String(value)]);
    await promisify(execFile)(environment("DND"), ["generate", "--zip", ...flags]);
    return readFileSync(values.out);
  }

  /** The GGUF file that the native program converts the files of an adapter to. */
  async converted(site, files) {
    const folder = this.folder();
    for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
    const bundle = readFileSync(site.bundle);
    const header = JSON.parse(bundle.toString("utf8", 8, 8 + Number(bundle.readBigUInt64LE(0))));
    const { base } = JSON.parse(header.__metadata__.dnd);
    const config = {
      model_type: base.architecture,
      num_hidden_layers: base.num_layers,
      hidden_size: base.hidden_size,
      intermediate_size: base.intermediate_size,
      num_attention_heads: base.num_attention_heads,
      num_key_value_heads: base.num_key_value_heads,
      head_dim: base.head_dim,
    };
    const model = this.folder();
    writeFileSync(join(model, "config.json"), JSON.stringify(config));
    const command = ["convert", folder, "--to", "gguf", "--base", model];
    await promisify(execFile)(environment("DND"), command);
    return readFileSync(join(folder, "adapter.gguf"));
  }
}

/** A path in the artefacts folder, which is created if missing. */
export function artefact(name) {
  const folder = environment("DND_ARTEFACTS");
  mkdirSync(folder, { recursive: true });
  return join(folder, name);
}
