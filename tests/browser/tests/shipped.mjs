// The page as it is shipped: the real encoder and bundle. Times are printed, never asserted.

import assert from "node:assert/strict";
import { artefact, shipped, test, until } from "../harness.mjs";
import { describeKeys } from "../visit.mjs";
import { picture } from "./pictures.mjs";
import { checkAdapter } from "./result.mjs";

test("shipped models on the CPU", { seconds: 300 }, async (t) => {
  const site = shipped();
  const visit = await t.visit({ site });
  assert.match(await visit.deviceKnown(), /CPU/);
  const prompts = site.example("antonyms.txt");
  await visit.fill(prompts, 3);
  let began = Date.now();
  await checkAdapter(t, visit, await visit.generate(180), prompts, 3);
  t.note(`first adapter, download included: ${((Date.now() - began) / 1000).toFixed(1)} s`);
  await picture(visit, "shipped-result");

  // A second visit: everything is stored.
  await visit.controlled();
  await visit.page.emulateMedia({ colorScheme: "light" });
  await visit.page.setViewportSize({ width: 1100, height: 900 });
  began = Date.now();
  await visit.page.reload({ waitUntil: "commit" });
  await until("the box takes keys", () =>
    visit.box.evaluate((box) => box.value !== "", undefined, { timeout: 1000 }).catch(() => false),
  );
  t.note(`usable ${((Date.now() - began) / 1000).toFixed(1)} s after a reload`);
  const loading = await visit.typeDuring(visit.deviceKnown(/Models stored on this device/));
  if (loading.length > 0) t.note(`while models load: ${describeKeys(loading)}`);

  began = Date.now();
  await visit.start();
  const keys = await visit.typeDuring(visit.finished(180));
  t.note(`32 short prompts on the CPU, models stored: ${((Date.now() - began) / 1000).toFixed(1)} s; ${describeKeys(keys)}`);

  // Once more without a key pressed, everything loaded.
  began = Date.now();
  await visit.start();
  await visit.finished(180);
  t.note(`the same again, undisturbed: ${((Date.now() - began) / 1000).toFixed(1)} s`);
  await visit.page.screenshot({ path: artefact("shipped.png") });
});

test("shipped models on WebGPU", { seconds: 540 }, async (t) => {
  const site = shipped();
  const visit = await t.visit({ site, query: "?device=webgpu" });
  assert.match(await visit.deviceKnown(), /GPU \(WebGPU/);
  const prompts = site.example("antonyms.txt");
  await visit.fill(prompts, 3);
  const began = Date.now();
  const zip = await visit.generate(480);
  t.note(`software WebGPU, download included: ${((Date.now() - began) / 1000).toFixed(1)} s`);
  assert.match(await visit.deviceKnown(), /GPU \(WebGPU/, "the device did not change on the way");
  await checkAdapter(t, visit, zip, prompts, 3);
});
