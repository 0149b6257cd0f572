// Chats and their messages, as a concierge reports them.
import { test, describe, before, after } from "node:test";
import assert from "node:assert/strict";
import { openHouse, assertError, fresh, hexOf, masked, TIME, UUID7 } from "./harness.mjs";

let house, ours, theirs;
before(async () => {
	house = await openHouse();
	ours = await house.organization();
	theirs = await house.organization();
});
after(() => house.end());

const create = (body, key = ours.api_key) => house.ok(key, "/api/chats/create", body);
const say = (body, headers) => house.post(ours.api_key, "/api/chats/message", body, headers);
const chatRow = async (chatId) =>
	(await house.rows(`SELECT c.*, a.updated_at, a.message_count, a.last_message, lower(hex(c.id)) AS id,
		lower(hex(c.organization_id)) AS organization_id FROM chats c JOIN chat_activity a ON a.chat_number = c.number
		WHERE c.chat_id = '${chatId}' AND hex(c.organization_id) = upper('${hexOf(ours.id)}')`))[0];
const messagesOf = (chatId) =>
	house.rows(`SELECT m.number, m.previous, m.role, m.content, m.metadata, m.created_at, m.external_id, m.idempotency_key,
		lower(hex(m.id)) AS id FROM messages m JOIN chats c ON c.number = m.chat_number WHERE c.chat_id = '${chatId}'
		ORDER BY m.number`);

describe("POST /api/chats/create", () => {
	test("needs nothing but a session, and then names the chat chat_ and a UUID", async () => {
		const before = Date.now();
		const answer = await create({ sessionId: "session-plain" });
		assert.deepEqual(Object.keys(answer), ["success", "chatId", "createdAt"]);
		assert.ok(answer.chatId.startsWith("chat_"));
		assert.match(answer.chatId.slice(5), UUID7);
		assert.match(answer.createdAt, TIME);
		assert.ok(Date.parse(answer.createdAt) >= before && Date.parse(answer.createdAt) <= Date.now());
		const row = await chatRow(answer.chatId);
		assert.equal(row.session_id, "session-plain");
		assert.equal(row.status, "active");
		assert.deepEqual(
			[row.user_id, row.visitor_id, row.location, row.user_agent, row.metadata, row.message_count],
			[null, null, null, null, null, 0],
		);
		assert.equal(row.created_at, Date.parse(answer.createdAt));
		assert.equal(row.updated_at, row.created_at);
	});

	test("keeps everything that was given, byte for byte", async () => {
		const chatId = fresh("chat ü 🏝");
		const metadata = { a: 1, b: [true, null, "ü🏝\u0001"], c: { d: 1.5 } };
		const given = { sessionId: "s", chatId, userId: "user-7", location: "Fort Myers, FL, US", userAgent: "Moz\"illa\\", status: "completed" };
		assert.equal((await create({ ...given, metadata })).chatId, chatId);
		const row = await chatRow(chatId);
		assert.deepEqual(
			[row.session_id, row.user_id, row.location, row.user_agent, row.status],
			[given.sessionId, given.userId, given.location, given.userAgent, given.status],
		);
		assert.deepEqual(JSON.parse(row.metadata), metadata);
	});

	test("the same chatId again is the same chat: the same answer, and nothing is overwritten", async () => {
		const chatId = fresh("twice");
		const first = await create({ sessionId: "s1", chatId, userId: "u1", metadata: { a: 1 } });
		const row = await chatRow(chatId);
		const second = await create({ sessionId: "s2", chatId, userId: "u2", status: "abandoned", location: "x", metadata: { b: 2 } });
		assert.deepEqual(second, first);
		assert.deepEqual(await chatRow(chatId), row);
	});

	test("twenty at once with one chatId make one chat and get one answer", async () => {
		const chatId = fresh("race");
		const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => create({ sessionId: `s${i}`, chatId })));
		assert.equal(new Set(answers.map((answer) => JSON.stringify(answer))).size, 1);
		assert.equal(await house.value(`SELECT count(*) FROM chats WHERE chat_id = '${chatId}'`), 1);
	});

	test("the same chatId in another organization is another chat", async () => {
		const chatId = fresh("shared");
		await create({ sessionId: "ours", chatId });
		await create({ sessionId: "theirs", chatId }, theirs.api_key);
		const rows = await house.rows(`SELECT session_id, hex(organization_id) AS o FROM chats WHERE chat_id = '${chatId}' ORDER BY number`);
		assert.deepEqual(
			rows.map((row) => [row.session_id, row.o.toLowerCase()]),
			[["ours", hexOf(ours.id)], ["theirs", hexOf(theirs.id)]],
		);
	});

	test("externalUserId is an older name of userId, which wins", async () => {
		const old = await create({ sessionId: "s", externalUserId: "old-name" });
		const both = await create({ sessionId: "s", externalUserId: "old-name", userId: "new-name" });
		assert.equal((await chatRow(old.chatId)).user_id, "old-name");
		assert.equal((await chatRow(both.chatId)).user_id, "new-name");
	});

	for (const status of ["active", "completed", "abandoned"])
		test(`takes status ${status}`, async () => assert.equal((await chatRow((await create({ sessionId: "s", status })).chatId)).status, status));

	test("takes a timestamp with an offset, and answers it in UTC", async () => {
		const answer = await create({ sessionId: "s", timestamp: "2025-03-01T12:00:00.250+02:00" });
		assert.equal(answer.createdAt, "2025-03-01T10:00:00.250Z");
		assert.equal((await chatRow(answer.chatId)).created_at, Date.parse("2025-03-01T10:00:00.250Z"));
	});

	test("null and an empty text count as not given", async () => {
		const answer = await create({ sessionId: "s", chatId: "", userId: null, location: "", status: null, metadata: null });
		assert.ok(answer.chatId.startsWith("chat_"));
		const row = await chatRow(answer.chatId);
		assert.deepEqual([row.user_id, row.location, row.status, row.metadata], [null, null, "active", null]);
	});

	test("ignores the body's organization_id, and members that it does not know", async () => {
		const answer = await create({ sessionId: "s", organization_id: theirs.id, organizationId: theirs.id, somethingNew: { a: 1 } });
		assert.equal((await chatRow(answer.chatId)).organization_id, hexOf(ours.id));
	});

	for (const [name, body, code, field] of [
		["no sessionId", {}, "missing_field", "sessionId"],
		["an empty sessionId", { sessionId: "" }, "missing_field", "sessionId"],
		["a status of its own", { sessionId: "s", status: "Active" }, "invalid_field", "status"],
		["an array as metadata", { sessionId: "s", metadata: [1] }, "invalid_field", "metadata"],
		["a text as metadata", { sessionId: "s", metadata: "{}" }, "invalid_field", "metadata"],
		["a timestamp without a zone's sense", { sessionId: "s", timestamp: "yesterday" }, "invalid_field", "timestamp"],
		["a timestamp as a number", { sessionId: "s", timestamp: 1700000000 }, "invalid_field", "timestamp"],
		["a chatId of 201 bytes", { sessionId: "s", chatId: "x".repeat(201) }, "invalid_field", "chatId"],
		["metadata of 64 KiB and more", { sessionId: "s", metadata: { a: "x".repeat(65536) } }, "invalid_field", "metadata"],
	])
		test(`refuses ${name}`, async () => {
			const before = await house.counts();
			assertError(await house.post(ours.api_key, "/api/chats/create", body), 400, code, field);
			assert.deepEqual(await house.counts(), before);
		});
});

describe("POST /api/chats/message", () => {
	test("stores a message, counts it and moves the chat's updated_at", async () => {
		const { chatId } = await create({ sessionId: "s", timestamp: "2024-01-01T00:00:00Z" });
		const before = Date.now();
		const answer = await say({ chatId, role: "user", content: " Wo ist der Strand? 🏖\n" , metadata: { model: "x" } });
		assert.equal(answer.status, 200);
		assert.deepEqual(Object.keys(answer.json), ["success", "messageId"]);
		assert.match(answer.json.messageId, UUID7);
		const [message] = await messagesOf(chatId);
		assert.equal(message.content, " Wo ist der Strand? 🏖\n");
		assert.deepEqual([message.role, message.previous, message.metadata], ["user", null, '{"model":"x"}']);
		assert.equal(message.id, hexOf(answer.json.messageId));
		const row = await chatRow(chatId);
		assert.equal(row.message_count, 1);
		assert.equal(row.last_message, message.number);
		assert.ok(row.updated_at >= before, "updated_at is now");
		assert.equal(row.created_at, Date.parse("2024-01-01T00:00:00Z"));
	});

	for (const role of ["user", "assistant", "system"])
		test(`takes role ${role}`, async () => {
			const { chatId } = await create({ sessionId: "s" });
			assert.equal((await say({ chatId, role, content: "x" })).status, 200);
			assert.equal((await messagesOf(chatId))[0].role, role);
		});

	test("takes a timestamp of its own, which never moves the chat back", async () => {
		const { chatId } = await create({ sessionId: "s" });
		const { updated_at } = await chatRow(chatId);
		await say({ chatId, role: "user", content: "x", timestamp: "2020-02-29T23:59:59.999Z" });
		assert.equal((await messagesOf(chatId))[0].created_at, Date.parse("2020-02-29T23:59:59.999Z"));
		assert.ok((await chatRow(chatId)).updated_at >= updated_at);
	});

	test("a message of almost a MiB is kept whole", async () => {
		const { chatId } = await create({ sessionId: "s" });
		const content = "ü".repeat(500000);
		assert.equal((await say({ chatId, role: "assistant", content })).status, 200);
		assert.equal((await messagesOf(chatId))[0].content, content);
	});

	test("an unknown chat is 404, and a chat of another organization the same bytes", async () => {
		const { chatId } = await create({ sessionId: "s" }, theirs.api_key);
		const before = await house.counts();
		const unknown = await say({ chatId: fresh("nowhere"), role: "user", content: "x" });
		const foreign = await say({ chatId, role: "user", content: "x" });
		assertError(unknown, 404, "not_found");
		assert.equal(masked(foreign), masked(unknown));
		assert.deepEqual(await house.counts(), before);
	});

	test("a repeat of a messageId stores nothing and gets the first answer", async () => {
		const { chatId } = await create({ sessionId: "s" });
		const messageId = fresh("message");
		const first = await say({ chatId, role: "user", content: "first", messageId });
		const row = await chatRow(chatId);
		const second = await say({ chatId, role: "assistant", content: "second", messageId });
		assert.deepEqual(first.json, { success: true, messageId });
		assert.deepEqual([second.status, second.json], [200, first.json]);
		assert.deepEqual((await messagesOf(chatId)).map((m) => m.content), ["first"]);
		assert.deepEqual(await chatRow(chatId), row, "nor does it move the chat");
	});

	test("twenty at once with one messageId store one message and get one answer", async () => {
		const { chatId } = await create({ sessionId: "s" });
		const messageId = fresh("race");
		const answers = await Promise.all(Array.from({ length: 20 }, () => say({ chatId, role: "user", content: "x", messageId })));
		assert.equal(new Set(answers.map((answer) => `${answer.status} ${answer.text}`)).size, 1);
		assert.equal((await chatRow(chatId)).message_count, 1);
	});

	test("a repeat of an Idempotency-Key stores nothing and gets the first answer", async () => {
		const { chatId } = await create({ sessionId: "s" });
		const headers = { "idempotency-key": fresh("key") };
		const first = await say({ chatId, role: "user", content: "first" }, headers);
		const second = await say({ chatId, role: "user", content: "second" }, headers);
		assert.match(first.json.messageId, UUID7);
		assert.deepEqual([second.status, second.text], [first.status, first.text]);
		assert.deepEqual((await messagesOf(chatId)).map((m) => m.content), ["first"]);
	});

	test("messageId and Idempotency-Key together: a repeat of either is a repeat", async () => {
		const { chatId } = await create({ sessionId: "s" });
		const messageId = fresh("m");
		const headers = { "idempotency-key": fresh("k") };
		const message = { chatId, role: "user", content: "x" };
		const first = await say({ ...message, messageId }, headers);
		assert.equal((await say({ ...message, messageId })).text, first.text);
		assert.equal((await say(message, headers)).text, first.text);
		assert.equal((await chatRow(chatId)).message_count, 1);
	});

	test("a messageId of 200 bytes is taken, of 201 refused, and so with the Idempotency-Key", async () => {
		const { chatId } = await create({ sessionId: "s" });
		const message = { chatId, role: "user", content: "x" };
		assert.equal((await say({ ...message, messageId: "m".repeat(200) })).status, 200);
		assertError(await say({ ...message, messageId: "m".repeat(201) }), 400, "invalid_field", "messageId");
		assert.equal((await say(message, { "idempotency-key": "k".repeat(200) })).status, 200);
		assertError(await say(message, { "idempotency-key": "k".repeat(201) }), 400, "invalid_field", "Idempotency-Key");
	});

	test("messageIds and Idempotency-Keys of another organization are unknown here", async () => {
		const chatId = fresh("both");
		const messageId = fresh("both");
		const headers = { "idempotency-key": fresh("both") };
		for (const who of [ours, theirs]) {
			await create({ sessionId: "s", chatId }, who.api_key);
			for (const [extra, content] of [[{ messageId }, "named"], [{}, "keyed"]])
				await house.ok(who.api_key, "/api/chats/message", { chatId, role: "user", content, ...extra }, content === "keyed" ? headers : {});
		}
		assert.deepEqual((await messagesOf(chatId)).map((m) => m.content), ["named", "keyed", "named", "keyed"]);
	});

	test("fifty at once: the chain from the newest back holds each message once", async () => {
		const { chatId } = await create({ sessionId: "s" });
		const contents = Array.from({ length: 50 }, (_, i) => `message ${i}`);
		const answers = await Promise.all(contents.map((content) => say({ chatId, role: "user", content })));
		assert.ok(answers.every((answer) => answer.status === 200));
		const row = await chatRow(chatId);
		assert.equal(row.message_count, 50);
		const chain = await house.rows(`WITH RECURSIVE chain (number, previous, content, id) AS (
			SELECT number, previous, content, id FROM messages WHERE number = ${row.last_message} UNION ALL
			SELECT m.number, m.previous, m.content, m.id FROM messages m JOIN chain ON m.number = chain.previous)
			SELECT content, lower(hex(id)) AS id FROM chain`);
		assert.deepEqual(chain.map((m) => m.content).sort(), [...contents].sort());
		assert.deepEqual(
			new Set(chain.map((m) => m.id)),
			new Set(answers.map((answer) => hexOf(answer.json.messageId))),
			"under the ids that were answered",
		);
	});

	test("messages sent one after the other stand in that order", async () => {
		const { chatId } = await create({ sessionId: "s" });
		for (let i = 0; i < 5; i++) await say({ chatId, role: i % 2 ? "assistant" : "user", content: `${i}` });
		const messages = await messagesOf(chatId);
		assert.deepEqual(messages.map((m) => m.content), ["0", "1", "2", "3", "4"]);
		assert.deepEqual(messages.map((m) => m.previous), [null, ...messages.slice(0, 4).map((m) => m.number)]);
	});

	for (const [name, change, code, field] of [
		["no chatId", { chatId: undefined }, "missing_field", "chatId"],
		["no role", { role: undefined }, "missing_field", "role"],
		["no content", { content: undefined }, "missing_field", "content"],
		["an empty content", { content: "" }, "missing_field", "content"],
		["a role of its own", { role: "bot" }, "invalid_field", "role"],
		["a content that is no text", { content: { text: "x" } }, "invalid_field", "content"],
		["metadata that is no object", { metadata: 5 }, "invalid_field", "metadata"],
		["a messageId that is no text", { messageId: 5 }, "invalid_field", "messageId"],
	])
		test(`refuses ${name}`, async () => {
			const { chatId } = await create({ sessionId: "s" });
			assertError(await say({ chatId, role: "user", content: "x", ...change }), 400, code, field);
			assert.equal((await chatRow(chatId)).message_count, 0);
		});
});
