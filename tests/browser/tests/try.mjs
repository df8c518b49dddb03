// The panel "Try it": the base model's answers, and lines with answers.

import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { keepMemory } from "../faults.mjs";
import { shipped, small, test, until } from "../harness.mjs";
import { describeKeys } from "../visit.mjs";
import { answer } from "../native.mjs";
import { unzip } from "../adapter.mjs";

const MODEL = /base\.gguf$/;

/** A visit with an adapter, and the folder that the adapter was unpacked to. */
async function withAdapter(t, options = {}, prompts = "one\ntwo\nthree") {
  const visit = await t.visit(options);
  await visit.fill(prompts);
  const files = unzip(await visit.generate(180));
  const folder = t.folder();
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
  return { visit, folder };
}

/** What the native program answers. */
const native = (site, question, adapter) =>
  answer(join(site.folder, site.manifest.base_model.path), question, adapter);

test("answers are those of the native program", {}, async (t) => {
  const { visit, folder } = await withAdapter(t, { query: "?device=cpu" });
  for (const question of ["hot", "What is this?"]) {
    const [without, with_] = await visit.ask(question);
    assert.equal(without.text, native(small(), question), question);
    assert.equal(with_.text, native(small(), question, folder), question);
    assert.match(with_.about, /^\d+ tokens?, first after/);
  }
});

test("answers on WebGPU are the same", { seconds: 360 }, async (t) => {
  const { visit, folder } = await withAdapter(t, { query: "?device=cpu&answers=webgpu" });
  const [without, with_] = await visit.ask("hot", 300);
  assert.equal(without.text, native(small(), "hot"));
  assert.equal(with_.text, native(small(), "hot", folder));
  const panel = visit.page.getByRole("region", { name: "Try it" });
  assert.match(await visit.text(panel), /computed on the GPU \(WebGPU/);
});

test("the base model is fetched when asked for, once", {}, async (t) => {
  const { visit } = await withAdapter(t, { failing: true });
  assert.equal(visit.proxy.requests(MODEL).length, 0);
  const panel = visit.page.getByRole("region", { name: "Try it" });
  const size = /Asking fetches the base model once: \d+\.\d MB/;
  assert.match(await visit.text(panel), size);
  await visit.ask("hot");
  assert.doesNotMatch(await visit.text(panel), size);
  const asked = visit.proxy.requests(MODEL).length;
  assert.ok(asked > 0);
  await visit.page.reload();
  await visit.start();
  await visit.finished();
  assert.doesNotMatch(await visit.text(panel), size);
  await visit.ask("hot");
  assert.equal(visit.proxy.requests(MODEL).length, asked, "requests for the base model");
});

test("questions of an example, in full and bare", {}, async (t) => {
  const visit = await t.visit({ query: "?example=capitals" });
  await visit.generate();
  const offered = visit.page.getByRole("group", { name: "New questions" }).getByRole("button");
  await until("five questions", async () => (await offered.count()) === 5);
  const full = await offered.first().innerText();
  assert.match(full, /capital/);
  await visit.page.getByRole("radio", { name: /the input alone/ }).check();
  const bare = await offered.first().innerText();
  assert.ok(full.includes(bare) && bare.length < full.length, `${full}: ${bare}`);
  await offered.first().click();
  await visit.answered();
  assert.equal(await visit.page.locator("#question").inputValue(), bare);
});

test("a server without the base model is not a broken connection", {}, async (t) => {
  t.allow = [/404/];
  const site = small().copy(t.folder());
  rmSync(join(site.folder, site.manifest.base_model.path));
  const { visit } = await withAdapter(t, { site });
  const panel = visit.page.getByRole("region", { name: "Try it" });
  const ask = async () => {
    await panel.getByRole("textbox", { name: "Ask", exact: true }).fill("hot");
    await panel.getByRole("button", { name: "Ask both" }).click();
  };
  await ask();
  await visit.alerted(/does not have it.*page was probably updated/s);
  // Some servers answer with a page instead.
  await visit.page.context().route(MODEL, (route) =>
    route.fulfill({ status: 200, contentType: "text/html", body: "<p>Not here.</p>" }),
  );
  await ask();
  await visit.alerted(/a web page stands in its place.*page was probably updated/s);
  assert.ok(await visit.button("Reload the page").isVisible());
});

test("an interrupted download of the base model is resumed", { seconds: 180 }, async (t) => {
  const { visit } = await withAdapter(t, { failing: true });
  const half = visit.site.manifest.base_model.bytes >> 1;
  const remove = visit.proxy.limit(MODEL, () => half, { hold: true });
  const panel = visit.page.getByRole("region", { name: "Try it" });
  await panel.getByRole("textbox", { name: "Ask", exact: true }).fill("hot");
  await panel.getByRole("button", { name: "Ask both" }).click();
  await visit.proxy.held();
  await panel.getByRole("button", { name: "Stop" }).click();
  await panel.getByRole("button", { name: "Stop" }).waitFor({ state: "hidden" });
  remove();
  visit.proxy.release();
  await visit.ask("hot");
  const ranges = visit.proxy.requests(MODEL).map(({ range }) => range);
  assert.ok(ranges.at(-1), `ranges ${ranges}`);
});

test("lines with answers are checked", {}, async (t) => {
  const { visit, folder } = await withAdapter(t, { query: "?device=cpu" });
  const right = native(small(), "hot", folder);
  const lines = visit.page.getByRole("textbox", { name: "Lines with answers" });
  await lines.fill(`hot => ${right.trim() || "?"}\n"cold, very" => nothing like it`);
  await visit.button("Check").click();
  const link = visit.page.getByRole("link", { name: "Download as CSV" });
  await link.waitFor();
  const table = visit.page.getByRole("region", { name: "Checked lines" });
  const rows = await table.locator("tbody tr").allInnerTexts();
  assert.equal(rows.length, 2);
  assert.match(await visit.text(table.locator("tfoot")), /\d of 2 right, \d+ % \[\d+, \d+\]/);
  const csv = (await visit.download(link)).toString();
  assert.match(csv, /^prompt,expected,without,right,with,right\n/);
  assert.match(csv, /nothing like it/);
  // A line without an answer is named.
  await lines.fill("hot => cold\nno answer here");
  await visit.button("Check").click();
  await visit.alerted(/prompt 2: expected an answer/);
});

test("shipped base model: stop, and keys while it decodes", { seconds: 300 }, async (t) => {
  const site = shipped();
  const options = { site, fault: () => keepMemory(), ofAllWorkers: true };
  const { visit } = await withAdapter(t, options, site.example("antonyms.txt"));
  const panel = visit.page.getByRole("region", { name: "Try it" });
  const began = Date.now();
  const [, hot] = await visit.ask("What is the opposite of hot?", 120);
  t.note(`first question, download included: ${((Date.now() - began) / 1000).toFixed(1)} s`);
  assert.equal(hot.text, "cold");
  t.note(`with the adapter: ${hot.about}`);

  const question = "Tell me a long story about a whale.";
  const keys = await visit.typeDuring(
    visit.ask(question, 120).then(([without]) => t.note(`without the adapter: ${without.about}`)),
  );
  t.note(`while it decodes: ${describeKeys(keys)}`);

  await panel.getByRole("textbox", { name: "Ask", exact: true }).fill("Tell me of many whales.");
  await panel.getByRole("button", { name: "Ask both" }).click();
  const told = panel.locator(".answer .said").first();
  await until("text", async () => (await told.textContent()).length > 10, 60);
  await panel.getByRole("button", { name: "Stop" }).click();
  const [without] = await visit.answered();
  assert.match(without.about, /stopped/);

  const workers = visit.page.workers();
  assert.ok(workers.length >= 2, "a worker generates, and one has the base model");
  for (const worker of workers) {
    const size = await worker.evaluate(() => self.memory.buffer.byteLength / 1e6);
    t.note(`memory of ${worker.url().split("/").pop()}: ${size.toFixed(0)} MB`);
    assert.ok(size <= 350, `${size} MB`);
  }
});

test("shipped models: from Generate to the first adapted token", { seconds: 300 }, async (t) => {
  const site = shipped();
  const { visit } = await withAdapter(t, { site }, site.example("antonyms.txt"));
  await visit.ask("What is the opposite of hot?", 120);
  await visit.page.reload();
  await visit.finished();
  await visit.fill(site.example("capitals.csv"));
  const panel = visit.page.getByRole("region", { name: "Try it" });
  const began = Date.now();
  await visit.start();
  await visit.finished();
  const seconds = () => `${((Date.now() - began) / 1000).toFixed(1)} s`;
  const generated = seconds();
  const box = panel.getByRole("textbox", { name: "Ask", exact: true });
  await box.fill("What is the capital of Peru?");
  await panel.getByRole("button", { name: "Ask both" }).click();
  const adapted = panel.locator(".answer .said").last();
  await until("text", async () => (await adapted.textContent()).length > 0, 60);
  t.note(`models stored: adapter after ${generated}, its first token after ${seconds()}`);
});
