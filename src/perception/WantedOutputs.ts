/** What somebody listens to; nothing else is made of a scan. How it was labelled is told in any case. */
export interface WantedOutputs {
  readonly labelled: boolean;
  /** Has no effect while there is no filter. */
  readonly filtered: boolean;
  /** Names of the cameras whose images are wanted with the labelled points painted on them. */
  readonly overlays: ReadonlySet<string>;
}

/** What a bag gets. */
export const CLOUDS_ONLY = {
  labelled: true,
  filtered: true,
  overlays: new Set<string>(),
} as const satisfies WantedOutputs;
