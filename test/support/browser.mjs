import { describe } from "@jest/globals";
import { chromium } from "./reportPage.mjs";

export { launchBrowser, openReport, settled } from "./reportPage.mjs";

/** `describe` that is skipped, by name, where there is no browser. */
export const describeWithBrowser = chromium === undefined ? describe.skip : describe;
