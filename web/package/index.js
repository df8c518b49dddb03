// The generator and the base model of DnD, for its own page and for others. They run in workers,
// with which this module exchanges the messages of `web/src/protocol.rs`.

export class DndError extends Error {
  constructor(code, message) {
    super(message);
    this.name = "DndError";
    this.code = code;
  }
}

const aborted = () => new DndError("aborted", "The signal was aborted.");

/** Starts the package's own worker. Bundlers look for exactly this expression. */
const ownWorker = () =>
  new Worker(new URL("./worker/worker-start.js", import.meta.url), { type: "module" });

/** A worker and the requests that it has not answered. */
class Link {
  #worker;
  #onEvent;
  #onLost;
  #last = 0;
  #waiting = new Map();

  /** `onEvent` gets all events; `onLost` why the worker ended, if no request was waiting. */
  constructor(worker, { onEvent, onLost }) {
    this.#worker = worker;
    this.#onEvent = onEvent;
    this.#onLost = onLost;
    worker.onmessage = ({ data: [json, ...files] }) => this.#receive(JSON.parse(json), files);
    worker.onerror = (event) => {
      const reason = event.message ?? "its script cannot be loaded";
      this.#lose(new DndError("other", `The worker stopped: ${reason}`));
    };
  }

  get isOpen() {
    return this.#worker !== undefined;
  }

  /**
   * Sends a request; resolves with the event of kind `answer` and its files. `onEvent` gets its
   * events.
   */
  ask(request, answer, { files = [], onEvent } = {}) {
    if (!this.isOpen) throw new DndError("other", "The worker was ended.");
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      try {
        this.#worker.postMessage([JSON.stringify({ id, ...request }), ...files]);
      } catch (error) {
        // The buffer of a file was transferred.
        throw new DndError("other", `The worker cannot be asked: ${error.message}`);
      }
      this.#waiting.set(id, { answer, resolve, reject, onEvent });
    });
  }

  /** Sends a request that has no answer. */
  post(request) {
    this.#last += 1;
    this.#worker?.postMessage([JSON.stringify({ id: this.#last, ...request })]);
  }

  /** Terminates the worker; requests without an answer fail. */
  end(error) {
    if (!this.isOpen) return;
    // Messages may be on their way.
    this.#worker.onmessage = this.#worker.onerror = null;
    this.#worker.terminate();
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #lose(error) {
    const isIdle = this.#waiting.size === 0;
    this.end(error);
    if (isIdle) this.#onLost?.(error);
  }

  #receive(event, files) {
    const waiting = this.#waiting.get(event.id);
    if (event.kind === "failed") {
      const error = new DndError(event.cause, event.message);
      if (!waiting) return this.#lose(error);
      this.#waiting.delete(event.id);
      return waiting.reject(error);
    }
    this.#onEvent?.(event);
    waiting?.onEvent?.(event);
    if (event.kind !== waiting?.answer) return;
    this.#waiting.delete(event.id);
    waiting.resolve([event, files]);
  }
}

export class Adapter {
  #files;

  constructor(report, [zip, model, config, gguf]) {
    this.report = report;
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
/** What a worker can count to. */
const MOST = 2 ** 32 - 1;

/**
 * Has options beyond those of `load`, for DnD's own page: `answers`, the device of the base model;
 * `program`, the address of `worker-start.js`; `onEvent`, which gets all events of the workers;
 * `onLost`, which gets the error of a worker that ended by itself while nothing was asked of it.
 */
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
    this.#options = { device: "auto", answers: "cpu", ...options };
  }

  /** Whether the base model can be asked at once. */
  get baseIsOpen() {
    return this.#base?.isOpen ?? false;
  }

  /** A worker that has answered the request with an event of kind `answer`. */
  async #open(request, answer, signal) {
    const { program, onProgress, onEvent, onLost } = this.#options;
    const isBase = request.kind === "open_base";
    const worker = program
      ? // Logs and tests tell the workers apart by the query.
        new Worker(isBase ? `${program}?base-model` : program, { type: "module" })
      : ownWorker();
    const listen = (event) => {
      const { kind, stage, done, total, speed } = event;
      if (kind === "device" && !isBase) this.device = event.name;
      if (kind === "progress") onProgress?.({ stage, done, total, speed });
      onEvent?.(event);
    };
    const link = new Link(worker, { onEvent: listen, onLost });
    this.#links = new Set([...this.#links].filter(({ isOpen }) => isOpen)).add(link);
    try {
      await this.#ask(link, request, answer, signal);
      return link;
    } catch (error) {
      link.end(error);
      throw error;
    }
  }

  /** Asks a worker that computes without a pause: to abort, it is ended. */
  async #ask(link, request, answer, signal) {
    const end = () => link.end(aborted());
    signal?.addEventListener("abort", end);
    try {
      return await link.ask(request, answer);
    } catch (error) {
      // The worker may have panicked. A deletion fails where another tab has a file open.
      if (error.code === "other" && request.kind !== "delete") link.end(error);
      throw error;
    } finally {
      signal?.removeEventListener("abort", end);
    }
  }

  /** Fails if the signal is aborted, or if this was disposed of. */
  #check(signal) {
    if (signal?.aborted) throw aborted();
    if (this.#isDisposed) throw new DndError("other", "The generator was disposed of.");
  }

  /** Asks the generator's worker, after what it was asked before; opens it first if need be. */
  #askGenerator(request, answer, signal) {
    return this.#generations.run(async () => {
      this.#check(signal);
      if (!this.#generator?.isOpen) {
        const { models, model, device } = this.#options;
        const start = { kind: "start", device, base: models, model };
        this.#generator = await this.#open(start, "files", signal);
        this.#check(signal);
      }
      return request && this.#ask(this.#generator, request, answer, signal);
    });
  }

  /** Chooses a device and looks which models are stored, unless that is done. */
  async start(signal) {
    await this.#askGenerator(undefined, undefined, signal);
  }

  /** Fetches and loads the generator, unless that is done. */
  async prepare(signal) {
    await this.#askGenerator({ kind: "prepare" }, "prepared", signal);
  }

  /** Deletes the stored models. Ends the worker of the base model, which may have one open. */
  async deleteModels() {
    const error = new DndError("aborted", "The models are being deleted.");
    for (const link of this.#links) if (link !== this.#generator) link.end(error);
    await this.#askGenerator({ kind: "delete" }, "files");
  }

  async generate(prompts, { seed = 0, describe, signal } = {}) {
    const given = prompts ?? [];
    const isText = (text) => typeof text === "string";
    if (!Array.isArray(given) || !given.every(isText)) {
      throw wrong("prompts", "a list of texts", given);
    }
    let used = given.filter((prompt) => prompt.trim() !== "");
    if (describe !== undefined) {
      if (!isText(describe) || describe.trim() === "") throw wrong("describe", "a text", describe);
      // A description is always read, beside as many prompts as there is room for.
      used = [describe, ...used.slice(0, READ - 1)];
    }
    if (used.length === 0) throw wrong("prompts", "at least one text", given);
    checkNumber("seed", seed, "a whole number from 0", isWhole);
    const request = { kind: "generate", prompts: used, seed };
    const [report, files] = await this.#askGenerator(request, "done", signal);
    return new Adapter(report, files);
  }

  async complete(prompt, options = {}) {
    const { adapter, onToken, onAnswered, signal, maxTokens = 128 } = options;
    const { temperature = 0, topP = 0.95, seed = 0 } = options;
    if (typeof prompt !== "string" || prompt.trim() === "") throw wrong("prompt", "a text", prompt);
    checkNumber("maxTokens", maxTokens, `a whole number from 0 to ${MOST}`, (value) => {
      return isWhole(value) && value <= MOST;
    });
    checkNumber("seed", seed, "a whole number from 0", isWhole);
    checkNumber("temperature", temperature, "a number from 0", (value) => {
      return Number.isFinite(value) && value >= 0;
    });
    checkNumber("topP", topP, "a number from 0 to 1", (value) => value >= 0 && value <= 1);
    const decoding = { max_tokens: maxTokens, temperature, top_p: topP, seed };
    return this.#answers.run(async () => {
      this.#check(signal);
      if (!this.#base?.isOpen) {
        this.#adapter = undefined;
        const { models, model, answers } = this.#options;
        const open = { kind: "open_base", base: models, model, device: answers };
        this.#base = await this.#open(open, "opened", signal);
        this.#check(signal);
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
        const { tokens, ended, stopped, first, rate } = answered;
        onAnswered?.({ tokens, ended, stopped, first, rate });
        if (stopped) throw aborted();
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

export async function load({ models, model, device, onProgress, signal } = {}) {
  if (typeof models !== "string" && !(models instanceof URL)) {
    throw wrong("models", "an address", models);
  }
  if (model !== undefined && typeof model !== "string") throw wrong("model", "a name", model);
  const here = globalThis.document?.baseURI ?? globalThis.location?.href;
  if (!URL.canParse(models, here)) throw wrong("models", "an address", models);
  const folder = new URL(models, here).href;
  const base = folder.endsWith("/") ? folder : `${folder}/`;
  const dnd = new Dnd({ models: base, model, device: device ?? "auto", onProgress });
  try {
    await dnd.prepare(signal);
  } catch (error) {
    dnd.dispose();
    throw error;
  }
  return dnd;
}
