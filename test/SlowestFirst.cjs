// Order of the test files: those that take longest first, so that no core waits at the end for one that began last.
// Jest knows how long files took only where it ran before, which a fresh clone has not.
const { default: Sequencer } = require("@jest/test-sequencer");

/** Files that take most of a minute or more, the longest first. */
const SLOWEST = [
  "cases.test.js",
  "outputSafety.test.js",
  "pytorchLogits.test.js",
  "runBag.test.js",
  "faultCampaign.test.js",
  "endsCampaign.test.js",
];

module.exports = class SlowestFirst extends Sequencer {
  sort(tests) {
    const place = ({ path }) => {
      const found = SLOWEST.findIndex((name) => path.endsWith(`/${name}`));
      return found < 0 ? SLOWEST.length : found;
    };
    return [...super.sort(tests)].sort((a, b) => place(a) - place(b));
  }
};
