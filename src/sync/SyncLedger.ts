import { type Observable, Subject } from "rxjs";
import { type Release, RELEASES } from "./types.js";

/**
 * Why a message was let go:
 * - `no_match`: an image that was nobody's nearest;
 * - `late`: an image that came after the cloud it belongs to had left;
 * - `superseded`: a released cloud that a newer one overtook while the consumer was busy;
 * - `queue_full`: an image that left a full buffer before any cloud used it;
 * - `bad_stamp`: stamp zero or negative;
 * - `out_of_order`: older than what was already decided, so that it cannot be placed any more;
 * - `duplicate`: the same stamp a second time in its stream;
 * - `reset`: time jumped back while the message was waiting.
 */
export const DROP_CAUSES = [
  "no_match",
  "late",
  "superseded",
  "queue_full",
  "bad_stamp",
  "out_of_order",
  "duplicate",
  "reset",
] as const;
export type DropCause = (typeof DROP_CAUSES)[number];

/** `received = delivered + sum of dropped + pending` at every moment. */
export interface StreamStatistics {
  readonly received: number;
  /** Clouds handed to the consumer; images that were part of at least one released frame. */
  readonly delivered: number;
  readonly dropped: Readonly<Record<DropCause, number>>;
  /** Waiting now, and not yet delivered. */
  readonly pending: number;
}

export interface CameraStatistics extends StreamStatistics {
  /** Images per frame beyond the first frame that each image served. */
  readonly reused: number;
  /** Whether clouds wait for this camera. */
  readonly active: boolean;
  /** Given or learned, nanoseconds; undefined until known. */
  readonly period: bigint | undefined;
}

export interface SyncStatistics {
  readonly clouds: StreamStatistics;
  readonly cameras: ReadonlyMap<string, CameraStatistics>;
  readonly releases: Readonly<Record<Release, number>>;
  /** Backward jumps of the clouds' time, and resets from outside. */
  readonly jumps: number;
}

export interface DroppedMessage {
  /** The camera's name; undefined for a cloud. */
  readonly camera: string | undefined;
  readonly stamp: bigint;
  readonly cause: DropCause;
}

/** Double-entry bookkeeping of one stream: every message that came in is pending until it is delivered or dropped. */
export class StreamLedger {
  readonly #drops: Subject<DroppedMessage>;
  readonly #camera: string | undefined;
  readonly #dropped = zeroCounts(DROP_CAUSES);
  #received = 0;
  #delivered = 0;
  #pending = 0;

  constructor(drops: Subject<DroppedMessage>, camera?: string) {
    this.#drops = drops;
    this.#camera = camera;
  }

  receive(): void {
    this.#received++;
    this.#pending++;
  }

  deliver(): void {
    this.#pending--;
    this.#delivered++;
  }

  /** Takes a delivery back that the consumer cannot take yet. */
  hold(): void {
    this.#delivered--;
    this.#pending++;
  }

  drop(stamp: bigint, cause: DropCause): void {
    this.#pending--;
    this.#dropped[cause]++;
    this.#drops.next({ camera: this.#camera, stamp, cause });
  }

  statistics(): StreamStatistics {
    return {
      received: this.#received,
      delivered: this.#delivered,
      dropped: { ...this.#dropped },
      pending: this.#pending,
    };
  }
}

export class CameraLedger extends StreamLedger {
  #reused = 0;
  active = true;
  period: bigint | undefined;

  reuse(): void {
    this.#reused++;
  }

  override statistics(): CameraStatistics {
    return { ...super.statistics(), reused: this.#reused, active: this.active, period: this.period };
  }
}

/** The account of one join: create it, hand it to `synchronize` (and `processNewest`), read it at any time. */
export class SyncLedger {
  readonly clouds: StreamLedger;
  readonly #drops = new Subject<DroppedMessage>();
  readonly #cameras = new Map<string, CameraLedger>();
  readonly #releases = zeroCounts(RELEASES);
  readonly #jumped = new Subject<bigint | undefined>();
  #jumps = 0;

  constructor() {
    this.clouds = new StreamLedger(this.#drops);
  }

  /** Every dropped message as it is dropped, for logs that name topic, stamp and cause; limit their rate there. */
  get drops(): Observable<DroppedMessage> {
    return this.#drops.asObservable();
  }

  /**
   * Every jump of time as it happens: by how much the clouds' stamps went back, nanoseconds; undefined for a reset from
   * outside.
   */
  get jumped(): Observable<bigint | undefined> {
    return this.#jumped.asObservable();
  }

  /** The camera's account, opened at the first call. */
  camera(name: string): CameraLedger {
    let ledger = this.#cameras.get(name);
    if (ledger === undefined) {
      ledger = new CameraLedger(this.#drops, name);
      this.#cameras.set(name, ledger);
    }
    return ledger;
  }

  release(release: Release): void {
    this.#releases[release]++;
    this.clouds.deliver();
  }

  jump(by?: bigint): void {
    this.#jumps++;
    this.#jumped.next(by);
  }

  /** A snapshot that does not change any more. */
  statistics(): SyncStatistics {
    return {
      clouds: this.clouds.statistics(),
      cameras: new Map([...this.#cameras].map(([name, ledger]) => [name, ledger.statistics()])),
      releases: { ...this.#releases },
      jumps: this.#jumps,
    };
  }
}

function zeroCounts<K extends string>(keys: readonly K[]): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>;
}
