import type { SceneIndex } from "../scene/SceneIndex.js";
import type { CloudView } from "./cloud/CloudView.js";
import type { CameraPanel } from "./panels/cameraPanel.js";
import type { ScanStore } from "./ScanStore.js";
import type { ViewState } from "./ViewState.js";

/** `window.ditrReport`: what tests, and people at a console, can ask of the page. */
export interface ReportHook {
  readonly index: SceneIndex;
  readonly state: ViewState;
  readonly view: CloudView;
  readonly store: ScanStore;
  readonly cameras: CameraPanel;
  /** Resolves when the scan that was asked for last is on the screen. */
  readonly shown: () => Promise<unknown>;
}

declare global {
  interface Window {
    ditrReport?: ReportHook;
  }
}

export function exposeToTests(hook: ReportHook): void {
  window.ditrReport = hook;
}
