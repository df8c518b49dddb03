// Runs the browser tests in sequence. `cargo xtask test --only browser` sets the environment that
// harness.mjs reads.

export default {
  testDir: "./tests",
  testMatch: "*.mjs",
  workers: 1,
  fullyParallel: false,
  reporter: "list",
  outputDir: "../../out/browser/results",
};
