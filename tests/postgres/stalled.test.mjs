// PostgreSQL stopped by SIGSTOP: connected, and silent. Nobody but who needs it waits for it, nobody waits for ever, and when
// it goes on everything is as it was.
import { after, afterEach, before, test } from "node:test";
import assert from "node:assert/strict";
import http from "node:http";
import { setTimeout as moment } from "node:timers/promises";
import { ownCluster } from "./cluster.mjs";

const CROWD = 50;
const AT_ONCE = 100; // ms, of what needs no database
const BUSY = 1000; // ms; once the machine may do something else, a thread that waits for the database would take longer
const LONGEST = 9000; // ms, of a read: its patience in the queue, and each step it waits for

let cluster, harness, house, ours, theirs, admin, rival;
before(async () => {
	cluster = await ownCluster();
	harness = cluster.harness;
	house = await harness.openHouse();
	[ours, theirs] = [await house.organization(), await house.organization()];
	[admin, rival] = [await house.member(ours), await house.member(theirs)];
	for (let i = 0; i < 5; i++) await house.ok(ours.api_key, "/api/chats/create", { chatId: `chat-${i}`, sessionId: "s" });
	await house.ok(theirs.api_key, "/api/chats/create", { chatId: "theirs", sessionId: "s" });
});
afterEach(() => cluster.resume());
after(async () => {
	await house?.end();
	await cluster?.end();
});

const read = (browser, path = "/api/chats") => house.request("GET", path, { headers: { cookie: browser.cookie } });

async function timed(asked) {
	const began = Date.now();
	const answer = await asked;
	return { ...answer, took: Date.now() - began };
}

async function atOnce(what, ask, status) {
	for (let tries = 1; ; tries++) {
		const answer = await timed(ask());
		assert.equal(answer.status, status, `${what}: ${answer.text}`);
		if (answer.took < AT_ONCE) return;
		assert.ok(answer.took < BUSY && tries < 3, `${what} took ${answer.took} ms`);
	}
}

// What is answered from memory, whatever the database does.
async function lookAround() {
	await atOnce("life", () => house.get("/healthz"), 200);
	await atOnce("the description", () => house.get("/openapi.json"), 200);
	await atOnce("a body that is no JSON", () => house.post(ours.api_key, "/api/chats/message", "{"), 400);
	await atOnce("a field that is missing", () => house.post(theirs.api_key, "/api/chats/message", {}), 400);
	await atOnce("no key", () => house.post(undefined, "/api/chats/message", {}), 401);
	await atOnce("a malformed key", () => house.post("nonsense", "/api/chats/message", "{"), 401);
	await atOnce("no cookie", () => house.get("/api/chats"), 401);
	await atOnce("a malformed cookie", () => house.get("/api/chats", { cookie: "innkeeper_session=short" }), 401);
	await atOnce("a page of another site", () => house.request("POST", "/api/auth/login", { headers: { "content-type": "application/json", origin: "http://evil.example" }, body: "{}" }), 403);
	await atOnce("nothing there", () => house.get("/nowhere"), 404);
}

function listen(browser) {
	const stream = { text: "", ended: false };
	return new Promise((resolve, reject) => {
		stream.request = http.request({ host: "127.0.0.1", port: house.port, path: "/api/live", headers: { cookie: browser.cookie }, agent: false }, (response) => {
			response.setEncoding("utf8").on("data", (data) => (stream.text += data)).on("error", () => {}).on("close", () => (stream.ended = true));
			resolve(stream);
		});
		stream.request.on("error", reject);
		stream.request.end();
	});
}

test("while it is silent only who needs it waits, for as long as is said, and then everything answers again", async () => {
	const stream = await listen(admin);
	await harness.until(() => stream.text.includes("event: ready"), "it is open");
	cluster.pause();
	const crowd = Array.from({ length: CROWD }, (_, i) => timed(read(i % 2 ? admin : rival, ["/api/chats", "/api/settings", "/api/analytics/summary-metrics"][i % 3])));
	const more = [
		timed(house.get("/readyz")),
		timed(house.get("/metrics")),
		timed(house.post("ik_live_" + "0".repeat(32) + "0ccccc", "/api/chats/create", {})), // malformed: its check digits
		timed(admin.post("/api/users", { email: harness.fresh("x") + "@x.example" })),
		timed(house.post(undefined, "/api/auth/invitation", { token: "a".repeat(43) })),
	];
	await lookAround();
	// A write of a key that is remembered waits for the writer, and is stored when it can be.
	const written = timed(house.post(ours.api_key, "/api/chats/message", { chatId: "chat-1", role: "user", content: "late", messageId: "late" }));
	for (let i = 0; i < 20; i++) {
		await moment(100);
		await lookAround();
	}
	const answers = await Promise.all(crowd);
	for (const answer of answers) {
		assert.equal(answer.status, 503, answer.text);
		assert.ok(answer.took < LONGEST, `a read took ${answer.took} ms`);
		assert.match(answer.headers["retry-after"] ?? "", /^\d+$/);
		assert.ok(["unavailable", "too_slow"].includes(answer.json.code), answer.text);
	}
	const [ready, metrics, malformed, invited, link] = await Promise.all(more);
	assert.deepEqual([ready.status, metrics.status, malformed.status, invited.status, link.status], [503, 503, 401, 503, 503]);
	await lookAround();
	cluster.resume();
	await harness.until(async () => (await read(admin)).status === 200, "reads are answered again", 5000);
	assert.equal((await written).status, 200);
	const chats = (await read(admin)).json;
	assert.equal((Array.isArray(chats) ? chats : chats.chats).length, 5);
	const messages = (await read(admin, "/api/chats/chat-1/messages")).json;
	assert.equal((Array.isArray(messages) ? messages : messages.messages).length, 1);
	assert.equal((await house.get("/readyz")).status, 200);
	stream.request.destroy();
});

test("a heartbeat of a live stream and the page of a download wait for it without holding up anybody", async () => {
	const streams = await Promise.all([admin, admin, rival].map(listen));
	for (const stream of streams) await harness.until(() => stream.text.includes("event: ready"), "it is open");
	const beats = () => streams.filter((stream) => stream.text.includes(": still here")).length;
	await harness.until(() => beats() === streams.length, "each has had its heartbeat", 20000);
	cluster.pause();
	await harness.until(async () => {
		await atOnce("life", () => house.get("/healthz"), 200);
		return streams.every((stream) => stream.ended);
	}, "what cannot be found out is no", 25000);
	cluster.resume();
	await harness.until(async () => (await read(admin)).status === 200, "reads are answered again", 5000);
	const again = await listen(admin);
	await harness.until(() => again.text.includes("event: ready"), "it is opened again");
	// One that leaves while it is asked for.
	cluster.pause();
	await moment(500);
	again.request.destroy();
	await atOnce("life", () => house.get("/healthz"), 200);
	cluster.resume();
	await harness.until(async () => (await read(admin)).status === 200, "reads are answered again", 5000);
});

test("who floods it with reads does not keep others from their turn", async () => {
	const flood = Array.from({ length: 300 }, () => read(admin, "/api/analytics/summary-metrics"));
	const other = await timed(house.request("GET", "/api/chats", { headers: { cookie: rival.cookie } }));
	assert.ok([200, 503].includes(other.status));
	const statuses = (await Promise.all(flood)).map(({ status }) => status);
	assert.ok(statuses.every((status) => status === 200 || status === 503));
	assert.ok(statuses.includes(200));
	await harness.until(async () => (await read(rival)).status === 200, "and answers");
});

const message = (organization, chatId, messageId) => house.post(organization.api_key, "/api/chats/message", { chatId, role: "user", content: "said", messageId });

let loads = 0;
// Keeps the lanes of both organizations busy until it is ended: `sent` has each message's answer by its id, once it came.
function load(writers) {
	const number = ++loads;
	const sent = new Map();
	let going = true;
	let serial = 0;
	const write = async (own) => {
		const [organization, chat] = own % 2 ? [theirs, "theirs"] : [ours, `chat-${own % 5}`];
		while (going) {
			const id = `loaded-${number}-${serial++}`;
			const answer = await timed(message(organization, chat, id));
			sent.set(id, { ...answer, organization, chat });
			if (answer.status !== 200) await moment(50); // as a client that was told to wait; shorter
		}
	};
	const all = Promise.all(Array.from({ length: writers }, (_, own) => write(own)));
	return { sent, end: () => ((going = false), all) };
}

const loadedIds = async () => (await house.rows("SELECT external_id AS id FROM messages WHERE external_id LIKE 'loaded-%'")).map(({ id }) => id);
const answered = (sent, wanted) => [...sent.values()].filter(({ status }) => status === wanted).length;

test("what is being written when it falls silent is answered 503, and sent again it is there once", async () => {
	const { sent, end } = load(16);
	await harness.until(() => answered(sent, 200) > 200, "it writes", 20000);
	cluster.pause();
	const began = Date.now();
	await harness.until(() => answered(sent, 503) >= 16, "what waits is refused", LONGEST);
	await lookAround();
	await harness.until(() => Date.now() - began > LONGEST, "it is silent for long", 2 * LONGEST);
	const before = answered(sent, 200);
	cluster.resume();
	await harness.until(() => answered(sent, 200) > before, "it stores again", 5000);
	assert.equal((await house.get("/readyz")).status, 200);
	await end();
	for (const [id, answer] of sent) {
		assert.ok([200, 503].includes(answer.status), `${id}: ${answer.text}`);
		assert.ok(answer.took < LONGEST, `a write took ${answer.took} ms`);
		if (answer.status === 503) {
			assert.match(answer.headers["retry-after"] ?? "", /^\d+$/);
			assert.equal((await message(answer.organization, answer.chat, id)).status, 200);
		}
	}
	assert.deepEqual((await loadedIds()).sort(), [...sent.keys()].sort());
	assert.equal((await house.verb("verify")).result, "exact");
});

test("told to stop while it is silent, it ends in its time, and what is refused by that was not stored", async () => {
	const { sent, end } = load(8);
	const busy = [
		...Array.from({ length: 8 }, () => read(admin)),
		...Array.from({ length: 8 }, (_, i) => house.post(undefined, "/api/auth/login", { email: `nobody-${i}@staff.example`, password: "wrong horse battery" })),
	];
	await harness.until(() => answered(sent, 200) > 50, "it writes", 20000);
	cluster.pause();
	const late = [read(rival), house.post(undefined, "/api/auth/login", { email: "x@staff.example", password: "wrong horse battery" }), house.control("/control/verify", {})];
	for (const promise of [...busy, ...late]) promise.catch(() => {});
	const writing = end();
	writing.catch(() => {});
	await moment(300); // they wait for the database
	await house.stop(); // within ten seconds, and with status 0
	await Promise.allSettled([writing, ...busy, ...late]);
	cluster.resume();
	await house.start();
	const there = new Set(await loadedIds());
	for (const [id, { status }] of sent) if (status === 200) assert.ok(there.has(id), id);
});

test("a server that is started meanwhile says soon that it cannot reach it", async () => {
	cluster.pause();
	const began = Date.now();
	const result = await harness.run(harness.binary, ["serve", "--database", house.database, "--listen", "127.0.0.1:0", "--control", `${house.file}.second`]);
	assert.equal(result.status, 1);
	assert.match(result.stderr, /cannot be reached/);
	assert.ok(Date.now() - began < LONGEST);
});

test("while accounts cannot be read, who signs in waits for no queue of others, and errands go on", async () => {
	// A key that the server does not know yet is asked for in turn with what its address asks.
	assert.equal((await house.post(ours.api_key, "/api/chats/create", { sessionId: "s" })).status, 200);
	const locking = harness.psql(house.name, "BEGIN; LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(9); COMMIT");
	await harness.until(async () => (await house.rows("SELECT 1 AS there FROM pg_locks WHERE relation = 'accounts'::regclass AND mode = 'AccessExclusiveLock' AND granted")).length > 0, "they are locked");
	const sign = (i) => timed(house.post(undefined, "/api/auth/login", { email: `nobody-${i}@staff.example`, password: "wrong horse battery" }));
	const answers = Array.from({ length: 16 }, (_, i) => sign(i)); // as many as an address may have at once
	const began = Date.now();
	assert.equal((await house.post(ours.api_key, "/api/chats/create", { sessionId: "s" })).status, 200);
	assert.equal((await house.control("/control/verify", {})).result, "exact");
	assert.ok(Date.now() - began < 5000, `they took ${Date.now() - began} ms`);
	for (const answer of await Promise.all(answers)) {
		assert.equal(answer.status, 503, answer.text);
		assert.ok(answer.took < 6000, `a sign-in took ${answer.took} ms`);
	}
	await locking;
	await harness.until(async () => (await sign("late")).status === 401, "and is answered then");
});

test("a second move waits for its turn, and then says what is under way and that nothing was done", async () => {
	const locking = harness.psql(house.name, "BEGIN; LOCK TABLE chats IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(20); COMMIT");
	await harness.until(async () => (await house.rows("SELECT 1 AS there FROM pg_locks WHERE relation = 'chats'::regclass AND mode = 'AccessExclusiveLock' AND granted")).length > 0, "they are locked");
	const move = (organization, name) => {
		const body = JSON.stringify({ path: `${house.directory}/${name}` });
		const headers = { host: "localhost", "content-type": "application/json", "content-length": Buffer.byteLength(body) };
		return harness.send({ host: undefined, socketPath: `${house.file}.control`, method: "POST", path: `/control/organizations/export?organization=${organization.slug}`, headers }, body);
	};
	const first = move(ours, "first");
	await harness.until(async () => (await harness.psql(house.name, "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")) !== "", "it is at work");
	const second = await move(theirs, "second");
	harness.assertError(second, 409, "conflict");
	assert.match(second.json.error, /one organization at a time, and another export is under way \(.*: \d+ of \d+ rows\)\. Nothing was done: try again/);
	await locking;
	assert.equal((await first).status, 200, (await first).text);
	assert.equal((await move(theirs, "second")).status, 200, "and then it is done");
});
