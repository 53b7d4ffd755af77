// Builds the page: page/src to page/built, which is committed, so that the program is built without Node.
// usage: node page/build.mjs [OUT]
//
// The same sources and the same versions (package-lock.json) give the same bytes, on every machine; test/page_built.py holds
// page/built to that. What is bundled is listed in licences.txt, with the licence that each package brings along.
import { build } from "esbuild";
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const page = dirname(fileURLToPath(import.meta.url));
const src = join(page, "src");
const out = resolve(process.argv[2] ?? join(page, "built"));

/** Paths of inputs to the names of the packages that they are of, sorted. */
const packagesOf = inputs => [...new Set(inputs.map(path => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1]).filter(Boolean))].sort();

async function licenceOf(name) {
  const folder = join(page, "node_modules", name);
  const about = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const file = (await readdir(folder)).find(entry => /^licen[cs]e(\.\w+)?$/i.test(entry));
  const text = (await readFile(join(folder, file), "utf8")).replaceAll("\r\n", "\n").trim();
  return { title: `${name} ${about.version} (${about.license})`, text };
}

/** A comment for the head of what is made: whose work is in it, and where the licences stand. */
const banner = licences =>
  licences.length ? `/*! With ${licences.map(l => `${l.title}, ${l.text.match(/Copyright.*/)[0].trim()}`).join("; ")}. See licences.txt. */\n` : "";

async function bundle(entry, name) {
  const result = await build({
    absWorkingDir: page,
    entryPoints: [join(src, entry)],
    outfile: join(out, name),
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    metafile: true,
    write: false,
    logLevel: "warning",
  });
  const packages = packagesOf(Object.keys(result.metafile.inputs));
  const licences = await Promise.all(packages.map(licenceOf));
  await writeFile(join(out, name), banner(licences) + result.outputFiles[0].text);
  return licences;
}

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const licences = new Map();
for (const [entry, name] of [["main.js", "page.js"], ["style/main.css", "page.css"]])
  for (const l of await bundle(entry, name)) licences.set(l.title, l.text);
for (const name of ["index.html", "favicon.svg"]) await copyFile(join(src, name), join(out, name));
const texts = [...licences].sort(([a], [b]) => (a < b ? -1 : 1)).map(([title, text]) => `${title}\n${"-".repeat(title.length)}\n\n${text}\n`);
await writeFile(join(out, "licences.txt"), "What page.js and page.css are made of, beside mailtap's own sources.\n\n" + texts.join("\n\n"));
