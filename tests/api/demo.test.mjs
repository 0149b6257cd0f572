// `innkeeper demo` as a newcomer meets it: what it prints, what its concierges do, how it ends, and that its past is
// the same for the same seed.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);
const binary = process.env.INNKEEPER ?? "build/innkeeper";
const slow = process.env.INNKEEPER_VARIANT === "asan" || process.env.INNKEEPER_VARIANT === "tsan" ? 4 : 1;
const DAY = 86400000;

async function until(what, seconds, ask) {
	const deadline = Date.now() + seconds * 1000 * slow;
	for (;;) {
		const answer = await ask();
		if (answer) return answer;
		assert.ok(Date.now() < deadline, `${what}: not within ${seconds * slow} s`);
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
}

async function temporary(t) {
	const folder = await mkdtemp(join(tmpdir(), "demo-test-"));
	t.after(() => rm(folder, { recursive: true, force: true }));
	return folder;
}

// Starts it and waits until it has said everything.
async function start(t, folder, ...options) {
	const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^INNKEEPER_/.test(name)));
	const child = spawn(binary, ["demo", "--listen", "127.0.0.1:0", ...options], {
		env: { ...environment, TMPDIR: folder },
		cwd: folder,
		stdio: ["ignore", "pipe", "pipe"],
	});
	const demo = { child, out: "", err: "" };
	child.stdout.on("data", (bytes) => (demo.out += bytes));
	child.stderr.on("data", (bytes) => (demo.err += bytes));
	demo.ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
	t.after(() => child.kill("SIGKILL"));
	let over = false;
	demo.ended.then(() => (over = true));
	await until("what it prints", 20, () => over || /^Stop with Ctrl-C\..*\n/m.test(demo.out));
	assert.match(demo.out, /^Stop with/m, demo.err);
	demo.url = demo.out.match(/^Innkeeper runs at (http:\/\/127\.0\.0\.1:\d+)$/m)[1];
	demo.keys = [...demo.out.matchAll(/^  API key   (ik_live_[0-9A-Za-z]{38})$/gm)].map((match) => match[1]);
	return demo;
}

async function stop(demo, signal = "SIGTERM") {
	const began = Date.now();
	demo.child.kill(signal);
	assert.deepEqual(await demo.ended, { code: 0, signal: null }, demo.err);
	assert.ok(Date.now() - began < 10000, `${Date.now() - began} ms to stop`);
}

async function requests(url, route) {
	const metrics = await (await fetch(`${url}/metrics`)).text();
	const count = (status) =>
		Number(metrics.match(new RegExp(`^innkeeper_requests_total{method="POST",route="${route}",status="${status}"} (\\d+)$`, "m"))?.[1] ?? 0);
	return { good: count("2xx"), bad: count("4xx") + count("5xx") };
}

const historyIn = (demo) => until("the history", 60, () => (demo.err.match(/ of \d+ days, \d+ chats, /g) ?? []).length === 2);

const sqlite = async (file, sql) => (await run("sqlite3", ["-json", file, sql], { maxBuffer: 1 << 28 })).stdout;

// By the session that the printed line has left in `folder`.
async function everyPageHasSomethingToShow(demo, folder) {
	await historyIn(demo);
	const read = async (path) => JSON.parse((await run("curl", ["-sSf", "-b", "cookies.txt", demo.url + path], { cwd: folder })).stdout);
	assert.equal((await read("/api/settings")).time_zone, "America/New_York");
	for (const [path, member] of [
		["/api/chats"], ["/api/chats?status=completed"], ["/api/visitors", "visitors"], ["/api/users", "users"], ["/api/keys"], ["/api/audit", "entries"],
		["/api/articles/stats", "articles"], ["/api/tavily-mentions", "mentions"],
	]) {
		const answer = await read(path);
		assert.ok((member === undefined ? answer : answer[member]).length > 0, path);
	}
	const composition = await read("/api/analytics/user-composition");
	for (const name of ["devices", "cities", "countries"]) assert.ok(composition[name].length > 2, name);
	const interests = await read("/api/analytics/interests");
	for (const name of ["seasons", "travelerTypes", "preferences", "vibes"]) assert.ok(interests[name].length > 0, name);
	const rates = await read("/api/analytics/conversion-rates");
	for (const [name, { conversionRate }] of Object.entries(rates)) assert.ok(conversionRate > 0, name);
	for (const name of ["user-activity", "event-totals"])
		for (const days of Object.values(await read(`/api/analytics/${name}?days=4`))) assert.ok(days.some(({ value }) => value > 0), name);
	await until("a search", 30, async () => (await read("/api/chats?q=beach")).length > 0);
}

test("demo prints what a newcomer needs, its concierges report real conversations, and it leaves nothing behind", async (t) => {
	const folder = await temporary(t);
	const demo = await start(t, folder, "--days", "3", "--pace", "50");

	assert.equal(demo.keys.length, 2);
	assert.notEqual(demo.keys[0], demo.keys[1]);
	for (const slug of ["visit-fort-myers", "discover-asheville"]) assert.match(demo.out, new RegExp(`^  slug      ${slug}$`, "m"));
	assert.equal([...demo.out.matchAll(/^  sign-in   [^@ ]+@[^@ ]+$/gm)].length, 2);
	assert.equal([...demo.out.matchAll(/^  password  [0-9A-Za-z]{20}$/gm)].length, 2);
	assert.equal((await readdir(folder)).length, 1);

	const beside = await temporary(t);
	const lines = [...demo.out.matchAll(/^  (curl .*)$/gm)].map(([, line]) => line);
	const [chat, session, figures] = (await run("sh", ["-ec", lines.join("\necho\n")], { cwd: beside })).stdout.split("\n").map((line) => JSON.parse(line));
	assert.equal(chat.success, true);
	assert.equal(session.success, true);
	assert.ok(figures.totalChats > figures.previous.totalChats, JSON.stringify(figures));
	await everyPageHasSomethingToShow(demo, beside);

	for (const route of ["chats/create", "chats/message", "articles/mention", "articles/view", "tavily-mentions", "tavily-mentions/click", "visitors/identify"])
		await until(route, 60, async () => (await requests(demo.url, `/api/${route}`)).good > (route === "chats/create" ? 3 : 0));
	for (const route of ["batch", "chats/create", "chats/message", "articles/mention", "articles/view", "tavily-mentions", "tavily-mentions/click", "visitors/identify", "users/identify"])
		assert.equal((await requests(demo.url, `/api/${route}`)).bad, 0, route);

	await stop(demo, "SIGINT");
	assert.deepEqual(await readdir(folder), []);
	assert.doesNotMatch(demo.err, /failed|refused|"level"/);
});

// Chats and messages of each organization before the midnight at which the last day began, relative to it.
async function past(file, midnight) {
	return sqlite(
		file,
		`SELECT o.slug, c.chat_id, c.session_id, c.location, c.user_agent, c.created_at - ${midnight} AS at, m.external_id, m.role, m.content,
			m.created_at - ${midnight} AS said
		FROM chats c JOIN organizations o ON o.id = c.organization_id LEFT JOIN messages m ON m.chat_number = c.number AND m.created_at < ${midnight}
		WHERE c.created_at < ${midnight} ORDER BY o.slug, c.number, m.number`,
	);
}

async function pastOf(t, seed) {
	for (;;) {
		const folder = await temporary(t);
		const before = Math.floor(Date.now() / DAY) * DAY;
		const demo = await start(t, folder, "--database", "sqlite:demo.db", "--days", "3", "--pace", "0", "--seed", seed);
		await historyIn(demo);
		const after = Math.floor(Date.now() / DAY) * DAY;
		await stop(demo);
		if (before === after) return { midnight: before, rows: await past(join(folder, "demo.db"), before) };
	}
}

test("the same seed makes the same history, another seed another one", async (t) => {
	let first, second;
	do {
		first = await pastOf(t, "7");
		second = await pastOf(t, "7");
	} while (first.midnight !== second.midnight);
	assert.ok(JSON.parse(first.rows).length > 400, `${first.rows.length} bytes`);
	assert.ok(first.rows === second.rows, "two runs with one seed differ");
	const other = await pastOf(t, "8");
	assert.ok(first.rows !== other.rows, "two seeds make one history");
});

test("the history is what a tourism office sees: 40 to 60 chats a day, some silent, people who return and sign up", async (t) => {
	const folder = await temporary(t);
	const file = join(folder, "demo.db");
	const demo = await start(t, folder, "--database", `sqlite:${file}`, "--days", "8", "--pace", "0");
	await historyIn(demo);
	await stop(demo);
	const rows = async (sql) => JSON.parse((await sqlite(file, sql)) || "[]");
	// By when they began; the last of the days is cut at this moment, the first one is whole.
	const days = await rows("SELECT organization_id, created_at / 86400000 AS day, count(*) AS chats FROM chats GROUP BY 1, 2 ORDER BY 2");
	const today = Math.max(...days.map((row) => row.day), Math.floor(Date.now() / DAY));
	const whole = days.filter((row) => row.day < today);
	assert.ok(whole.length >= 14, `${whole.length} whole days`);
	for (const { chats, day } of whole) assert.ok(chats >= 40 && chats <= 60, `${chats} chats on day ${day}`);
	const [counts] = await rows(`SELECT
		(SELECT count(*) FROM chat_activity WHERE message_count = 0) AS silent,
		(SELECT max(message_count) FROM chat_activity) AS longest,
		(SELECT count(*) FROM (SELECT session_id FROM chats GROUP BY organization_id, session_id HAVING count(*) > 1)) AS returned,
		(SELECT count(*) FROM chats WHERE user_agent IS NULL) AS unknown,
		(SELECT count(*) FROM chats WHERE json_extract(metadata, '$.language') = 'es') AS spanish,
		(SELECT count(*) FROM visitors WHERE json_extract(metadata, '$.season') IS NOT NULL AND json_array_length(metadata, '$.vibes') > 0) AS newsletter,
		(SELECT count(*) FROM visitors WHERE json_extract(metadata, '$.groupSize') > 0 AND json_extract(metadata, '$.arrival') LIKE '20__-__-__') AS leads,
		(SELECT count(*) FROM web_mentions WHERE clicked_at IS NOT NULL) AS clicks,
		(SELECT count(*) FROM web_mentions WHERE clicked_at <= mentioned_at) AS early,
		(SELECT count(*) FROM article_views WHERE visitor_id IS NOT NULL) AS known,
		(SELECT count(*) FROM messages WHERE content LIKE '%{%') AS unspoken,
		(SELECT count(*) FROM chats WHERE created_at > ${Date.now()}) AS future`);
	for (const name of ["silent", "returned", "unknown", "spanish", "newsletter", "leads", "clicks", "known"]) assert.ok(counts[name] > 0, name);
	for (const name of ["early", "unspoken", "future"]) assert.equal(counts[name], 0, name);
	assert.ok(counts.longest <= 16, `${counts.longest} messages`);
});

test("a second start on the same database makes new keys and repeats nothing", async (t) => {
	const folder = await temporary(t);
	const options = ["--database", "sqlite:kept.db", "--days", "2", "--pace", "0"];
	const count = async () => sqlite(join(folder, "kept.db"), "SELECT (SELECT count(*) FROM chats), (SELECT count(*) FROM messages), (SELECT count(*) FROM users)");
	const first = await start(t, folder, ...options);
	await historyIn(first);
	await stop(first);
	const before = await count();
	const second = await start(t, folder, ...options);
	assert.equal([...second.out.matchAll(/^  password  as shown at the first start$/gm)].length, 2);
	for (const key of second.keys) assert.ok(!first.keys.includes(key));
	for (const key of [...first.keys, ...second.keys]) {
		const reply = await fetch(`${second.url}/api/batch`, { method: "POST", headers: { "x-api-key": key }, body: "[]" });
		assert.equal(reply.status, 207);
	}
	await stop(second);
	assert.equal(await count(), before);
	assert.ok((await readdir(folder)).includes("kept.db"));
});

test("a signal in the middle of the history ends it at once", async (t) => {
	const folder = await temporary(t);
	const demo = await start(t, folder, "--days", "3650");
	await until("a first batch", 20, async () => (await requests(demo.url, "/api/batch")).good > 1);
	await stop(demo);
	assert.deepEqual(await readdir(folder), []);
});

test("an organization of the same slug that no demonstration founded is left alone", async (t) => {
	const folder = await temporary(t);
	const database = `sqlite:${join(folder, "own.db")}`;
	await run(binary, ["organization", "create", "Ours", "--slug", "discover-asheville", "--database", database]);
	await run(binary, ["user", "create", "--organization", "discover-asheville", "--email", "us@example.org", "--database", database]);
	await assert.rejects(run(binary, ["demo", "--listen", "127.0.0.1:0", "--database", database]), (error) => {
		assert.equal(error.code, 1);
		assert.match(error.stderr, /no demonstration/);
		return true;
	});
	assert.match(await sqlite(join(folder, "own.db"), "SELECT count(*) AS chats FROM chats"), /"chats":0/);
});

test("what cannot be is said: an option out of bounds, an address that is taken", async (t) => {
	const folder = await temporary(t);
	for (const [option, value] of [["--days", "-1"], ["--days", "x"], ["--pace", "60001"], ["--seed", "1.5"]])
		await assert.rejects(run(binary, ["demo", option, value], { env: { ...process.env, TMPDIR: folder } }), (error) => {
			assert.equal(error.code, 2);
			assert.match(error.stderr, new RegExp(`^innkeeper: ${option} must be a number`));
			return true;
		});
	const demo = await start(t, folder, "--days", "0", "--pace", "0");
	const port = new URL(demo.url).port;
	await new Promise((resolve, reject) => connect(Number(port), "127.0.0.1", resolve).once("error", reject)).catch(assert.fail);
	const other = await temporary(t);
	await writeFile(join(other, "beside"), "");
	await assert.rejects(run(binary, ["demo", "--listen", `127.0.0.1:${port}`], { env: { ...process.env, TMPDIR: other } }), (error) => {
		assert.equal(error.code, 1);
		return true;
	});
	assert.deepEqual(await readdir(other), ["beside"]);
	await stop(demo);
});
