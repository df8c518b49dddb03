// Checks for every downloaded adapter.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { largestDifference, tensors, unzip } from "./adapter.mjs";

const MODEL = "adapter_model.safetensors";
const CONFIG = "adapter_config.json";

/** SHA-256 in hexadecimal. */
export const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/**
 * Checks everything that can be downloaded against the native program's adapter, from which it
 * may differ by `most` of its largest weight.
 */
export async function checkAdapter(t, visit, zip, prompts, seed, most = 1e-3) {
  const found = unzip(zip);
  assert.deepEqual([...found.keys()].sort(), ["README.md", CONFIG, MODEL]);
  const config = JSON.parse(found.get(CONFIG));
  const native = unzip(await t.native(visit.site, prompts, seed, config.base_model_name_or_path));
  assert.deepEqual(config, JSON.parse(native.get(CONFIG)));
  const difference = largestDifference(tensors(found.get(MODEL)), tensors(native.get(MODEL)));
  const size = difference.toExponential(1);
  t.note(`largest difference from the native adapter: ${size} of its largest weight`);
  assert.ok(
    difference <= most,
    `differs from the native adapter by ${difference} of its largest weight`,
  );
  assert.match(found.get("README.md").toString(), /PeftModel\.from_pretrained/);
  assert.match(found.get("README.md").toString(), new RegExp(`seed ${seed}\\b`));

  for (const name of [MODEL, CONFIG]) {
    const file = await visit.download(visit.result.getByRole("link", { name, exact: true }));
    assert.ok(file.equals(found.get(name)), `${name} is not the zip's`);
  }
  const link = visit.result.getByRole("link", { name: "Download for llama.cpp (.gguf)" });
  const gguf = await visit.download(link);
  assert.ok(gguf.equals(await t.converted(visit.site, found)), "the GGUF is not that of convert");
  const text = await visit.text(visit.result);
  const hashes = text.match(/\b[0-9a-f]{64}\b/g) ?? [];
  const right = [sha256(found.get(MODEL)), sha256(zip)];
  assert.ok(hashes.length > 0, "no SHA-256 shown");
  for (const hash of hashes) assert.ok(right.includes(hash), `${hash} is no hash of the download`);
  assert.ok(text.includes(String(seed)), "the seed is shown");
  return difference;
}
