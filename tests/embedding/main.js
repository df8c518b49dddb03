// What tests/browser/tests/package.mjs calls in the page.
import { DndError, load } from "dnd-adapters";

Object.assign(globalThis, { load, DndError });
