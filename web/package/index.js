// The generator and the base model of DnD for other pages. They run in workers, with which this
// module exchanges the messages of `web/src/protocol.rs`.

export class DndError extends Error {
  constructor(code, message) {
    super(message);
    this.name = "DndError";
    this.code = code;
  }
}

const aborted = () => new DndError("aborted", "The signal was aborted.");

/** A worker and the requests that it has not answered. */
class Link {
  #worker;
  #last = 0;
  #waiting = new Map();

  constructor() {
    this.#worker = new Worker(new URL("./worker/worker-start.js", import.meta.url), {
      type: "module",
    });
    this.#worker.onmessage = ({ data: [json, ...files] }) => this.#receive(JSON.parse(json), files);
    this.#worker.onerror = (event) => {
      const reason = event.message ?? "its script cannot be loaded";
      this.end(new DndError("other", `The worker stopped: ${reason}`));
    };
  }

  get isOpen() {
    return this.#worker !== undefined;
  }

  /**
   * Sends a request; resolves with the event of kind `answer` and its files. `onEvent` gets the
   * events before.
   */
  ask(request, answer, { files = [], onEvent } = {}) {
    if (!this.isOpen) throw new DndError("other", "The worker was ended.");
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { answer, resolve, reject, onEvent });
      this.#worker.postMessage([JSON.stringify({ id, ...request }), ...files]);
    });
  }

  /** Sends a request that has no answer. */
  post(request) {
    this.#last += 1;
    this.#worker?.postMessage([JSON.stringify({ id: this.#last, ...request })]);
  }

  /** Terminates the worker; requests without an answer fail. */
  end(error) {
    this.#worker?.terminate();
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #receive(event, files) {
    const waiting = this.#waiting.get(event.id);
    if (event.kind === "failed") {
      const error = new DndError(event.cause, event.message);
      if (!waiting) return this.end(error);
      this.#waiting.delete(event.id);
      return waiting.reject(error);
    }
    waiting?.onEvent?.(event);
    if (event.kind !== waiting?.answer) return;
    this.#waiting.delete(event.id);
    waiting.resolve([event, files]);
  }
}

export class Adapter {
  #files;

  constructor(report, [zip, model, config, gguf]) {
    this.baseModel = report.base_model;
    this.sha256 = report.sha256;
    this.#files = { zip, model, config, gguf };
  }

  peft() {
    const { model, config } = this.#files;
    return { "adapter_model.safetensors": model, "adapter_config.json": config };
  }

  gguf() {
    if (!this.#files.gguf) {
      throw new DndError("other", "The bundle lacks the sizes of its base model.");
    }
    return this.#files.gguf;
  }

  zip() {
    return this.#files.zip;
  }
}

/** Prompts that the generator reads. */
const READ = 16;

/** Runs calls one after another. */
class Queue {
  #last = Promise.resolve();

  run(act) {
    const next = this.#last.then(act);
    this.#last = next.catch(() => {});
    return next;
  }
}

const wrong = (field, expected, found) =>
  new DndError("other", `${field}: expected ${expected}, found ${JSON.stringify(found)}`);

function checkNumber(field, value, expected, isRight) {
  if (typeof value !== "number" || !isRight(value)) throw wrong(field, expected, value);
}

const isWhole = (value) => Number.isSafeInteger(value) && value >= 0;

export class Dnd {
  #options;
  #generator;
  #base;
  /** The adapter that the worker with the base model has. */
  #adapter;
  #isDisposed = false;
  /** All workers, those that are being opened too. */
  #links = new Set();
  #generations = new Queue();
  #answers = new Queue();

  constructor(options) {
    this.#options = options;
  }

  #onEvent = (event) => {
    const { kind, stage, done, total, speed } = event;
    if (kind === "device") this.device = event.name;
    if (kind === "progress") this.#options.onProgress?.({ stage, done, total, speed });
  };

  /** A worker that has answered these requests, each with the kind of its answer. */
  async #open(requests, signal) {
    const link = new Link();
    this.#links.add(link);
    try {
      for (const [request, answer] of requests) await this.#ask(link, request, answer, signal);
      return link;
    } catch (error) {
      link.end(error);
      this.#links.delete(link);
      throw error;
    }
  }

  /** Asks a worker that computes without a pause: to abort, it is ended. */
  async #ask(link, request, answer, signal) {
    const end = () => link.end(aborted());
    signal?.addEventListener("abort", end);
    try {
      return await link.ask(request, answer, { onEvent: this.#onEvent });
    } finally {
      signal?.removeEventListener("abort", end);
    }
  }

  /** Fails if the signal is aborted, or if this was disposed of. */
  #check(signal) {
    if (signal?.aborted) throw aborted();
    if (this.#isDisposed) throw new DndError("other", "The generator was disposed of.");
  }

  /** Chooses a device and loads the generator, unless that is done. */
  prepare(signal) {
    return this.#generations.run(async () => {
      this.#check(signal);
      if (this.#generator?.isOpen) return this;
      const { models, model, device } = this.#options;
      const start = [{ kind: "start", device, base: models, model }, "files"];
      this.#generator = await this.#open([start, [{ kind: "prepare" }, "prepared"]], signal);
      return this;
    });
  }

  async generate(prompts, { seed = 0, describe, signal } = {}) {
    // A description is always read, beside as many prompts as there is room for.
    const given =
      describe === undefined ? prompts : [describe, ...(prompts ?? []).slice(0, READ - 1)];
    if (!Array.isArray(given) || !given.every((prompt) => typeof prompt === "string")) {
      throw wrong("prompts", "a list of texts", given);
    }
    const used = given.filter((prompt) => prompt.trim() !== "");
    if (used.length === 0) throw wrong("prompts", "at least one text", given);
    checkNumber("seed", seed, "a whole number from 0", isWhole);
    await this.prepare(signal);
    return this.#generations.run(async () => {
      this.#check(signal);
      const request = { kind: "generate", prompts: used, seed };
      const [report, files] = await this.#ask(this.#generator, request, "done", signal);
      return new Adapter(report, files);
    });
  }

  async complete(prompt, options = {}) {
    const { adapter, onToken, signal, maxTokens = 128 } = options;
    const { temperature = 0, topP = 0.95, seed = 0 } = options;
    if (typeof prompt !== "string" || prompt.trim() === "") throw wrong("prompt", "a text", prompt);
    checkNumber("maxTokens", maxTokens, "a whole number from 0", isWhole);
    checkNumber("seed", seed, "a whole number from 0", isWhole);
    checkNumber("temperature", temperature, "a number from 0", (value) => value >= 0);
    checkNumber("topP", topP, "a number from 0 to 1", (value) => value >= 0 && value <= 1);
    const decoding = { max_tokens: maxTokens, temperature, top_p: topP, seed };
    return this.#answers.run(async () => {
      this.#check(signal);
      if (!this.#base?.isOpen) {
        this.#adapter = undefined;
        const { models, model } = this.#options;
        const open = { kind: "open_base", base: models, model, device: "cpu" };
        this.#base = await this.#open([[open, "opened"]], signal);
      }
      const base = this.#base;
      if (adapter && this.#adapter !== adapter) {
        await base.ask({ kind: "adapt" }, "adapted", { files: Object.values(adapter.peft()) });
        this.#adapter = adapter;
      }
      const request = { kind: "answer", prompt, adapted: adapter !== undefined, decoding };
      const stop = () => base.post({ kind: "stop" });
      signal?.addEventListener("abort", stop);
      let text = "";
      const onEvent = (event) => {
        if (event.kind !== "text") return;
        text += event.text;
        onToken?.(event.text);
      };
      try {
        const answer = base.ask(request, "answered", { onEvent });
        if (signal?.aborted) stop();
        const [answered] = await answer;
        if (answered.stopped) throw aborted();
        return text;
      } finally {
        signal?.removeEventListener("abort", stop);
      }
    });
  }

  dispose() {
    this.#isDisposed = true;
    const error = new DndError("other", "The generator was disposed of.");
    for (const link of this.#links) link.end(error);
    this.#links.clear();
  }
}

export async function load({ models, model, device = "auto", onProgress, signal } = {}) {
  if (typeof models !== "string" && !(models instanceof URL)) {
    throw wrong("models", "an address", models);
  }
  if (model !== undefined && typeof model !== "string") throw wrong("model", "a name", model);
  const folder = new URL(models, globalThis.document?.baseURI ?? globalThis.location?.href).href;
  const base = folder.endsWith("/") ? folder : `${folder}/`;
  return new Dnd({ models: base, model, device, onProgress }).prepare(signal);
}
