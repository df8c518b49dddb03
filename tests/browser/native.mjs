// Answers of the native program.

import { execFileSync } from "node:child_process";
import { environment } from "./harness.mjs";

/** What the base model in a file answers, with the adapter in a folder. */
export function answer(model, question, adapter) {
  const options = ["--base", model, "--max-tokens", "64", "--device", "cpu"];
  if (adapter) options.push("--adapter", adapter);
  const arguments_ = ["complete", question, ...options];
  return execFileSync(environment("DND"), arguments_, { encoding: "utf8" }).replace(/\n$/, "");
}
