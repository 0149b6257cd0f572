// The pages are complete: what the source or the binary has, they name; what they name, is there.
import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { read, root, run, start } from "./house.mjs";
import { blocks, examples } from "./page.mjs";

const pages = ["README.md", ...readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`)];
const help = run("--help");
const manual = read("man/innkeeper.1").replaceAll("\\-", "-").replace(/\\f[BIR]/g, "").replaceAll('"', "");

// [{name, argument, fallback, environment}] as `innkeeper --help` prints its table of settings
function settings() {
	const table = help.slice(help.indexOf("\nSettings"));
	return [...table.matchAll(/^ {2}--(\S+) (\S+)\n {6}(.*); (INNKEEPER_\w+)$/gm)].map(([, name, argument, about, environment]) => ({
		name,
		argument,
		environment,
		fallback: /\(default (.*)\)$/.exec(about)?.[1],
	}));
}

// [{words, options}] of the verbs above that table
function verbs() {
	const table = help.slice(0, help.indexOf("\nSettings"));
	return [...table.matchAll(/^ {2}innkeeper ((?:[a-z]+ ?)+)(.*)$/gm)].map(([, words, rest]) => ({
		words: words.trim(),
		options: rest.match(/--[a-z-]+/g) ?? [],
	}));
}

describe("settings", () => {
	const all = settings();
	const rows = new Map(
		read("docs/configure.md")
			.split("\n")
			.filter((line) => line.startsWith("| `--"))
			.map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim().replace(/^`(.*)`$/, "$1")))
			.map(([option, environment, line, fallback]) => [option.split(" ")[0].slice(2), { option, environment, line, fallback }]),
	);
	test("--help prints each in the form that is read here", () => {
		assert.equal(all.length, help.match(/; INNKEEPER_\w+$/gm).length);
		assert.ok(all.length >= 14);
	});
	for (const { name, argument, environment, fallback } of all)
		test(`--${name} stands in configure.md and in the manual page as it is`, () => {
			const row = rows.get(name);
			assert.notEqual(row, undefined, "no row");
			assert.equal(row.option, `--${name} ${argument}`);
			assert.equal(row.environment, environment);
			assert.equal(row.line, name === "config" ? "" : `${name} = ${argument}`);
			assert.equal(row.fallback, fallback ?? "");
			const [paragraph] = manual.split(".TP\n").filter((text) => text.startsWith(`.BI --${name} `));
			assert.notEqual(paragraph, undefined, "not in the manual page");
			assert.match(paragraph, new RegExp(`\\b${environment}\\b`));
			if (fallback !== undefined) assert.ok(paragraph.includes(fallback), `default ${fallback}`);
		});
	test("configure.md names no other", () =>
		assert.deepEqual([...rows.keys()].sort(), all.map(({ name }) => name).sort()));
});

describe("verbs", () => {
	const all = verbs();
	test("--help prints each in the form that is read here", () => assert.ok(all.length >= 13));
	for (const { words, options } of all)
		test(`${words} stands in the manual page with its options`, () => {
			// A verb of two rows has a paragraph for each.
			const headings = manual.split(".TP\n").filter((text) => new RegExp(`^\\.BI? "?${words}( |\n)`).test(text)).map((text) => text.split("\n")[0].replaceAll("\\-", "-"));
			assert.notEqual(headings.length, 0, "not in the manual page");
			const found = headings.map((heading) => [...(heading.match(/--[a-z-]+/g) ?? [])].sort().join(" "));
			assert.ok(found.includes([...options].sort().join(" ")), `${found.join(", or ")}; not ${[...options].sort().join(" ")}`);
		});
});

test("every route that asks for a key stands in api.md, in its list and in an example", () => {
	const routes = [...read("src/api/routes.c").matchAll(/\{ "([A-Z]+)", +"([^"]+)", +KEY,/g)];
	const page = read("docs/api.md");
	const commands = examples(page).map(({ command }) => command);
	assert.ok(routes.length >= 11);
	for (const [, method, path] of routes) {
		assert.ok(new RegExp(`${method} ${path}(?![\\w/-])`).test(page), `${method} ${path}`);
		assert.ok(commands.some((command) => new RegExp(`\\$URL${path}(?![\\w/-])`).test(command)), `no example of ${path}`);
	}
});

test("every other route of the network stands in api.md or operate.md, those of the staff in api.md", () => {
	const routes = [...read("src/api/routes.c").matchAll(/\{ "([A-Z]+)", +"([^"]+)", +(SESSION|GUEST|PUBLIC),/g)];
	assert.ok(routes.length >= 45);
	for (const [, method, path, credential] of routes) {
		const named = new RegExp(`${method} ${path.replaceAll(/[{}]/g, "\\$&")}(?![\\w/{-])`);
		const told = named.test(read("docs/api.md")) || (credential === "PUBLIC" && read("docs/operate.md").includes(`\`${path}\``));
		assert.ok(told, `${method} ${path}`);
	}
});

describe("metrics", () => {
	let house;
	before(async () => (house = await start()));
	after(() => house.stop());
	test("operate.md names those of /metrics with their types, and no other", async () => {
		await fetch(`${house.url}/healthz`);
		const text = await (await fetch(`${house.url}/metrics`)).text();
		const served = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`);
		const told = [...read("docs/operate.md").matchAll(/^\| `(innkeeper_\w+)` \| (\w+) \|/gm)].map(([, name, type]) => `${name} ${type}`);
		assert.ok(served.length >= 9);
		assert.deepEqual(told.sort(), served.sort());
	});
});

// As GitHub makes them
const anchor = (heading) =>
	heading.toLowerCase().replace(/[`*]/g, "").replace(/[^\p{L}\p{N} _-]/gu, "").trim().replaceAll(" ", "-");
const anchors = (page) => [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchor(heading));

function words(page) {
	let text = read(page);
	for (const block of blocks(text)) text = text.replace(block.text, "");
	return text;
}

for (const page of pages) {
	test(`${page}: its links lead somewhere`, () => {
		const links = [...words(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link);
		for (const link of links) {
			if (/^https?:/.test(link)) continue;
			const [file, heading] = link.split("#");
			const path = file === "" ? page : normalize(join(dirname(page), file));
			assert.ok(existsSync(join(root, path)), link);
			if (heading !== undefined) assert.ok(anchors(path).includes(heading), link);
		}
	});
	test(`${page}: the files that it names are there`, () => {
		const named = [...words(page).matchAll(/`((?:src|sql|tests|tools|bench|deploy|docs|man|\.ci)\/[\w./-]*)`/g)].map(([, path]) => path);
		for (const path of named) assert.ok(existsSync(join(root, path)), path);
	});
}

test("the README's tree names every folder of the house", () => {
	const tree = blocks(read("README.md")).find(({ text }) => text.includes("src/base/")).text;
	for (const parent of ["", "src/"])
		for (const name of readdirSync(join(root, parent)))
			if (!name.startsWith(".") && name !== "build" && statSync(join(root, parent, name)).isDirectory() && parent + name !== "src")
				assert.ok(tree.includes(`${parent}${name}/`), `${parent}${name}/`);
});
