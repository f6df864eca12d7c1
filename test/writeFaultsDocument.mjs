// Writes docs/faults.md from the table of fault codes; needs `npm run build`.
import { writeFileSync } from "node:fs";
import { faultsDocument } from "../dist/faults/faultsDocument.js";

writeFileSync(new URL("../docs/faults.md", import.meta.url), faultsDocument());
