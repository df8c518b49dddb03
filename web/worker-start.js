// Starts the worker. Messages that arrive while its WebAssembly is loading are queued.
import init from "./worker.js";

const early = [];
const keep = (event) => early.push(event.data);

self.addEventListener("message", keep);
init({ module_or_path: new URL("./worker_bg.wasm", import.meta.url) })
  .then(() => {
    self.removeEventListener("message", keep);
    for (const data of early) {
      self.dispatchEvent(new MessageEvent("message", { data }));
    }
  })
  .catch((error) => {
    // Thrown outside the promise, the error reaches the page as an `error` event.
    setTimeout(() => {
      throw error;
    });
  });
