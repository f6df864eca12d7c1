import { signal } from "@preact/signals-core";

/** What points are coloured by: a field of the index by its number, or one of these. */
export type Coloring = "class" | "height" | "verdict" | `field:${number}`;

/** A point of a scan of the page. */
export interface PointAt {
  readonly place: number;
  readonly point: number;
}

export type Palette = "recorded" | "safe";

export type Theme = "light" | "dark";

/** All that a person changes; panels and views follow it. */
export class ViewState {
  /** The scan that is shown: its place in the page, from 0. */
  readonly place = signal(0);
  /** The scan that is on the screen: that at `place`, or the one before while that is unpacked. */
  readonly shownPlace = signal(0);
  readonly isPlaying = signal(false);
  /** Times the recorded speed. */
  readonly speed = signal(1);
  readonly coloring = signal<Coloring>("class");
  readonly palette = signal<Palette>("recorded");
  /** Slots of classes that are not shown; NO_CLASS is one. */
  readonly hidden = signal<ReadonlySet<number>>(new Set());
  readonly hovered = signal<PointAt | undefined>(undefined);
  readonly selected = signal<PointAt | undefined>(undefined);
  readonly theme = signal<Theme>("dark");
  /** Points are this many times as large as usual. */
  readonly pointSize = signal(1);
  readonly shadesDepth = signal(true);
  readonly showsBoxes = signal(true);
  /** How many scans are shown together, the last being that at `place`. */
  readonly gathered = signal(1);
  /** Does the view move with the sensor? */
  readonly follows = signal(true);
  readonly measures = signal(false);
}
