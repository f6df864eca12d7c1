import { Command } from "commander";
import { benchmarkGeometry } from "../geometry/benchmarkGeometry.js";
import { formatTable } from "../report/formatTable.js";
import { wholeNumber } from "./arguments.js";

export function benchCommand(): Command {
  return new Command("bench").description("measure this machine").addCommand(
    new Command("geometry")
      .description("all tables of a scan: 5 cm voxels, five stages, four orders, one thread")
      .option("--points <count>", "points per scan", wholeNumber, 120_000)
      .option("--runs <count>", "measured scans", wholeNumber, 60)
      .action(({ points, runs }: { points: number; runs: number }) => {
        const result = benchmarkGeometry({ pointCount: points, runs });
        console.log(
          `${result.pointCount} points, voxels per stage ${result.voxelCounts.join(", ")}, ${result.runs} runs`,
        );
        const rows = Object.entries({ ...result.phases, total: result.total });
        console.log(
          formatTable(
            ["phase", "median ms", "p95 ms"],
            rows.map(([phase, { medianMs, p95Ms }]) => [phase, medianMs.toFixed(2), p95Ms.toFixed(2)]),
          ),
        );
      }),
  );
}
