// `npm run build:page`: one HTML file of the page's markup, styles and bundled script, into dist/page/ or the folder that is
// given. `ditr report` puts data into it.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const source = fileURLToPath(new URL(".", import.meta.url));
const folder = process.argv[2] ?? path.join(source, "..", "..", "dist", "page");

const { outputFiles } = await build({
  entryPoints: [path.join(source, "main.ts")],
  outdir: folder,
  bundle: true,
  write: false,
  minify: true,
  format: "iife",
  target: ["chrome110", "firefox115", "safari16.4"],
  legalComments: "inline",
  logLevel: "warning",
});
const bundled = (extension) => outputFiles.find((file) => file.path.endsWith(extension)).text;
// A "</script" in a string would end the element.
const script = bundled(".js").replaceAll("</script", "<\\/script");
const html = (await readFile(path.join(source, "report.html"), "utf8"))
  .replace("<!--ditr-style-->", () => `<style>${bundled(".css")}</style>`)
  .replace("<!--ditr-script-->", () => `<script>${script}</script>`);
await mkdir(folder, { recursive: true });
await writeFile(path.join(folder, "report.html"), html);
