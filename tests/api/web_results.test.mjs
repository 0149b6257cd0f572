// Web-search results that a concierge showed, and clicks on them; under both of their addresses.
import { test, describe, before, after } from "node:test";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { openHouse, assertError, fresh, hexOf, masked, TIME, UUID7 } from "./harness.mjs";

let house, ours, theirs;
before(async () => {
	house = await openHouse();
	ours = await house.organization();
	theirs = await house.organization();
});
after(() => house.end());

for (const base of ["/api/tavily-mentions", "/api/article-mentions"]) {
	const show = (body, key = ours.api_key) => house.post(key, base, body);
	const click = (body, key = ours.api_key) => house.post(key, `${base}/click`, body);
	const shown = async (body, key) => {
		const answer = await show(body, key);
		assert.equal(answer.status, 200, answer.text);
		return answer.json.mentions;
	};

	describe(`POST ${base}`, () => {
		test("answers a whole row for each result, in the order shown", async () => {
			const before = Date.now();
			const chatId = fresh("chat");
			const answer = await show({
				sessionId: "s1", chatId, searchQuery: "best beach",
				mentions: [
					{ url: "https://a.example/", title: "A", score: 0.98, content: "About A", image: "https://a.example/a.png" },
					{ url: "https://b.example/", title: "B", score: 1, content: "", image: null },
				],
			});
			assert.equal(answer.status, 200, answer.text);
			assert.deepEqual([answer.json.success, answer.json.count, answer.json.mentions.length], [true, 2, 2]);
			const [first, second] = answer.json.mentions;
			const { id, mentioned_at, created_at, ...rest } = first;
			assert.deepEqual(rest, {
				article_url: "https://a.example/", article_title: "A", article_type: "tavily_search", chat_id: chatId,
				session_id: "s1", visitor_id: null, search_query: "best beach", clicked: false, clicked_at: null,
				organization_id: ours.id, metadata: { score: 0.98, content: "About A", image: "https://a.example/a.png" },
			});
			assert.match(id, UUID7);
			assert.match(mentioned_at, TIME);
			assert.match(created_at, TIME);
			assert.ok(Date.parse(created_at) >= before);
			assert.deepEqual([second.article_url, second.metadata.score, second.metadata.image], ["https://b.example/", 1, null]);
			const stored = await house.rows(`SELECT lower(hex(id)) AS id FROM web_mentions WHERE chat_id = '${chatId}' ORDER BY number`);
			assert.deepEqual(stored.map((row) => row.id), [hexOf(first.id), hexOf(second.id)]);
		});

		test("a title that is missing is the url; score, content and image may be missing", async () => {
			const [row] = await shown({ sessionId: "s", mentions: [{ url: "https://only.example/" }] });
			assert.equal(row.article_title, "https://only.example/");
			assert.deepEqual([row.metadata.score, row.metadata.image], [null, null]);
		});

		test("keeps the first 500 characters of a content, counted as characters and not as bytes or halves", async () => {
			const contents = ["🏖".repeat(600), "é".repeat(500), "x".repeat(501), "e\u0301".repeat(400)];
			const rows = await shown({ sessionId: "s", mentions: contents.map((content, i) => ({ url: `https://c${i}.example/`, content })) });
			assert.deepEqual(rows.map((row) => row.metadata.content), contents.map((content) => [...content].slice(0, 500).join("")));
		});

		test("an empty array shows nothing and is no error", async () => {
			const answer = await show({ sessionId: "s", mentions: [] });
			assert.deepEqual([answer.status, answer.json], [200, { success: true, count: 0, mentions: [] }]);
		});

		test("a visitor of ours is kept; an unknown one, a foreign one and what is no id are stored as null", async () => {
			const mine = await house.ok(ours.api_key, "/api/visitors/identify", { email: `${fresh("v")}@a.example` });
			const foreign = await house.ok(theirs.api_key, "/api/visitors/identify", { email: `${fresh("v")}@a.example` });
			for (const [visitorId, kept] of [
				[mine.visitor_id, mine.visitor_id],
				[foreign.visitor_id, null],
				["01890000-0000-7000-8000-000000000000", null],
				["not an id", null],
			]) {
				const [row] = await shown({ sessionId: "s", visitorId, mentions: [{ url: "https://v.example/" }] });
				assert.equal(row.visitor_id, kept, visitorId);
			}
		});

		test("keeps a chatId that nobody knows", async () => {
			const chatId = fresh("later");
			const [row] = await shown({ sessionId: "s", chatId, mentions: [{ url: "https://l.example/" }] });
			assert.equal(row.chat_id, chatId);
		});

		for (const [name, body, code, field] of [
			["no sessionId", { mentions: [] }, "missing_field", "sessionId"],
			["no mentions", { sessionId: "s" }, "missing_field", "mentions"],
			["mentions that are no array", { sessionId: "s", mentions: "x" }, "invalid_field", "mentions"],
			["a result without a url", { sessionId: "s", mentions: [{ url: "u" }, { title: "t" }] }, "missing_field", "mentions[1].url"],
			["a score that is a text", { sessionId: "s", mentions: [{ url: "u", score: "1" }] }, "invalid_field", "mentions[0].score"],
			["a url longer than 8 KiB", { sessionId: "s", mentions: [{ url: "u".repeat(8193) }] }, "invalid_field", "mentions[0].url"],
		])
			test(`refuses ${name}, and stores none of them`, async () => {
				const before = await house.counts();
				assertError(await show(body), 400, code, field);
				assert.deepEqual(await house.counts(), before);
			});
	});

	describe(`POST ${base}/click`, () => {
		test("marks the mention of the chat and answers its row", async () => {
			const chatId = fresh("c");
			const [row] = await shown({ sessionId: "s", chatId, mentions: [{ url: "https://k.example/", score: 0.5 }] });
			const answer = await click({ articleUrl: "https://k.example/", chatId });
			assert.deepEqual(Object.keys(answer.json), ["success", "mention"]);
			const { clicked_at, ...rest } = answer.json.mention;
			assert.match(clicked_at, TIME);
			assert.deepEqual({ ...rest, clicked_at: null }, { ...row, clicked: true });
		});

		test("marks the newest of several, and that one alone", async () => {
			const sessionId = fresh("s");
			const mentions = [{ url: "https://n.example/" }];
			await shown({ sessionId, mentions });
			const [newest] = await shown({ sessionId, mentions });
			assert.equal((await click({ articleUrl: "https://n.example/", sessionId })).json.mention.id, newest.id);
			assert.equal(await house.value(`SELECT count(clicked_at) FROM web_mentions WHERE session_id = '${sessionId}'`), 1);
		});

		test("the chat wins over the session, also when it has no such mention", async () => {
			const [sessionId, chatId] = [fresh("s"), fresh("c")];
			const mentions = [{ url: "https://w.example/" }];
			const [ofChat] = await shown({ sessionId: "another", chatId, mentions });
			await shown({ sessionId, mentions });
			assert.equal((await click({ articleUrl: "https://w.example/", chatId, sessionId })).json.mention.id, ofChat.id);
			assertError(await click({ articleUrl: "https://w.example/", chatId: fresh("none"), sessionId }), 404, "not_found");
		});

		test("a second click keeps the first time", async () => {
			const sessionId = fresh("s");
			await shown({ sessionId, mentions: [{ url: "https://t.example/" }] });
			const first = await click({ articleUrl: "https://t.example/", sessionId, timestamp: "2026-01-01T00:00:00.001Z" });
			const second = await click({ articleUrl: "https://t.example/", sessionId });
			assert.equal(first.json.mention.clicked_at, "2026-01-01T00:00:00.001Z");
			assert.equal(second.text, first.text);
		});

		test("twenty clicks at once agree on one time", async () => {
			const sessionId = fresh("s");
			await shown({ sessionId, mentions: [{ url: "https://r.example/" }] });
			const answers = await Promise.all(Array.from({ length: 20 }, () => click({ articleUrl: "https://r.example/", sessionId })));
			assert.equal(new Set(answers.map((answer) => answer.text)).size, 1);
		});

		test("what was never shown is 404, and what another organization showed the same bytes", async () => {
			const [sessionId, chatId] = [fresh("s"), fresh("c")];
			await shown({ sessionId, chatId, mentions: [{ url: "https://f.example/" }] }, theirs.api_key);
			const unknown = await click({ articleUrl: "https://never.example/", sessionId: "never" });
			assertError(unknown, 404, "not_found");
			assert.equal(masked(await click({ articleUrl: "https://f.example/", sessionId })), masked(unknown));
			assert.equal(masked(await click({ articleUrl: "https://f.example/", chatId })), masked(unknown));
			assert.equal(await house.value(`SELECT count(clicked_at) FROM web_mentions WHERE session_id = '${sessionId}'`), 0);
		});

		for (const [name, body, code, field] of [
			["no articleUrl", { sessionId: "s" }, "missing_field", "articleUrl"],
			["neither chatId nor sessionId", { articleUrl: "u" }, "missing_field", "chatId"],
			["an articleUrl that is a number", { articleUrl: 5, sessionId: "s" }, "invalid_field", "articleUrl"],
		])
			test(`refuses ${name}`, async () => assertError(await click(body), 400, code, field));
	});
}

test("what was shown under one address is clicked under the other", async () => {
	const sessionId = fresh("s");
	await house.ok(ours.api_key, "/api/tavily-mentions", { sessionId, mentions: [{ url: "https://x.example/" }] });
	await house.ok(ours.api_key, "/api/article-mentions/click", { sessionId, articleUrl: "https://x.example/" });
});

test("an address may have 8,192 bytes that nothing shortens, and the last of them tells two pages apart", async () => {
	const [chatId, sessionId] = [fresh("c"), fresh("s")];
	const noise = Array.from({ length: 200 }, (_, i) => createHash("sha256").update(`${i}`).digest("base64url")).join("");
	const beginning = `https://long.example/\\${noise}`.slice(0, 8191);
	const [one, other] = [`${beginning}1`, `${beginning}2`];
	const show = (url, more) => house.ok(ours.api_key, "/api/tavily-mentions", { sessionId, chatId, mentions: [{ url, title: "Long" }], ...more });
	const click = (body) => house.ok(ours.api_key, "/api/tavily-mentions/click", body);
	await house.ok(ours.api_key, "/api/chats/create", { sessionId, chatId });
	const { visitor_id: visitorId } = await house.ok(ours.api_key, "/api/visitors/identify", { email: `${fresh("v")}@a.example`, session_id: sessionId });
	await show(one);
	const { mentions: [newest] } = await show(one, { visitorId });
	await show(other);
	assert.equal(newest.article_url, one);
	assert.equal((await click({ articleUrl: one, sessionId })).mention.id, newest.id);
	assert.equal((await click({ articleUrl: one, chatId })).mention.id, newest.id);

	const admin = await house.staff(ours);
	const listed = async (query) =>
		(await admin.ok("GET", `/api/tavily-mentions?${query}`)).mentions.filter(({ url }) => url.startsWith(beginning))
			.map(({ url, mentions, clicks }) => [url.at(-1), mentions, clicks]).sort();
	assert.deepEqual(await listed("limit=100"), [["1", 2, 1], ["2", 1, 0]]);
	assert.deepEqual(await listed(`chatId=${chatId}`), [["1", 2, 1], ["2", 1, 0]]);
	assert.deepEqual(await listed(`visitorId=${visitorId}`), [["1", 1, 1]]);
	assert.equal((await house.verb("verify")).result, "exact");
	await admin.ok("DELETE", `/api/chats/${chatId}`);
	assert.deepEqual(await listed("limit=100"), []);
	assert.equal((await house.verb("verify")).result, "exact");
});
