/**
 * "standard": the streets that shipped models were trained and scored on. "green": narrower, on slopes, with wide
 * sidewalks, gardens and hedges, so that classes have about the shares that they have in real scans.
 */
export const STREET_STYLES = ["standard", "green"] as const;
export type StreetStyle = (typeof STREET_STYLES)[number];
