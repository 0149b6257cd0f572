// Many events in one request: each kept or refused by itself, all that is kept durable together.
import { test, describe, before, after } from "node:test";
import assert from "node:assert/strict";
import { openHouse, assertError, fresh, hexOf, sendRaw, UUID7 } from "./harness.mjs";

let house, ours, theirs;
before(async () => {
	house = await openHouse();
	ours = await house.organization();
	theirs = await house.organization();
});
after(() => house.end());

const batch = (body, headers) => house.post(ours.api_key, "/api/batch", body, headers);
const lines = (text) => batch(text, { "content-type": "application/x-ndjson" });
const accepted = async (items) => {
	const answer = await batch(items);
	assert.equal(answer.status, 207, answer.text);
	assert.deepEqual(Object.keys(answer.json), ["successes", "errors"]);
	return answer.json;
};
const count = (table, where) => house.value(`SELECT count(*) FROM ${table} WHERE ${where}`);

// One item of each type, the later ones about what the earlier ones made.
const eight = (name) => [
	{ type: "chat", sessionId: name, chatId: name },
	{ type: "message", chatId: name, role: "user", content: "x", messageId: name },
	{ type: "article_mention", chatId: name, articles: [{ id: "a", title: "A", slug: "a" }] },
	{ type: "article_view", articleId: "a", articleSlug: "a", sessionId: name },
	{ type: "web_mentions", sessionId: name, mentions: [{ url: `https://${name}.example/` }] },
	{ type: "web_click", sessionId: name, articleUrl: `https://${name}.example/` },
	{ type: "visitor", email: `${name}@a.example`, session_id: name },
	{ type: "user", email: `${name}@a.example`, session_id: name },
];

describe("POST /api/batch", () => {
	// Days and sessions that are counted once, each message changing what the next one of its chat and session was to read.
	test("counts what one batch says on several days of the same chats and of one session", async () => {
		const own = await house.organization();
		const [one, other] = [fresh("days"), fresh("days")];
		const said = (chatId, day) => ({ type: "message", chatId, role: "user", content: "x", timestamp: `2026-03-${day}T12:00:00Z` });
		const send = async (items) => {
			const { status, json, text } = await house.post(own.api_key, "/api/batch", items);
			assert.equal(status, 207, text);
			return json;
		};
		const exact = async () => assert.equal((await house.verb("verify", "--organization", own.slug)).result, "exact");
		await send([one, other].map((chatId) => ({ type: "chat", sessionId: "the same", chatId, timestamp: "2026-03-01T12:00:00Z" })));
		const { errors } = await send([said(one, "05"), said(other, "07"), said(one, "06"), said(one, "04"), said(other, "06"), said(other, "06"), said("nowhere", "06"), said(one, "09")]);
		assert.deepEqual(errors.map(({ index, status }) => [index, status]), [[6, 404]]);
		await exact();
		await send([said(other, "05"), said(one, "05"), said(one, "08"), said(other, "09"), { type: "chat", sessionId: "the same", chatId: "new" }, said("new", "05"), said("new", "10")]);
		await exact();
	});

	test("stores 5,000 rows at most: an item beyond is refused alone, and a smaller one behind it is kept", async () => {
		const name = fresh("rows");
		const web = (count) => ({ type: "web_mentions", sessionId: name, mentions: Array.from({ length: count }, () => ({ url: `https://${name}.example/` })) });
		const mention = (count) => ({ type: "article_mention", articles: Array.from({ length: count }, () => ({ id: name, title: "t", slug: "s" })) });
		const { successes, errors } = await accepted([web(1000), web(1000), mention(1000), web(1000), mention(999), mention(2), { type: "chat", sessionId: name }, { type: "chat", sessionId: name }]);
		assert.deepEqual(successes.map(({ index }) => index), [0, 1, 2, 3, 4, 6]);
		assert.deepEqual(errors.map(({ index, status, code }) => ({ index, status, code })), [5, 7].map((index) => ({ index, status: 413, code: "payload_too_large" })));
		assert.equal(await count("web_mentions", `session_id = '${name}'`), 3000);
		assert.equal(await count("article_mentions", `article_id = '${name}'`), 1999);
	});
	test("takes all eight types, each answered as its own route answers, behind its index", async () => {
		const name = fresh("eight");
		const { successes, errors } = await accepted(eight(name));
		assert.deepEqual(errors, []);
		assert.deepEqual(successes.map((success) => success.index), [0, 1, 2, 3, 4, 5, 6, 7]);
		assert.ok(successes.every((success) => success.success));
		assert.equal(successes[0].chatId, name);
		assert.equal(successes[1].messageId, name);
		assert.equal(successes[2].mentionsRecorded, 1);
		assert.match(successes[3].viewId, UUID7);
		assert.equal(successes[4].count, 1);
		assert.equal(successes[5].mention.clicked, true);
		assert.deepEqual(successes[6].linked, { chats: 1, views: 1 });
		assert.match(successes[7].user_id, UUID7);
		assert.equal(await count("messages", `external_id = '${name}'`), 1);
		assert.equal(await count("web_mentions", `session_id = '${name}' AND clicked_at IS NOT NULL`), 1);
	});

	test("takes the same as one object a line, with blank lines, CR LF and without a last line's end", async () => {
		const name = fresh("lines");
		const answer = await lines(`${eight(name).map((item) => JSON.stringify(item)).join("\r\n\n")}`);
		assert.equal(answer.status, 207, answer.text);
		assert.deepEqual([answer.json.successes.length, answer.json.errors.length], [8, 0]);
		assert.equal(await count("chats", `chat_id = '${name}'`), 1);
	});

	test("a refused item is told with its index, status, sentence and code; the others are kept", async () => {
		const name = fresh("mixed");
		const items = [
			{ type: "message", chatId: fresh("nowhere"), role: "user", content: "x" },
			{ type: "chat", sessionId: name, chatId: name },
			{ type: "chat" },
			{ type: "message", chatId: name, role: "bot", content: "x" },
			{ sessionId: name },
			{ type: "frobnicate" },
			{ type: 5 },
			"a text", null, 7, ["type", "chat"], true,
			{ type: "article_mention", articles: [{ id: "a", title: "t", slug: "s" }, { id: "b" }], chatId: name },
			{ type: "web_click", articleUrl: "never" , sessionId: name },
			{ type: "visitor", email: "no address" },
			{ type: "message", chatId: name, role: "user", content: "kept" },
		];
		const { successes, errors } = await accepted(items);
		assert.deepEqual(successes.map((success) => success.index), [1, 15]);
		assert.deepEqual(
			errors.map(({ index, status, code, field }) => [index, status, code, field]),
			[
				[0, 404, "not_found", undefined],
				[2, 400, "missing_field", "sessionId"],
				[3, 400, "invalid_field", "role"],
				[4, 400, "missing_field", "type"],
				[5, 400, "invalid_field", "type"],
				[6, 400, "missing_field", "type"],
				[7, 400, "invalid_json", undefined],
				[8, 400, "invalid_json", undefined],
				[9, 400, "invalid_json", undefined],
				[10, 400, "invalid_json", undefined],
				[11, 400, "invalid_json", undefined],
				[12, 400, "missing_field", "articles[1].title"],
				[13, 404, "not_found", undefined],
				[14, 400, "invalid_field", "email"],
			],
		);
		for (const error of errors) assert.ok(error.error.length > 0);
		assert.deepEqual(await house.rows(`SELECT message_count FROM chat_activity a JOIN chats c ON c.number = a.chat_number WHERE c.chat_id = '${name}'`), [{ message_count: 1 }]);
		assert.equal(await count("article_mentions", `chat_id = '${name}'`), 0);
	});

	test("an ill-formed line is refused by itself", async () => {
		const name = fresh("ill");
		const good = JSON.stringify({ type: "chat", sessionId: name });
		const answer = await lines(Buffer.concat([
			Buffer.from(`${good}\n{"type":"chat",\n[1]\n{"type":"chat","sessionId":"`), Buffer.from([0xff, 0xfe]), Buffer.from(`"}\n${good}\n`),
		]));
		assert.equal(answer.status, 207, answer.text);
		assert.deepEqual(answer.json.successes.map((success) => success.index), [0, 4]);
		assert.deepEqual(answer.json.errors.map((error) => [error.index, error.status, error.code]), [1, 2, 3].map((i) => [i, 400, "invalid_json"]));
		assert.equal(await count("chats", `session_id = '${name}'`), 2);
	});

	test("an ill-formed first line is too, when the content type says that these are lines", async () => {
		const name = fresh("first");
		const answer = await lines(`nonsense\n${JSON.stringify({ type: "chat", sessionId: name })}\n`);
		assert.equal(answer.status, 207, answer.text);
		assert.deepEqual([answer.json.successes.map((s) => s.index), answer.json.errors.map((e) => e.index)], [[1], [0]]);
	});

	test("takes a thousand items, in order, and answers each", async () => {
		const name = fresh("thousand");
		const items = [{ type: "chat", sessionId: name, chatId: name }];
		for (let i = 1; i < 1000; i++) items.push({ type: "message", chatId: name, role: "user", content: `${i}` });
		const { successes, errors } = await accepted(items);
		assert.deepEqual([successes.length, errors.length], [1000, 0]);
		const stored = await house.rows(`SELECT m.content, lower(hex(m.id)) AS id FROM messages m JOIN chats c ON c.number = m.chat_number WHERE c.chat_id = '${name}' ORDER BY m.number`);
		assert.deepEqual(stored.map((row) => row.content), items.slice(1).map((item) => item.content));
		assert.deepEqual(stored.map((row) => row.id), successes.slice(1).map((success) => hexOf(success.messageId)));
	});

	test("a thousand and one items are 413, and none is stored", async () => {
		const items = Array.from({ length: 1001 }, () => ({ type: "chat", sessionId: "s" }));
		const before = await house.counts();
		assertError(await batch(items), 413, "payload_too_large");
		assertError(await lines(items.map((item) => JSON.stringify(item)).join("\n")), 413, "payload_too_large");
		assert.deepEqual(await house.counts(), before);
	});

	test("takes a body of 8 MiB, where every other route stops at one", async () => {
		const name = fresh("large");
		const items = [{ type: "chat", sessionId: name, chatId: name }];
		for (let i = 0; i < 70; i++) items.push({ type: "message", chatId: name, role: "user", content: "x".repeat(100000) });
		const { successes } = await accepted(items);
		assert.equal(successes.length, 71);
		const head = `POST /api/batch HTTP/1.1\r\nHost: a\r\nx-api-key: ${ours.api_key}\r\nContent-Length: ${8 * 1024 * 1024 + 1}\r\n\r\n`;
		assert.match(await sendRaw(house.port, head, { half: false }), /^HTTP\/1.1 413 /);
	});

	test("a repeat of the whole batch stores no message twice and answers the same", async () => {
		const name = fresh("repeat");
		const items = [{ type: "chat", sessionId: name, chatId: name }];
		for (let i = 0; i < 5; i++) items.push({ type: "message", chatId: name, role: "user", content: "x", messageId: `${name}-${i}` });
		items.push(items[3]);
		const first = await accepted(items);
		assert.deepEqual(await accepted(items), first);
		assert.equal(await count("messages", `external_id LIKE '${name}-%'`), 5);
	});

	test("an Idempotency-Key of the whole is not one of each message", async () => {
		const name = fresh("whole");
		const answer = await batch(
			[{ type: "chat", sessionId: name, chatId: name }, ...["a", "b"].map((content) => ({ type: "message", chatId: name, role: "user", content }))],
			{ "idempotency-key": name },
		);
		assert.equal(answer.json.successes.length, 3);
		assert.notEqual(answer.json.successes[1].messageId, answer.json.successes[2].messageId);
	});

	test("works within the key's organization alone", async () => {
		const name = fresh("foreign");
		await house.ok(theirs.api_key, "/api/chats/create", { sessionId: name, chatId: name });
		const { errors } = await accepted([{ type: "message", chatId: name, role: "user", content: "x", organization_id: theirs.id }]);
		assert.deepEqual(errors.map((error) => [error.index, error.status]), [[0, 404]]);
	});

	test("an empty array is 207 with nothing in it", async () => assert.deepEqual(await accepted([]), { successes: [], errors: [] }));

	for (const [name, body] of [["an empty body", ""], ["blanks", " \n\t\n"], ["half an array", '[{"type":"chat","sessionId":"s"},'], ["a text", '"x"'], ["a number", "5"], ["null", "null"], ["an array with something behind it", "[] []"]])
		test(`${name} is 400`, async () => {
			const before = await house.counts();
			assertError(await batch(body), 400, "invalid_json");
			assert.deepEqual(await house.counts(), before);
		});

	test("needs a key", async () => assertError(await house.post(undefined, "/api/batch", []), 401, "unauthorized"));
});
