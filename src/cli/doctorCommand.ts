import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { Command } from "commander";
import { Fault } from "../faults/Fault.js";
import { InferenceEngine } from "../model/InferenceEngine.js";
import { ModelBundle } from "../model/ModelBundle.js";
import { PROVIDERS } from "../model/providers.js";
import { MODELS_FOLDER, shippedModels } from "../model/shippedModels.js";
import { formatTable } from "../report/formatTable.js";
import { EXIT } from "./exitCodes.js";
import { modelOption } from "./modelOption.js";

const require = createRequire(import.meta.url);

/** Of the table, in characters. */
const WIDTH = 100;

/** One line of the report: what was looked at, whether it is well, and what was found. */
export interface Finding {
  readonly what: string;
  readonly ok: boolean | "optional";
  readonly found: string;
}

export function doctorCommand(): Command {
  return new Command("doctor")
    .description("check this machine: versions, providers, models, ROS")
    .addOption(modelOption())
    .addHelpText(
      "after",
      `
Each provider is tried by creating the model's real sessions on it, since a provider that is listed by ONNX
Runtime may still lack its driver or libraries. Exit code ${EXIT.fault} when something that is always needed fails:
the CPU provider or a model.`,
    )
    .action(async ({ model }: { model: string }) => {
      const findings = [
        ...versions(),
        ...(await models()),
        ...(await providers(model)),
        ...rosEnvironment(process.env),
      ];
      console.log(doctorReport(findings));
      if (findings.some(({ ok }) => ok === false)) process.exitCode = EXIT.fault;
    });
}

/** What the command prints: a table that fits a terminal of 100 columns. */
export function doctorReport(findings: readonly Finding[]): string {
  const mark = { true: "ok", false: "FAIL", optional: "-" };
  const rows = findings.map(({ what, ok, found }) => [mark[`${ok}`], what, found]);
  return formatTable(["", "what", "found"], rows, { width: WIDTH });
}

function packageVersion(name: string): string {
  const { version } = require(`${name}/package.json`) as { version: string };
  return version;
}

function versions(): Finding[] {
  const cpus = os.cpus();
  const memory = Math.round(os.totalmem() / 2 ** 30);
  return [
    { what: "Node.js", ok: true, found: process.version },
    {
      what: "machine",
      ok: true,
      found: `${os.platform()} ${os.arch()}, ${cpus.length} x ${cpus[0]?.model ?? "?"}, ${memory} GiB`,
    },
    { what: "onnxruntime-node", ok: true, found: packageVersion("onnxruntime-node") },
  ];
}

async function models(): Promise<Finding[]> {
  const names = await shippedModels();
  return Promise.all(
    names.map(async (name): Promise<Finding> => {
      const what = `model ${name}`;
      try {
        const { graphs, precision, manifest } = await ModelBundle.load(path.join(MODELS_FOLDER, name));
        const hashes = graphs.map((graph) => `${graph.name} ${graph.spec.sha256.slice(0, 12)}`).join(", ");
        const terms = manifest.licence === undefined ? "" : `; ${manifest.licence}`;
        return { what, ok: true, found: `${precision}, hashes match: ${hashes}${terms}` };
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        return { what, ok: false, found: error.message };
      }
    }),
  );
}

async function providers(model: string): Promise<Finding[]> {
  const bundle = await ModelBundle.load(model);
  const findings: Finding[] = [];
  for (const provider of PROVIDERS) {
    const what = `provider ${provider}`;
    const missing = provider === "cpu" ? false : "optional";
    try {
      const engine = await InferenceEngine.start(bundle, { provider, threads: 0 });
      await engine.close();
      findings.push({
        what,
        ok: true,
        found: `sessions of ${path.basename(bundle.folder)} (${bundle.precision}) created`,
      });
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      findings.push({ what, ok: missing, found: error.message });
    }
  }
  return findings;
}

/** Without ROS everything but the live node works, so nothing here is a failure. */
function rosEnvironment(env: NodeJS.ProcessEnv): Finding[] {
  const distro = env["ROS_DISTRO"];
  if (distro === undefined) {
    return [
      {
        what: "ROS 2",
        ok: "optional",
        found: "no ROS environment is sourced (ROS_DISTRO is not set); bags work without",
      },
    ];
  }
  const prefixes = (env["AMENT_PREFIX_PATH"] ?? "").split(path.delimiter).filter(Boolean);
  const libraries = (env["LD_LIBRARY_PATH"] ?? "").split(path.delimiter).filter(Boolean);
  const librcl = libraries.some((folder) => existsSync(path.join(folder, "librcl.so")));
  return [
    { what: "ROS 2", ok: true, found: `${distro}, AMENT_PREFIX_PATH ${prefixes.join(" ") || "empty"}` },
    { what: "librcl.so", ok: librcl ? true : "optional", found: librcl ? "found" : "not on LD_LIBRARY_PATH" },
  ];
}
