/** What went wrong. */
export type Code =
  /** The connection broke; what was downloaded is kept. */
  | "download"
  /** The server no longer has a file that its manifest names. */
  | "outdated"
  /** The server has no generator for the base model. */
  | "no_model"
  /** A file is not what the manifest says. */
  | "corrupt"
  /** The GPU was lost. */
  | "device_lost"
  /** A signal was aborted. */
  | "aborted"
  /** Anything else, such as bad input. */
  | "other";

/** What the functions here throw. */
export declare class DndError extends Error {
  readonly code: Code;
}

/** Progress of a download or of a computation. */
export interface Progress {
  stage: "download" | "verify" | "upload" | "compile" | "encode" | "decode" | "pack";
  /** Units done: bytes, or prompts. */
  done: number;
  /** Units in all; 0 if that is not known. */
  total: number;
  /** Bytes per second, of a download. */
  speed: number | null;
}

export interface LoadOptions {
  /** Address of the folder with `manifest.json` and the models: where the page of DnD is served. */
  models: string | URL;
  /** The base model to generate for, if the server has several. Default: its first. */
  model?: string;
  /** `auto` takes a suitable GPU, else the CPU. */
  device?: "auto" | "cpu" | "webgpu";
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal;
}

export interface GenerateOptions {
  /** Which prompts are read, if there are more than 16. Default: 0. */
  seed?: number;
  /**
   * A description of the task. Prompts, if there are any, are then examples of its inputs, of which
   * the first 15 are read.
   */
  describe?: string;
  signal?: AbortSignal;
}

/** How an answer came about. */
export interface Answered {
  tokens: number;
  /** Whether the model ended its turn; otherwise the answer is cut. */
  ended: boolean;
  /** Whether the signal cut it. */
  stopped: boolean;
  /** Seconds to the first text. */
  first: number;
  /** Tokens per second after it. */
  rate: number | null;
}

export interface CompleteOptions {
  /** The adapter to answer with; without it, the base model answers. */
  adapter?: Adapter;
  onToken?: (text: string) => void;
  onAnswered?: (answered: Answered) => void;
  signal?: AbortSignal;
  /** Default: 128. */
  maxTokens?: number;
  /** 0, the default, takes the most likely token. */
  temperature?: number;
  /** Tokens are drawn from the most likely ones that together reach this. Default: 0.95. */
  topP?: number;
  /** Seed for drawing tokens. Default: 0. */
  seed?: number;
}

/** A generated adapter. */
export declare class Adapter {
  /** The base model that it is for, as on the Hugging Face Hub. */
  readonly baseModel: string;
  /** SHA-256 of `adapter_model.safetensors`. */
  readonly sha256: string;
  /** The files of PEFT, by name. */
  peft(): Record<"adapter_model.safetensors" | "adapter_config.json", Uint8Array>;
  /** The adapter for llama.cpp and Ollama. */
  gguf(): Uint8Array;
  /** The files of PEFT and a README as an archive. */
  zip(): Uint8Array;
}

/**
 * A generator of adapters and its base model. Calls are served one after another, answers beside
 * generations.
 */
export declare class Dnd {
  /** The device that computes, such as `GPU (WebGPU, nvidia ampere)`. */
  readonly device: string;
  /** Generates an adapter from one or more prompts of a task, or from `describe`. */
  generate(prompts?: string[], options?: GenerateOptions): Promise<Adapter>;
  /** Answers a prompt. The base model (98 MB) is fetched at the first call. */
  complete(prompt: string, options?: CompleteOptions): Promise<string>;
  /** Deletes the models that the browser keeps, and aborts the present answer. */
  deleteModels(): Promise<void>;
  /** Ends the workers. Nothing else may be called afterwards. */
  dispose(): void;
}

/** Chooses a device, and fetches and loads the generator (45 MB, kept by the browser). */
export declare function load(options: LoadOptions): Promise<Dnd>;
