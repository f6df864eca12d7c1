/** What a page holds unless told. */
export const REPORT_DEFAULTS = { scans: 100, points: 120_000, imageWidth: 640 } as const;
