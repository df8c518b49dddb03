// Device selection, and device failures.

import assert from "node:assert/strict";
import { brokenGpu, loseDevice, misread, noGpu, realGpu, smallLimits } from "../faults.mjs";
import { test } from "../harness.mjs";
import { checkAdapter } from "../check.mjs";

const PROMPTS = "one\ntwo\nthree";
// Messages of Chromium and wgpu about a device that a test broke.
const BROKEN =
  /device.*(lost|destroyed)|(lost|destroyed).*device|WebGPU|GPUDevice|GPUBuffer|mapAsync|wgpu/is;

test("a software GPU is not chosen unasked", {}, async (t) => {
  const visit = await t.visit();
  const text = await visit.deviceKnown();
  assert.match(text, /CPU/);
  assert.doesNotMatch(text, /GPU \(WebGPU/);
  assert.match(text, /software|fallback/i);
  assert.match(text, /second|minute|slow/i);
});

test("a software GPU is used when asked for", {}, async (t) => {
  const visit = await t.visit({ query: "?device=webgpu" });
  assert.match(await visit.deviceKnown(), /GPU \(WebGPU/);
});

test("a real GPU is chosen", {}, async (t) => {
  const visit = await t.visit({ fault: realGpu });
  assert.match(await visit.deviceKnown(), /GPU \(WebGPU/);
});

test("the CPU is used when asked for", {}, async (t) => {
  const visit = await t.visit({ query: "?device=cpu", fault: realGpu });
  assert.match(await visit.deviceKnown(), /CPU/);
});

for (const [name, fault, query, reason] of [
  ["no WebGPU", noGpu, "", /WebGPU/],
  ["no WebGPU though asked for", noGpu, "?device=webgpu", /WebGPU/],
  [
    "limits that do not fit",
    smallLimits,
    "?device=webgpu",
    /limit|buffer|bytes|[kM]B|large|small|fit/i,
  ],
]) {
  // Chromium itself warns when there is no adapter.
  test(`${name}: the CPU, with the reason`, { allow: [/No available adapters/] }, async (t) => {
    const visit = await t.visit({ query, fault });
    const text = await visit.deviceKnown(/CPU/);
    assert.match(text, reason);
    t.note(`"${text.replaceAll(/\s+/g, " ")}"`);
    await visit.fill(PROMPTS, 2);
    await checkAdapter(t, visit, await visit.generate(), PROMPTS, 2);
  });
}

for (const how of ["altered", "nan"]) {
  test(
    `a GPU that computes wrongly (${how}): the CPU, with the reason`,
    { seconds: 360 },
    async (t) => {
      const visit = await t.visit({ query: "?device=webgpu", fault: () => misread(how) });
      assert.match(await visit.deviceKnown(), /GPU \(WebGPU/);
      await visit.fill(PROMPTS, 2);
      const zip = await visit.generate(300);
      const text = await visit.deviceKnown(/CPU/);
      assert.match(text, /test|wrong|differ/i);
      t.note(`"${text.replaceAll(/\s+/g, " ")}"`);
      await checkAdapter(t, visit, zip, PROMPTS, 2);
    },
  );
}

for (const method of ["createShaderModule", "mapAsync"]) {
  // Messages of the fault, and of the program that it crashed.
  const allow = [BROKEN, /no (shader|mapping) today|panicked|unreachable|RuntimeError/];
  test(
    `a GPU whose ${method} fails: the CPU, with the reason`,
    { seconds: 360, allow },
    async (t) => {
      const visit = await t.visit({ query: "?device=webgpu", fault: () => brokenGpu(method) });
      assert.match(await visit.deviceKnown(), /GPU \(WebGPU/);
      await visit.fill(PROMPTS, 2);
      const zip = await visit.generate(300);
      const text = await visit.deviceKnown(/CPU \(/);
      t.note(`"${text.replaceAll(/\s+/g, " ")}"`);
      assert.match(text, /GPU|device/);
      assert.match(text, /today|fail|stop|cannot|could not|no result|lost|error|wrong/i);
      await checkAdapter(t, visit, zip, PROMPTS, 2);
    },
  );
}

test("a GPU lost once is found again", { seconds: 360, allow: [BROKEN] }, async (t) => {
  let workers = 0;
  const fault = (count) => {
    workers = count;
    return count === 1 && loseDevice("encode");
  };
  const visit = await t.visit({ query: "?device=webgpu", fault });
  await visit.fill(PROMPTS, 2);
  const zip = await visit.generate(300);
  assert.match(await visit.deviceKnown(), /GPU \(WebGPU/);
  assert.equal(workers, 2, "a second worker was started, and no third");
  await checkAdapter(t, visit, zip, PROMPTS, 2);
});

test("a GPU lost at once, once", { seconds: 360, allow: [BROKEN] }, async (t) => {
  const visit = await t.visit({
    query: "?device=webgpu",
    fault: (count) => count === 1 && loseDevice(),
  });
  await visit.fill(PROMPTS, 2);
  await checkAdapter(t, visit, await visit.generate(300), PROMPTS, 2);
  t.note(`device in the end: "${(await visit.deviceKnown()).replaceAll(/\s+/g, " ")}"`);
});

test("a GPU lost again and again is reported", { seconds: 360, allow: [BROKEN] }, async (t) => {
  let broken = true;
  const visit = await t.visit({
    query: "?device=webgpu",
    fault: () => broken && loseDevice("encode"),
  });
  await visit.fill(PROMPTS, 2);
  await visit.start();
  const alert = await visit.alerted(/./, 300);
  assert.match(alert, /device=cpu/);
  assert.match(alert, /GPU/);
  t.note(`"${alert.replaceAll(/\s+/g, " ")}"`);
  // As the alert suggests.
  broken = false;
  await visit.page.goto(`${visit.address}?device=cpu`);
  await visit.deviceKnown(/CPU/);
  await visit.generate();
});
