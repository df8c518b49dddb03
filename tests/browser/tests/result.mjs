// The result: the adapter, and what the page shows about it.

import assert from "node:assert/strict";
import { checkAdapter } from "../check.mjs";
import { pause, small, test, until } from "../harness.mjs";

/** First visit to downloaded zip, compared with the native program. */
async function fromVisitToZip(t, query, pattern, seed, seconds) {
  const visit = await t.visit({ query });
  assert.match(await visit.deviceKnown(), /Fetches \d+(\.\d+)? [kM]B once/);
  const prompts = small().example("antonyms.txt");
  await visit.fill(prompts, seed);
  const zip = await visit.generate(seconds);
  // The device must not have changed on the way.
  assert.match(await visit.deviceKnown(), pattern);
  await checkAdapter(t, visit, zip, prompts, seed);
  return visit;
}

test("first visit to zip on WebGPU, small models", { seconds: 360 }, async (t) => {
  await fromVisitToZip(t, "?device=webgpu", /GPU \(/, 3, 300);
});

test("first visit to zip on the CPU, small models", {}, async (t) => {
  await fromVisitToZip(t, "?device=cpu", /CPU/, "9007199254740991");
});

test("few prompts are repeated as the native program does", {}, async (t) => {
  const visit = await t.visit({ query: "?device=cpu" });
  const prompts = "eins \u00e4\u00f6\u00fc\nzwei \u{1f600}\ndrei\n";
  await visit.fill(prompts, 11);
  await checkAdapter(t, visit, await visit.generate(), prompts, 11);
});

test("the same prompts and seed give the same bytes, others do not", {}, async (t) => {
  const visit = await t.visit();
  await visit.fill("one\ntwo\nthree", 1);
  const first = await visit.generate();
  assert.ok((await visit.generate()).equals(first), "the second adapter differs");
  await visit.fill("one\ntwo\nfour", 1);
  assert.ok(!(await visit.generate()).equals(first), "other prompts gave the same adapter");
});

test("a result of earlier prompts says so", {}, async (t) => {
  const visit = await t.visit();
  const text = "one\ntwo\nthree";
  const marked = () =>
    visit.result
      .getByRole("note")
      .filter({ hasText: /\bearlier\b/i })
      .isVisible();
  await visit.fill(text, 1);
  await visit.generate();
  assert.equal(await marked(), false);
  const changes = [
    ["the prompts", () => visit.fill("one\ntwo\nfour"), () => visit.fill(text)],
    ["the seed", () => visit.fillSeed(2), () => visit.fillSeed(1)],
  ];
  for (const [what, change, undo] of changes) {
    await change();
    await until(`the mark after a change of ${what}`, marked);
    await until(
      "no Done",
      async () => !/\bDone\./.test(await visit.page.locator("body").innerText()),
    );
    await undo();
    await until("no mark once all is as it was", async () => !(await marked()));
  }
  await visit.fillSeed(2);
  await until("the mark", marked);
  await visit.generate();
  assert.equal(await marked(), false, "the new result belongs to the present prompts");
});

test("the result survives a reload", {}, async (t) => {
  const visit = await t.visit({ query: "?device=cpu" });
  await visit.button("Antonyms").click();
  await until("the example", async () => (await visit.box.inputValue()).includes("hot"));
  const before = await visit.generate();
  await visit.page.reload();
  await visit.finished();
  const after = await visit.download(visit.zipLink);
  assert.ok(after.equals(before), "another adapter");
  // Other prompts have no result yet.
  await visit.fill("one\ntwo");
  await visit.page.reload();
  await visit.deviceKnown(/Models stored on this device/);
  // What is loaded ahead of time would be used by then.
  await pause(2);
  assert.equal(await visit.result.count(), 0);
});

test("the result is explained", {}, async (t) => {
  const visit = await t.visit({ query: "?example=capitals" });
  await visit.generate();
  const timings = await visit.text(visit.result.getByRole("table", { name: "Timings" }));
  for (const stage of ["Download", "Encode", "Decode", "Pack"])
    assert.ok(timings.includes(stage), `time of ${stage}`);
});

test("the link is copied", {}, async (t) => {
  const permissions = ["clipboard-read", "clipboard-write"];
  const visit = await t.visit({ query: "?example=sentiment&seed=8", permissions });
  await visit.generate();
  const copied = async (pattern, button = "Copy link") => {
    await visit.button(button).click();
    return until(`a copied link ${pattern}`, async () => {
      const text = await visit.clipboard();
      return pattern.test(text) && new URL(text);
    });
  };
  const link = await copied(/seed=8/);
  assert.equal(link.origin + link.pathname, visit.address);
  assert.equal(link.searchParams.get("example"), "sentiment");

  const other = await t.open(visit.address, link.search);
  await until(
    "the example",
    async () => (await other.box.inputValue()) === (await visit.box.inputValue()),
  );
  assert.equal(await other.seed.inputValue(), "8");

  // Links never contain the user's own prompts.
  await visit.fill("my own secret prompt", 9);
  const own = await copied(/seed=9/);
  assert.equal(own.searchParams.get("example"), null);
  assert.ok(!own.href.includes("secret"));

  // Except when asked to, and then only where the server does not see them.
  const shared = await copied(/secret/, "Copy link with prompts");
  assert.ok(!shared.search.includes("secret") && shared.hash.includes("secret"));
  const third = await t.open(visit.address, shared.search + shared.hash);
  await until(
    "the prompts",
    async () => (await third.box.inputValue()) === "my own secret prompt",
  );
});

test("diagnostics are copied", {}, async (t) => {
  const visit = await t.visit({ permissions: ["clipboard-read", "clipboard-write"] });
  await visit.fill("my own secret prompt");
  await visit.generate();
  await visit.button("Copy diagnostics").click();
  const text = await until("diagnostics", async () => {
    const copied = await visit.clipboard();
    return copied.length > 50 && copied;
  });
  assert.match(text, /CPU \(WebAssembly/);
  assert.match(text, /Chrom/);
  assert.match(text, /encode/i);
  assert.ok(!text.includes("secret"), "prompts are in the diagnostics");
});

test("diagnostics hold no line of a bad file", {}, async (t) => {
  const visit = await t.visit({ permissions: ["clipboard-read", "clipboard-write"] });
  await visit.deviceKnown();
  // A table without a header: its first line is a prompt, which the page may show to the visitor.
  const buffer = Buffer.from("my own secret prompt\nanother secret prompt\n");
  await visit.file.setInputFiles({ name: "table.csv", mimeType: "text/csv", buffer });
  await visit.alerted(/table\.csv/);
  // Clear the clipboard, which may hold the diagnostics of another test.
  await visit.page.evaluate(() => navigator.clipboard.writeText("nothing yet"));
  await visit.button("Copy diagnostics").click();
  const copied = await until("diagnostics", async () => {
    const text = await visit.clipboard();
    return text !== "nothing yet" && text;
  });
  const shown = (await visit.page.locator("pre").allTextContents()).join("\n");
  assert.match(shown, /Chrom/);
  for (const text of [copied, shown])
    assert.ok(!text.includes("secret"), "prompts are in the diagnostics");
});
