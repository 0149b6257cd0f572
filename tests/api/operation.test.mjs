// What an operator sees and relies on: health, metrics, logs, limits of the process, and how it ends.
import { test, describe, before, after } from "node:test";
import assert from "node:assert/strict";
import { copyFileSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openHouse, assertError, fresh, postgres, run, until, TIME, UUID7 } from "./harness.mjs";

let house, ours;
before(async () => {
	house = await openHouse();
	ours = await house.organization();
});
after(() => house.end());

test("/healthz says that the process lives, /readyz that the database does", async () => {
	const [health, ready] = [await house.get("/healthz"), await house.get("/readyz")];
	assert.deepEqual([health.status, health.json], [200, { status: "ok" }]);
	assert.deepEqual([ready.status, ready.json.status], [200, "ready"]);
	assert.ok(Number.isInteger(ready.json.schema) && ready.json.schema > 0);
});

describe("/metrics", () => {
	const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|[+-]Inf|NaN)$/;
	const read = async () => {
		const answer = await house.get("/metrics");
		assert.equal(answer.status, 200);
		assert.match(answer.headers["content-type"], /^text\/plain; version=0\.0\.4/);
		assert.ok(answer.text.endsWith("\n"));
		const samples = new Map();
		const types = new Map();
		for (const line of answer.text.slice(0, -1).split("\n")) {
			const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line);
			if (comment) {
				if (comment[1] === "TYPE") assert.ok(!types.has(comment[2]), `${line} twice`);
				if (comment[1] === "TYPE") types.set(comment[2], comment[3]);
				continue;
			}
			const sample = SAMPLE.exec(line);
			assert.ok(sample, `no sample: ${line}`);
			const family = types.has(sample[1]) ? sample[1] : sample[1].replace(/_(bucket|sum|count)$/, "");
			assert.ok(types.has(family), `${line} without a type`);
			const id = `${sample[1]}{${sample[2] ?? ""}}`;
			assert.ok(!samples.has(id), `${id} twice`);
			samples.set(id, Number(sample[3].replace("+Inf", "Infinity")));
		}
		return samples;
	};

	test("is Prometheus text, each sample once, behind its type", async () => {
		await house.post(ours.api_key, "/api/chats/create", { sessionId: "s" });
		const samples = await read();
		for (const name of ["innkeeper_writer_queue{}", "innkeeper_database_bytes{}", "innkeeper_start_time_seconds{}", "innkeeper_commit_seconds_count{}", "innkeeper_batch_items_count{}", "innkeeper_writer_rejected_total{}", "innkeeper_rate_limited_total{}"])
			assert.ok(samples.has(name), name);
		assert.ok(samples.get("innkeeper_database_bytes{}") > 4096);
		assert.ok(Math.abs(samples.get("innkeeper_start_time_seconds{}") - Date.now() / 1000) < 300);
	});

	test("counts requests by route and status, and how long they took", async () => {
		const label = 'method="POST",route="/api/chats/create"';
		const count = (samples, name) => samples.get(name) ?? 0;
		const before = await read();
		for (let i = 0; i < 7; i++) await house.post(ours.api_key, "/api/chats/create", { sessionId: "s" });
		for (let i = 0; i < 3; i++) await house.post(ours.api_key, "/api/chats/create", {});
		await house.get("/no/such/path");
		const grown = async (name) => count(await read(), name) - count(before, name);
		await until(async () => (await grown(`innkeeper_requests_total{${label},status="4xx"}`)) === 3);
		assert.equal(await grown(`innkeeper_requests_total{${label},status="2xx"}`), 7);
		assert.equal(await grown('innkeeper_requests_total{method="",route="none",status="4xx"}'), 1);
		assert.equal(await grown(`innkeeper_request_seconds_count{${label}}`), 10);
		assert.ok((await grown("innkeeper_commit_seconds_count{}")) >= 1);
	});

	test("has histograms whose buckets grow and end with the count", async () => {
		const samples = [...(await read())];
		const buckets = samples.filter(([id]) => id.startsWith("innkeeper_commit_seconds_bucket")).map(([, value]) => value);
		assert.ok(buckets.length > 3);
		buckets.reduce((below, value) => (assert.ok(value >= below), value), 0);
		assert.equal(buckets.at(-1), samples.find(([id]) => id === "innkeeper_commit_seconds_count{}")[1]);
	});

	test("names no organization and nothing of theirs", async () => {
		const { text } = await house.get("/metrics");
		for (const secret of [ours.id, ours.slug, ours.api_key]) assert.ok(!text.includes(secret));
	});
});

describe("X-Request-Id", () => {
	test("is made when there is none, another for each request", async () => {
		const ids = [await house.get("/healthz"), await house.get("/nowhere"), await house.post("x", "/api/chats/create", {})].map((answer) => answer.headers["x-request-id"]);
		for (const id of ids) assert.match(id, UUID7);
		assert.equal(new Set(ids).size, 3);
	});

	test("is echoed when it is harmless, and stands in the log", async () => {
		for (const id of ["a", "trace-42_b.C", "x".repeat(128)]) {
			assert.equal((await house.get("/healthz", { "x-request-id": id })).headers["x-request-id"], id);
			await until(() => house.log().some((line) => line.request_id === id), `${id} in the log`);
		}
	});

	for (const id of ["", "a b", "a\tb", '"}', "<script>", "ä", "a;b", "x".repeat(129), "%0d%0a", "{}"])
		test(`${JSON.stringify(id.slice(0, 20))} (${id.length}) is replaced`, async () => {
			const answer = await house.get("/healthz", { "x-request-id": id });
			assert.match(answer.headers["x-request-id"], UUID7);
		});

	test("stands on every answer, also on 401, 404, 405 and 413", async () => {
		const answers = [
			await house.post(undefined, "/api/chats/create", {}),
			await house.get("/nowhere"),
			await house.get("/api/chats/create"),
			await house.request("POST", "/api/chats/create", { key: ours.api_key, headers: { "content-length": "99999999" } }),
		];
		assert.deepEqual(answers.map((answer) => answer.status), [401, 404, 405, 413]);
		for (const answer of answers) assert.match(answer.headers["x-request-id"], UUID7);
	});
});

describe("the log", () => {
	test("is JSON lines, a request with its id, method, route, status and time", async () => {
		const id = fresh("line");
		await house.post(ours.api_key, "/api/chats/create", { sessionId: "s" }, { "x-request-id": id });
		await until(() => house.log().some((line) => line.request_id === id));
		const { time, milliseconds, ...rest } = house.log().find((line) => line.request_id === id);
		assert.match(time, TIME);
		assert.ok(milliseconds > 0 && milliseconds < 10000);
		assert.deepEqual(rest, { level: "info", message: "request", request_id: id, method: "POST", route: "/api/chats/create", status: 200, sent: 1 });
	});

	test("begins with ready and its port", () => {
		const ready = house.log().find((line) => line.message === "ready");
		assert.deepEqual([ready.level, ready.port], ["info", house.port]);
	});

	test("holds no key, content, e-mail, session, path or query of anybody", async () => {
		const canary = fresh("canary").replaceAll("-", "");
		const email = `${canary}@a.example`;
		const send = (path, body, headers) => house.post(ours.api_key, path, body, headers);
		await send("/api/chats/create", { sessionId: canary, chatId: canary, metadata: { canary } }, { "user-agent": canary, "idempotency-key": canary });
		await send("/api/chats/message", { chatId: canary, role: "user", content: canary, messageId: canary }, { "idempotency-key": canary });
		await send("/api/chats/message", { chatId: `no-${canary}`, role: "user", content: canary });
		await send("/api/articles/mention", { articles: [{ id: canary, title: canary, slug: canary }] });
		await send("/api/articles/view", { articleId: canary, articleSlug: canary, sessionId: canary });
		await send("/api/tavily-mentions", { sessionId: canary, mentions: [{ url: canary, content: canary }], searchQuery: canary });
		await send("/api/tavily-mentions/click", { sessionId: canary, articleUrl: canary });
		await send("/api/visitors/identify", { email, session_id: canary, metadata: { canary } });
		await send("/api/users/identify", { email, name: canary });
		await send("/api/batch", [{ type: canary }, { type: "chat", status: canary }]);
		await send(`/api/chats/create?${canary}=${canary}`, { sessionId: 5, [canary]: canary });
		await send("/api/chats/create", `{"${canary}`);
		await send("/api/chats/create", { sessionId: canary, status: canary });
		await house.get(`/${canary}`, { "x-api-key": canary, authorization: `Bearer ${canary}`, cookie: canary, referer: canary });
		await house.request("POST", `/api/chats/create`, { key: canary, body: "{}" });
		await house.verb("user", "create", "--organization", ours.slug, "--email", email, "--name", canary);
		assert.equal((await house.run(["user", "create", "--organization", ours.slug, "--email", email])).status, 1);
		await house.restart();
		assert.ok(!house.output.includes(canary), house.output.split("\n").find((line) => line.includes(canary)));
		assert.ok(!house.printed.includes(canary));
		assert.ok(!house.output.includes(ours.api_key));
	});

	test("says who knocked in vain, and of nobody else", async () => {
		const id = fresh("vain");
		await house.post("wrong", "/api/chats/create", {}, { "x-request-id": id });
		await until(() => house.log().some((line) => line.request_id === id));
		assert.equal(house.log().find((line) => line.request_id === id).peer, "00000000000000000000ffff7f000001");
		assert.ok(house.log().filter((line) => line.message === "request" && line.status === 200).every((line) => line.peer === undefined));
	});

});

describe("under more than it takes", () => {
	test("a full queue is 503 with Retry-After, and what was refused is not stored", async () => {
		const small = await openHouse(["--queue", "1"]);
		const { api_key } = await small.organization();
		const tally = { 200: 0, 503: 0 };
		for (let round = 0; round < 20 && tally[503] === 0; round++) {
			const answers = await Promise.all(Array.from({ length: 64 }, () => small.post(api_key, "/api/chats/create", { sessionId: "s" })));
			for (const answer of answers) {
				tally[answer.status]++;
				if (answer.status === 200) continue;
				assertError(answer, 503, "unavailable");
				assert.match(answer.headers["retry-after"], /^[1-9]\d*$/);
			}
		}
		assert.ok(tally[503] > 0, "the queue was full at least once");
		assert.equal(await small.value("SELECT count(*) FROM chats"), tally[200]);
		const { text } = await small.get("/metrics");
		assert.equal(Number(/^innkeeper_writer_rejected_total (\d+)$/m.exec(text)[1]), tally[503]);
		assert.equal((await small.post(api_key, "/api/chats/create", { sessionId: "s" })).status, 200);
		await small.end();
	});

	test("one connection more than --max-connections is closed at once, and there is room again when one goes", async () => {
		const small = await openHouse(["--max-connections", "4"]);
		const open = () => {
			const socket = connect(small.port, "127.0.0.1");
			const client = { socket, text: "" };
			socket.on("error", () => {});
			socket.on("data", (data) => (client.text += data));
			client.closed = new Promise((resolve) => socket.on("close", () => resolve("closed")));
			return client;
		};
		const ask = (client) => client.socket.write("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
		const clients = [];
		for (let i = 0; i < 4; i++) {
			clients.push(open());
			ask(clients[i]);
			await until(() => clients[i].text.includes('"ok"'), "each of four is answered");
		}
		const fifth = open();
		ask(fifth);
		assert.equal(await Promise.race([fifth.closed, sleep(5000, "open")]), "closed");
		assert.equal(fifth.text, "");
		clients[0].socket.destroy();
		await until(async () => {
			const next = open();
			ask(next);
			await Promise.race([next.closed, until(() => next.text !== "").catch(() => {})]);
			next.socket.destroy();
			return next.text.includes('"ok"');
		}, "room again");
		for (const client of clients) client.socket.destroy();
		await small.end();
	});
});

describe("SIGTERM", () => {
	test("under load ends with 0 in time, and every 200 that was received is in the database", async () => {
		const loaded = await openHouse();
		const { api_key } = await loaded.organization();
		for (let i = 0; i < 16; i++) await loaded.ok(api_key, "/api/chats/create", { sessionId: "s", chatId: `c${i}` });
		const answered = [];
		let going = true;
		const talk = async (chat) => {
			for (let i = 0; going; i++) {
				const messageId = `m-${chat}-${i}`;
				try {
					const answer = await loaded.post(api_key, "/api/chats/message", { chatId: `c${chat}`, role: "user", content: `of ${messageId}`, messageId });
					if (answer.status === 200) answered.push(messageId);
					else assert.equal(answer.status, 503, answer.text);
				} catch (error) {
					if (error.code === "ERR_ASSERTION") throw error;
					return; // the connection ended: nobody was told anything
				}
			}
		};
		const talks = Array.from({ length: 16 }, (_, chat) => talk(chat));
		await until(() => answered.length > 200, "it is busy");
		await loaded.stop();
		going = false;
		await Promise.all(talks);
		const stored = new Map((await loaded.rows("SELECT external_id, content FROM messages")).map((row) => [row.external_id, row.content]));
		for (const messageId of answered) assert.equal(stored.get(messageId), `of ${messageId}`);
		if (!postgres) assert.deepEqual(await loaded.rows("PRAGMA integrity_check"), [{ integrity_check: "ok" }]);
		assert.deepEqual(await loaded.rows("PRAGMA foreign_key_check"), []);
		await loaded.end();
	});

	test("does not wait for connections that say nothing, or half of something", async () => {
		const held = await openHouse();
		const { api_key } = await held.organization();
		const sockets = ["", "GET /hea", "POST /api/chats/create HTTP/1.1\r\nHost: a\r\n", `POST /api/chats/create HTTP/1.1\r\nHost: a\r\nx-api-key: ${api_key}\r\nContent-Length: 100\r\n\r\n{`].map((text) => {
			const socket = connect(held.port, "127.0.0.1");
			socket.on("error", () => {});
			socket.write(text);
			return socket;
		});
		await sleep(200);
		await held.stop(); // within 10 s, exit 0
		for (const socket of sockets) socket.destroy();
		assert.equal(await held.value("SELECT count(*) FROM chats"), 0);
		await held.end();
	});

	test("leaves no control socket behind", async () => {
		const tidy = await openHouse();
		await tidy.organization();
		assert.ok(readdirSync(tidy.directory).some((name) => name.endsWith("control")));
		await tidy.stop();
		assert.ok(!readdirSync(tidy.directory).some((name) => name.endsWith("control")));
		await tidy.end();
	});

	// PostgreSQL's files are its own.
	if (!postgres)
		test("leaves a file that by itself holds everything", async () => {
			const tidy = await openHouse();
			for (let i = 0; i < 3; i++) await tidy.organization();
			await tidy.stop();
			const alone = join(tidy.directory, "alone.db");
			copyFileSync(tidy.file, alone);
			assert.equal((await run("sqlite3", [alone, "SELECT count(*) FROM organizations"])).stdout, "3\n");
			await tidy.end();
		});
});
