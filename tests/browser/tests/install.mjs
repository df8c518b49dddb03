// The page as an installable app: manifest, policy, and messages where it cannot run.

import assert from "node:assert/strict";
import { test, until } from "../harness.mjs";

test("the page can be installed", {}, async (t) => {
  const { page } = await t.visit();
  const { manifest, sizes } = await page.evaluate(async () => {
    const link = document.querySelector('link[rel="manifest"]');
    const manifest = await (await fetch(link.href)).json();
    const sizes = [];
    for (const { src, sizes: said, type } of manifest.icons) {
      if (!type.includes("png")) continue;
      const image = new Image();
      image.src = new URL(src, link.href).href;
      await image.decode();
      sizes.push([said, `${image.naturalWidth}x${image.naturalHeight}`]);
    }
    return { manifest, sizes };
  });
  for (const field of ["name", "short_name", "start_url", "display"])
    assert.ok(manifest[field], field);
  assert.ok(
    sizes.some(([said]) => said === "192x192") && sizes.some(([said]) => said === "512x512"),
  );
  for (const [said, is] of sizes) assert.equal(is, said);
});

test("licences and model card come with the page", {}, async (t) => {
  const visit = await t.visit();
  const links = visit.page.getByRole("region", { name: "About" }).locator('a[target="_blank"]');
  await links.first().waitFor({ state: "attached" });
  const addresses = await links.evaluateAll((all) => all.map((link) => link.href));
  assert.equal(addresses.length, 3);
  for (const address of addresses) {
    const response = await fetch(address);
    assert.equal(response.status, 200, address);
    assert.match(response.headers.get("content-type"), /^text\/plain/, address);
  }
});

test("the policy allows no inline script", {}, async (t) => {
  const visit = await t.visit();
  const meta = await visit.page.evaluate(
    () => document.querySelector('meta[http-equiv="Content-Security-Policy" i]').content,
  );
  const header = (await (await fetch(visit.address)).headers).get("content-security-policy");
  for (const policy of [meta, header]) {
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe-inline|'unsafe-eval'|https?:|\*/);
  }
  assert.equal(await visit.page.evaluate(() => crossOriginIsolated), true);
});

test("without WebAssembly the page says so", { allow: [/WebAssembly/] }, async (t) => {
  const visit = await t.visit({ failing: true });
  await visit.page.addInitScript(() => delete globalThis.WebAssembly);
  await visit.page.reload();
  await until("a message", async () =>
    /WebAssembly/.test(await visit.page.locator("body").innerText()),
  );
});

test("without scripts the page says so", {}, async (t) => {
  const { page } = await t.visit({ javaScriptEnabled: false });
  await until("a message", async () =>
    /JavaScript|script/i.test(await page.locator("body").innerText()),
  );
});
