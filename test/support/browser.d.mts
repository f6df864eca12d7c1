import type { describe } from "@jest/globals";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";

export const describeWithBrowser: typeof describe;
export function launchBrowser(): Promise<Browser>;
export function openReport(
  browser: Browser,
  file: string,
  options?: BrowserContextOptions,
): Promise<{ page: Page; requests: string[]; complaints: string[] }>;
export function settled(page: Page): Promise<void>;
