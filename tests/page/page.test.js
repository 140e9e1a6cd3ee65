// The page of `kiln profile --html` in a real browser: it renders without errors, shows the numbers of the JSON, filters, zooms, and
// lets no name of a program become markup.
//
//   npm ci && KILN_BINARY=.../kiln npm test
//
// CHROMIUM names the browser if it is not found by itself.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

import { chromium } from "playwright-core";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const kiln = process.env.KILN_BINARY ?? path.join(root, "target/fast/kiln");
const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = process.env.CHROMIUM ?? places.find(existsSync);

const FIB = `fib = function(n)
  if n < 2 then return n
  return fib(n - 1) + fib(n - 2)
end function
twice = function(x)
  return x * 2
end function
sum = 0
for i in range(1, 2000)
  sum = sum + twice(i)
end for
print fib(15) + sum
`;

let folder;
let browser;

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "kiln-page-"));
  // The tests may run as root, whom Chromium gives no sandbox. The pages are our own.
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
});

after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Profiles a program and opens its page. The page fails the test if it reports an error or asks for anything. */
async function open(script, { name = "fib.ms", options = [], ...context } = {}) {
  const file = path.join(folder, name);
  const page = path.join(folder, "page.html");
  writeFileSync(file, script);
  const report = path.join(folder, "report.json");
  execFileSync(kiln, ["profile", "--json", "-o", report, "--html", page, ...options, file]);
  const tab = await browser.newPage({ viewport: { width: 1200, height: 900 }, reducedMotion: "reduce", ...context });
  const problems = [];
  tab.on("console", (message) => problems.push(message.text()));
  tab.on("pageerror", (error) => problems.push(String(error)));
  tab.on("dialog", (dialog) => problems.push(dialog.message()));
  tab.on("request", (request) => {
    if (request.url() !== pathToFileURL(page).href) problems.push(`request of ${request.url()}`);
  });
  await tab.goto(pathToFileURL(page).href);
  const profile = JSON.parse(await tab.locator("#profile").textContent());
  return { tab, profile, problems };
}

/** The texts of a table's cells, row by row, as far as they are shown. */
function rows(tab, section) {
  return tab.locator(`#${section} tbody tr:visible`).evaluateAll((all) =>
    all.map((row) => [...row.children].map((cell) => cell.textContent)),
  );
}

test("shows the numbers of the JSON without errors", async () => {
  const { tab, profile, problems } = await open(FIB);
  const shown = await rows(tab, "functions");
  assert.equal(shown.length, profile.functions.length);
  profile.functions.forEach((expected, index) => {
    assert.equal(shown[index][0], expected.name);
    assert.equal(shown[index][4], expected.calls.toLocaleString("en"));
  });
  const fib = shown.find((row) => row[0] === "fib");
  assert.equal(fib[4], "1,973");
  const loop = (await rows(tab, "loops"))[0];
  assert.equal(loop[0], "fib.ms:9 OSR");
  assert.equal(loop[3], "2,000");
  assert.equal(await tab.locator(".source tr").count(), FIB.trimEnd().split("\n").length);
  assert.match(await tab.locator("[id$='fib-ms-2']").textContent(), /if n < 2 then return n/);
  assert.deepEqual(problems, []);
});

test("the filter keeps what contains the text, and the keys lead to it", async () => {
  const { tab, profile, problems } = await open(FIB);
  await tab.keyboard.press("/");
  await tab.keyboard.type("twice");
  assert.deepEqual((await rows(tab, "functions")).map((row) => row[0]), ["twice"]);
  assert.ok((await tab.locator(".source tr.found").count()) >= 2);
  assert.ok((await tab.locator(".frame.found").count()) >= 1);
  assert.match(await tab.locator("#flame-detail").textContent(), /^[\d.]+ % of the time is spent in .*“twice”$/);
  await tab.keyboard.press("Escape");
  assert.equal((await rows(tab, "functions")).length, profile.functions.length);
  await tab.keyboard.press("n");
  assert.equal(await tab.locator(".source tr:target").count(), 1);
  assert.deepEqual(problems, []);
});

test("tables are sorted by their titles", async () => {
  const { tab, problems } = await open(FIB);
  const calls = tab.locator("#functions th", { hasText: "calls" });
  const counts = async () => (await rows(tab, "functions")).map((row) => Number(row[4].replaceAll(",", "")));
  await calls.click();
  const falling = await counts();
  assert.deepEqual(falling, [...falling].sort((a, b) => b - a));
  await calls.click();
  assert.deepEqual(await counts(), falling.reverse());
  assert.deepEqual(problems, []);
});

test("the flame graph zooms, folds recursion and follows the keys", async () => {
  const { tab, problems } = await open(FIB);
  const bars = () => tab.locator(".frame").count();
  const all = await bars();
  await tab.locator("#flame-recursion").check();
  assert.ok((await bars()) < all);
  const fib = tab.locator(".frame[aria-label^='fib ']").first();
  const width = () => fib.evaluate((bar) => bar.clientWidth);
  const small = await width();
  await fib.click();
  assert.ok((await width()) > small);
  await tab.locator("#flame-reset").click();
  assert.equal(await width(), small);
  await tab.locator("#flame-graph").focus();
  await tab.keyboard.press("ArrowDown");
  await tab.keyboard.press("ArrowDown");
  assert.match(await tab.locator("#flame-detail").textContent(), /^(fib|twice) /);
  assert.deepEqual(problems, []);
});

test("names and texts of a program stay text", async () => {
  const hostile = `x = {"<script>alert(1)</script>": "</script><img src=x onerror=alert(2)>"}\nprint x.len // <b>&amp;`;
  const name = "<img src=x onerror=alert(3)>.ms";
  const { tab, profile, problems } = await open(hostile, { name, options: ["--memory"] });
  assert.ok(profile.script.endsWith(name));
  assert.equal(await tab.locator("h1").textContent(), name);
  assert.equal(await tab.locator("img").count(), 0);
  assert.match(await tab.locator(".source").textContent(), /<b>&amp;/);
  assert.deepEqual(problems, []);
});

test("a small screen shows everything without scrolling sideways, in light and dark", async () => {
  for (const colorScheme of ["light", "dark"]) {
    const { tab, problems } = await open(FIB, { viewport: { width: 400, height: 800 }, colorScheme });
    assert.equal(await tab.evaluate(() => document.documentElement.scrollWidth), 400);
    const [red] = await tab.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number));
    assert.equal(red < 128, colorScheme === "dark");
    assert.deepEqual(problems, []);
  }
});

test("a sampled profile has its page too", async () => {
  const { tab, profile, problems } = await open(FIB, { options: ["--sample"] });
  assert.equal(profile.method, "sampled");
  assert.match(await tab.locator("#types").textContent(), /measure without --sample/);
  assert.deepEqual(problems, []);
});
