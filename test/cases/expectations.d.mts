/** See expectations.mjs. */
export interface Expectation {
  readonly file: string;
  readonly right: string;
  readonly options?: readonly string[];
  readonly import?: string;
  readonly exit: number | readonly number[];
  readonly inspectExit?: number;
  readonly says?: readonly RegExp[];
  readonly runSays?: readonly RegExp[];
  readonly never?: readonly RegExp[];
  readonly labelled?: number;
  readonly fused?: number | readonly [number, number];
  readonly agreesWith?: string;
  readonly agreesWithOptions?: readonly string[];
  readonly agreement?: number;
  readonly originUnlabeled?: true;
  readonly spacingMs?: number;
}

export declare const EXPECTATIONS: readonly Expectation[];
