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
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { answer, resolve, reject, onEvent });
      this.#worker.postMessage([JSON.stringify({ id, ...request }), ...files]);
    });
  }

  /** Sends a request that has no answer. */
  tell(request) {
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
      throw new DndError("other", "The bundle does not tell its base model's sizes.");
    }
    return this.#files.gguf;
  }

  zip() {
    return this.#files.zip;
  }
}

export class Dnd {
  #options;
  #generator;
  #base;
  /** The adapter that the worker with the base model has. */
  #adapter;

  constructor(options) {
    this.#options = options;
  }

  /** The worker that generates, with the models loaded. */
  async #open(signal) {
    if (!this.#generator?.isOpen) {
      const link = new Link();
      this.#generator = link;
      const { models, device } = this.#options;
      const start = { kind: "start", device, base: models };
      const onEvent = (event) => {
        if (event.kind === "device") this.device = event.name;
      };
      await this.#ending(link, signal, () => link.ask(start, "files", { onEvent }));
      await this.#ending(link, signal, () => link.ask({ kind: "prepare" }, "prepared", this.#told));
    }
    return this.#generator;
  }

  get #told() {
    const onEvent = (event) => {
      const { kind, stage, done, total, speed } = event;
      if (kind === "progress") this.#options.onProgress?.({ stage, done, total, speed });
    };
    return { onEvent };
  }

  /** Runs `act`; when the signal is aborted, ends the worker, which computes without a pause. */
  async #ending(link, signal, act) {
    if (signal?.aborted) throw aborted();
    const end = () => link.end(aborted());
    signal?.addEventListener("abort", end);
    try {
      return await act();
    } finally {
      signal?.removeEventListener("abort", end);
    }
  }

  /** Chooses a device and loads the generator. */
  async prepare(signal) {
    await this.#open(signal);
    return this;
  }

  async generate(prompts, { seed = 0, describe, signal } = {}) {
    const given = describe === undefined ? prompts : [describe];
    if (!Array.isArray(given) || !given.every((prompt) => typeof prompt === "string")) {
      throw new DndError("other", "prompts: expected a list of texts");
    }
    const used = given.filter((prompt) => prompt.trim() !== "");
    if (used.length === 0) throw new DndError("other", "prompts: expected at least one text");
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new DndError("other", `seed: expected a whole number from 0, found ${seed}`);
    }
    const link = await this.#open(signal);
    const request = { kind: "generate", prompts: used, seed };
    const [report, files] = await this.#ending(link, signal, () =>
      link.ask(request, "done", this.#told),
    );
    return new Adapter(report, files);
  }

  async complete(prompt, options = {}) {
    const { adapter, onToken, signal, maxTokens = 128 } = options;
    const { temperature = 0, topP = 0.95, seed = 0 } = options;
    if (!this.#base?.isOpen) {
      const link = new Link();
      this.#base = link;
      this.#adapter = undefined;
      const open = { kind: "open_base", base: this.#options.models };
      await this.#ending(link, signal, () => link.ask(open, "opened", this.#told));
    }
    const base = this.#base;
    if (adapter && this.#adapter !== adapter) {
      await base.ask({ kind: "adapt" }, "adapted", { files: Object.values(adapter.peft()) });
      this.#adapter = adapter;
    }
    if (signal?.aborted) throw aborted();
    const decoding = { max_tokens: maxTokens, temperature, top_p: topP, seed };
    const request = { kind: "answer", prompt, adapted: adapter !== undefined, decoding };
    const stop = () => base.tell({ kind: "stop" });
    signal?.addEventListener("abort", stop);
    let text = "";
    const onEvent = (event) => {
      if (event.kind !== "text") return;
      text += event.text;
      onToken?.(event.text);
    };
    try {
      const [answered] = await base.ask(request, "answered", { onEvent });
      if (answered.stopped) throw aborted();
      return text;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  dispose() {
    const error = new DndError("other", "The generator was disposed of.");
    this.#generator?.end(error);
    this.#base?.end(error);
  }
}

export async function load({ models, device = "auto", onProgress, signal }) {
  const folder = new URL(models, document.baseURI).href;
  const base = folder.endsWith("/") ? folder : `${folder}/`;
  return new Dnd({ models: base, device, onProgress }).prepare(signal);
}
