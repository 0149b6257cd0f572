// What was acknowledged survives kill -9, whenever it comes: under sixteen writers, during the start, while draining.
// INNKEEPER_CRASH_ROUNDS kills of one database (100), INNKEEPER_CRASH_SEED to have a run's decisions again.
import { after } from "node:test";
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as moment } from "node:timers/promises";
import { Connection, Remains, createOrganization, end, launch, seeded, start, temporaryFolder, test, verifyFigures, within } from "./harness.mjs";

const ROUNDS = Number(process.env.INNKEEPER_CRASH_ROUNDS ?? 100);
const SEED = Number(process.env.INNKEEPER_CRASH_SEED ?? Date.now() % 2 ** 31);
const WRITERS = 16;
const CHECK_EVERY = 10;
const random = seeded(SEED);
const below = (limit) => Math.floor(random() * limit);

const folder = temporaryFolder("kill");
after(() => rmSync(folder, { recursive: true }));

const alphabet = [..."abc xyz", "é", "ß", "漢", "字", "🏝", "👩‍👧", "\n", "\t", '"', "\\", "|", "'", "\u0001", "\u2028", "\ufffd"];
const characters = Array.from({ length: 20000 }, () => alphabet[below(alphabet.length)]);

// What a message says follows from its id: so nothing of it needs to be remembered, and nothing can be mixed up.
function messageOf(id, chats) {
	const own = seeded(SEED ^ [...id].reduce((hash, letter) => Math.imul(hash ^ letter.codePointAt(0), 16777619), 0x811c9dc5));
	const kind = own();
	const length = kind < 0.7 ? own() * 200 : kind < 0.95 ? 200 + own() * 800 : 4000 + own() * 5000;
	const from = Math.floor(own() * 10000);
	return {
		chatId: chats[Math.floor(own() * chats.length)],
		role: ["user", "assistant", "system"][Math.floor(own() * 3)],
		content: `${id} ${characters.slice(from, from + length).join("")}`,
	};
}

// Everything ever sent: id -> whether a whole 200 or 207 said that it is stored. The first letter says what it is: a
// message with a messageId, a message with an Idempotency-Key, a visitor, a chat.
class Guests {
	constructor() {
		this.sent = new Map();
		this.pending = []; // requests without an answer
		this.chats = Array.from({ length: 40 }, (_, i) => `chat-${i}`);
		this.answers = 0;
		this.serial = 0;
		this.verified = 0; // the greatest number of a message that was compared byte for byte
	}

	id(letter) {
		return `${letter}-${++this.serial}`;
	}

	invent() {
		const kind = random();
		if (kind < 0.6) return { path: "/api/chats/message", ids: [this.id("m")] };
		if (kind < 0.75) return { path: "/api/chats/message", ids: [this.id("k")] };
		if (kind < 0.85) return { path: "/api/visitors/identify", ids: [this.id("v")] };
		if (kind < 0.92) return { path: "/api/chats/create", ids: [this.id("c")] };
		return { path: "/api/batch", ids: Array.from({ length: 1 + below(30) }, () => this.id("m")) };
	}

	send(connection, { path, ids }) {
		const [id] = ids;
		for (const one of ids) if (!this.sent.has(one)) this.sent.set(one, false);
		switch (path) {
			case "/api/batch":
				return connection.post(
					path,
					ids.map((messageId) => ({ type: "message", messageId, ...messageOf(messageId, this.chats) })),
				);
			case "/api/visitors/identify":
				return connection.post(path, { email: `${id}@example.com`, session_id: id });
			case "/api/chats/create":
				return connection.post(path, { chatId: id, sessionId: id });
			default:
				return id.startsWith("m")
					? connection.post(path, { messageId: id, ...messageOf(id, this.chats) })
					: connection.post(path, messageOf(id, this.chats), { "Idempotency-Key": id });
		}
	}

	acknowledge({ path, ids }, answer) {
		const stored = path === "/api/batch" ? JSON.parse(answer.body).successes.map(({ index }) => ids[index]) : ids;
		assert.deepEqual(stored, ids, `every item of a batch is stored: ${answer.body}`);
		for (const id of stored) this.sent.set(id, true);
		this.answers++;
	}

	// Sends one request after the other until the connection ends.
	async write(connection) {
		for (;;) {
			const request = this.invent();
			const answer = await this.send(connection, request);
			if (answer === null || answer.status === 503) {
				this.pending.push(request);
				if (answer === null) return;
				continue;
			}
			assert.equal(answer.status, request.path === "/api/batch" ? 207 : 200, answer.body);
			this.acknowledge(request, answer);
			if (request.ids[0].startsWith("k") && random() < 0.5) {
				const repeat = await this.send(connection, request);
				if (repeat === null) return;
				if (repeat.status !== 503) assert.equal(repeat.body, answer.body, "a repeat gets the first answer");
			}
		}
	}

	async resend(connection) {
		for (const request of this.pending.splice(0)) {
			const answer = await this.send(connection, request);
			assert.ok([200, 207].includes(answer?.status), `sent again after the restart: ${answer?.body}`);
			this.acknowledge(request, answer);
		}
	}

	assertOnce(found, what) {
		const letter = what[0];
		for (const id of found) assert.ok(this.sent.has(id), `${what} ${id} was never sent`);
		assert.equal(new Set(found).size, found.length, `no ${what} is there twice`);
		const there = new Set(found);
		for (const [id, acknowledged] of this.sent)
			if (acknowledged && id[0] === letter) assert.ok(there.has(id), `${what} ${id} was acknowledged and is lost`);
	}

	async assertContents(remains) {
		const rows = remains.rows(`
			SELECT m.number, coalesce(m.external_id, m.idempotency_key), c.chat_id, m.role, hex(m.content)
			FROM messages AS m JOIN chats AS c ON c.number = m.chat_number
			WHERE m.number > ${this.verified} ORDER BY m.number`);
		for await (const [number, id, chatId, role, content] of rows) {
			const expected = messageOf(id, this.chats);
			assert.equal(chatId, expected.chatId, `the chat of ${id}`);
			assert.equal(role, expected.role, `the role of ${id}`);
			assert.ok(Buffer.from(content, "hex").equals(Buffer.from(expected.content)), `the content of ${id}`);
			this.verified = Number(number);
		}
	}

	// From each chat's last message back over `previous`: every message of the chat once, as many as were counted.
	async assertChains(remains) {
		const messages = new Map();
		const perChat = new Map();
		const found = [];
		for await (const [number, chat, previous, id] of remains.rows(
			"SELECT number, chat_number, previous, coalesce(external_id, idempotency_key) FROM messages",
		)) {
			messages.set(number, { chat, previous });
			perChat.set(chat, (perChat.get(chat) ?? 0) + 1);
			found.push(id);
		}
		this.assertOnce(found.filter((id) => id[0] === "m"), "message");
		this.assertOnce(found.filter((id) => id[0] === "k"), "keyed message");
		const activity = await remains.all("SELECT chat_number, message_count, last_message FROM chat_activity");
		for (const [chat, count, last] of activity) {
			let reached = 0;
			for (let number = last; number !== ""; reached++) {
				const message = messages.get(number);
				assert.equal(message?.chat, chat, `message ${number} in the chain of chat ${chat}`);
				messages.delete(number); // so a second way to it fails
				number = message.previous;
			}
			assert.equal(reached, perChat.get(chat) ?? 0, `the chain of chat ${chat} is whole`);
			assert.equal(reached, Number(count), `the count of chat ${chat}`);
		}
		assert.equal(messages.size, 0, "no message hangs on nothing");
	}

	async verify(database, { everything = false } = {}) {
		const remains = new Remains(database);
		if (everything) this.verified = 0;
		try {
			await remains.assertSound();
			await this.assertContents(remains);
			await this.assertChains(remains);
			const visitors = await remains.all("SELECT replace(email, '@example.com', '') FROM visitors");
			this.assertOnce(visitors.flat(), "visitor");
			const chats = await remains.all("SELECT chat_id FROM chats WHERE chat_id NOT LIKE 'chat-%'");
			this.assertOnce(chats.flat(), "chat");
			assert.deepEqual(
				await remains.all("SELECT count(*) FROM chats AS c LEFT JOIN chat_activity AS a ON a.chat_number = c.number WHERE a.chat_number IS NULL"),
				[["0"]],
				"no chat without its activity",
			);
		} finally {
			remains.remove();
		}
	}
}

async function killDuringStart(database, longest) {
	const server = launch(database);
	await moment(random() * longest);
	return end(server, "SIGKILL");
}

// Sixteen writers until the server is gone.
async function load(guests, server, key, kill) {
	const connections = Array.from({ length: WRITERS }, () => new Connection(server.port, key));
	const writers = connections.map((connection) => guests.write(connection));
	await Promise.all([kill(server), ...writers]);
	await within(Promise.all(connections.map((connection) => connection.closed)), 5000, "all connections closed");
}

const hard = async (server) => {
	await moment(5 + random() * 115);
	assert.deepEqual(await end(server, "SIGKILL"), { code: null, signal: "SIGKILL" }, "it lived until it was killed");
};

const draining = async (server) => {
	await moment(5 + random() * 80);
	server.child.kill("SIGTERM");
	await moment(random() * 12);
	const { code, signal } = await end(server, "SIGKILL");
	assert.ok(signal === "SIGKILL" || code === 0, "killed, or drained before");
};

test(`what was acknowledged survives ${ROUNDS} kills, once and byte for byte`, async (context) => {
	context.diagnostic(`INNKEEPER_CRASH_SEED=${SEED}`);
	const database = join(folder, "kept");
	const guests = new Guests();
	let server = await start(database);
	const key = await createOrganization(database, "Fort Myers");
	const first = new Connection(server.port, key);
	for (const chatId of guests.chats) {
		const answer = await first.post("/api/chats/create", { chatId, sessionId: chatId });
		assert.equal(answer?.status, 200);
	}
	let slowest = 0;
	try {
		for (let round = 1; round <= ROUNDS; round++) {
			await load(guests, server, key, round % 10 === 7 ? draining : hard);
			if (round % 10 === 3) await killDuringStart(database, 30);
			if (round % CHECK_EVERY === 0 && round < ROUNDS) await guests.verify(database);
			const began = performance.now();
			server = await start(database);
			slowest = Math.max(slowest, performance.now() - began);
			const again = new Connection(server.port, key);
			await guests.resend(again);
			await again.close();
		}
		assert.deepEqual(await end(server), { code: 0, signal: null });
		await guests.verify(database, { everything: true });
		await verifyFigures(database);
	} catch (failure) {
		failure.message += ` (INNKEEPER_CRASH_SEED=${SEED})`;
		throw failure;
	}
	assert.ok(guests.answers > ROUNDS * WRITERS, `enough was written to mean something: ${guests.answers}`);
	context.diagnostic(`${guests.answers} answers, ${guests.sent.size} things; slowest restart ${Math.round(slowest)} ms`);
});

test("a database whose first start was killed is made by the next one", async () => {
	for (let attempt = 0; attempt < 20; attempt++) {
		const database = join(folder, `fresh-${attempt}`);
		await killDuringStart(database, 60);
		const server = await start(database);
		const connection = new Connection(server.port, await createOrganization(database, "Fort Myers"));
		const answer = await connection.post("/api/chats/create", { sessionId: "s", chatId: "c" });
		assert.equal(answer?.status, 200, answer?.body);
		await end(server, "SIGKILL");
		const remains = new Remains(database);
		await remains.assertSound();
		assert.deepEqual(await remains.all("SELECT chat_id FROM chats"), [["c"]]);
		remains.remove();
	}
});
