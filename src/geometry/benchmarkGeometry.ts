import { SERIALIZATION_ORDERS } from "./geometryConfig.js";
import { ScanGeometryBuilder, type GeometryPhase } from "./ScanGeometryBuilder.js";
import { spinningScan } from "./spinningScan.js";
import type { GeometryConfig } from "./types.js";

/** The scan is a synthetic one of 64 rings; seeds differ from scan to scan. */
const RINGS = 64;
const SCANS = 4;

export interface GeometryBenchmarkOptions {
  /** Points per scan, rounded down to whole columns of 64; 120,000 by default. */
  readonly pointCount?: number;
  /** Measured builds; 60 by default. */
  readonly runs?: number;
  /** Builds before the first measured one; 20 by default. */
  readonly warmUpRuns?: number;
  /** Default: 5 cm, five stages that all convolve and attend, four orders, patches of 1024, stem of 3. */
  readonly config?: GeometryConfig;
}

export interface Timing {
  readonly medianMs: number;
  readonly p95Ms: number;
}

export interface GeometryBenchmark {
  readonly pointCount: number;
  readonly runs: number;
  /** Voxels per stage of the first scan. */
  readonly voxelCounts: readonly number[];
  readonly phases: Readonly<Record<GeometryPhase, Timing>>;
  readonly total: Timing;
}

export const BENCHMARK_CONFIG: GeometryConfig = {
  gridSize: 0.05,
  pointRange: [-100, -100, -10, 100, 100, 10],
  orders: SERIALIZATION_ORDERS,
  stemKernelSize: 3,
  stages: Array.from({ length: 5 }, () => ({ convolution: true, patchSize: 1024 })),
};

/** Builds the geometry of synthetic scans in turn, on the calling thread, and measures each phase. */
export function benchmarkGeometry(options: GeometryBenchmarkOptions = {}): GeometryBenchmark {
  const { runs = 60, warmUpRuns = 20, config = BENCHMARK_CONFIG } = options;
  const pointCount = Math.floor((options.pointCount ?? 120_000) / RINGS) * RINGS;
  const scans = Array.from({ length: SCANS }, (_, seed) => spinningScan({ pointCount, rings: RINGS, seed }));
  const builder = new ScanGeometryBuilder(config);
  const voxelCounts = builder.build(scans[0]!, pointCount).stages.map(({ voxelCount }) => voxelCount);

  const phaseTimes: Record<GeometryPhase, number[]> = {
    quantize: [],
    sort: [],
    unique: [],
    octree: [],
    neighbors: [],
    serialization: [],
  };
  const totals: number[] = [];
  for (let run = -warmUpRuns; run < runs; run++) {
    const measured = run >= 0;
    const start = performance.now();
    let phaseStart = start;
    builder.build(scans[(run + warmUpRuns) % SCANS]!, pointCount, {
      onPhaseEnd: (phase) => {
        const now = performance.now();
        if (measured) phaseTimes[phase].push(now - phaseStart);
        phaseStart = now;
      },
    });
    if (measured) totals.push(performance.now() - start);
  }
  return {
    pointCount,
    runs,
    voxelCounts,
    phases: {
      quantize: timing(phaseTimes.quantize),
      sort: timing(phaseTimes.sort),
      unique: timing(phaseTimes.unique),
      octree: timing(phaseTimes.octree),
      neighbors: timing(phaseTimes.neighbors),
      serialization: timing(phaseTimes.serialization),
    },
    total: timing(totals),
  };
}

/** Nearest-rank quantiles. */
function timing(milliseconds: readonly number[]): Timing {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const quantile = (q: number): number => sorted[Math.max(Math.ceil(q * sorted.length) - 1, 0)] ?? NaN;
  return { medianMs: quantile(0.5), p95Ms: quantile(0.95) };
}
