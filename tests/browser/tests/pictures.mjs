// Screenshots of the main states, for review.

import { test, until } from "../harness.mjs";
import { picture } from "../picture.mjs";
import { standStill } from "../faults.mjs";

test("pictures of the main states", { seconds: 240 }, async (t) => {
  const visit = await t.visit({ fault: () => standStill("encode") });
  await visit.deviceKnown();
  await picture(visit, "start");
  await visit.file.setInputFiles({
    name: "notes.pdf",
    mimeType: "application/pdf",
    buffer: Buffer.from("%PDF"),
  });
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
