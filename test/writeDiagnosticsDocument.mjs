// Writes docs/diagnostics.md from the tables of rules and values; needs `npm run build`.
import { writeFileSync } from "node:fs";
import { diagnosticsDocument } from "../dist/ros/diagnostics/diagnosticsDocument.js";

writeFileSync(new URL("../docs/diagnostics.md", import.meta.url), diagnosticsDocument());
