// Benchmarks the built page's encoder and generator in Chromium against plain burn and
// onnxruntime-web, alternating in one page: the browser part of `cargo xtask bench`.
//
// Environment:
// - DND_PAGE, DND_CHROMIUM: the built page and the browser; NODE_PATH: has @playwright/test
// - BENCH_ORT, BENCH_ONNX: the folder `dist` of onnxruntime-web, the encoder as ONNX (optional)
// - BENCH_JSON: file to write the results to
// - BENCH_SHAPE: prompts and tokens, such as 8x32
// - BENCH_ROUNDS: timed runs of each implementation, after one warm-up run
// - BENCH_ONLY: run only implementations whose name contains this
// - BENCH_GROWTH=no: skip the scaling runs
// The matmul throughput of the device is measured with our kernels.

import { createReadStream, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join, normalize } from "node:path";

const require = createRequire(import.meta.url);
const { chromium } = require("@playwright/test");

const FLAGS =
  "--headless=new --no-sandbox --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader " +
  "--disable-quic --no-first-run " +
  "--disable-background-networking --disable-component-update --disable-sync";
const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

const { DND_PAGE, BENCH_ORT, BENCH_ONNX, BENCH_JSON, BENCH_ONLY = "" } = process.env;
const [prompts, tokens] = (process.env.BENCH_SHAPE ?? "8x32").split("x").map(Number);
const rounds = Number(process.env.BENCH_ROUNDS ?? 3);

/** Shapes of the scaling runs. */
const GROWTH = [
  "4x32",
  "16x32",
  "64x32",
  "128x32",
  "256x32",
  "512x32",
  "32x8",
  "32x16",
  "32x64",
  "32x128",
  "32x256",
];
/** Implementations in the scaling runs. */
const GROWING = ["dnd kernels, WebGPU", "dnd, WASM"];
/** Rows, columns and depth of the matmul that measures the device's throughput. */
const SIZE = 1024;
/** The encoder's layers, hidden size and feed-forward size. */
const [LAYERS, WIDTH, INNER] = [6, 384, 1536];

/** Floating-point operations of the encoder. */
function encoderWork(prompts, tokens) {
  const aToken = 4 * WIDTH * WIDTH + 2 * WIDTH * INNER + 2 * tokens * WIDTH;
  return 2 * LAYERS * prompts * tokens * aToken;
}

/** The matmul kernel, assembled as in `dnd-kernels`. */
function productText() {
  const files = [
    "shared/weights_f32",
    "shared/matmul_block",
    "shared/linear_epilogue_identity",
    "linear",
  ];
  const text = files.map((name) =>
    readFileSync(new URL(`../../shaders/${name}.wgsl`, import.meta.url), "utf8"),
  );
  return ["const TILE_COLUMNS: u32 = 8u;\nconst TILE_ROWS: u32 = 8u;\n", ...text].join("");
}

/** In the page: seconds of each matmul of square matrices; the first one is a warm-up. */
async function product([code, size, rounds]) {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) return [];
  const device = await adapter.requestDevice();
  const module = device.createShaderModule({ code });
  const pipeline = await device.createComputePipelineAsync({
    layout: "auto",
    compute: { module, entryPoint: "main" },
  });
  const storage = (numbers) =>
    device.createBuffer({ size: numbers * 4, usage: GPUBufferUsage.STORAGE });
  const buffers = [
    storage(size * size),
    storage(size * size),
    storage(size),
    storage(size),
    storage(size * size),
  ];
  const sizes = device.createBuffer({
    size: 16,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(sizes, 0, new Uint32Array([size, size / 4, size / 4, 0]));
  const entries = [...buffers, sizes].map((buffer, binding) => ({ binding, resource: { buffer } }));
  const bindings = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  const seconds = [];
  for (let round = 0; round <= rounds; round += 1) {
    const started = performance.now();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindings);
    pass.dispatchWorkgroups(size / 64, size / 64);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    seconds.push((performance.now() - started) / 1e3);
  }
  return seconds;
}

/** Serves the page and onnxruntime-web, cross-origin isolated, as threads require. */
function serve() {
  const server = createServer((request, response) => {
    response.setHeader("cross-origin-opener-policy", "same-origin");
    response.setHeader("cross-origin-embedder-policy", "require-corp");
    const path = normalize(decodeURIComponent(new URL(request.url, "http://bench").pathname));
    let file = join(DND_PAGE, path);
    if (path.startsWith("/ort/")) file = join(BENCH_ORT, path.slice(5));
    if (path === "/encoder.onnx") file = BENCH_ONNX;
    if (path === "/bench.html") {
      response.writeHead(200, { "content-type": "text/html" });
      response.end("<!doctype html><title>bench</title>");
    } else if (existsSync(file)) {
      response.writeHead(200, {
        "content-type": TYPES[extname(file)] ?? "application/octet-stream",
      });
      createReadStream(file).pipe(response);
    } else {
      response.writeHead(404).end();
    }
  });
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done(server)));
}

/** In the page: implementations by name; their `run` returns seconds by workload. */
function prepare() {
  const places = (count) =>
    Array.from({ length: count }, (_, place) => 1000 + ((place * 7919) % 20_000));

  class Dnd {
    #id = 0;
    #waiting;
    constructor(device, kernels, helpers = false) {
      this.kernels = kernels;
      this.helpers = helpers;
      this.worker = new Worker("/worker-start.js", { type: "module" });
      this.worker.onmessage = ({ data: [json] }) => {
        const told = JSON.parse(json);
        if (told.kind === "failed") this.#waiting?.reject(new Error(told.message));
        if (told.kind === this.#waiting?.kind) this.#waiting.resolve(told);
      };
      this.worker.onerror = ({ message }) => this.#waiting?.reject(new Error(message));
      this.ready = this.#ask("files", {
        kind: "start",
        device,
        base: new URL("/", location.href).href,
      });
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
      const { encode, decode } = await this.#ask("measured", {
        kind: "measure",
        prompts,
        tokens,
        kernels: this.kernels,
        helpers: this.helpers,
      });
      return { encode, decode };
    }
  }

  class Ort {
    constructor(provider, threads = 1) {
      this.provider = provider;
      this.threads = threads;
    }
    async run(prompts, tokens) {
      if (!this.session) {
        // A separate module instance, because each has one thread count for all its sessions.
        this.ort = await import(`/ort/ort.all.min.mjs?threads=${this.threads}`);
        this.ort.env.wasm.wasmPaths = new URL("/ort/", location.href).href;
        this.ort.env.wasm.numThreads = this.threads;
        this.session = await this.ort.InferenceSession.create("/encoder.onnx", {
          executionProviders: [this.provider],
        });
      }
      const whole = (numbers) =>
        new this.ort.Tensor("int64", BigInt64Array.from(numbers, BigInt), [prompts, tokens]);
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
    // One worker per core, up to four, if memory allows.
    "dnd, WASM, workers": () => new Dnd("cpu", true, true),
    "onnxruntime-web, WASM": () => new Ort("wasm"),
    "onnxruntime-web, WASM, threads": () =>
      new Ort("wasm", Math.min(navigator.hardwareConcurrency, 4)),
  };
  globalThis.running = {};
  globalThis.run = (name, prompts, tokens) => {
    globalThis.running[name] ??= globalThis.contestants[name]();
    return globalThis.running[name].run(prompts, tokens);
  };
}

const server = await serve();
const browser = await chromium.launch({
  executablePath: process.env.DND_CHROMIUM ?? "/usr/bin/chromium",
  args: FLAGS.split(" "),
});
const page = await browser.newPage();
page.setDefaultTimeout(0);
if (process.env.BENCH_LOG) page.on("console", (message) => console.error(message.text()));
await page.goto(`http://127.0.0.1:${server.address().port}/bench.html`);
await page.evaluate(prepare);
// Only the generator's own shape is split over workers.
const areShared = prompts === 32 && tokens === 32;
const hasPeer = Boolean(BENCH_ORT && BENCH_ONNX);
const all = await page.evaluate(() => Object.keys(globalThis.contestants));
const names = all.filter(
  (name) =>
    name.includes(BENCH_ONLY) &&
    (hasPeer || !name.startsWith("onnx")) &&
    (areShared || !/workers|threads/.test(name)),
);
const seconds = {};
for (let round = 0; round <= rounds; round += 1) {
  for (const name of names) {
    const taken = await page.evaluate(
      ([name, prompts, tokens]) => globalThis.run(name, prompts, tokens),
      [name, prompts, tokens],
    );
    for (const [work, value] of Object.entries(taken)) {
      const list = ((seconds[work] ??= {})[name] ??= []);
      list.push(value);
    }
  }
}
const rows = [];

/** Adds a row; the first time is the warm-up. `work`: floating-point operations, if known. */
function add(name, contestant, [first, ...others], work) {
  const sorted = [...others].sort((a, b) => a - b);
  const median = sorted.length > 0 ? sorted[Math.floor(sorted.length / 2)] : first;
  const speed = work ? { rate: work / median / 1e9, unit: "GFLOP" } : {};
  rows.push({ work: `${name}, Chromium`, contestant, first, seconds: others, median, ...speed });
  console.log(
    `| ${name}, Chromium | ${contestant} | ${median.toFixed(4)} s | first ${first.toFixed(2)} s |`,
  );
}

for (const [work, contestants] of Object.entries(seconds)) {
  for (const [name, values] of Object.entries(contestants)) {
    const isEncoder = work === "encode";
    const shape = isEncoder ? `encode ${prompts} x ${tokens}` : work;
    add(shape, name, values, isEncoder && encoderWork(prompts, tokens));
  }
}
for (const name of GROWING.filter((name) => names.includes(name))) {
  for (const shape of process.env.BENCH_GROWTH === "no" ? [] : GROWTH) {
    const [prompts, tokens] = shape.split("x").map(Number);
    const taken = await page.evaluate(
      ([name, prompts, tokens]) => globalThis.run(name, prompts, tokens),
      [name, prompts, tokens],
    );
    add(
      `growth, encode ${prompts} x ${tokens}`,
      name,
      [taken.encode],
      encoderWork(prompts, tokens),
    );
  }
}
if (names.includes(GROWING[0])) {
  const values = await page.evaluate(product, [productText(), SIZE, rounds]);
  if (values.length > 0) add(`product of ${SIZE} x ${SIZE}`, GROWING[0], values, 2 * SIZE ** 3);
}
await browser.close();
server.close();
if (BENCH_JSON) writeFileSync(BENCH_JSON, JSON.stringify(rows, null, 2));
