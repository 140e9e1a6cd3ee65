// The pictures of the page of `kiln profile --html` that docs/guide/slow-to-fast.md shows, of the programs in it.
//
//   npm ci && KILN_BINARY=.../kiln npm run pictures
//
// They show times, so they differ from run to run; renew them when the page looks different.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { chromium } from "playwright-core";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const kiln = process.env.KILN_BINARY ?? path.join(root, "target/fast/kiln");
const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = process.env.CHROMIUM ?? places.find(existsSync);
const pictures = path.join(root, "docs/guide/pictures");

const guide = readFileSync(path.join(root, "docs/guide/slow-to-fast.md"), "utf8");
const programs = [...guide.matchAll(/```miniscript\n(.*?)```/gs)].map((match) => match[1]);
const visits = programs.find((program) => program.includes("names.indexOf"));
// Enough frames for all tiers.
const balls = programs.find((program) => program.includes("Ball.step")).replace("range(1, 500)", "range(1, 40000)");

const folder = mkdtempSync(path.join(tmpdir(), "kiln-pictures-"));
mkdirSync(pictures, { recursive: true });
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });

/** Profiles a program and takes pictures of parts of its page. */
async function take(name, program, parts) {
  const script = path.join(folder, name);
  const page = path.join(folder, "page.html");
  writeFileSync(script, program);
  execFileSync(kiln, ["profile", "-o", path.join(folder, "report.txt"), "--html", page, script]);
  const tab = await browser.newPage({ viewport: { width: 960, height: 900 }, reducedMotion: "reduce", colorScheme: "light" });
  await tab.goto(pathToFileURL(page).href);
  // What sticks to the top of the window would be in the way.
  await tab.addStyleTag({ content: ".top { position: static !important; }" });
  for (const [selector, picture] of parts) {
    await tab.locator(selector).first().screenshot({ path: path.join(pictures, picture) });
  }
  await tab.close();
}

try {
  await take("visits.ms", visits, [["#flame", "flame-graph.png"], ["#source .file", "source.png"]]);
  await take("bounce.ms", balls, [["#timeline .lanes", "timeline.png"], ["#functions details.made", "optimized.png"]]);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}
