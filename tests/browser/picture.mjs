// Screenshots in several looks, for review.

import { artefact } from "./harness.mjs";

const LOOKS = {
  light: { colorScheme: "light", width: 1100 },
  dark: { colorScheme: "dark", width: 1100 },
  phone: { colorScheme: "light", width: 390 },
};

/** Takes a screenshot `STATE-LOOK.png` in each look. */
export async function picture(visit, state) {
  for (const [look, { colorScheme, width }] of Object.entries(LOOKS)) {
    await visit.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await visit.page.setViewportSize({ width, height: 900 });
    await visit.page.screenshot({ path: artefact(`${state}-${look}.png`), fullPage: true });
  }
}
