// Times the built page's encoder and generator in Chromium beside burn's own operations and onnxruntime-web, taking turns in one
// page: the browser's part of `cargo xtask bench`.
//
// Environment: DND_PAGE the built page, DND_CHROMIUM the browser, NODE_PATH with playwright-core, BENCH_ORT the folder `dist` of
// onnxruntime-web, BENCH_ONNX the encoder as ONNX (both may be missing), BENCH_JSON where the figures go,
// BENCH_SHAPE prompts and tokens such as 8x32, BENCH_ROUNDS runs of each, the first one besides, BENCH_ONLY a part of the names
// of the contestants that run.

import { createReadStream, existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join, normalize } from "node:path";

const require = createRequire(import.meta.url);
const { chromium } = require("playwright-core");

const FLAGS =
  "--headless=new --no-sandbox --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader --disable-quic --no-first-run " +
  "--disable-background-networking --disable-component-update --disable-sync";
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };

const { DND_PAGE, BENCH_ORT, BENCH_ONNX, BENCH_JSON, BENCH_ONLY = "" } = process.env;
const [prompts, tokens] = (process.env.BENCH_SHAPE ?? "8x32").split("x").map(Number);
const rounds = Number(process.env.BENCH_ROUNDS ?? 3);

/** Serves the page, and the peer's files beside it. */
function serve() {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://bench").pathname));
    let file = join(DND_PAGE, path);
    if (path.startsWith("/ort/")) file = join(BENCH_ORT, path.slice(5));
    if (path === "/encoder.onnx") file = BENCH_ONNX;
    if (path === "/bench.html") {
      response.writeHead(200, { "content-type": "text/html" });
      response.end("<!doctype html><title>bench</title>");
    } else if (existsSync(file)) {
      response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
      createReadStream(file).pipe(response);
    } else {
      response.writeHead(404).end();
    }
  });
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done(server)));
}

/** In the page: contestants by name, each with `run`, which gives seconds by kind of work. */
function prepare() {
  const places = (count) => Array.from({ length: count }, (_, place) => 1000 + ((place * 7919) % 20_000));

  class Dnd {
    #id = 0;
    #waiting;
    constructor(device, kernels) {
      this.kernels = kernels;
      this.worker = new Worker("/worker-start.js", { type: "module" });
      this.worker.onmessage = ({ data: [json] }) => {
        const told = JSON.parse(json);
        if (told.kind === "failed") this.#waiting?.reject(new Error(told.message));
        if (told.kind === this.#waiting?.kind) this.#waiting.resolve(told);
      };
      this.ready = this.#ask("files", { kind: "start", device, base: new URL("/", location.href).href });
    }
    #ask(kind, request) {
      this.#id += 1;
      return new Promise((resolve, reject) => {
        this.#waiting = { kind, resolve, reject };
        this.worker.postMessage([JSON.stringify({ id: this.#id, ...request })]);
      });
    }
    async run(prompts, tokens) {
      await this.ready;
      const { encode, decode } = await this.#ask("measured", { kind: "measure", prompts, tokens, kernels: this.kernels });
      return { encode, decode };
    }
  }

  class Ort {
    constructor(provider) {
      this.provider = provider;
    }
    async run(prompts, tokens) {
      if (!this.session) {
        this.ort = await import("/ort/ort.all.min.mjs");
        this.ort.env.wasm.wasmPaths = new URL("/ort/", location.href).href;
        // As many threads as the page has.
        this.ort.env.wasm.numThreads = 1;
        this.session = await this.ort.InferenceSession.create("/encoder.onnx", { executionProviders: [this.provider] });
      }
      const whole = (numbers) => new this.ort.Tensor("int64", BigInt64Array.from(numbers, BigInt), [prompts, tokens]);
      const count = prompts * tokens;
      const inputs = {
        input_ids: whole(places(count)),
        attention_mask: whole(new Array(count).fill(1)),
        token_type_ids: whole(new Array(count).fill(0)),
      };
      const started = performance.now();
      const { last_hidden_state: states } = await this.session.run(inputs, ["last_hidden_state"]);
      await states.getData();
      return { encode: (performance.now() - started) / 1e3 };
    }
  }

  globalThis.contestants = {
    "dnd kernels, WebGPU": () => new Dnd("webgpu", true),
    "burn, WebGPU": () => new Dnd("webgpu", false),
    "onnxruntime-web, WebGPU": () => new Ort("webgpu"),
    "dnd, WASM": () => new Dnd("cpu", true),
    "onnxruntime-web, WASM": () => new Ort("wasm"),
  };
  globalThis.running = {};
  globalThis.run = (name, prompts, tokens) => {
    globalThis.running[name] ??= globalThis.contestants[name]();
    return globalThis.running[name].run(prompts, tokens);
  };
}

const server = await serve();
const browser = await chromium.launch({ executablePath: process.env.DND_CHROMIUM ?? "/usr/bin/chromium", args: FLAGS.split(" ") });
const page = await browser.newPage();
page.setDefaultTimeout(0);
if (process.env.BENCH_LOG) page.on("console", (message) => console.error(message.text()));
await page.goto(`http://127.0.0.1:${server.address().port}/bench.html`);
await page.evaluate(prepare);
const hasPeer = Boolean(BENCH_ORT && BENCH_ONNX);
const all = await page.evaluate(() => Object.keys(globalThis.contestants));
const names = all.filter((name) => name.includes(BENCH_ONLY) && (hasPeer || !name.startsWith("onnx")));
const seconds = {};
for (let round = 0; round <= rounds; round += 1) {
  for (const name of names) {
    const taken = await page.evaluate(([name, prompts, tokens]) => globalThis.run(name, prompts, tokens), [name, prompts, tokens]);
    for (const [work, value] of Object.entries(taken)) {
      const list = ((seconds[work] ??= {})[name] ??= []);
      list.push(value);
    }
  }
}
await browser.close();
server.close();

const rows = [];
for (const [work, contestants] of Object.entries(seconds)) {
  for (const [name, values] of Object.entries(contestants)) {
    const [first, ...others] = values;
    const median = [...others].sort((a, b) => a - b)[Math.floor(others.length / 2)];
    const shape = work === "encode" ? `encode ${prompts} x ${tokens}` : work;
    rows.push({ work: `${shape}, Chromium`, contestant: name, first, seconds: others, median });
    console.log(`| ${shape}, Chromium | ${name} | ${median.toFixed(4)} s | first ${first.toFixed(2)} s |`);
  }
}
if (BENCH_JSON) writeFileSync(BENCH_JSON, JSON.stringify(rows, null, 2));
