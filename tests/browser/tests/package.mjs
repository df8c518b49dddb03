// The npm package, installed into a project and built by Vite.

import assert from "node:assert/strict";
import { environment, small, test } from "../harness.mjs";
import { largestDifference, tensors, unzip } from "../adapter.mjs";

const NAME = "a page with the package generates and answers";

test(NAME, { seconds: 180, allow: [/404/] }, async (t) => {
  const { address } = await t.serve({ folder: environment("DND_EMBEDDING") });
  const { page } = await t.open(address, "");
  await page.waitForFunction(() => globalThis.load);
  const found = await page.evaluate(async () => {
    const stages = new Set();
    const onProgress = ({ stage }) => stages.add(stage);
    const models = new URL("models/", document.baseURI);
    const dnd = await globalThis.load({ models, device: "cpu", onProgress });
    const adapter = await dnd.generate(["one", "two", "three"], { seed: 4 });
    const tokens = [];
    const onToken = (text) => tokens.push(text);
    const options = { maxTokens: 60 };
    const without = await dnd.complete("hot", { ...options, onToken });
    const answers = [without, await dnd.complete("hot", { ...options, adapter })];
    const described = await dnd.generate([], { describe: "Give the plural." });

    const codes = [];
    const failing = async (act) => {
      try {
        await act();
        codes.push("none");
      } catch (error) {
        codes.push(error instanceof globalThis.DndError ? error.code : `${error}`);
      }
    };
    await failing(() => dnd.generate([" "]));
    const stopped = new AbortController();
    stopped.abort();
    await failing(() => dnd.generate(["one"], { signal: stopped.signal }));
    const running = new AbortController();
    const cut = dnd.complete("hot", { signal: running.signal, onToken: () => running.abort() });
    await failing(() => cut);
    const theirs = await dnd.complete("hot", { ...options, adapter: described });
    // Calls at once do not mix their adapters, and go on after an abort.
    const both = await Promise.all([
      dnd.complete("hot", { ...options, adapter }),
      dnd.complete("hot", { ...options, adapter: described }),
      dnd.complete("hot", options),
    ]);
    const told = [];
    await dnd.complete("hot", { ...options, onAnswered: ({ tokens }) => told.push(tokens) });
    // What was deleted is fetched again.
    await dnd.deleteModels();
    stages.delete("download");
    const again = await dnd.generate(["one", "two", "three"], { seed: 4 });
    dnd.dispose();
    await failing(() => globalThis.load({ models: "nowhere/", device: "cpu" }));
    await failing(() => dnd.complete("hot"));
    await failing(() => globalThis.load({}));
    return {
      device: dnd.device,
      stages: [...stages],
      zip: [...adapter.zip()],
      gguf: [...adapter.gguf().slice(0, 4)],
      names: Object.keys(adapter.peft()),
      same: again.sha256 === adapter.sha256 && described.sha256 !== adapter.sha256,
      both,
      theirs,
      tokens: tokens.join("") === without,
      told: told.length === 1 && told[0] > 0,
      answers,
      codes,
    };
  });
  assert.match(found.device, /CPU/);
  assert.ok(found.stages.includes("encode") && found.stages.includes("decode"));
  const files = unzip(Buffer.from(found.zip));
  const base = JSON.parse(files.get("adapter_config.json")).base_model_name_or_path;
  const native = unzip(await t.native(small(), "one\ntwo\nthree", 4, base));
  const [ours, theirs] = [files, native].map((all) => all.get("adapter_model.safetensors"));
  assert.ok(largestDifference(tensors(ours), tensors(theirs)) <= 1e-3);
  assert.equal(Buffer.from(found.gguf).toString(), "GGUF");
  assert.deepEqual(found.names, ["adapter_model.safetensors", "adapter_config.json"]);
  assert.ok(found.same, "the seed and the prompts decide");
  const [first, second] = found.answers;
  assert.deepEqual(found.both, [second, found.theirs, first], "answers of calls at once");
  assert.ok(found.told, "onAnswered");
  assert.ok(found.stages.includes("download"), "deleted models are fetched");
  assert.ok(found.tokens && found.answers[0] !== found.answers[1]);
  assert.deepEqual(found.codes, ["other", "aborted", "aborted", "outdated", "other", "other"]);
});
