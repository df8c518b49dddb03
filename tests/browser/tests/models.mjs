// A page with generators for two base models.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, twoModels, until } from "../harness.mjs";
import { answer } from "../native.mjs";
import { checkAdapter } from "../check.mjs";
import { unzip } from "../adapter.mjs";

const PROMPTS = "one\ntwo\nthree";
const OTHER = "example/Other-Instruct";

test("the base model is chosen in the page, and by the address", {}, async (t) => {
  const site = twoModels();
  const visit = await t.visit({ site, query: "?device=cpu" });
  await visit.fill(PROMPTS);
  const choice = visit.page.getByRole("combobox", { name: "Base model" });
  assert.equal(await choice.inputValue(), "HuggingFaceTB/SmolLM2-135M-Instruct");
  await checkAdapter(t, visit, await visit.generate(), PROMPTS, 0);

  await choice.selectOption(OTHER);
  await visit.page.waitForURL(/model=example%2FOther-Instruct/);
  await until("the prompts", async () => (await visit.box.inputValue()) === PROMPTS);
  await until("the choice", async () => (await choice.inputValue()) === OTHER);
  assert.match(await visit.page.locator(".lead").innerText(), /for Other-Instruct from/);
  site.bundle = join(site.folder, site.manifest.others[0].bundle.path);
  const zip = await visit.generate();
  assert.equal(baseModel(zip), OTHER);
  await checkAdapter(t, visit, zip, PROMPTS, 0);
  const [without] = await visit.ask("hot");
  const model = join(site.folder, site.manifest.others[0].base_model.path);
  assert.equal(without.text, answer(model, "hot"), "the other base model answers");
  const stored = Object.keys(await visit.stored());
  const other = site.manifest.others[0];
  for (const { sha256 } of [site.file("bundle"), other.bundle, other.base_model])
    assert.ok(stored.some((name) => name.includes(sha256)), `${sha256} in ${stored}`);
});

test("a result comes back under its own base model alone", {}, async (t) => {
  const visit = await t.visit({ site: twoModels(), query: "?device=cpu" });
  const choice = visit.page.getByRole("combobox", { name: "Base model" });
  await visit.fill(PROMPTS);
  await visit.generate();
  await choice.selectOption(OTHER);
  await visit.page.waitForURL(/model=/);
  await visit.deviceKnown(/Fetches/);
  assert.equal(await visit.result.count(), 0);
  await choice.selectOption("HuggingFaceTB/SmolLM2-135M-Instruct");
  await visit.page.waitForURL(/model=HuggingFaceTB/);
  await visit.finished();
});

test("a short name in the address is enough", {}, async (t) => {
  const visit = await t.visit({ site: twoModels(), query: "?device=cpu&model=Other-Instruct" });
  await visit.fill(PROMPTS);
  assert.equal(baseModel(await visit.generate()), OTHER);
});

test("an unknown base model is named, with those that there are", {}, async (t) => {
  const visit = await t.visit({ site: twoModels(), query: "?device=cpu&model=Huge" });
  await visit.alerted(/SmolLM2-135M-Instruct, example\/Other-Instruct.*found `Huge`/s);
});

test("a bundle for another base model is refused by name", {}, async (t) => {
  const site = twoModels().copy(t.folder());
  const manifest = site.manifest;
  manifest.name = "example/Mistaken";
  writeFileSync(join(site.folder, "manifest.json"), JSON.stringify(manifest));
  const visit = await t.visit({ site, query: "?device=cpu" });
  await visit.fill(PROMPTS);
  await visit.start();
  await visit.alerted(/bundle\.safetensors: base model: expected example\/Mistaken.*SmolLM2-135M/s);
});

function baseModel(zip) {
  return JSON.parse(unzip(zip).get("adapter_config.json")).base_model_name_or_path;
}
