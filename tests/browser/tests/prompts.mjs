// Ways to enter prompts.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, until } from "../harness.mjs";
import { describeKeys } from "../visit.mjs";

const EXAMPLES = [
  ["Antonyms", "antonyms", "What is the opposite of hot?"],
  ["Capitals", "capitals", "What is the name of Norway's capital?"],
  ["Past tense", "past-tense", "What is the past tense of go?"],
  ["Pick the fruit", "pick-the-fruit", "Which of these is a fruit: plum, hammer, sparrow, river?"],
  [
    "Sentiment",
    "sentiment",
    "Is this review positive or negative? The soup arrived cold and nobody apologised.",
  ],
];

/** Waits until the preview shows this number of prompts, with any digit grouping. */
async function counted(visit, count) {
  const digits = String(count).replace(/\B(?=(\d{3})+$)/g, "[,.\\s\u2009\u202f']?");
  await until(`a preview of ${count} prompts`, async () =>
    new RegExp(`(^|\\D)${digits} prompts?`).test(await visit.text(visit.preview)),
  );
}

test("examples fill the box", {}, async (t) => {
  const visit = await t.visit();
  assert.equal(await visit.generateButton.isDisabled(), true, "nothing to generate from yet");
  const group = visit.page.getByRole("group", { name: "Examples" });
  for (const [label, , first] of EXAMPLES) {
    await group.getByRole("button", { name: label, exact: true }).click();
    await until(label, async () => (await visit.box.inputValue()).includes(first));
    await counted(visit, 32);
    await until("the first row in the preview", async () =>
      (await visit.text(visit.preview)).includes(first),
    );
  }
  assert.equal(await visit.generateButton.isEnabled(), true);
});

test("links fill the form", {}, async (t) => {
  for (const [, name, first] of EXAMPLES) {
    const visit = await t.visit({ query: `?example=${name}&seed=9007199254740991` });
    await until(name, async () => (await visit.box.inputValue()).includes(first));
    assert.equal(await visit.seed.inputValue(), "9007199254740991");
  }
});

test("a link with nonsense does no harm", {}, async (t) => {
  const visit = await t.visit({ query: "?example=../../etc&seed=-1&device=abacus" });
  await visit.deviceKnown();
  assert.equal(await visit.box.inputValue(), "");
  assert.equal(await visit.seed.inputValue(), "0");
});

test("prompts and seed survive a reload", {}, async (t) => {
  const visit = await t.visit();
  await visit.fill("first prompt\nsecond \u{1f600} prompt", 5);
  await counted(visit, 2);
  // The page saves a moment after the last key.
  await until("saved", () =>
    visit.page.evaluate(() => localStorage.getItem("dnd.prompts")?.includes("second")),
  );
  await until("seed saved", () =>
    visit.page.evaluate(() => localStorage.getItem("dnd.seed")?.includes("5")),
  );
  await visit.page.reload();
  await until(
    "prompts again",
    async () => (await visit.box.inputValue()) === "first prompt\nsecond \u{1f600} prompt",
  );
  assert.equal(await visit.seed.inputValue(), "5");
});

test("few and repeated prompts give a hint", {}, async (t) => {
  const visit = await t.visit();
  const note = visit.preview.getByRole("note");
  await visit.fill("only one");
  await until("a hint", async () => /prompt/i.test(await visit.text(note)));
  await visit.fill("the same again\n".repeat(40));
  await until("another hint", async () => /same|alike|repeat|differ/i.test(await visit.text(note)));
});

test("files of each kind", {}, async (t) => {
  const visit = await t.visit();
  const files = {
    "lines.txt": "\ufeffone, two\r\n\r\nthree\r\n",
    "lines.jsonl": '{"prompt":"one, two","x":1}\n"three"\n',
    "list.json": '["one, two", {"prompt": "three"}]',
    "TABLE.CSV": 'id,prompt\n1,"one, two"\n2,three\n',
  };
  for (const [name, text] of Object.entries(files)) {
    await visit.box.fill("");
    await visit.file.setInputFiles({
      name,
      mimeType: "application/octet-stream",
      buffer: Buffer.from(text),
    });
    await until(name, async () => (await visit.box.inputValue()).trim() === "one, two\nthree");
    await counted(visit, 2);
  }
});

/** Puts a text into the box and waits until the preview shows exactly these rows. */
async function understood(visit, what, text, rows) {
  const shown = async () => (await visit.preview.getByRole("listitem").allInnerTexts()).join("\n");
  // The same rows may be left from an earlier text.
  await visit.fill("");
  await until("an empty preview", async () => (await shown()) === "");
  await visit.fill(text);
  await until(
    `${what}: the rows ${JSON.stringify(rows)}`,
    async () => (await shown()) === rows.join("\n"),
  );
  await counted(visit, rows.length);
}

test("a pasted table gives its column of prompts", {}, async (t) => {
  const visit = await t.visit();
  const rows = ["one, two", "three"];
  await understood(visit, "lines", rows.join("\n"), rows);
  const expected = await visit.generate();
  for (const [what, text] of [
    ["commas", 'id,prompt\n1,"one, two"\n2,three\n'],
    ["tabs", "id\tPrompt\tanswer\n1\tone, two\tx\n2\tthree\ty\n"],
    ["semicolons", "prompt;id\none, two;1\nthree;2\n"],
  ]) {
    await understood(visit, what, text, rows);
    assert.ok(
      (await visit.generate()).equals(expected),
      `${what}: another adapter than from lines`,
    );
  }
});

test("the column of a table is chosen", {}, async (t) => {
  const visit = await t.visit();
  await visit.file.setInputFiles({
    name: "tickets.csv",
    mimeType: "text/csv",
    buffer: Buffer.from("id,Text,team\n1,one ticket,a\n2,another ticket,b\n"),
  });
  await until("the reason", async () =>
    /expected a column `prompt`, found id, Text, team.*choose the column/is.test(
      await visit.page.locator("body").innerText(),
    ),
  );
  const column = visit.page.getByLabel("Column of the prompts");
  await column.selectOption("Text");
  await until("the texts", async () =>
    (await visit.box.inputValue()) === "one ticket\nanother ticket",
  );
  await counted(visit, 2);
  await column.selectOption("team");
  await until("the teams", async () => (await visit.box.inputValue()) === "a\nb");
  // Typing makes the table one of the past.
  await visit.fill("something new");
  await column.waitFor({ state: "hidden" });
  // A pasted table has its columns, too.
  await visit.fill("prompt\tother\none\ttwo\nthree\tfour");
  await counted(visit, 2);
  await column.selectOption("other");
  await until("the other column", async () => (await visit.box.inputValue()) === "two\nfour");
});

test("a pasted list loses its markers", {}, async (t) => {
  const visit = await t.visit();
  const rows = ["What is 2. plus 3?", "Name a fruit"];
  const lists = [(i) => `${i}. `, (i) => `${i}) `, () => "- ", () => "* ", () => "\u2022 "];
  for (const marker of lists) {
    const text = rows.map((row, i) => marker(i + 1) + row).join("\n");
    await understood(visit, `marker "${marker(1)}"`, text, rows);
    const notes = await visit.text(visit.preview.getByRole("note"));
    assert.match(notes, /marker|number|bullet/i);
  }
  // If one line has no marker, the text is not a list.
  const mixed = ["1. one", "two"];
  await understood(visit, "no list", mixed.join("\n"), mixed);
});

test("prompts that were replaced can be brought back", {}, async (t) => {
  const visit = await t.visit();
  const own = "my first prompt\nmy second prompt";
  const back = visit.button("Bring back my prompts");
  const replaced = async () => {
    await visit.fill(own);
    await counted(visit, 2);
    await visit.button("Antonyms").click();
    await counted(visit, 32);
    await back.waitFor();
    assert.match(await visit.page.locator("body").innerText(), /replaced.{0,20}\b2 prompts/i);
  };
  await replaced();
  await back.click();
  await until("the prompts again", async () => (await visit.box.inputValue()) === own);
  await back.waitFor({ state: "hidden" });
  await counted(visit, 2);
  // The key that undoes typing undoes this, too, wherever the focus is.
  await replaced();
  await visit.page.keyboard.press("Control+z");
  await until("the prompts after Ctrl+Z", async () => (await visit.box.inputValue()) === own);
  await back.waitFor({ state: "hidden" });
  // Editing discards the replaced prompts.
  await replaced();
  await visit.fill("something new");
  await back.waitFor({ state: "hidden" });
});

test("bad files leave the box as it is", {}, async (t) => {
  const visit = await t.visit();
  await visit.fill("what was there before");
  const bad = [
    ["latin.txt", Buffer.from([0x63, 0x61, 0x66, 0xe9, 0x0a]), /UTF-8/],
    ["paper.pdf", Buffer.from("%PDF-1.7"), /expected text.*PDF/s],
    ["table.csv", Buffer.from("question,answer\na,b\n"), /`?prompt`?.*question/s],
    ["broken.jsonl", Buffer.from('"fine"\n{"prompt":\n'), /line 2/],
    ["empty.txt", Buffer.from(""), /expected.*prompt/is],
  ];
  for (const [name, buffer, expected] of bad) {
    await visit.file.setInputFiles({ name, mimeType: "application/octet-stream", buffer });
    const alert = await visit.alerted(new RegExp(name.replace(".", "\\."), "i"));
    assert.match(alert, expected);
    assert.equal(await visit.box.inputValue(), "what was there before");
  }
  await visit.file.setInputFiles({
    name: "good.txt",
    mimeType: "text/plain",
    buffer: Buffer.from("good"),
  });
  await until(
    "the alert to go",
    async () => !(await visit.text(visit.alert.filter({ visible: true }))),
  );
});

test("a file is dropped on the box", {}, async (t) => {
  const visit = await t.visit();
  const dataTransfer = await visit.page.evaluateHandle(() => {
    const transfer = new DataTransfer();
    transfer.items.add(
      new File(["dropped one\ndropped two\n"], "dropped.txt", { type: "text/plain" }),
    );
    return transfer;
  });
  for (const event of ["dragenter", "dragover", "drop"])
    await visit.box.dispatchEvent(event, { dataTransfer });
  await until(
    "dropped prompts",
    async () => (await visit.box.inputValue()).trim() === "dropped one\ndropped two",
  );
  await counted(visit, 2);
});

test("a 1 MB prompt file", {}, async (t) => {
  const visit = await t.visit();
  const lines = [];
  for (let size = 0; size < 1e6; size += lines.at(-1).length + 1) {
    lines.push(`Which number comes after ${lines.length * 7919}?`);
  }
  const path = join(t.folder(), "large.txt");
  writeFileSync(path, lines.join("\n"));
  await visit.deviceKnown();
  await visit.file.setInputFiles(path);
  await counted(visit, lines.length);
  const keys = await visit.typeDuring(new Promise((done) => setTimeout(done, 4000)));
  t.note(`1 MB in the box: ${describeKeys(keys)}`);
  await visit.generate();
});

test("text that looks like markup stays text", {}, async (t) => {
  const visit = await t.visit();
  await visit.fill('<img src=x onerror="document.title=1"><b>bold</b>');
  await until("the row", async () => (await visit.text(visit.preview)).includes("<b>bold</b>"));
  assert.equal(await visit.preview.locator("img, b").count(), 0);
});
