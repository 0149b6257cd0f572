// A server of its own for a test file: started on a free port and an empty database, spoken to over HTTP and through the
// command line, looked into with the sqlite3 program or psql, and stopped by SIGTERM, which must end it cleanly.
// With INNKEEPER_TEST_POSTGRES, an administrator's URL (tests/postgres.sh), its database is one of that server's.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export const binary = process.env.INNKEEPER ?? "build/innkeeper";
export const sanitized = ["asan", "tsan"].includes(process.env.INNKEEPER_VARIANT);
export const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
export const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const SANITIZER = /(Address|Leak|Thread|UndefinedBehavior)Sanitizer|runtime error:/;

// The caller's own INNKEEPER_ variables would be settings of every server started here.
function environment(extra) {
	const own = Object.entries(process.env).filter(([name]) => !name.startsWith("INNKEEPER"));
	return { ...Object.fromEntries(own), ...extra };
}

// Runs a program to its end: {status, signal, stdout, stderr}.
export async function run(program, words, { input, cwd, env } = {}) {
	const child = spawn(program, words, { cwd, env: environment(env), stdio: ["pipe", "pipe", "pipe"], timeout: 60000, killSignal: "SIGKILL" });
	const result = { stdout: "", stderr: "" };
	for (const stream of ["stdout", "stderr"]) {
		child[stream].setEncoding("utf8");
		child[stream].on("data", (data) => (result[stream] += data));
	}
	child.stdin.on("error", () => {});
	child.stdin.end(input ?? "");
	[result.status, result.signal] = await once(child, "close");
	assert.doesNotMatch(result.stderr, SANITIZER, `${program} ${words.join(" ")}`);
	return result;
}

export async function until(condition, what = String(condition), milliseconds = sanitized ? 20000 : 10000) {
	for (const end = Date.now() + milliseconds; Date.now() < end; await sleep(10)) if (await condition()) return;
	assert.fail(`not within ${milliseconds} ms: ${what}`);
}

// One HTTP request, its head exactly as given: {status, headers, text, json}. `json` is undefined where there is none.
export function send(options, body) {
	return new Promise((resolve, reject) => {
		const request = http.request({ host: "127.0.0.1", ...options }, (response) => {
			const chunks = [];
			response.on("data", (chunk) => chunks.push(chunk));
			response.on("error", reject);
			response.on("end", () => {
				const text = Buffer.concat(chunks).toString("utf8");
				let json;
				try {
					json = JSON.parse(text);
				} catch {
					json = undefined;
				}
				resolve({ status: response.statusCode, headers: response.headers, text, json });
			});
		});
		request.on("error", reject);
		request.end(body);
	});
}

// Raw bytes over a connection of their own; whatever came until the server closed it, as latin1.
export function sendRaw(port, bytes, { half = true } = {}) {
	return new Promise((resolve) => {
		const socket = connect(port, "127.0.0.1");
		let text = "";
		socket.setEncoding("latin1");
		socket.on("data", (data) => (text += data));
		socket.on("error", () => {});
		socket.on("close", () => resolve(text));
		socket.write(bytes, () => half && socket.end());
	});
}

// The contract's shape of every answer of 400 and above, and nothing more in it.
export function assertError(answer, status, code, field) {
	assert.equal(answer.status, status, answer.text);
	assert.ok(answer.json, `an error is JSON: ${answer.text}`);
	assert.equal(answer.json.code, code, answer.text);
	assert.ok(answer.json.error.length > 0, "with a sentence");
	assert.match(answer.headers["content-type"], /^application\/json/);
	if (field !== undefined) assert.equal(answer.json.field, field, answer.text);
	const members = Object.keys(answer.json).filter((name) => name !== "field");
	assert.deepEqual(members.sort(), ["code", "error"]);
}

export const postgres = process.env.INNKEEPER_TEST_POSTGRES;

// Of a database on the administrator's server, as one of its roles.
export const postgresUrl = (name, role) => postgres.replace(/\/\/[^@]*@/, `//${role}@`).replace(/(@[^/]*\/)[^?]*/, `$1${name}`);

export async function psql(name, sql) {
	const result = await run("psql", ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", postgresUrl(name, "postgres"), "-f", "-"], {
		input: sql,
		env: { PGOPTIONS: "-c search_path=innkeeper,testing" },
	});
	assert.equal(result.status, 0, `${sql}: ${result.stderr}`);
	return result.stdout;
}

// What SQLite writes otherwise than PostgreSQL, in the few forms that tests use.
const translated = (sql) =>
	sql
		.replaceAll(/X'([0-9a-f]{32})'/gi, (_, digits) => `'${uuid(digits)}'::uuid`)
		.replaceAll("total(number)", "coalesce(sum(number), 0)")
		.replaceAll(/randomblob\(16\)/g, "gen_random_uuid()");

// Its functions stand for SQLite's. A copy of the template has its tables, but not the rights on the database.
export async function makePostgres(name) {
	const template = process.env.INNKEEPER_TEST_TEMPLATE;
	await psql("postgres", `CREATE DATABASE ${name} TEMPLATE ${template}`);
	await psql(name, `REVOKE CREATE, TEMPORARY, CONNECT ON DATABASE ${name} FROM PUBLIC;
		GRANT CONNECT ON DATABASE ${name} TO innkeeper_migrator, innkeeper_server`);
}

// Once for all: a database with everything in it, which others are made from.
export async function makeTemplate(name) {
	await psql("postgres", `CREATE DATABASE ${name}`);
	const result = await run(binary, ["migrate", "--database", postgresUrl(name, "postgres")]);
	assert.equal(result.status, 0, result.stderr);
	await psql(name, `CREATE SCHEMA testing;
		CREATE FUNCTION testing.hex(uuid) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT upper(replace($1::text, '-', '')) $$`);
}

export class House {
	constructor(options, settings) {
		this.options = options;
		this.env = settings.env ?? {};
		this.directory = mkdtempSync(join(tmpdir(), "innkeeper-api-"));
		this.file = settings.file ?? join(this.directory, "house.db");
		this.database = `sqlite:${this.file}`;
		if (postgres && !settings.file) {
			this.name = settings.name ?? `house_${randomUUID().replaceAll("-", "")}`;
			this.made = this.borrowed = settings.name !== undefined; // of another house, a second process of it
			this.database = postgresUrl(this.name, "innkeeper_server");
		}
		this.output = ""; // standard error: the log, over all starts
		this.printed = ""; // standard output
		this.agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
		this.shared = new Map();
	}

	async start(options = this.options) {
		if (this.name && !this.made) {
			await makePostgres(this.name);
			this.made = true;
		}
		const words = ["serve", "--database", this.database, "--listen", "127.0.0.1:0", ...(this.name ? ["--control", `${this.file}.control`] : []), ...options];
		const child = spawn(binary, words, { env: environment(this.env), stdio: ["ignore", "pipe", "pipe"] });
		let unread = "";
		let ready;
		const started = new Promise((resolve) => (ready = resolve));
		this.child = child;
		this.exited = once(child, "close");
		child.stdout.on("data", (data) => (this.printed += data));
		child.stderr.setEncoding("utf8");
		child.stderr.on("data", (data) => {
			this.output += data;
			const lines = (unread + data).split("\n");
			unread = lines.pop();
			for (const line of lines) if (line.includes('"message":"ready"')) ready(JSON.parse(line).port);
		});
		const failed = this.exited.then(([code]) => assert.fail(`the server ended with ${code}: ${this.output}`));
		failed.catch(() => {}); // after its start, an end is what stop() looks at
		this.port = await Promise.race([started, failed]);
		this.pid = child.pid;
		return this;
	}

	// SIGTERM to this very process; it must end by itself, in time and without a sanitizer's word.
	async stop() {
		if (!this.child) return;
		const child = this.child;
		const began = Date.now();
		this.child = null;
		child.kill("SIGTERM");
		const killer = setTimeout(() => child.kill("SIGKILL"), 30000);
		const [code, signal] = await this.exited;
		clearTimeout(killer);
		this.agent.destroy();
		this.agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
		assert.deepEqual([code, signal], [0, null], this.output.slice(-4000));
		assert.ok(Date.now() - began < (sanitized ? 30000 : 10000), `stopping took ${Date.now() - began} ms`);
		assert.doesNotMatch(this.output, SANITIZER);
	}

	async end() {
		try {
			await this.stop();
		} finally {
			this.agent.destroy();
			if (this.made && !this.borrowed) await psql("postgres", `DROP DATABASE ${this.name} WITH (FORCE)`);
			rmSync(this.directory, { recursive: true, force: true });
		}
	}

	async restart(options) {
		await this.stop();
		return this.start(options);
	}

	run(words, options) {
		return run(binary, [...words, "--database", this.database], options);
	}

	// A verb of the command line that must succeed; what it printed.
	async verb(...words) {
		const result = await this.run(words);
		assert.equal(result.status, 0, `innkeeper ${words.join(" ")}: ${result.stderr}`);
		return JSON.parse(result.stdout);
	}

	// What a verb of the command line asks the running server, without a program started for it: for what a test needs and
	// is not about. What the server answered.
	async control(path, body) {
		const text = JSON.stringify(body);
		const headers = { host: "localhost", "content-type": "application/json", "content-length": Buffer.byteLength(text) };
		const answer = await send({ host: undefined, socketPath: `${this.file}.control`, method: "POST", path, headers }, text);
		assert.equal(answer.status, 200, `${path}: ${answer.text}`);
		return answer.json;
	}

	// A new organization: {id, slug, organization_name, api_key}. With options, or while no server runs: by the command line.
	organization(name = `Visit ${randomUUID()}`, ...options) {
		if (!this.child || options.length > 0) return this.verb("organization", "create", name, ...options);
		return this.control("/control/organizations", { organization_name: name });
	}

	request(method, path, { key, headers = {}, body, port = this.port, agent = this.agent } = {}) {
		const all = { ...headers };
		if (key !== undefined) all["x-api-key"] = key;
		if (body !== undefined) all["content-length"] = Buffer.byteLength(body);
		return send({ port, method, path, headers: all, agent }, body);
	}

	get(path, headers) {
		return this.request("GET", path, { headers });
	}

	// `body` is sent as it is when it is a string or a buffer, else as JSON.
	post(key, path, body, headers = {}) {
		const text = typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
		return this.request("POST", path, { key, body: text, headers: { "content-type": "application/json", ...headers } });
	}

	async ok(key, path, body, headers) {
		const answer = await this.post(key, path, body, headers);
		assert.equal(answer.status, 200, answer.text);
		assert.equal(answer.json.success, true);
		return answer.json;
	}

	// A member who is signed in: a browser with a cookie. `organization` is what organization() gave.
	async member(organization, role = "Admin", email = `${fresh(role.toLowerCase())}@staff.example`, password = "correct horse battery") {
		// By the link, which signs in as well: one password's hash, where a password and a sign-in take two.
		const { invitation, ...user } = await this.control(`/control/users?organization=${organization.slug}`, { email, role });
		const browser = new Browser(this, email, password);
		browser.user = user;
		await browser.ok("POST", "/api/auth/join", { token: /token=([\w-]+)/.exec(invitation.link)[1], password });
		return browser;
	}

	// A member whom every test of the file may share that changes nothing of them: neither role, password nor session.
	staff(organization, role = "Admin") {
		const name = `${organization.id} ${role}`;
		if (!this.shared.has(name)) this.shared.set(name, this.member(organization, role));
		return this.shared.get(name);
	}

	// What the database file holds, read by another program. Ids are blobs: ask for lower(hex(id)).
	async rows(sql) {
		if (this.name && sql.startsWith("PRAGMA foreign_key_check")) return []; // it cannot be otherwise
		if (this.name) return JSON.parse(await psql(this.name, `SELECT coalesce(json_agg(t), '[]') FROM (${translated(sql)}) AS t`));
		const result = await run("sqlite3", ["-readonly", "-json", "-cmd", ".timeout 5000", this.file, sql]);
		assert.equal(result.status, 0, `${sql}: ${result.stderr}`);
		return result.stdout.trim() === "" ? [] : JSON.parse(result.stdout);
	}

	async value(sql) {
		return Object.values((await this.rows(sql))[0])[0];
	}

	// Its tables, by the database's own catalogue.
	async tables() {
		const found = await this.rows(
			this.name
				? "SELECT relname AS name FROM pg_class WHERE relnamespace = 'innkeeper'::regnamespace AND relkind = 'r' ORDER BY 1"
				: "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1",
		);
		return found.map(({ name }) => name);
	}

	// Everything that it keeps, {what: bytes}: the files of its folder and, on PostgreSQL, all rows of all tables as text.
	async kept() {
		const files = readdirSync(this.directory, { withFileTypes: true }).filter((entry) => entry.isFile());
		const kept = Object.fromEntries(files.map(({ name }) => [name, readFileSync(join(this.directory, name))]));
		if (!this.name) return kept;
		const dump = await run("pg_dump", ["--data-only", "--dbname", postgresUrl(this.name, "postgres")]);
		assert.equal(dump.status, 0, dump.stderr);
		return { ...kept, rows: Buffer.from(dump.stdout) };
	}

	// Writes into the file behind the server's back, so only while it is stopped.
	async change(sql) {
		assert.equal(this.child, null, "the server owns its database while it runs");
		if (this.name) return void (await psql(this.name, translated(sql)));
		const result = await run("sqlite3", [this.file, sql]);
		assert.equal(result.status, 0, result.stderr);
	}

	// Row counts of every tenant table: equal before and after, nothing was stored.
	counts() {
		return this.rows(
			TABLES.map((name) => `SELECT '${name}' AS "table", count(*) AS rows, total(number) AS sum FROM ${name}`).join(
				" UNION ALL ",
			),
		);
	}

	log() {
		return this.output
			.split("\n")
			.filter((line) => line !== "")
			.map((line) => JSON.parse(line));
	}

	// Memory of the server that is not shared or swapped, in bytes.
	resident() {
		return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, "utf8"))[1]) * 1024;
	}
}

// Keeps cookies as a browser does, and asks as our own page would.
export class Browser {
	constructor(house, email, password) {
		Object.assign(this, { house, email, password, cookies: new Map() });
	}

	get cookie() {
		return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
	}

	async request(method, path, { body, headers = {} } = {}) {
		const all = { "sec-fetch-site": "same-origin", ...headers };
		if (this.cookies.size > 0) all.cookie = this.cookie;
		if (method !== "GET" && method !== "HEAD") all["content-type"] ??= "application/json";
		const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
		const answer = await this.house.request(method, path, { headers: all, body: text });
		for (const line of answer.headers["set-cookie"] ?? []) {
			const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
			if (/max-age=0(;|$)/i.test(line)) this.cookies.delete(name);
			else this.cookies.set(name, value);
		}
		return answer;
	}

	get(path, headers) {
		return this.request("GET", path, { headers });
	}

	post(path, body = {}, headers) {
		return this.request("POST", path, { body, headers });
	}

	// A request that must succeed; its JSON.
	async ok(method, path, body, status = 200) {
		const answer = await this.request(method, path, { body });
		assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
		return answer.json;
	}

	async signIn(email = this.email, password = this.password) {
		await this.ok("POST", "/api/auth/login", { email, password });
		return this;
	}
}

const TABLES = ["chats", "messages", "visitors", "users", "article_mentions", "article_views", "web_mentions"];

export async function openHouse(options = [], settings = {}) {
	return new House(options, settings).start();
}

// An id as the API writes it, from the hex digits that the database shows.
export const uuid = (hex) =>
	hex && hex.toLowerCase().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
export const hexOf = (id) => id.replaceAll("-", "");

// A name that no other test uses.
export const fresh = (prefix) => `${prefix}-${randomUUID()}`;

// An answer's bytes without what differs between any two.
export const masked = (answer) => {
	const { date, "x-request-id": id, ...headers } = answer.headers;
	return JSON.stringify([answer.status, headers, answer.text]);
};
