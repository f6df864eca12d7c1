// Opens pages in a Chromium of the system, as a person would from a disk, for tests of what is seen.
import { existsSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** The browser, or undefined: DITR_CHROMIUM names one, else it is looked for in PATH. */
export const chromium =
  process.env.DITR_CHROMIUM ??
  (process.env.PATH ?? "")
    .split(path.delimiter)
    .flatMap((folder) => NAMES.map((name) => path.join(folder, name)))
    .find((file) => existsSync(file));

/** A browser that draws 3D in software, so that it needs no GPU. */
export async function launchBrowser() {
  const { chromium: playwright } = await import("playwright-core");
  return playwright.launch({
    executablePath: chromium,
    // A sandbox needs rights that containers and root do not have.
    chromiumSandbox: false,
    args: ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
  });
}

/**
 * Opens a report without a network and waits until its first scan is shown.
 * @returns the page, and what it asked for or complained of: both grow while it is used
 */
export async function openReport(browser, file, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, ...options });
  await context.setOffline(true);
  const page = await context.newPage();
  const requests = [];
  const complaints = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(pathToFileURL(file).href);
  await page.waitForFunction(() => "ditrReport" in globalThis);
  await settled(page);
  return { page, requests, complaints };
}

/** Waits until what was asked for is on the screen. */
export async function settled(page) {
  await page.evaluate(async () => {
    await globalThis.ditrReport.shown();
    // Until the view counts as standing still and all of it is drawn.
    await new Promise((resolve) => setTimeout(resolve, 400));
    globalThis.ditrReport.view.drawNow();
  });
}
