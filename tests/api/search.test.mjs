// What the staff search for: words, and signs that are operators elsewhere; found soon after they are stored, and by their
// own organization alone.
import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import { assertError, fresh, openHouse, postgres, until } from "./harness.mjs";

let house;
let ours;
let theirs;
before(async () => {
	house = await openHouse();
	ours = await house.organization("Search Ours");
	theirs = await house.organization("Search Theirs");
	ours.browser = await house.member(ours, "Member");
	theirs.browser = await house.member(theirs, "Member");
});
after(() => house.end());

async function lag() {
	const { text } = await house.get("/metrics");
	return {
		messages: Number(/^innkeeper_search_lag_messages (\S+)$/m.exec(text)[1]),
		seconds: Number(/^innkeeper_search_lag_seconds (\S+)$/m.exec(text)[1]),
	};
}

const settled = () => until(async () => (await lag()).messages === 0, "the index has caught up");

async function talk(owner, contents, extra = {}) {
	const chatId = fresh("chat");
	await house.ok(owner.api_key, "/api/chats/create", { sessionId: chatId, chatId, ...extra });
	for (const content of contents) await house.ok(owner.api_key, "/api/chats/message", { chatId, role: "user", content });
	return chatId;
}

async function search(owner, q, extra = "") {
	const found = [];
	for (let path = `/api/chats?q=${encodeURIComponent(q)}${extra}`; path !== undefined; ) {
		const answer = await owner.browser.get(path);
		assert.equal(answer.status, 200, `${q}: ${answer.text}`);
		found.push(...answer.json.map((chat) => chat.chat_id));
		path = /^<([^>]*)>; rel="next"$/.exec(answer.headers.link ?? "")?.[1];
	}
	return found;
}

test("finds chats whose one message holds all words, newest first, while the last is still typed", async () => {
	const word = fresh("w").replaceAll("-", "");
	const first = await talk(ours, [`${word} Where is the Café?`, "And the beach"]);
	const second = await talk(ours, ["Hello", `${word} A CAFE at the beach`]);
	await settled();
	assert.deepEqual(await search(ours, word), [second, first]);
	assert.deepEqual(await search(ours, `${word} café`), [second, first]);
	assert.deepEqual(await search(ours, `${word} bea`), [second]);
	assert.deepEqual(await search(ours, `bea ${word}`), []);
	assert.deepEqual(await search(ours, `${word} café where`), [first]);
	assert.deepEqual(await search(ours, `${word} nowhere`), []);
});

test("a sign is looked for as it stands, and no text is an error", async () => {
	const word = fresh("s").replaceAll("-", "");
	const chats = {};
	for (const sign of ["%", "_", '"', "*", "'", "(", "\\", "+", "^", ":", "-"]) chats[sign] = await talk(ours, [`${word} ${sign}`]);
	const and = await talk(ours, [`${word} this AND that`]);
	await settled();
	for (const [sign, chat] of Object.entries(chats)) assert.deepEqual(await search(ours, `${sign} ${word}`), [chat], sign);
	assert.deepEqual(await search(ours, `AND ${word}`), [and]);
	for (const q of ['"', '""', "a*", "NEAR(a b)", "NOT", "a OR b", "{a}: b", "words:a", "rank", "-", "^", "(", "\u{1F3D6}", "x".repeat(999)])
		assert.ok(Array.isArray(await search(ours, q)), q);
});

test("an empty question, and one of blanks, asks for nothing", async () => {
	const all = await search(ours, "");
	assert.ok(all.length > 0);
	assert.deepEqual(await search(ours, "  "), all);
	assert.deepEqual(await search(ours, " \t\u00a0 "), all);
});

test("a question that is too long is refused by its name", async () => {
	assertError(await ours.browser.get(`/api/chats?q=${"x".repeat(1001)}`), 400, "invalid_field", "q");
	assertError(await ours.browser.get(`/api/chats?q=${"x+".repeat(33)}`), 400, "invalid_field", "q");
	assertError(await ours.browser.get("/api/chats?q=%00"), 400, "bad_request");
});

test("two organizations with the same words find their own", async () => {
	const word = fresh("t").replaceAll("-", "");
	const mine = await talk(ours, [`${word} same`]);
	const other = await talk(theirs, [`${word} same secret`]);
	await settled();
	assert.deepEqual(await search(ours, word), [mine]);
	assert.deepEqual(await search(theirs, word), [other]);
	assert.deepEqual(await search(ours, `${word} secret`), []);
	// Nobody can read a word from the index, nor that the other organization has the same one.
	if (postgres) {
		assert.equal(await house.value("SELECT count(DISTINCT organization_id) FROM search"), 2);
		assert.equal(await house.value(`SELECT count(*) FROM search AS s WHERE strpos(s::text, '${word}') > 0`), 0);
		assert.equal(await house.value("SELECT count(*) FROM search AS s JOIN search AS o ON o.organization_id <> s.organization_id AND o.words && s.words"), 0);
	} else {
		assert.equal(await house.value(`SELECT count(*) FROM search_data WHERE instr(block, '${word}') > 0`), 0);
	}
});

test("goes together with the other filters, and pages hold still while messages arrive", async () => {
	const word = fresh("p").replaceAll("-", "");
	const chats = [];
	for (let i = 0; i < 25; i++) chats.unshift(await talk(ours, [`${word} a`, `${word} b`], { status: i % 5 === 0 ? "completed" : "active" }));
	await settled();
	assert.deepEqual(await search(ours, word), chats);
	assert.deepEqual(await search(ours, word, "&status=completed"), chats.filter((_, i) => (24 - i) % 5 === 0));
	assert.deepEqual(await search(ours, word, "&from=2100-01-01"), []);
	assert.deepEqual(await search(ours, word, "&min_lead_score=1"), []);
	const seen = [];
	let path = `/api/chats?q=${word}&limit=10`;
	while (path !== undefined) {
		const answer = await ours.browser.get(path);
		assert.equal(answer.status, 200, answer.text);
		seen.push(...answer.json.map((chat) => chat.chat_id));
		path = /^<([^>]*)>; rel="next"$/.exec(answer.headers.link ?? "")?.[1];
		await talk(ours, [`${word} late`]);
		await settled();
	}
	assert.deepEqual(seen, chats);
});

test("what was stored before a restart is found after it", async () => {
	const word = fresh("r").replaceAll("-", "");
	const chats = [];
	for (let i = 0; i < 5; i++) chats.unshift(await talk(ours, [word]));
	await house.stop();
	await house.start();
	await settled();
	assert.deepEqual(await search(ours, word), chats);
	assert.equal((await lag()).seconds, 0);
});

test("catches up with twenty thousand messages when there is rest", async () => {
	const word = fresh("m").replaceAll("-", "");
	const chatId = await talk(ours, []);
	for (let i = 0; i < 20; i++) {
		const items = Array.from({ length: 1000 }, (_, j) => ({ type: "message", chatId, role: "user", content: `${word} a message about hotels and beaches, number ${i * 1000 + j}` }));
		const answer = await house.post(ours.api_key, "/api/batch", items);
		assert.equal(answer.status, 207, answer.text.slice(0, 200));
	}
	const began = Date.now();
	await until(async () => (await lag()).messages === 0, "the index has caught up", 60000);
	console.log(`# 20000 messages were in the index ${Date.now() - began} ms after the last was stored`);
	assert.deepEqual(await search(ours, `${word} 19999`), [chatId]);
	assert.deepEqual(await search(ours, `${word} 0`), [chatId]);
	await talk(ours, ["one more"]);
	await settled();
	assert.ok((await lag()).seconds < 2);
});
