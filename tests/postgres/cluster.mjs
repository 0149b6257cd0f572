// A PostgreSQL of a test file's own (tests/postgres.sh), for what would be felt by others: roles, and its end. The harness of
// the API tests comes with it, bound to this server.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const script = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "..", "postgres.sh");
const execute = promisify(execFile);

// Its server's process and the children of it, which answer; by what the system says of them.
function processes(folder) {
	const first = Number(readFileSync(join(folder, "data", "postmaster.pid"), "utf8").split("\n")[0]);
	const parent = (pid) => {
		try {
			return Number(/^\d+ \(.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1]);
		} catch {
			return 0; // it has just ended
		}
	};
	return [first, ...readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => parent(pid) === first)];
}

function signal(folder, name) {
	for (const pid of processes(folder)) {
		try {
			process.kill(pid, name);
		} catch (error) {
			if (error.code !== "ESRCH") throw error;
		}
	}
}

// `sync`: what it calls stored is on the disk.
export async function ownCluster({ sync = false } = {}) {
	const folder = mkdtempSync(join(process.env.INNKEEPER_TEST_CLUSTERS ?? tmpdir(), "own-"));
	const env = { ...process.env, PGSYNC: sync ? "on" : "off" };
	// Its output is not ours: a server started by it would keep a pipe open.
	const ask = (...words) => execute("bash", [script, words[0], folder, ...words.slice(1)], { env, timeout: 90000 });
	const { stdout } = await ask("start");
	process.env.INNKEEPER_TEST_POSTGRES = stdout.trim();
	process.env.INNKEEPER_TEST_TEMPLATE = "template_house";
	const harness = await import("../api/harness.mjs");
	await harness.makeTemplate("template_house");
	return {
		harness,
		stop: (mode = "immediate") => ask("stop", mode),
		again: () => ask("again"),
		// Silent, though every connection stands; and going on as if nothing had been.
		pause: () => signal(folder, "SIGSTOP"),
		resume: () => signal(folder, "SIGCONT"),
		async end() {
			await ask("stop", "immediate").catch(() => {});
			rmSync(folder, { recursive: true, force: true });
		},
	};
}
