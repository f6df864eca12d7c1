/** For tests: all that makes a status other than OK. */
import { Fault } from "../../faults/Fault.js";
import { DiagnosticLevel } from "../../messages/types.js";
import type { DIAGNOSTIC_RULES } from "./diagnosticRules.js";
import { missing, type MonitoredNode, refusedCuda } from "./exampleNode.js";
import { failedScan, labelledScan } from "./exampleScans.js";

const { WARN, ERROR } = DiagnosticLevel;

export const LOOK_AT_STAMPS =
  "its stamps are too far from the clouds': look at the deltas, set its offset or tolerance";

/** Rule by rule: what happens, the status that says so, its level and its sentence. */
export const TROUBLE: Record<
  keyof typeof DIAGNOSTIC_RULES,
  readonly (readonly [
    happening: (node: MonitoredNode) => void,
    subject: string,
    level: number,
    message: string,
  ])[]
> = {
  "not-configured": [
    [
      (node) => {
        node.snapshot = { ...node.snapshot, state: "unconfigured", problem: "/models/x has no bundle.json" };
      },
      "model",
      ERROR,
      "/models/x has no bundle.json",
    ],
    [
      (node) => {
        node.snapshot = { ...node.snapshot, state: "finalized" };
      },
      "model",
      ERROR,
      "the node is finalized and does nothing any more",
    ],
  ],
  "provider-not-asked-for": [
    [
      (node) => {
        node.snapshot = { ...node.snapshot, model: { name: "m", provider: refusedCuda("cuda") } };
      },
      "model",
      WARN,
      "provider cpu is in use instead of cuda (no device)",
    ],
  ],
  "nodes-elsewhere": [
    [
      (node) => {
        const placement = { CUDAExecutionProvider: 100, CPUExecutionProvider: 210 };
        const provider = { requested: "cuda", obtained: "cuda", refused: [], placement } as const;
        node.snapshot = { ...node.snapshot, model: { name: "m", provider } };
      },
      "model",
      WARN,
      "only 100 of 310 graph nodes run on cuda",
    ],
  ],
  "cloud-silent": [
    [
      (node) => {
        node.publishers = [];
        node.now += 3200;
      },
      "cloud lidar",
      ERROR,
      "no cloud on /points for 3.2 s; 0 publishers on the topic",
    ],
    [
      (node) => {
        node.publishers = ["reliable", "best_effort"];
        node.now += 4000;
      },
      "cloud lidar",
      ERROR,
      "no cloud on /points for 4.0 s; 2 publishers, no message: 1 best effort while this node asks for reliable; the parameter reliability should be auto",
    ],
    [
      (node) => {
        node.now += 4000;
      },
      "cloud lidar",
      ERROR,
      "no cloud on /points for 4.0 s; 1 publisher, no message: it is silent, or the DDS loses parts of large messages (socket buffers)",
    ],
    [
      (node) => {
        node.runWell(2);
        node.publishers = ["reliable", "best_effort"];
        node.now += 1100;
      },
      "cloud lidar",
      ERROR,
      "no cloud on /points for 1.1 s; 2 publishers on the topic, silent now",
    ],
  ],
  "cloud-stamp": [
    [
      (node) => {
        node.cloud(node.ros - 7_250_000_000n);
      },
      "cloud lidar",
      WARN,
      "the stamps on /points are 7.3 s behind this node's clock; synchronize the clocks, or set use_sim_time while a bag plays",
    ],
  ],
  "camera-silent": [
    [
      (node) => {
        node.run(4, () => {
          node.image("rear");
          node.cloud();
        });
      },
      "camera front",
      WARN,
      "no image on /front/image_raw for 4.0 s; 1 publisher, no message: it is silent, or the DDS loses parts of large messages (socket buffers)",
    ],
  ],
  "camera-inactive": [
    [
      (node) => {
        node.ledger.camera("rear").active = false;
        node.run(1, () => {
          node.image("rear");
          node.cloud();
          node.scan(labelledScan(), 50, missing("rear", node.now < 800 ? "not_arrived" : "inactive"));
        });
      },
      "camera rear",
      WARN,
      "inactive, scans do not wait for it: its images come too late: make the driver faster, or raise sync.max_wait",
    ],
    [
      (node) => {
        node.runWell(2);
        node.ledger.camera("rear").active = false;
        node.run(3, () => {
          node.cloud();
          node.scan(labelledScan(), 50, missing("rear", "inactive"));
        });
      },
      "camera rear",
      WARN,
      "no image on /rear/image_raw for 3.0 s; 1 publisher on the topic, silent now; inactive, scans do not wait for it",
    ],
  ],
  "camera-missing": [
    [
      (node) => {
        node.run(1, () => {
          node.image("front");
          const reason = node.now <= 300 ? "no_match" : "transform-missing: no way from lidar to front";
          if (node.now > 200) node.scan(labelledScan(), 50, missing("front", reason));
          else node.scan();
        });
      },
      "camera front",
      WARN,
      "8 of 10 scans had no usable image (no_match: 1, transform-missing: 7): transform-missing, see docs/faults.md",
    ],
    [
      (node) => {
        node.offset = 20_000_000n;
        neverMatches(node, 57_000_000n, 65_000_000n);
      },
      "camera front",
      WARN,
      "10 of 10 scans had no usable image (no_match: 10): its images are 0.061 s late: set cameras.front.offset to 0.081",
    ],
    [
      (node) => {
        neverMatches(node, -120_000_000n);
      },
      "camera front",
      WARN,
      "10 of 10 scans had no usable image (no_match: 10): its images are 0.120 s early: set cameras.front.offset to -0.120",
    ],
    [
      (node) => {
        neverMatches(node, 70_000_000n, 130_000_000n);
      },
      "camera front",
      WARN,
      `10 of 10 scans had no usable image (no_match: 10): ${LOOK_AT_STAMPS}`,
    ],
    [
      // Sometimes the image of a cloud has come before it, sometimes the one before is the nearest.
      (node) => {
        node.ledger.camera("front").period = 300_000_000n;
        neverMatches(node, -180_000_000n, 120_000_000n, -179_000_000n);
      },
      "camera front",
      WARN,
      "10 of 10 scans had no usable image (no_match: 10): its images are 0.120 s late: set cameras.front.offset to 0.120",
    ],
  ],
  "camera-stamp": [
    [
      (node) => {
        node.image("rear", node.ros + 2_000_000_000n);
      },
      "camera rear",
      WARN,
      "the stamps on /rear/image_raw are 2.0 s ahead of this node's clock; synchronize the clocks, or set use_sim_time while a bag plays",
    ],
  ],
  "camera-clock": [
    [
      (node) => {
        node.run(2, () => {
          node.image("rear", node.ros - 3_030_000_000n);
          node.cloud();
          node.scan();
        });
      },
      "camera rear",
      WARN,
      "the stamps on /rear/image_raw are 3.010 s behind those on /points that arrive with them: synchronize the clocks, or set cameras.rear.offset to -3.010",
    ],
  ],
  "stamp-unit": [
    [
      (node) => {
        node.run(2, () => {
          node.image("rear", node.ros / 1000n);
          node.cloud();
          node.scan();
        });
      },
      "camera rear",
      WARN,
      "the stamps on /rear/image_raw cover 0.00150 s while its messages arrive over 1.50 s: they are in another unit (microseconds or milliseconds in place of nanoseconds): mend the driver, or set cameras.rear.stamps to arrival",
    ],
  ],
  "messages-dropped": [
    [
      (node) => {
        for (const cause of ["late", "late", "duplicate", "no_match"] as const) {
          node.ledger.camera("front").receive();
          node.ledger.camera("front").drop(1n, cause);
        }
      },
      "synchronization",
      WARN,
      "dropped in the last period: late: 2, duplicate: 1",
    ],
  ],
  "time-jumped": [
    [
      (node) => {
        node.ledger.jump();
      },
      "synchronization",
      WARN,
      "time jumped back (1 times since activation)",
    ],
  ],
  "labelling-stalled": [
    [
      (node) => {
        node.runWell(1);
        node.report();
        node.run(11.5, () => {
          node.cloud();
        });
      },
      "labelling",
      ERROR,
      "no scan was finished for 11.5 s, though clouds come",
    ],
  ],
  "all-scans-failed": [
    [
      (node) => {
        node.scan(failedScan());
        node.scan(failedScan());
      },
      "labelling",
      ERROR,
      "2 of 2 scans failed, the last: /points at 5 ns: the cloud is cut off",
    ],
  ],
  "scans-failed": [
    [
      (node) => {
        node.scan(failedScan());
        node.scan();
      },
      "labelling",
      WARN,
      "1 of 2 scans failed",
    ],
  ],
  "points-implausible": [
    [
      (node) => {
        const sentence = "/points: none of 90 points in utm is within the range of the model";
        node.scan(labelledScan({ faults: [new Fault("implausible-points", sentence)] }));
        node.scan();
      },
      "labelling",
      WARN,
      "1 of 2 scans made no sense, the last: /points: none of 90 points in utm is within the range of the model",
    ],
  ],
  "latency-high": [
    [
      (node) => {
        for (const latency of [200, 1200, 999, 3400.4]) node.scan(labelledScan(), latency);
      },
      "labelling",
      WARN,
      "2 of 4 scans took longer than 1000 ms, up to 3400 ms",
    ],
  ],
  "rate-low": [
    [
      (node) => {
        node.snapshot = { ...node.snapshot, minRate: 12 };
        node.runWell(15);
      },
      "labelling",
      WARN,
      "10.0 scans/s are labelled, fewer than 12",
    ],
  ],
  "scans-superseded": [
    [
      (node) => {
        node.runWell(0.8);
        for (let i = 0; i < 2; i++) {
          node.ledger.clouds.receive();
          node.ledger.clouds.drop(1n, "superseded");
        }
      },
      "labelling",
      WARN,
      "2 of 10 clouds were overtaken by a newer one: the model is slower than the scanner",
    ],
  ],
  "event-loop-blocked": [
    [
      (node) => {
        node.eventLoopMax = 130;
      },
      "host",
      WARN,
      "the main thread was busy for 130 ms at a time",
    ],
  ],
  "faults-error": [
    [
      (node) => {
        const fault = new Fault("malformed-message", "/points: cut off");
        node.monitor.faultRecorded(fault);
        node.monitor.faultRecorded(fault.asError());
      },
      "faults",
      ERROR,
      "1 error in the last period (malformed-message: 1); the last: /points: cut off",
    ],
  ],
  "faults-warning": [
    [
      (node) => {
        for (let i = 0; i < 3; i++) node.monitor.faultRecorded(new Fault("dropped-late", "late"));
        node.monitor.faultRecorded(new Fault("transform-missing", "no way from lidar to front"));
        node.monitor.faultRecorded(new Fault("dropped-no-match", "no match"));
      },
      "faults",
      WARN,
      "4 warnings in the last period (dropped-late: 3, transform-missing: 1); the last: no way from lidar to front",
    ],
  ],
};

/** A camera whose images are never nearer to the clouds than so, one after the other. */
export function neverMatches(node: MonitoredNode, ...nearest: readonly bigint[]): void {
  let scan = 0;
  node.run(1, () => {
    node.image("front");
    node.scan(labelledScan(), 50, missing("front", "no_match", nearest[scan++ % nearest.length]));
  });
}
