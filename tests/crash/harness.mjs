// What the crash tests share: a server that may die at any moment, a small HTTP client that knows exactly which answers
// came back whole, and a look into the database that a dead server left behind.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test as nodeTest } from "node:test";
import { promisify } from "node:util";

const binary = process.env.INNKEEPER ?? "build/innkeeper";
const run = promisify(execFile);

export function temporaryFolder(name) {
	return mkdtempSync(join(tmpdir(), `innkeeper-${name}-`));
}

// The promise's value, or a failure after so many milliseconds: nothing here waits for ever.
export async function within(promise, milliseconds, what) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`not within ${milliseconds} ms: ${what}`)), milliseconds);
	});
	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Numbers in [0, 1), always the same for a seed (mulberry32, https://github.com/cprosche/mulberry32).
export function seeded(seed) {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
	};
}

const running = new Map(); // child process -> its end

// A test whose servers end with it, whatever happens: one that a failure left behind would keep Node waiting for ever.
export function test(name, body) {
	nodeTest(name, async (context) => {
		try {
			await body(context);
		} finally {
			for (const child of running.keys()) child.kill("SIGKILL");
			await Promise.all(running.values());
		}
	});
}
process.on("exit", () => {
	for (const child of running.keys()) child.kill("SIGKILL");
});

// Starts `serve`; `wrapper` is a command put before it. `ready` resolves with the port, `exited` with {code, signal}.
export function launch(database, { wrapper = [], environment = {}, options = [] } = {}) {
	const [command, ...rest] = [...wrapper, binary, "serve", "--database", `sqlite:${database}`];
	const child = spawn(command, [...rest, "--listen", "127.0.0.1:0", ...options], {
		stdio: ["ignore", "ignore", "pipe"],
		env: { ...process.env, ...environment },
	});
	const server = { child, database, lines: [], port: 0 };

	server.exited = once(child, "close").then(([code, signal]) => {
		running.delete(child);
		return { code, signal };
	});
	running.set(child, server.exited);
	server.ready = new Promise((resolve, reject) => {
		createInterface({ input: child.stderr }).on("line", (line) => {
			server.lines.push(line);
			if (server.port === 0 && line.includes('"message":"ready"')) resolve((server.port = JSON.parse(line).port));
		});
		server.exited.then(({ code, signal }) =>
			reject(new Error(`the server ended with ${code ?? signal}:\n${server.lines.slice(-5).join("\n")}`)),
		);
	});
	server.ready.catch(() => {}); // one who does not wait for it does not care
	return server;
}

export async function start(database, settings) {
	const server = launch(database, settings);
	await within(server.ready, 20000, "ready");
	return server;
}

export async function end(server, signal = "SIGTERM") {
	server.child.kill(signal);
	return within(server.exited, 15000, `the end after ${signal}`);
}

export async function createOrganization(database, name) {
	const { stdout } = await run(binary, ["organization", "create", name, "--database", `sqlite:${database}`]);
	return JSON.parse(stdout).api_key;
}

// Every figure counted again from the rows; a difference fails.
export async function verifyFigures(database) {
	const { stdout } = await run(binary, ["verify", "--database", `sqlite:${database}`]).catch((failure) => failure);
	assert.equal(JSON.parse(stdout).result, "exact", stdout);
}

// One keep-alive connection, one request at a time. An answer is the whole answer or null: the connection ended first.
export class Connection {
	constructor(port, key) {
		this.key = key;
		this.waiting = null;
		this.bytes = "";
		this.open = true;
		this.socket = connect({ host: "127.0.0.1", port, noDelay: true });
		this.socket.setEncoding("latin1");
		this.socket.on("data", (data) => this.#read(data));
		this.socket.on("error", () => {}); // close follows
		this.closed = new Promise((resolve) => {
			this.socket.on("close", () => {
				this.open = false;
				this.#answer(null);
				resolve();
			});
		});
	}

	#answer(answer) {
		const waiting = this.waiting;
		this.waiting = null;
		waiting?.(answer);
	}

	#read(data) {
		this.bytes += data;
		const headEnd = this.bytes.indexOf("\r\n\r\n");
		if (headEnd < 0) return;
		const head = this.bytes.slice(0, headEnd);
		const end = headEnd + 4 + Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? NaN);
		if (!(this.bytes.length >= end)) return;
		const body = Buffer.from(this.bytes.slice(headEnd + 4, end), "latin1").toString();
		this.bytes = this.bytes.slice(end);
		this.#answer({ status: Number(head.slice(9, 12)), head, body });
	}

	request(method, path, headers = {}, body = "") {
		if (!this.open) return Promise.resolve(null);
		const lines = Object.entries({ "x-api-key": this.key, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
		const head = `${method} ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
		this.socket.write(`${head}${lines.join("")}\r\n${body}`);
		return new Promise((resolve) => (this.waiting = resolve));
	}

	post(path, value, headers = {}) {
		return this.request("POST", path, { "Content-Type": "application/json", ...headers }, JSON.stringify(value));
	}

	close() {
		this.socket.end();
		return within(this.closed, 5000, "the connection's end");
	}
}

// The rows of a query, one after the other, columns as text. Asked of a copy, so that the recovery of the log is left to
// the server. Column values must not hold a bar or a line end: hex() those that may.
export class Remains {
	constructor(database) {
		this.folder = temporaryFolder("remains");
		this.path = join(this.folder, "db");
		copyFileSync(database, this.path);
		if (existsSync(`${database}-wal`)) copyFileSync(`${database}-wal`, `${this.path}-wal`);
	}

	async *rows(sql) {
		const child = spawn("sqlite3", ["-bail", this.path, sql], { stdio: ["ignore", "pipe", "pipe"] });
		const closed = once(child, "close");
		let complaint = "";

		child.stderr.on("data", (data) => (complaint += data));
		for await (const line of createInterface({ input: child.stdout })) yield line.split("|");
		const [code] = await closed;
		assert.equal(code, 0, `sqlite3: ${complaint}`);
	}

	async all(sql) {
		const rows = [];
		for await (const row of this.rows(sql)) rows.push(row);
		return rows;
	}

	async assertSound() {
		assert.deepEqual(await this.all("PRAGMA integrity_check; PRAGMA foreign_key_check;"), [["ok"]]);
		// What a foreign key would say of messages; they have a trigger instead.
		assert.deepEqual(await this.all(`SELECT m.number FROM messages m WHERE NOT EXISTS
			(SELECT 1 FROM chats c WHERE c.number = m.chat_number AND c.organization_id = m.organization_id)`), []);
	}

	remove() {
		rmSync(this.folder, { recursive: true });
	}
}
