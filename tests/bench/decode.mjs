// Benchmarks answers of the base model, without and with an adapter: in Chromium on one thread
// against wllama, alternating in one page, and natively on two threads against llama.cpp. The
// decode part of `cargo xtask bench`.
//
// Environment:
// - DND: the program
// - DND_PAGE, DND_CHROMIUM: the built page and the browser; NODE_PATH: has @playwright/test
// - BENCH_ADAPTER: folder with adapter_model.safetensors and adapter_config.json
// - BENCH_WLLAMA: the folder `esm` of @wllama/wllama (optional)
// - BENCH_LLAMA: the file `dist/index.js` of node-llama-cpp (optional)
// - BENCH_JSON: file to write the results to
// - BENCH_ROUNDS: timed runs of each implementation, after one warm-up run

import { execFileSync } from "node:child_process";
import { createReadStream, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join, normalize } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(import.meta.url);
const { chromium } = require("@playwright/test");

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};
/** Tokens to decode. */
const TOKENS = 128;
/** Words of the long prompt, about 200 tokens. */
const WORDS = 185;

const { DND, DND_PAGE, BENCH_WLLAMA, BENCH_LLAMA, BENCH_ADAPTER, BENCH_JSON } = process.env;
const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const base = JSON.parse(readFileSync(join(DND_PAGE, "manifest.json"), "utf8")).base_model.path;

function serve() {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://bench").pathname));
    let file = join(DND_PAGE, path);
    if (path.startsWith("/wllama/")) file = join(BENCH_WLLAMA, path.slice(8));
    if (path.startsWith("/adapter/")) file = join(BENCH_ADAPTER, path.slice(9));
    if (path === "/bench.html") {
      response.writeHead(200, { "content-type": "text/html" });
      response.end("<!doctype html><title>bench</title>");
    } else if (existsSync(file)) {
      const type = TYPES[extname(file)] ?? "application/octet-stream";
      response.writeHead(200, { "content-type": type });
      createReadStream(file).pipe(response);
    } else {
      response.writeHead(404).end();
    }
  });
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done(server)));
}

/** A prompt in the chat template of the base model. */
function rendered(prompt) {
  const system = "You are a helpful AI assistant named SmolLM, trained by Hugging Face";
  return (
    `<|im_start|>system\n${system}<|im_end|>\n<|im_start|>user\n${prompt}<|im_end|>\n` +
    "<|im_start|>assistant\n"
  );
}

/** Native implementations by name, as in the page. */
async function native() {
  const model = join(DND_PAGE, base);
  const ours = (prompt, tokens) => {
    const options = ["--max-tokens", String(tokens), "--base", model, "--stats"];
    const run = ["-c", '"$@" 2>&1 >/dev/null', "sh", DND, "complete", prompt, ...options];
    const told = execFileSync("sh", run, { encoding: "utf8" });
    const said = /after ([\d.]+) s; answer: (\d+) tokens(?:, ([\d.]+))?/;
    const [, first, count, rate] = said.exec(told);
    return { prompt: Number(first), answer: 1 / Number(rate), tokens: Number(count) };
  };
  if (!BENCH_LLAMA) return { "dnd complete": ours };
  const { getLlama, LlamaCompletion } = await import(pathToFileURL(BENCH_LLAMA));
  const options = { gpu: false, build: "never", skipDownload: true, logLevel: "error" };
  const llama = await getLlama(options);
  const peer = await llama.loadModel({ modelPath: model });
  const context = await peer.createContext({ contextSize: 1024, threads: 2 });
  const sequence = context.getSequence();
  const completion = new LlamaCompletion({ contextSequence: sequence });
  const theirs = async (prompt, tokens) => {
    await sequence.clearHistory();
    const started = performance.now();
    let first;
    let count = 0;
    const onToken = (tokens) => {
      first ??= performance.now();
      count += tokens.length;
    };
    const text = peer.tokenize(rendered(prompt), true);
    await completion.generateCompletion(text, { maxTokens: tokens, temperature: 0, onToken });
    const rest = (performance.now() - first) / 1e3;
    return { prompt: (first - started) / 1e3, answer: rest / (count - 1), tokens: count };
  };
  return { "dnd complete": ours, "llama.cpp": theirs };
}

/** In the page: implementations by name. `run` returns tokens and seconds of prompt and answer. */
function prepare([tokens, base]) {
  const bytes = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());

  class Dnd {
    #id = 0;
    #waiting;
    constructor(adapted) {
      this.adapted = adapted;
      this.worker = new Worker("/worker-start.js?base-model", { type: "module" });
      this.worker.onmessage = ({ data: [json] }) => {
        const told = JSON.parse(json);
        if (told.kind === "failed") this.#waiting?.reject(new Error(told.message));
        if (told.kind === this.#waiting?.kind) this.#waiting.resolve(told);
      };
      this.worker.onerror = ({ message }) => this.#waiting?.reject(new Error(message));
      this.ready = this.#open();
    }
    async #open() {
      await this.#ask("opened", { kind: "open_base", base: new URL("/", location.href).href });
      const files = ["adapter_model.safetensors", "adapter_config.json"];
      const adapter = await Promise.all(files.map((name) => bytes(`/adapter/${name}`)));
      // With weights of zero, the answers are as long as without an adapter.
      adapter[0].fill(0, 8 + Number(new DataView(adapter[0].buffer).getBigUint64(0, true)));
      await this.#ask("adapted", { kind: "adapt" }, adapter);
    }
    #ask(kind, request, files = []) {
      this.#id += 1;
      return new Promise((resolve, reject) => {
        this.#waiting = { kind, resolve, reject };
        this.worker.postMessage([JSON.stringify({ id: this.#id, ...request }), ...files]);
      });
    }
    async run(prompt, tokens) {
      await this.ready;
      const decoding = { max_tokens: tokens, temperature: 0, top_p: 1, seed: 0 };
      const request = { kind: "answer", prompt, adapted: this.adapted, decoding };
      const told = await this.#ask("answered", request);
      return { prompt: told.first, answer: 1 / (told.rate ?? Infinity), tokens: told.tokens };
    }
  }

  class Peer {
    async #open() {
      const { Wllama } = await import("/wllama/index.js");
      const program = { default: "/wllama/wasm/wllama.wasm" };
      this.wllama = new Wllama(program, { suppressNativeLog: true });
      const model = new Blob([await bytes(`/${base}`)]);
      await this.wllama.loadModel([model], { n_threads: 1, n_ctx: 1024, n_gpu_layers: 0 });
    }
    async run(prompt, tokens) {
      this.ready ??= this.#open();
      await this.ready;
      const options = { prompt: globalThis.rendered(prompt), max_tokens: tokens, temperature: 0 };
      const { timings } = await this.wllama.createCompletion(options);
      const count = timings.predicted_n;
      return {
        prompt: timings.prompt_ms / 1e3,
        answer: timings.predicted_ms / 1e3 / count,
        tokens: count,
      };
    }
  }

  globalThis.contestants = {
    "dnd, WASM": () => new Dnd(false),
    "dnd with an adapter, WASM": () => new Dnd(true),
    "wllama, WASM": () => new Peer(),
  };
  globalThis.running = {};
  globalThis.run = (name, prompt, count) => {
    globalThis.running[name] ??= globalThis.contestants[name]();
    return globalThis.running[name].run(prompt, count);
  };
}

const server = await serve();
const browser = await chromium.launch({
  executablePath: process.env.DND_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-quic", "--no-first-run"],
});
const page = await browser.newPage();
page.setDefaultTimeout(0);
if (process.env.BENCH_LOG) page.on("console", (message) => console.error(message.text()));
await page.goto(`http://127.0.0.1:${server.address().port}/bench.html`);
await page.evaluate(prepare, [TOKENS, base]);
await page.evaluate(`globalThis.rendered = ${rendered}`);
const all = await page.evaluate(() => Object.keys(globalThis.contestants));
const names = all.filter((name) => BENCH_WLLAMA || !name.startsWith("wllama"));
const inPage = (name) => (prompt, count) =>
  page.evaluate(([name, prompt, count]) => globalThis.run(name, prompt, count), [
    name,
    prompt,
    count,
  ]);
const rows = [];

/** Runs implementations by turns. `where` names the device. */
async function compare(where, contestants) {
  const short = `decode ${TOKENS} tokens, ${where}`;
  const long = `first token after about 200, ${where}`;
  const seconds = { [short]: {}, [long]: {} };
  for (let round = 0; round <= rounds; round += 1) {
    // Other words in each round, as caches keep what prompts begin with.
    const words = Array.from({ length: WORDS }, (_, place) => "abcdefgh"[(place * 5 + round) % 8]);
    for (const [name, run] of Object.entries(contestants)) {
      const story = await run(`Tell a long story about ${round + 2} whales.`, TOKENS);
      if (story.tokens < TOKENS) console.log(`${name}: only ${story.tokens} tokens`);
      const first = await run(`${round + 2} ${words.join(" ")}`, 2);
      (seconds[short][name] ??= []).push(story.answer);
      (seconds[long][name] ??= []).push(first.prompt);
    }
  }
  for (const [work, contestants] of Object.entries(seconds)) {
    for (const [contestant, [first, ...others]] of Object.entries(contestants)) {
      const sorted = [...others].sort((a, b) => a - b);
      const median = sorted.length > 0 ? sorted[Math.floor(sorted.length / 2)] : first;
      // A median of the first is the time of one token.
      const speed = work === short ? { rate: 1 / median, unit: "token" } : {};
      rows.push({ work, contestant, first, seconds: others, median, ...speed });
      const rate = work === short ? `, ${(1 / median).toFixed(1)} tokens/s` : "";
      console.log(`| ${work} | ${contestant} | ${median.toFixed(4)} s${rate} |`);
    }
  }
}

await compare(
  "Chromium, one thread",
  Object.fromEntries(names.map((name) => [name, inPage(name)])),
);
await browser.close();
server.close();
await compare("native, two threads", await native());
if (BENCH_JSON) writeFileSync(BENCH_JSON, JSON.stringify(rows, null, 2));
process.exit(0);
