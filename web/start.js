// Starts the page, or shows an error message in a browser that cannot run it.

async function start() {
  // A dynamic import, so that a failure to load is caught too.
  const { default: init } = await import("./page.js");
  await init({ module_or_path: "./page_bg.wasm" });
}

function tell(sentence) {
  const text = document.createElement("p");
  text.className = "plain";
  text.setAttribute("role", "alert");
  text.textContent = sentence;
  document.body.replaceChildren(text);
}

// WebGPU and the origin private file system need a secure context.
if (globalThis.isSecureContext) {
  start().catch((error) => {
    tell(
      "This page could not start. It needs a browser with WebAssembly SIMD: Chrome or Edge 113, " +
        `Firefox 128, Safari 17, or newer. Reload the page to try again. (${error})`,
    );
  });
} else {
  tell(
    "This page works only at an address that begins with https://, or on this computer itself at " +
      "http://localhost. Open it at such an address.",
  );
}
