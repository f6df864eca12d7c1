// node test/load/reportFrames.mjs PAGE...: how long a report's page takes to open and to draw a frame in a headless Chromium that
// draws in software. Processor time is of all of the browser's processes: it holds on a busy machine too.
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { launchBrowser, openReport } from "../support/reportPage.mjs";

const FRAMES = 20;
const TICKS_PER_SECOND = 100;

/** Seconds of processor time of all processes whose command line has this. */
function processorSeconds(mark) {
  let ticks = 0;
  for (const id of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${id}/cmdline`, "utf8").includes(mark)) continue;
      const fields = readFileSync(`/proc/${id}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ");
      ticks += Number(fields[11]) + Number(fields[12]);
    } catch {
      // It has ended meanwhile.
    }
  }
  return ticks / TICKS_PER_SECOND;
}

const browser = await launchBrowser();
try {
  for (const file of process.argv.slice(2)) {
    const start = performance.now();
    const { page } = await openReport(browser, path.resolve(file), {
      viewport: { width: 1280, height: 800 },
    });
    const opened = performance.now() - start;
    console.log(
      `${file}: ${(statSync(file).size / 1e6).toFixed(1)} MB, opened in ${(opened / 1000).toFixed(1)} s, ` +
        `${await page.evaluate("ditrReport.view.drawnPoints")} points`,
    );
    for (const [name, how] of [
      ["while it moves (25,000 points)", "false, 25000"],
      ["all points", "false"],
      ["all points, shaded by depth", "true"],
    ]) {
      await page.evaluate(`ditrReport.view.timeFrame(${how})`);
      const before = processorSeconds("chromium");
      const times = await page.evaluate(
        `Array.from({ length: ${FRAMES} }, () => ditrReport.view.timeFrame(${how}))`,
      );
      const used = (1000 * (processorSeconds("chromium") - before)) / FRAMES;
      const median = times.toSorted((a, b) => a - b)[FRAMES / 2];
      console.log(
        `  ${name}: ${median.toFixed(0)} ms a frame (median of ${FRAMES}), ` +
          `${used.toFixed(0)} ms of processor time`,
      );
    }
    await page.context().close();
  }
} finally {
  await browser.close();
}
