// Writes that share a transaction: one that fails in it fails alone, and the others are stored and answered once.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fresh, openHouse } from "../api/harness.mjs";

let house;
let ours;

before(async () => {
	house = await openHouse();
	ours = await house.organization();
});
after(() => house.end());

const stored = (chatId) => house.value(`SELECT count(*) FROM messages m JOIN chats c ON c.number = m.chat_number AND c.organization_id = m.organization_id WHERE c.chat_id = '${chatId}'`);

test("of many messages with the same names at the same time each name is stored once, and everybody is answered", async () => {
	const chatId = fresh("chat");
	await house.ok(ours.api_key, "/api/chats/create", { chatId, sessionId: "s" });
	for (let round = 0; round < 10; round++) {
		const answers = await Promise.all(Array.from({ length: 120 }, (_, i) =>
			house.post(ours.api_key, "/api/chats/message", { chatId, role: "user", content: `${round} ${i}`, messageId: `${chatId}-${round}-${i % 40}` })));
		for (const { status, text, json } of answers) {
			assert.equal(status, 200, text);
			assert.match(json.messageId, new RegExp(`^${chatId}-${round}-`));
		}
		assert.equal(await stored(chatId), 40 * (round + 1));
	}
	const [activity] = await house.rows(`SELECT message_count FROM chat_activity a JOIN chats c ON c.number = a.chat_number AND c.organization_id = a.organization_id WHERE c.chat_id = '${chatId}'`);
	assert.equal(activity.message_count, 400);
});

test("what is refused beside them is refused alone", async () => {
	const chatId = fresh("chat");
	const kinds = [
		[200, (i) => ["/api/chats/message", { chatId, role: "user", content: `${i}`, messageId: `${chatId}-${i % 7}` }]],
		[404, () => ["/api/chats/message", { chatId: fresh("absent"), role: "user", content: "x" }]],
		[400, () => ["/api/chats/message", { chatId, role: "nobody", content: "x" }]],
		[200, () => ["/api/chats/create", { chatId: fresh("new"), sessionId: "s" }]],
		[200, (i) => ["/api/articles/view", { articleId: `a${i}`, articleSlug: "a", sessionId: "s" }]],
		[200, (i) => ["/api/visitors/identify", { email: `v${i % 5}@guest.example`, session_id: "s" }]],
	];
	await house.ok(ours.api_key, "/api/chats/create", { chatId, sessionId: "s" });
	const answers = await Promise.all(Array.from({ length: 300 }, async (_, i) => {
		const [status, make] = kinds[i % kinds.length];
		const [path, body] = make(i);
		return { status, answer: await house.post(ours.api_key, path, body) };
	}));
	for (const { status, answer } of answers) assert.equal(answer.status, status, answer.text);
	assert.equal(await stored(chatId), 7);
});

test("a chat that is made in the same moment is found by its first message, once it was answered", async () => {
	await Promise.all(Array.from({ length: 60 }, async (_, i) => {
		const chatId = `${fresh("quick")}-${i}`;
		await house.ok(ours.api_key, "/api/chats/create", { chatId, sessionId: `s${i}` });
		await house.ok(ours.api_key, "/api/chats/message", { chatId, role: "user", content: "one" });
		await house.ok(ours.api_key, "/api/chats/message", { chatId, role: "assistant", content: "two" });
		assert.equal(await stored(chatId), 2);
	}));
});

// A conversation as its staff reads it: its messages in their order.
const said = async (staff, chatId) => (await staff.get(`/api/chats/${chatId}/messages?limit=500`)).json.map(({ content }) => content);

test("messages of one batch are chained in their order, also to a chat that it makes itself and beside what looks at it", async () => {
	const staff = await house.member(ours);
	const [old, young] = [fresh("old"), fresh("young")];
	await house.ok(ours.api_key, "/api/chats/create", { chatId: old, sessionId: "s" });
	await house.ok(ours.api_key, "/api/chats/message", { chatId: old, role: "user", content: "0" });
	const message = (chatId, content, more) => ({ type: "message", chatId, role: "user", content, ...more });
	const answer = await house.post(ours.api_key, "/api/batch", [
		message(old, "1"),
		message(young, "too early"),
		{ type: "chat", chatId: young, sessionId: "s" },
		message(young, "1"),
		message(old, "2", { messageId: `${old}-2` }),
		message(old, "2 again", { messageId: `${old}-2` }),
		{ type: "chat", chatId: old, sessionId: "s", status: "completed" },
		message(old, "3"),
		{ type: "article_view", articleId: "a", articleSlug: "a", sessionId: "s", chatId: old },
		message(young, "2"),
		message(old, "4"),
	]);
	assert.deepEqual(answer.json.errors.map(({ index, status }) => [index, status]), [[1, 404]], answer.text);
	assert.equal(answer.json.successes.length, 10);
	assert.deepEqual(await said(staff, old), ["0", "1", "2", "3", "4"]);
	assert.deepEqual(await said(staff, young), ["1", "2"]);
});

test("a thousand messages of one batch to one chat, and more chats than are gathered at once", async () => {
	const staff = await house.member(ours);
	const chatId = fresh("long");
	await house.ok(ours.api_key, "/api/chats/create", { chatId, sessionId: "s" });
	const many = Array.from({ length: 1000 }, (_, i) => ({ type: "message", chatId, role: i % 2 ? "assistant" : "user", content: `${i}` }));
	assert.equal((await house.post(ours.api_key, "/api/batch", many)).json.successes.length, 1000);
	assert.deepEqual(await said(staff, chatId), many.slice(500).map(({ content }) => content));
	const chats = Array.from({ length: 400 }, () => fresh("wide"));
	await house.post(ours.api_key, "/api/batch", chats.map((chatId) => ({ type: "chat", chatId, sessionId: "s" })));
	const wide = await house.post(ours.api_key, "/api/batch", [...chats, ...chats].map((chatId, i) => ({ type: "message", chatId, role: "user", content: `${i}` })));
	assert.equal(wide.json.successes.length, 800);
	assert.deepEqual(await said(staff, chats[7]), ["7", "407"]);
});

test("who erases a chat while it is written to leaves nothing of it, and nobody is told that more was stored", async () => {
	const staff = await house.member(ours);
	for (let round = 0; round < 5; round++) {
		const [chatId, other] = [fresh("going"), fresh("staying")];
		for (const id of [chatId, other]) await house.ok(ours.api_key, "/api/chats/create", { chatId: id, sessionId: "s" });
		const post = (i) => house.post(ours.api_key, "/api/chats/message", { chatId: i % 2 ? chatId : other, role: "user", content: `${i}` });
		const before = await Promise.all(Array.from({ length: 40 }, (_, i) => post(i)));
		const sent = Array.from({ length: 100 }, (_, i) => post(i));
		const erased = staff.request("DELETE", `/api/chats/${chatId}`);
		const answers = await Promise.all(sent);
		assert.equal((await erased).status, 200);
		for (const [i, { status, text }] of answers.entries()) assert.ok(status === 200 || (i % 2 && status === 404), text);
		assert.equal(await stored(other), 70);
		assert.ok(before.every(({ status }) => status === 200));
		assert.equal((await post(1)).status, 404);
	}
});

test("afterwards every figure is exact", async () => {
	assert.equal((await house.verb("verify")).result, "exact");
	assert.doesNotMatch(house.output, /"level":"error"/);
});
