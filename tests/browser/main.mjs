// Runs the browser tests one after the other: `node main.mjs [NAME…]`, where names select by part.
// See harness.mjs for the environment.

import { readdirSync, rmSync } from "node:fs";
import { artefact, Run, startBrowser, tests } from "./harness.mjs";

for (const file of ["prompts", "result", "access", "download", "device", "install", "pictures", "shipped"]) {
  await import(`./tests/${file}.mjs`);
}

const wanted = process.argv.slice(2);
const selected = tests.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
let [passed, failed] = [0, 0];
let browser;
let running;

// Pictures of failures of an earlier run would mislead.
for (const name of readdirSync(artefact("."))) {
  if (/^failed-.*\.png$/.test(name)) rmSync(artefact(name));
}

// Neither the browser nor a server may outlive the tests.
for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"]) {
  process.once(signal, async () => {
    await running?.end();
    await browser?.close().catch(() => {});
    process.exit(1);
  });
}

/** Pictures of the pages that a failed test had open. */
async function photograph(name, visits) {
  const paths = [];
  for (const [index, { page }] of visits.entries()) {
    const path = artefact(`failed-${name.replaceAll(/\W+/g, "-")}${index ? `-${index}` : ""}.png`);
    const taken = await page.screenshot({ path, fullPage: true, timeout: 10_000 }).catch(() => undefined);
    if (taken) paths.push(path);
  }
  return paths;
}

async function runOne({ name, seconds, allow, body }) {
  // A browser that a test brought down must not fail the others.
  if (!browser?.isConnected()) browser = await startBrowser();
  const run = new Run(browser, allow);
  running = run;
  const started = Date.now();
  let timer;
  try {
    const late = new Promise((_, failedLate) => {
      timer = setTimeout(() => failedLate(new Error(`hangs: not done after ${seconds} s`)), seconds * 1000);
    });
    const work = body(run);
    work.catch(() => {});
    await Promise.race([work, late]);
    run.check();
    passed += 1;
    console.log(`ok ${name} ${((Date.now() - started) / 1000).toFixed(1)} s`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED ${name}\n  ${String(error?.stack ?? error).replaceAll("\n", "\n  ")}`);
    for (const line of run.console) console.log(`  | ${line}`);
    for (const path of await photograph(name, run.visits)) console.log(`  screenshot: ${path}`);
  } finally {
    clearTimeout(timer);
    await run.end();
  }
  for (const note of run.notes) console.log(`   ${note}`);
}

for (const one of selected) await runOne(one);
await browser?.close();
console.log(`browser: ${passed} passed, ${failed} failed`);
// Handles that a hanging test left must not keep the process.
process.exit(failed > 0 || selected.length === 0 ? 1 : 0);
