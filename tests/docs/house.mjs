// A server of the tests' own, on a free port and in a folder that goes with it.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
export const innkeeper = resolve(process.env.INNKEEPER ?? join(root, "build/innkeeper"));
export const read = (path) => readFileSync(join(root, path), "utf8");

// Settings of whoever runs the tests are none of theirs.
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("INNKEEPER")));

// Runs a verb, or `--help`; its output, or an error with its words.
export const run = (...words) => runWith("", ...words);
function runWith(input, ...words) {
	const { status, stdout, stderr } = spawnSync(innkeeper, words, { encoding: "utf8", env: environment, input });
	if (status !== 0) throw new Error(`innkeeper ${words.join(" ")}: status ${status}: ${stderr}`);
	return stdout;
}

export async function start() {
	const folder = mkdtempSync(join(tmpdir(), "innkeeper-docs-"));
	const database = `sqlite:${join(folder, "innkeeper.db")}`;
	const child = spawn(innkeeper, ["serve", "--database", database, "--listen", "127.0.0.1:0"], {
		stdio: ["ignore", "ignore", "pipe"],
		env: environment,
	});
	const exited = once(child, "exit");
	let log = "";
	child.stderr.setEncoding("utf8");
	const port = await new Promise((done, fail) => {
		child.stderr.on("data", (data) => {
			log += data;
			const ready = log.split("\n").find((line) => line.includes('"message":"ready"') && line.endsWith("}"));
			if (ready !== undefined) done(JSON.parse(ready).port);
		});
		exited.then(([code]) => fail(new Error(`the server ended with ${code}: ${log}`)));
	});
	return {
		url: `http://127.0.0.1:${port}`,
		verb: (...words) => JSON.parse(run(...words, "--database", database)),
		verbIn: (input, ...words) => JSON.parse(runWith(input, ...words, "--database", database)),
		async stop() {
			child.kill("SIGTERM");
			const [code] = await exited;
			rmSync(folder, { recursive: true });
			if (code !== 0) throw new Error(`the server ended with ${code}: ${log}`);
		},
	};
}
