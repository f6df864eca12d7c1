// `npm run pictures`: draws the README's pictures from the demo's labelled drive, which it makes first where it is not there.
// Everything in them is simulated.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";

const root = fileURLToPath(new URL("..", import.meta.url));
const demo = path.join(root, "demo-output");
const labelled = path.join(demo, "labelled.mcap");
const pictures = path.join(root, "docs", "pictures");
const scratch = mkdtempSync(path.join(tmpdir(), "ditr-pictures-"));

function ditr(...args) {
  const main = path.join(root, "dist", "cli", "main.js");
  const { status, signal } = spawnSync(process.execPath, [main, ...args], { stdio: "inherit" });
  if (status !== 0) throw new Error(`ditr ${args.join(" ")} ended with ${status ?? signal}`);
}

try {
  if (!existsSync(labelled)) ditr("demo", "-o", demo);
  // A scan with cars and people around it, while the camera works.
  const scan = path.join(scratch, "scan.png");
  ditr("draw", labelled, "--scan", "8", "-o", scan);
  await sharp(readFileSync(scan))
    .resize({ width: 1200 })
    .webp({ quality: 72 })
    .toFile(path.join(pictures, "scan.webp"));
  // Half before and half after the camera's failure.
  const drive = path.join(scratch, "drive.webp");
  ditr("draw", labelled, "--scan", "9", "--scans", "16", "--width", "640", "-o", drive);
  await sharp(readFileSync(drive), { animated: true })
    .resize({ width: 560 })
    .webp({ quality: 40, effort: 6, minSize: true })
    .toFile(path.join(pictures, "drive.webp"));
  for (const name of ["scan.webp", "drive.webp"]) {
    const { size } = await stat(path.join(pictures, name));
    console.log(`docs/pictures/${name}: ${Math.round(size / 1000)} kB`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
