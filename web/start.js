// Starts the page. A browser that cannot run it gets a sentence instead of an empty page.

async function start() {
  // Imported here and not above, so that a failure to load it is told as well.
  const { default: init } = await import("./page.js");
  await init({ module_or_path: "./page_bg.wasm" });
}

start().catch((error) => {
  const text = document.createElement("p");
  text.className = "plain";
  text.setAttribute("role", "alert");
  text.textContent =
    "This page could not start. It needs a browser with WebAssembly and its 128-bit SIMD: Chrome or " +
    `Edge 113, Firefox 128, Safari 17, or newer. Reload the page to try once more. (${error})`;
  document.body.replaceChildren(text);
});
