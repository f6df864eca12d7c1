// Jest runs the compiled files that ship (dist/), so that worker threads start from the same
// JavaScript in tests as in production and no second compiler is involved.
/** @type {import("jest").Config} */
export default {
  rootDir: "dist",
  testEnvironment: "<rootDir>/../test/environment/NodeTypedArrayEnvironment.cjs",
  testMatch: ["<rootDir>/**/*.test.js"],
  testSequencer: "<rootDir>/../test/SlowestFirst.cjs",
  transform: {},
  testTimeout: 60_000,
  maxWorkers: 2,
};
