// Pictures of the main states, kept to be looked at.

import { artefact, test, until } from "../harness.mjs";
import { standStill } from "../faults.mjs";

const LOOKS = {
  light: { colorScheme: "light", width: 1100 },
  dark: { colorScheme: "dark", width: 1100 },
  phone: { colorScheme: "light", width: 390 },
};

/** Takes `STATE-LOOK.png` of each look. */
async function picture(visit, state) {
  for (const [look, { colorScheme, width }] of Object.entries(LOOKS)) {
    await visit.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await visit.page.setViewportSize({ width, height: 900 });
    await visit.page.screenshot({ path: artefact(`${state}-${look}.png`), fullPage: true });
  }
}

test("pictures of the main states", { seconds: 240 }, async (t) => {
  const visit = await t.visit({ fault: () => standStill("encode") });
  await visit.deviceKnown();
  await picture(visit, "start");
  await visit.file.setInputFiles({ name: "notes.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF") });
  await visit.alerted(/notes\.pdf/);
  await picture(visit, "error");
  await visit.fill("Translate cat.\nTranslate cat.");
  await until("a hint", async () => (await visit.text(visit.preview.getByRole("note"))) !== "");
  await picture(visit, "small-text");
  await visit.button("Antonyms").click();
  await until("the example", async () => (await visit.text(visit.preview)).includes("32 prompts"));
  await visit.start();
  await visit.stage("encode");
  await picture(visit, "working");
  visit.proxy.release();
  await visit.finished();
  await picture(visit, "result");
});
