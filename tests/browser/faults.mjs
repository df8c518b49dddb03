// Faults injected before worker-start.js. Each function runs in the worker as source text, so it
// may not refer to anything outside itself except `onStage`.

import { HOLD } from "./proxy.mjs";

/** Source text that calls a fault with these arguments. */
export function source(fault, ...values) {
  const call = `(${fault})(${values.map((value) => JSON.stringify(value)).join(", ")})`;
  return `{ ${onStage}\n${call}; }\n`;
}

/** Calls `act` once the worker reports `stage`. Its messages are `Event` in protocol.rs. */
function onStage(stage, act) {
  const post = self.postMessage;
  let reached = false;
  self.postMessage = (message, ...rest) => {
    post.call(self, message, ...rest);
    const event = typeof message?.[0] === "string" ? JSON.parse(message[0]) : undefined;
    if (reached || event?.kind !== "progress" || event.stage !== stage) return;
    reached = true;
    act();
  };
}

/** No fault: keeps the WebAssembly memory, whose size is the most that the worker has used. */
export const keepMemory = () => source(keep);
function keep() {
  for (const name of ["instantiate", "instantiateStreaming"]) {
    const instantiate = WebAssembly[name];
    WebAssembly[name] = async (...values) => {
      const program = await instantiate(...values);
      self.memory = (program.instance ?? program).exports.memory;
      return program;
    };
  }
}

/** Blocks the worker at a stage until the proxy releases it, like a long computation. */
export const standStill = (stage) => source(still, stage, HOLD);
function still(stage, path) {
  onStage(stage, () => {
    const request = new XMLHttpRequest();
    request.open("GET", path, false);
    try {
      request.send();
    } catch {
      // The proxy was stopped: continue.
    }
  });
}

/** Loses the GPU at a stage, or at the first submission. */
export const loseDevice = (stage) => source(lose, stage);
function lose(stage) {
  const devices = [];
  const requestDevice = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (...values) {
    const device = await requestDevice.apply(this, values);
    devices.push(device);
    return device;
  };
  if (stage) {
    onStage(stage, () => devices.forEach((device) => device.destroy()));
    return;
  }
  const submit = GPUQueue.prototype.submit;
  GPUQueue.prototype.submit = function (...values) {
    devices.forEach((device) => device.destroy());
    return submit.apply(this, values);
  };
}

/** Corrupts all numbers read back from the GPU: far off, or NaN. */
export const misread = (how) => source(spoil, how);
function spoil(how) {
  const getMappedRange = GPUBuffer.prototype.getMappedRange;
  GPUBuffer.prototype.getMappedRange = function (...values) {
    const range = getMappedRange.apply(this, values);
    if (this.usage & GPUBufferUsage.MAP_READ) {
      const words = new Uint32Array(range, 0, Math.floor(range.byteLength / 4));
      // NaN, or the top bit of the exponent flipped.
      words.forEach((word, i) => (words[i] = how === "nan" ? 0x7fc00000 : word ^ 0x40000000));
    }
    return range;
  };
}

/** A GPU that fails on first use: `createShaderModule` throws, or `mapAsync` rejects. */
export const brokenGpu = (method) => source(breakDown, method);
function breakDown(method) {
  if (method === "mapAsync") {
    GPUBuffer.prototype.mapAsync = () =>
      Promise.reject(new DOMException("no mapping today", "OperationError"));
  } else {
    GPUDevice.prototype.createShaderModule = () => {
      throw new Error("no shader today");
    };
  }
}

/** Logs the number of GPU submissions for each adapter. */
export const countSubmissions = () => source(countWork);
function countWork() {
  let count = 0;
  const submit = GPUQueue.prototype.submit;
  GPUQueue.prototype.submit = function (...values) {
    count += 1;
    return submit.apply(this, values);
  };
  const post = self.postMessage;
  self.postMessage = (message, ...rest) => {
    post.call(self, message, ...rest);
    if (typeof message?.[0] !== "string" || JSON.parse(message[0]).kind !== "done") return;
    console.info(`GPU submissions: ${count}`);
    count = 0;
  };
}

/** A browser without WebGPU. */
export const noGpu = () =>
  source(() => Object.defineProperty(navigator, "gpu", { value: undefined }));

/** A GPU with a limit too small for the models. */
export const smallLimits = () =>
  source(() => {
    for (const name of ["maxBufferSize", "maxStorageBufferBindingSize"]) {
      Object.defineProperty(GPUSupportedLimits.prototype, name, { get: () => 4096 });
    }
  });

/** Makes the software GPU look like a real one. */
export const realGpu = () =>
  source(() => {
    const info = {
      vendor: "nvidia",
      architecture: "ampere",
      device: "",
      description: "",
      isFallbackAdapter: false,
    };
    for (const [name, value] of Object.entries(info)) {
      Object.defineProperty(GPUAdapterInfo.prototype, name, { get: () => value });
      if (name in GPUAdapter.prototype)
        Object.defineProperty(GPUAdapter.prototype, name, { get: () => value });
    }
  });

/** Storage whose quota is exceeded. */
export const noRoom = () =>
  source(() => {
    FileSystemSyncAccessHandle.prototype.write = () => {
      throw new DOMException("no room", "QuotaExceededError");
    };
    FileSystemWritableFileStream.prototype.write = () =>
      Promise.reject(new DOMException("no room", "QuotaExceededError"));
  });

/** No storage at all, as in some private windows. */
export const noStorage = () =>
  source(() => {
    StorageManager.prototype.getDirectory = () =>
      Promise.reject(new DOMException("denied", "SecurityError"));
  });
