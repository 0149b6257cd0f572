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

test("afterwards every figure is exact", async () => {
	assert.equal((await house.verb("verify")).result, "exact");
	assert.doesNotMatch(house.output, /"level":"error"/);
});
