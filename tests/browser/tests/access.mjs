// Keyboard, assistive technology, narrow screens.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { require, test, until } from "../harness.mjs";
import { standStill } from "../faults.mjs";
import { unzip } from "../adapter.mjs";

/** Presses Tab until a locator has the focus, and checks that the focus is visible. */
async function tabTo(visit, locator, presses = 60) {
  for (let left = presses; left > 0; left -= 1) {
    await visit.page.keyboard.press("Tab");
    const [focused] = await locator.evaluateAll((all) =>
      all.map((one) => one === document.activeElement),
    );
    if (!focused) continue;
    const shown = await locator.evaluate((element) => {
      const style = getComputedStyle(element);
      return (
        (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) ||
        style.boxShadow !== "none"
      );
    });
    assert.ok(shown, `the focus on ${locator} cannot be seen`);
    return;
  }
  throw new Error(`Tab did not reach ${locator}`);
}

const hasFocus = (locator) => locator.evaluate((element) => element === document.activeElement);

/** Fails if the focus is lost, which would make the next Tab start at the top of the page. */
async function focusKept(visit, when) {
  assert.notEqual(
    await visit.page.evaluate(() => document.activeElement.localName),
    "body",
    `the focus ${when}`,
  );
}

test("keyboard only", {}, async (t) => {
  const visit = await t.visit();
  const { keyboard } = visit.page;
  await visit.deviceKnown();
  await tabTo(visit, visit.box);
  await keyboard.type("typed by hand");
  await keyboard.press("Enter");
  await keyboard.type("twice");
  await until("Generate is enabled", () => visit.generateButton.isEnabled());
  await tabTo(visit, visit.generateButton);
  await keyboard.press("Enter");
  await focusKept(visit, "after Generate");
  await visit.finished();
  await focusKept(visit, "with the result");
  await tabTo(visit, visit.zipLink);
  const zip = await visit.download(visit.zipLink, () => keyboard.press("Enter"));
  assert.ok(unzip(zip).has("adapter_model.safetensors"));
});

test("Cancel by keyboard", {}, async (t) => {
  const visit = await t.visit({ fault: (count) => count === 1 && standStill("encode") });
  await visit.fill("a prompt");
  await visit.deviceKnown();
  await until("Generate is enabled", () => visit.generateButton.isEnabled());
  await visit.generateButton.focus();
  await visit.page.keyboard.press("Enter");
  await visit.stage("encode");
  await focusKept(visit, "while working");
  await tabTo(visit, visit.cancelButton);
  await visit.page.keyboard.press("Enter");
  await until("Generate is enabled again", () => visit.generateButton.isEnabled());
  assert.ok(await hasFocus(visit.generateButton), "the focus is on Generate after Cancel");
});

test("Ctrl+Enter generates, Escape cancels, the result gets the focus", {}, async (t) => {
  const visit = await t.visit({ fault: (count) => count === 1 && standStill("encode") });
  await visit.deviceKnown();
  // At once: the box is read a moment after a key press, and Ctrl+Enter must not wait for it.
  await visit.fill("a prompt");
  await visit.box.press("Control+Enter");
  await visit.stage("encode");
  await visit.page.keyboard.press("Escape");
  await until("Generate is enabled again", () => visit.generateButton.isEnabled());
  await visit.box.press("Control+Enter");
  await visit.finished();
  assert.ok(await hasFocus(visit.box), "typing is not disturbed");
  await visit.start();
  await visit.finished();
  const title = visit.result.getByRole("heading", { name: "Result", exact: true });
  await until("the focus on the result", () => hasFocus(title));
});

/** Fails on serious and critical findings of axe, in both colour schemes. */
async function examine(visit, state) {
  const { page } = visit;
  await page.evaluate(readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const findings = await page.evaluate(async () => {
      const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
      return violations.map(({ id, impact, nodes }) => ({
        id,
        impact,
        nodes: nodes.map((node) => `${node.html}: ${node.failureSummary}`),
      }));
    });
    const grave = findings.filter(({ impact }) => ["serious", "critical"].includes(impact));
    assert.deepEqual(grave, [], `${state}, ${colorScheme}`);
  }
}

test("axe finds nothing serious", { seconds: 240 }, async (t) => {
  const visit = await t.visit({ fault: () => standStill("encode") });
  await visit.deviceKnown();
  await examine(visit, "start");
  await visit.file.setInputFiles({
    name: "bad.pdf",
    mimeType: "application/pdf",
    buffer: Buffer.from("%PDF"),
  });
  await visit.alerted(/bad\.pdf/);
  await examine(visit, "error");
  await visit.fill("one\ntwo\nthree");
  await visit.start();
  await visit.stage("encode");
  await examine(visit, "working");
  visit.proxy.release();
  await visit.finished();
  for (const details of await visit.page.locator("details").all())
    await details.evaluate((one) => (one.open = true));
  await examine(visit, "result");
});

test("no sideways scrolling at 320 pixels", {}, async (t) => {
  const visit = await t.visit({ viewport: { width: 320, height: 640 }, hasTouch: true });
  const narrow = async (state) => {
    const width = await visit.page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 320, `${state}: ${width} pixels wide`);
  };
  await visit.deviceKnown();
  await narrow("start");
  await visit.fill(`${"unbreakable".repeat(60)}\nshort`);
  await until("the preview", async () => (await visit.text(visit.preview)).includes("unbreakable"));
  await narrow("long prompt");
  await visit.file.setInputFiles({
    name: `${"long".repeat(50)}.pdf`,
    mimeType: "application/pdf",
    buffer: Buffer.from("%PDF"),
  });
  await visit.alerted(/\.pdf/);
  await narrow("error");
  // Reload, because changing the form may keep the alert.
  await visit.page.reload();
  await visit.fill("one\ntwo");
  await visit.start();
  await visit.finished();
  for (const details of await visit.page.locator("details").all())
    await details.evaluate((one) => (one.open = true));
  await narrow("result");
  const lines = visit.page.getByRole("textbox", { name: "Lines with answers" });
  await lines.fill(`${"a long question ".repeat(8)} => ${"unbreakable".repeat(8)}`);
  await visit.button("Check").click();
  await visit.page.getByRole("link", { name: "Download as CSV" }).waitFor();
  await narrow("checked lines");
  const panel = await visit.page
    .locator(".try")
    .evaluate(({ scrollWidth, clientWidth }) => ({ scrollWidth, clientWidth }));
  assert.ok(panel.scrollWidth <= panel.clientWidth, `the table widens ${JSON.stringify(panel)}`);
});

test("the page has landmarks, a language and one heading", {}, async (t) => {
  const { page } = await t.visit();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
  await until(
    "a heading",
    async () => (await page.getByRole("heading", { level: 1 }).count()) === 1,
  );
  assert.equal(await page.getByRole("main").count(), 1);
  assert.notEqual(await page.title(), "");
});
