// PostgreSQL stopped at once (-m immediate) under load and started again, twenty times: nothing that was acknowledged is
// missing, what waited got 503, the server answers again within five seconds, and what was sent again is there once.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { setTimeout as moment } from "node:timers/promises";
import { ownCluster } from "./cluster.mjs";
import { Connection, seeded } from "../crash/harness.mjs";

const ROUNDS = Number(process.env.INNKEEPER_OUTAGES ?? 20);
const SEED = Number(process.env.INNKEEPER_CRASH_SEED ?? Date.now() % 2 ** 31);
const WRITERS = 12;
const READY = 5000; // ms behind PostgreSQL's own readiness
const random = seeded(SEED);
const below = (limit) => Math.floor(random() * limit);

let cluster, house, harness, organizations, admin;
before(async () => {
	console.log(`# INNKEEPER_CRASH_SEED=${SEED}`);
	cluster = await ownCluster({ sync: true });
	harness = cluster.harness;
	house = await harness.openHouse();
	organizations = [];
	for (let i = 0; i < 4; i++) organizations.push(await house.organization());
	for (const { api_key } of organizations) for (let i = 0; i < 10; i++) await house.ok(api_key, "/api/chats/create", { chatId: `chat-${i}`, sessionId: `s-${i % 3}` });
	admin = await house.member(organizations[0]);
	// The fewer files, the sooner it is there again.
	await harness.psql("postgres", "DROP DATABASE template_house");
});
after(async () => {
	await house?.end();
	await cluster?.end();
});

// What was sent, by its id: {which, acknowledged}. An id says what it is: m a messageId, k an Idempotency-Key, c a chat, v a
// visitor, b a message of a batch.
const sent = new Map();
const seen = new Map(); // status -> how often
let serial = 0;
let pending = [];

function invent() {
	const which = below(organizations.length);
	const kind = random();
	const id = (letter) => `${letter}-${++serial}`;
	if (kind < 0.55) return { which, ids: [id("m")] };
	if (kind < 0.7) return { which, ids: [id("k")] };
	if (kind < 0.8) return { which, ids: [id("v")] };
	if (kind < 0.9) return { which, ids: [id("c")] };
	return { which, ids: Array.from({ length: 1 + below(20) }, () => id("b")) };
}

function post(connection, { which, ids }) {
	const [id] = ids;
	for (const one of ids) if (!sent.has(one)) sent.set(one, { which, acknowledged: false });
	connection.key = organizations[which].api_key;
	const message = (name) => ({ chatId: `chat-${Number(name.slice(2)) % 10}`, role: "user", content: `says ${name}` });
	switch (id[0]) {
		case "m":
			return connection.post("/api/chats/message", { ...message(id), messageId: id });
		case "k":
			return connection.post("/api/chats/message", message(id), { "Idempotency-Key": id });
		case "v":
			return connection.post("/api/visitors/identify", { email: `${id}@example.com`, session_id: id });
		case "c":
			return connection.post("/api/chats/create", { chatId: id, sessionId: id });
		default:
			return connection.post("/api/batch", ids.map((messageId) => ({ type: "message", messageId, ...message(messageId) })));
	}
}

function take(request, answer) {
	seen.set(answer?.status, (seen.get(answer?.status) ?? 0) + 1);
	if (answer !== null && [200, 207].includes(answer.status)) {
		const stored = answer.status === 207 ? JSON.parse(answer.body).successes.map(({ index }) => request.ids[index]) : request.ids;
		for (const id of stored) sent.get(id).acknowledged = true;
		if (stored.length === request.ids.length) return true;
	} else {
		assert.ok(answer !== null, "the server lives, and answers everything");

		assert.equal(answer.status, 503, `${answer.body}`);
		assert.match(answer.head, /\r\nretry-after: \d+/i);
	}
	return false;
}

let writing = true;
async function write() {
	let connection = new Connection(house.port, "");
	while (writing) {
		if (!connection.open) connection = new Connection(house.port, ""); // an answer may have said that it is the last
		const again = pending.length > 0 && random() < 0.9 ? pending.pop() : undefined;
		const request = again ?? invent();
		if (!take(request, await post(connection, request))) {
			pending.push(request);
			await moment(50); // as a client that was told to wait; shorter, so that there is a crowd
		}
	}
	await connection.close();
}

async function round(number) {
	// It writes when the end comes.
	const before = seen.get(200) ?? 0;
	await harness.until(() => (seen.get(200) ?? 0) > before + 20, `round ${number}: it writes`, 20000);
	await moment(below(150));
	const refused = seen.get(503) ?? 0;
	await cluster.stop("immediate");
	await harness.until(() => (seen.get(503) ?? 0) > refused, `round ${number}: what waits is refused`, 20000);
	assert.equal((await house.get("/healthz")).status, 200, "the process lives");
	assert.equal((await house.get("/readyz")).status, 503, "and says that it is not ready");
	await moment(below(300));
	await cluster.again();
	const began = Date.now();
	await harness.until(async () => (await house.get("/readyz")).status === 200, `round ${number}: ready again`, READY);
	const stored = await harness.until(async () => (await house.post(organizations[0].api_key, "/api/chats/create", { sessionId: "s" })).status === 200, `round ${number}: it stores again`, READY);
	return { stored, took: Date.now() - began };
}

async function assertContents() {
	const ids = (await house.rows(`
		SELECT organization_id AS whose, coalesce(external_id, idempotency_key) AS id FROM messages
		UNION ALL SELECT organization_id, chat_id FROM chats WHERE chat_id LIKE 'c-%'
		UNION ALL SELECT organization_id, replace(email, '@example.com', '') FROM visitors`)).filter((row) => row.id !== null);
	const there = new Map();
	for (const { whose, id } of ids) {
		assert.ok(!there.has(id), `${id} is there once`);
		assert.ok(sent.has(id), `${id} was sent`);
		assert.equal(whose, organizations[sent.get(id).which].id, `${id} is its organization's`);
		there.set(id, whose);
	}
	for (const [id, { acknowledged }] of sent) if (acknowledged) assert.ok(there.has(id), `${id} was acknowledged and is missing`);
	return there;
}

test(`PostgreSQL ends ${ROUNDS} times under load, and nothing that was acknowledged is missing`, async () => {
	const writers = Array.from({ length: WRITERS }, write);
	const failed = Promise.all(writers);
	failed.catch(() => {});
	const times = [];
	for (let i = 0; i < ROUNDS; i++) times.push((await Promise.race([round(i), failed.then(() => assert.fail("the writers ended"))])).took);
	writing = false;
	await failed;
	console.log(`# ready within ${Math.max(...times)} ms at most; answers ${JSON.stringify([...seen])}`);
	await assertContents();
	// What nobody knows the outcome of is sent again, and is there once.
	const resend = async () => {
		const own = new Connection(house.port, "");
		while (pending.length > 0) {
			const request = pending.pop();
			assert.ok(take(request, await post(own, request)), "it is taken now");
		}
		await own.close();
	};
	await Promise.all(Array.from({ length: WRITERS }, resend));
	const connection = new Connection(house.port, "");
	// And a repeat of everything of late changes nothing.
	for (const id of [...sent.keys()].filter((id) => /^[mk]/.test(id)).slice(-100)) assert.ok(take({ which: sent.get(id).which, ids: [id] }, await post(connection, { which: sent.get(id).which, ids: [id] })));
	await connection.close();
	const there = await assertContents();
	for (const id of sent.keys()) assert.ok(there.has(id), `${id} is there`);
});

test("the figures are exact afterwards, and what was said is found", async () => {
	const verdict = await house.verb("verify");
	assert.equal(verdict.result, "exact", JSON.stringify(verdict).slice(0, 500));
	const [{ count }] = await house.rows("SELECT count(*) AS count FROM messages");
	assert.ok(count > 0);
	const last = [...sent.keys()].filter((id) => id[0] === "m" && sent.get(id).which === 0).at(-1);
	await harness.until(async () => (await admin.get(`/api/chats?search=${last.slice(2)}`)).json.chats?.length > 0 || (await admin.get(`/api/chats?search=${last.slice(2)}`)).text.includes("chat-"), "the last message is found", 60000);
});

test("the log says what happened, and holds nothing of what was stored", () => {
	const lines = house.log();
	assert.ok(lines.some((line) => /lost|cannot be reached/.test(line.message)), "it was lost");
	assert.doesNotMatch(house.output, /says [mkb]-\d|@example\.com/);
});
