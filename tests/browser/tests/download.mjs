// Model files: fetching, cancelling, resuming, verifying, storing, deleting.

import assert from "node:assert/strict";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { countSubmissions, noRoom, noStorage, standStill } from "../faults.mjs";
import { pause, small, test, until } from "../harness.mjs";
import { checkAdapter, sha256 } from "../check.mjs";

const ENCODER = /^\/models\/.*-encoder\.safetensors$/;
const MODELS = /^\/models\//;
// Chromium's message about a failed request.
const FAILED_LOAD = /Failed to load resource: net::ERR_/;
const PROMPTS = "one\ntwo\nthree";

test("cancel during the download, then again", {}, async (t) => {
  const visit = await t.visit({ failing: true });
  const lift = visit.proxy.limit(ENCODER, (size) => size / 2, { hold: true });
  await visit.fill(PROMPTS);
  await visit.start();
  await visit.proxy.held();
  await visit.stage("download");
  const value = Number(await visit.progress.getAttribute("aria-valuenow"));
  assert.ok(value >= 0 && value < 100, `progress ${value}`);
  assert.match(await visit.progress.getAttribute("aria-valuetext"), /\d.*of.*\d [kM]B/);
  await visit.cancel();
  lift();
  visit.proxy.release();
  await visit.generate();
});

// Stages by their names in the worker; the page displays some differently.
for (const stage of ["verify", "upload", "compile", "encode", "decode", "pack"]) {
  test(`cancel during ${stage}, then again`, {}, async (t) => {
    const visit = await t.visit({ fault: (count) => count === 1 && standStill(stage) });
    await visit.fill(PROMPTS);
    await visit.start();
    await visit.stage(stage === "upload" ? "load models" : stage);
    await visit.cancel();
    await visit.generate();
  });
}

test("a corrupted model file is named, and fetched again", {}, async (t) => {
  const visit = await t.visit({ failing: true });
  const { path, sha256: expected } = visit.site.file("encoder");
  const flip = (bytes) => {
    const flipped = Buffer.from(bytes);
    flipped[flipped.length >> 1] ^= 1;
    return flipped;
  };
  const lift = visit.proxy.change(ENCODER, flip);
  await visit.fill(PROMPTS);
  await visit.start();
  const alert = await visit.alerted(/./);
  assert.match(alert, /encoder/);
  // Ignore the file name, which starts with the expected hash.
  const text = alert.replaceAll(path.split("/").at(-1), "");
  const found = sha256(flip(readFileSync(join(visit.site.folder, path))));
  for (const hash of [expected, found])
    assert.ok(text.includes(hash.slice(0, 16)), `${hash} in "${alert}"`);
  lift();
  await visit.generate();
});

test("a page of before an update offers to reload itself", { allow: [/404/] }, async (t) => {
  const site = small().copy(t.folder());
  const path = join(site.folder, site.file("encoder").path);
  const visit = await t.visit({ site });
  await visit.fill(PROMPTS);
  await visit.deviceKnown();
  const encoder = readFileSync(path);
  rmSync(path);
  await visit.start();
  await visit.alerted(/does not have it.*page was probably updated/s);
  writeFileSync(path, encoder);
  // Another build of the page, while the service worker keeps the one before.
  const replace = (name, old, text) => {
    const file = join(site.folder, name);
    const content = readFileSync(file, "utf8");
    assert.match(content, old);
    writeFileSync(file, content.replace(old, text));
  };
  replace("index.html", /<title>/, "<title>Newer ");
  replace("service-worker.js", /const VERSION = "/, '$&newer');
  await visit.page.reload();
  assert.doesNotMatch(await visit.page.title(), /Newer/, "the kept one is shown");
  rmSync(path);
  await visit.start();
  await visit.alerted(/page was probably updated/);
  writeFileSync(path, encoder);
  await visit.button("Reload the page").click();
  await until("the newer page", async () => /Newer/.test(await visit.page.title()), 40);
  assert.equal(await visit.box.inputValue(), PROMPTS);
  await visit.generate();
});

for (const [name, change, reason] of [
  ["shorter", (bytes) => bytes.subarray(0, bytes.length >> 1), /fewer|short|less|small/i],
  ["longer", (bytes) => Buffer.concat([bytes, Buffer.alloc(1000)]), /more|long|large|big/i],
]) {
  // A range that starts beyond the end of the file gets 416.
  test(`a model file ${name} than the manifest says`, { allow: [/status of 416/] }, async (t) => {
    const site = small().copy(t.folder());
    const { path, bytes } = site.file("encoder");
    const whole = readFileSync(join(site.folder, path));
    writeFileSync(join(site.folder, path), change(whole));
    const visit = await t.visit({ site, failing: true });
    await visit.fill(PROMPTS);
    await visit.start();
    const alert = await visit.alerted(/./, 20);
    t.note(`"${alert}"`);
    assert.ok(alert.includes(path.split("/").at(-1)), `${path} in "${alert}"`);
    // Ignore digit grouping.
    assert.ok(alert.replaceAll(/\D/g, "").includes(String(bytes)), `${bytes} in "${alert}"`);
    assert.match(alert, reason);
    // The page must not keep retrying in the background.
    await pause(3);
    const requests = visit.proxy.requests(ENCODER).length;
    assert.ok(requests <= 6, `${requests} requests for the file`);
    assert.equal(await visit.cancelButton.count(), 0);
    // With the right file on the server, generation succeeds.
    writeFileSync(join(site.folder, path), whole);
    await visit.generate();
  });
}

/** Visits the page a second time, after damaging a stored file. */
async function damagedVisit(t, fault = () => "") {
  const visit = await t.visit({ fault });
  await visit.fill(PROMPTS);
  await visit.generate();
  await visit.damage(visit.site.file("encoder").sha256);
  await visit.page.reload();
  return visit;
}

test("a stored file that was damaged is fetched again", {}, async (t) => {
  const visit = await damagedVisit(t);
  const { sha256: name } = visit.site.file("encoder");
  const alerts = await visit.watchAlerts();
  // The page finds the damage while preloading the models, without an alert.
  await until("the damaged copy deleted", async () => !(name in (await visit.stored())));
  await visit.generate();
  assert.deepEqual(await alerts(), []);
});

test("a stored file that was damaged, and Generate while the models load", {}, async (t) => {
  // The second worker belongs to the second visit.
  const visit = await damagedVisit(t, (count) => count === 2 && standStill("verify"));
  await visit.proxy.held();
  const alerts = await visit.watchAlerts();
  await visit.start();
  visit.proxy.release();
  await until(
    "a result or an alert",
    async () => (await visit.zipAddress()) || (await alerts()).length > 0,
    60,
  );
  // Wait, in case the other one follows.
  await until("the end of the work", () => visit.generateButton.isEnabled(), 60);
  await pause(5);
  const [said, result] = [await alerts(), await visit.zipAddress()];
  if (result) assert.deepEqual(said, [], "a result, and an alert");
  else assert.equal(said.length, 1, "one alert, and no result");
  t.note(result ? "ended in a result" : `ended in the alert "${said[0]}"`);
  await visit.generate();
});

test("an interrupted download is resumed by the page", { allow: [FAILED_LOAD] }, async (t) => {
  const visit = await t.visit({ failing: true });
  visit.proxy.limit(ENCODER, (size, count) => (count === 1 ? Math.floor(size / 2) : Infinity));
  await visit.fill(PROMPTS);
  await visit.generate();
  resumed(t, visit);
});

test(
  "a download interrupted for long is resumed by the visitor",
  { allow: [FAILED_LOAD] },
  async (t) => {
    const visit = await t.visit({ failing: true });
    const lift = visit.proxy.limit(ENCODER, (size, count) =>
      count === 1 ? Math.floor(size / 2) : 0,
    );
    await visit.fill(PROMPTS);
    await visit.start();
    const alert = await visit.alerted(/./, 90);
    assert.match(alert, /connection|download|network|server/i);
    assert.ok(await visit.generateButton.isEnabled(), "Generate can be pressed again");
    lift();
    await visit.generate();
    resumed(t, visit);
  },
);

/** Checks that the rest was fetched by a range request and little was sent twice. */
function resumed(t, visit) {
  const { bytes } = visit.site.file("encoder");
  const requests = visit.proxy.requests(ENCODER);
  const sent = visit.proxy.sent(ENCODER);
  const each = requests.map((request) => `${request.range ?? "all"} ${request.status}`).join(", ");
  t.note(`${bytes} bytes in ${requests.length} requests, ${sent} sent: ${each}`);
  const from = Number(/^bytes=(\d+)-/.exec(requests.at(-1).range ?? "")?.[1] ?? 0);
  assert.ok(from > 0, "the last request was for a range");
  assert.equal(requests.at(-1).status, 206);
  assert.ok(sent < 1.25 * bytes, `${sent} bytes sent for a file of ${bytes}`);
}

test("a cancelled download is resumed after a reload", {}, async (t) => {
  const visit = await t.visit({ failing: true });
  const lift = visit.proxy.limit(ENCODER, (size) => size / 2, { hold: true });
  await visit.fill(PROMPTS);
  await visit.start();
  await visit.proxy.held();
  // Wait until the sent bytes are on disk.
  await until(
    "half a file stored",
    async () => (await visit.stored())[visit.site.file("encoder").sha256] > 0,
  );
  await visit.cancel();
  await visit.page.reload();
  lift();
  visit.proxy.release();
  await visit.fill(PROMPTS);
  await visit.generate();
  resumed(t, visit);
});

// `DND_KILLS=50` is the long form.
const KILLS = Number(process.env.DND_KILLS ?? 3);

test("a page that is gone in mid-download", { seconds: 60 + 20 * KILLS }, async (t) => {
  const total = small().manifest.files.reduce((sum, { bytes }) => sum + bytes, 0);
  const largest = Math.max(...small().manifest.files.map(({ bytes }) => bytes));
  let expected;
  let most = 0;
  for (let turn = 0; turn <= KILLS; turn += 1) {
    const visit = await t.visit({ failing: true, query: "?device=cpu" });
    await visit.fill(PROMPTS, 5);
    if (turn > 0) {
      // At a random byte of a random file, and some time later.
      const file = Math.floor(Math.random() * 4);
      let asked = 0;
      const lift = visit.proxy.limit(
        MODELS,
        (size) => (asked++ === file ? Math.floor(size * Math.random()) : Infinity),
        { hold: true },
      );
      await visit.start();
      await Promise.race([visit.proxy.held(), visit.finished()]);
      await pause(Math.random() / 5);
      await visit.page.reload();
      lift();
      visit.proxy.release();
      await visit.fill(PROMPTS, 5);
    }
    const zip = await visit.generate();
    expected ??= zip;
    assert.ok(zip.equals(expected), `another adapter in turn ${turn}`);
    const again = visit.proxy.sent(MODELS) - total;
    assert.ok(again <= largest, `${again} bytes were sent again in turn ${turn}`);
    most = Math.max(most, again);
    await visit.page.close();
  }
  t.note(`${KILLS} times, at most ${most} of ${total} bytes sent again`);
});

for (const [name, fault] of [
  ["no room to store models", noRoom],
  ["no storage at all", noStorage],
]) {
  test(name, {}, async (t) => {
    const visit = await t.visit({ fault });
    await visit.fill(PROMPTS);
    await visit.generate();
    const said = await visit.page.locator("body").innerText();
    assert.match(
      said,
      /(not|cannot|can't|unable to|no room|refuse).{0,60}(stor|kept|keep|room|space|quota)/is,
    );
    assert.doesNotMatch(said, /Models stored on this device/);
    // Models in memory need not be fetched again.
    const before = visit.proxy.sent(MODELS);
    await visit.generate();
    if (visit.proxy.sent(MODELS) > before)
      t.note("the models were fetched again for the second adapter");
  });
}

test("models are fetched once, and not by the service worker", {}, async (t) => {
  const visit = await t.visit({ failing: true });
  await visit.fill(PROMPTS);
  await visit.generate();
  const total = small().manifest.files.reduce((sum, { bytes }) => sum + bytes, 0);
  assert.equal(visit.proxy.sent(MODELS), total, "each model file is sent once");
  await visit.controlled();
  const cached = await visit.page.evaluate(async () => {
    const urls = [];
    for (const name of await caches.keys()) {
      for (const request of await (await caches.open(name)).keys()) urls.push(request.url);
    }
    return urls;
  });
  assert.ok(
    cached.some((url) => url.endsWith("page_bg.wasm")),
    "the shell is cached",
  );
  assert.deepEqual(
    cached.filter((url) => url.includes("/models/")),
    [],
  );

  const stored = await visit.stored();
  for (const { sha256: name, bytes } of small().manifest.files)
    assert.equal(stored[name], bytes, `stored ${name}`);
  assert.equal(Object.keys(stored).length, small().manifest.files.length, "nothing else is stored");

  await visit.page.reload();
  await visit.deviceKnown(/Models stored on this device/);
  await visit.generate();
  assert.equal(visit.proxy.sent(MODELS), total, "the second visit fetches no model");
});

test("stored models are deleted", {}, async (t) => {
  const visit = await t.visit({ failing: true });
  await visit.fill(PROMPTS);
  await visit.generate();
  await visit.deviceKnown(/Models stored on this device/);
  assert.match(
    await visit.page.locator("body").innerText(),
    /Stored on this device: \d+(\.\d+)? [kM]B/,
  );
  await visit.deleteModels();
  await visit.deviceKnown(/Fetches/);
  await until("a confirmation", async () =>
    /\bDeleted\b/.test(await visit.page.locator("body").innerText()),
  );
  assert.deepEqual(await visit.stored(), {});
  const before = visit.proxy.requests(MODELS).length;
  await visit.generate();
  await visit.deviceKnown(/Models stored on this device/);
  t.note(`after deleting: ${visit.proxy.requests(MODELS).length - before} requests for models`);
});

test("models deleted while the worker starts stay deleted", {}, async (t) => {
  const visit = await t.visit({ fault: (count) => count === 1 && standStill("encode") });
  await visit.fill(PROMPTS, 5);
  await visit.start();
  await visit.stage("encode");
  await visit.cancelButton.click();
  await visit.deleteModels();
  await until("a confirmation", async () =>
    /\bDeleted\b/.test(await visit.page.locator("body").innerText()),
  );
  // Loading models ahead of time would fetch them again.
  const before = visit.proxy.requests(MODELS).length;
  await pause(2);
  assert.equal(visit.proxy.requests(MODELS).length, before);
  assert.deepEqual(await visit.stored(), {});
});

test("after deleting, the GPU computes as before", { seconds: 600 }, async (t) => {
  const visit = await t.visit({ query: "?device=webgpu", fault: countSubmissions });
  await visit.fill(PROMPTS, 2);
  await visit.generate(240);
  await visit.deleteModels();
  await visit.deviceKnown(/Fetches/);
  const zip = await visit.generate(240);
  assert.match(await visit.deviceKnown(), /GPU \(WebGPU/, "the device did not change");
  await checkAdapter(t, visit, zip, PROMPTS, 2);
  const counts = await until("two counts of GPU work", () => {
    const found = t.console
      .flatMap((line) => /GPU submissions: (\d+)/.exec(line)?.[1] ?? [])
      .map(Number);
    return found.length === 2 && found;
  });
  t.note(`GPU submissions: ${counts.join(", then ")}`);
  assert.ok(
    counts.every((count) => count > 0),
    `GPU submissions: ${counts}`,
  );
});

test("the program is sent once on a first visit", {}, async (t) => {
  const visit = await t.visit({ failing: true, persistent: true });
  await visit.fill(PROMPTS);
  await visit.generate();
  // By now the service worker has cached everything. It may revalidate a file (304).
  await visit.controlled();
  for (const name of ["page_bg.wasm", "worker_bg.wasm"]) {
    const pattern = new RegExp(`^/${name}$`);
    const { size } = statSync(join(visit.site.folder, name));
    const answers = visit.proxy
      .requests(pattern)
      .map(({ status, sent }) => `${status} with ${sent} bytes`);
    t.note(`${name}: ${answers.join(", ")}`);
    assert.equal(visit.proxy.sent(pattern), size, `${name}: ${answers.join(", ")}`);
  }
});

test("two windows at once", {}, async (t) => {
  const visit = await t.visit();
  const page = await visit.page.context().newPage();
  const other = Object.assign(new visit.constructor(page, visit.address), { site: visit.site });
  t.visits.push(other);
  await page.goto(visit.address);
  await visit.fill(PROMPTS);
  await other.fill("four\nfive");
  await Promise.all([visit.start(), other.start()]);
  await Promise.all([visit.finished(), other.finished()]);
});

test("offline after the first visit", { allow: [FAILED_LOAD] }, async (t) => {
  const visit = await t.visit({ query: "?seed=4" });
  await visit.fill(PROMPTS);
  const first = await visit.generate();
  await visit.controlled();
  await visit.page.context().setOffline(true);
  await visit.server.stop();
  await visit.page.reload();
  await visit.deviceKnown(/Models stored on this device/);
  await until("the prompts", async () => (await visit.box.inputValue()) === PROMPTS);
  assert.ok((await visit.generate()).equals(first), "the adapter made offline differs");
});

test("the server is gone before the first download", { allow: [FAILED_LOAD] }, async (t) => {
  const visit = await t.visit();
  await visit.deviceKnown();
  await visit.fill(PROMPTS);
  await visit.server.stop();
  await visit.start();
  assert.match(await visit.alerted(/./, 90), /connection|download|network|server|offline/i);
  assert.ok(await visit.generateButton.isEnabled());
});
