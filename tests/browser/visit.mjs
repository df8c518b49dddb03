// Drives the page as a visitor does, by role and accessible name.

import { readFileSync } from "node:fs";
import { until } from "./harness.mjs";

export class Visit {
  constructor(page, address) {
    this.page = page;
    this.address = address;
    const named = (role, name) => page.getByRole(role, { name, exact: true });
    this.box = named("textbox", "Prompts");
    // In details, so that it has no role while they are closed.
    this.seed = page.locator("#seed");
    this.file = page.getByLabel(/Choose a file/);
    this.preview = named("region", "Preview");
    this.generateButton = named("button", "Generate adapter");
    this.cancelButton = named("button", "Cancel");
    this.device = named("status", "Device");
    this.progress = named("progressbar", "Progress");
    this.alert = page.getByRole("alert");
    this.result = named("region", "Result");
    this.zipLink = this.result.getByRole("link", { name: "Download adapter (.zip)", exact: true });
  }

  button(name) {
    return this.page.getByRole("button", { name, exact: true });
  }

  /** Waits until the device is known and returns the status text. */
  async deviceKnown(pattern = /CPU|GPU/, seconds = 40) {
    return until(
      `Device ${pattern}`,
      async () => {
        const text = await this.text(this.device);
        return pattern.test(text) && text;
      },
      seconds,
    );
  }

  /** Text that a locator shows, empty if nothing is there. */
  async text(locator) {
    return (await locator.allInnerTexts()).join("\n").trim();
  }

  /** Waits for a matching alert and returns its text. */
  async alerted(pattern, seconds = 60) {
    let text = "";
    return until(
      `alert ${pattern}`,
      async () => {
        text = await this.text(this.alert.filter({ visible: true }));
        return pattern.test(text) && text;
      },
      seconds,
    ).catch((error) => {
      throw new Error(`${error.message}; the alert says "${text}"`);
    });
  }

  /** Puts prompts (and a seed) into the form. */
  async fill(prompts, seed) {
    await this.box.fill(prompts);
    if (seed !== undefined) await this.fillSeed(seed);
  }

  /** Opens everything that is folded in a locator. */
  async unfold(locator) {
    for (const details of await locator.locator("details").all())
      await details.evaluate((one) => (one.open = true));
  }

  async fillSeed(seed) {
    await this.unfold(this.page.locator(".generate"));
    await this.seed.fill(String(seed));
  }

  /** Presses Generate once it is enabled. */
  async start() {
    this.before = await this.zipAddress();
    await this.generateButton.click();
  }

  async zipAddress() {
    const [address] = await this.zipLink.evaluateAll((links) => links.map((link) => link.href));
    return address;
  }

  /** Waits for a result newer than `start`; fails on an alert. */
  async finished(seconds = 60) {
    await until(
      "a result",
      async () => {
        const alert = await this.text(this.alert.filter({ visible: true }));
        if (alert) throw new Error(`expected a result, found the alert "${alert}"`);
        const address = await this.zipAddress();
        return address && address !== this.before;
      },
      seconds,
    );
    await this.unfold(this.result);
  }

  /** Generates an adapter and returns the bytes of the zip. */
  async generate(seconds) {
    await this.start();
    await this.finished(seconds);
    return this.download(this.zipLink);
  }

  /** Clicks a link and returns the bytes of the download. */
  async download(link, act = () => link.click()) {
    const [download] = await Promise.all([this.page.waitForEvent("download"), act()]);
    return readFileSync(await download.path());
  }

  /** Waits until the progress bar shows a stage, by its displayed name. */
  async stage(name, seconds = 60) {
    await until(
      `stage ${name}`,
      async () => {
        const texts = await this.progress.evaluateAll((bars) =>
          bars.map((bar) => bar.getAttribute("aria-valuetext")),
        );
        return texts.some((text) => text?.toLowerCase().includes(name));
      },
      seconds,
    );
  }

  /** Presses Cancel and waits until the page is ready again. */
  async cancel() {
    await this.cancelButton.click();
    await this.cancelButton.waitFor({ state: "hidden" });
    await until("Generate is enabled again", () => this.generateButton.isEnabled());
    if (await this.zipAddress()) throw new Error("a result after Cancel");
  }

  /** Deletes the stored models, which the page asks about. */
  async deleteModels() {
    await this.button("Delete stored models").click();
    await this.page.getByRole("button", { name: /^Yes, delete/ }).click();
  }

  /** Asks the base model and returns its answers without and with the adapter. */
  async ask(question, seconds = 60) {
    const panel = this.page.getByRole("region", { name: "Try it" });
    await panel.getByRole("textbox", { name: "Ask", exact: true }).fill(question);
    await panel.getByRole("button", { name: "Ask both" }).click();
    return this.answered(seconds);
  }

  /** Waits for both answers and returns them, each with what stands below it. */
  async answered(seconds = 60) {
    return until(
      "both answers",
      async () => {
        const alert = await this.text(this.alert.filter({ visible: true }));
        if (alert) throw new Error(`expected answers, found the alert "${alert}"`);
        const answers = await this.page.locator(".answer").evaluateAll((all) =>
          all.map((one) => ({
            text: one.querySelector(".said").textContent,
            about: one.querySelector(".help").textContent,
          })),
        );
        return answers.length === 2 && answers.every(({ about }) => about) && answers;
      },
      seconds,
    );
  }

  /** Names and sizes of the stored model files. */
  stored() {
    return this.page.evaluate(async () => {
      const root = await navigator.storage.getDirectory();
      const folder = await root.getDirectoryHandle("models").catch(() => undefined);
      const found = {};
      if (!folder) return found;
      for await (const [name, handle] of folder) found[name] = (await handle.getFile()).size;
      return found;
    });
  }

  /** Changes a byte in the middle of a stored model file. */
  damage(name) {
    return this.page.evaluate(async (name) => {
      const root = await navigator.storage.getDirectory();
      const handle = await (await root.getDirectoryHandle("models")).getFileHandle(name);
      const file = await handle.getFile();
      const position = file.size >> 1;
      const [byte] = new Uint8Array(await file.slice(position, position + 1).arrayBuffer());
      const writable = await handle.createWritable({ keepExistingData: true });
      await writable.write({ type: "write", position, data: new Uint8Array([byte ^ 1]) });
      await writable.close();
    }, name);
  }

  /** Records all alerts from now on, even transient ones; returns a function that lists them. */
  async watchAlerts() {
    await this.page.evaluate(() => {
      globalThis.alerts = [];
      const look = () => {
        const shown = [...document.querySelectorAll('[role="alert"]')].filter((one) =>
          one.checkVisibility(),
        );
        const text = shown
          .map((one) => one.innerText.trim())
          .join(" ")
          .trim();
        if (text && text !== globalThis.alerts.at(-1)) globalThis.alerts.push(text);
      };
      new MutationObserver(look).observe(document.body, {
        subtree: true,
        childList: true,
        characterData: true,
      });
      look();
    });
    return () => this.page.evaluate(() => globalThis.alerts);
  }

  /** Waits until the service worker controls the page. */
  async controlled() {
    await until("a controlling service worker", () =>
      this.page.evaluate(() => Boolean(navigator.serviceWorker.controller)),
    );
  }

  async clipboard() {
    return this.page.evaluate(() => navigator.clipboard.readText());
  }

  /** Types until `work` is done. Returns the sorted times in ms from key press to next frame. */
  async typeDuring(work) {
    await this.page.evaluate(() => {
      const channel = new MessageChannel();
      const pending = [];
      globalThis.latencies = [];
      // A message posted in a frame's callback arrives when that frame has been laid out.
      channel.port1.onmessage = () => {
        for (const began of pending.splice(0)) globalThis.latencies.push(performance.now() - began);
      };
      globalThis.measureKeys = (event) => {
        requestAnimationFrame(() => {
          pending.push(event.timeStamp);
          channel.port2.postMessage(0);
        });
      };
      document.addEventListener("keydown", globalThis.measureKeys, true);
    });
    // Put the caret at the end, where a person would continue typing.
    await this.box.evaluate((box) => {
      box.focus();
      box.setSelectionRange(box.value.length, box.value.length);
    });
    let working = true;
    const done = Promise.resolve(work).finally(() => (working = false));
    done.catch(() => {});
    while (working) {
      await this.page.keyboard.press("x");
      await new Promise((resume) => setTimeout(resume, 40));
      await this.page.keyboard.press("Backspace");
      await new Promise((resume) => setTimeout(resume, 40));
    }
    await done;
    return this.page.evaluate(() => {
      document.removeEventListener("keydown", globalThis.measureKeys, true);
      return globalThis.latencies.sort((a, b) => a - b);
    });
  }
}

// The goal is 100 ms. Machines are shared, so only times far above it fail.
const LONGEST_KEY_MS = 600;

/** Summarizes key press latencies; fails if one is too long. */
export function describeKeys(latencies) {
  if (latencies.length === 0) throw new Error("no key press was answered");
  const [median, largest] = [latencies[latencies.length >> 1], latencies.at(-1)];
  if (largest > LONGEST_KEY_MS) {
    throw new Error(
      `a key press took ${largest.toFixed(0)} ms, at most ${LONGEST_KEY_MS} ms is expected`,
    );
  }
  const times = `${median.toFixed(0)} ms (median), ${largest.toFixed(0)} ms (largest)`;
  return `${latencies.length} key presses answered in ${times}`;
}
