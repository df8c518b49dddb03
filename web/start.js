// Starts the page. A browser that cannot run it gets a sentence instead of an empty page.

async function start() {
  // Imported here and not above, so that a failure to load it is told as well.
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

// Elsewhere browsers withhold the GPU and the place for the models.
if (globalThis.isSecureContext) {
  start().catch((error) => {
    tell(
      "This page could not start. It needs a browser with WebAssembly and its 128-bit SIMD: Chrome or " +
        `Edge 113, Firefox 128, Safari 17, or newer. Reload the page to try once more. (${error})`,
    );
  });
} else {
  tell(
    "This page works only at an address that begins with https://, or on this computer itself at " +
      "http://localhost. Open it at such an address.",
  );
}
