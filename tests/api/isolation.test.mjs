// Two organizations that use the very same names at the same time never meet.
import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import { openHouse, hexOf } from "./harness.mjs";

const ROUNDS = 12;
let house;
let owners;
before(async () => {
	house = await openHouse();
	owners = [];
	for (const canary of ["CANARYALPHA", "CANARYBRAVO"]) owners.push({ ...(await house.organization(canary)), canary });
});
after(() => house.end());

// Everything that a concierge can say, under names that both organizations use; what is the organization's own is its canary.
const events = (i, canary) => [
	["/api/chats/create", { sessionId: `session-${i}`, chatId: `chat-${i}`, userAgent: canary, metadata: { canary } }],
	["/api/chats/message", { chatId: `chat-${i}`, role: "user", content: canary, messageId: `message-${i}` }],
	["/api/chats/message", { chatId: `chat-${i}`, role: "assistant", content: canary }, { "idempotency-key": `key-${i}` }],
	["/api/articles/mention", { chatId: `chat-${i}`, articles: [{ id: `a-${i}`, title: canary, slug: "a" }] }],
	["/api/articles/view", { articleId: `a-${i}`, articleSlug: "a", articleTitle: canary, sessionId: `session-${i}` }],
	["/api/tavily-mentions", { sessionId: `session-${i}`, mentions: [{ url: `https://page.example/${i}`, title: canary, content: canary }], searchQuery: canary }],
	["/api/tavily-mentions/click", { sessionId: `session-${i}`, articleUrl: `https://page.example/${i}` }],
	["/api/visitors/identify", { email: `person${i}@a.example`, session_id: `session-${i}`, chat_id: `chat-${i}`, name: canary, metadata: { canary } }],
	["/api/users/identify", { email: `person${i}@a.example`, session_id: `session-${i}`, name: canary }],
];

test("no answer to one carries anything of the other, and the counts of each are exact", async () => {
	const told = owners.map(() => []);
	const live = async (owner, n, i) => {
		for (const [path, body, headers] of events(i, owner.canary)) {
			for (const repeat of [0, 1]) {
				if (repeat && !path.startsWith("/api/chats")) continue;
				const answer = await house.post(owner.api_key, path, body, headers);
				assert.equal(answer.status, 200, `${path}: ${answer.text}`);
				told[n].push(answer.text);
			}
		}
	};
	await Promise.all(owners.flatMap((owner, n) => Array.from({ length: ROUNDS }, (_, i) => live(owner, n, i))));

	const ids = told.map((answers) => new Set(answers.join("").match(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{22}/g)));
	for (const [n, other] of [[0, 1], [1, 0]]) {
		assert.ok(!told[n].some((text) => text.includes(owners[other].canary)));
		assert.deepEqual([...ids[n]].filter((id) => ids[other].has(id)), [], "nor an id");
	}

	const expected = { chats: 1, messages: 2, article_mentions: 1, article_views: 1, web_mentions: 1, visitors: 1, users: 1 };
	for (const [table, each] of Object.entries(expected))
		for (const { id } of owners)
			assert.equal(await house.value(`SELECT count(*) FROM ${table} WHERE hex(organization_id) = upper('${hexOf(id)}')`), each * ROUNDS, table);

	const text = {
		chats: "user_agent || metadata", messages: "content", article_mentions: "article_name", article_views: "article_name",
		web_mentions: "article_title || metadata || search_query", visitors: "name || metadata", users: "name",
	};
	for (const [table, columns] of Object.entries(text))
		for (const [n, other] of [[0, 1], [1, 0]])
			assert.equal(
				await house.value(`SELECT count(*) FROM ${table} WHERE hex(organization_id) = upper('${hexOf(owners[n].id)}')
					AND instr(${columns}, '${owners[other].canary}') > 0`),
				0,
				table,
			);
});

test("children hang on parents of their own organization", async () => {
	for (const [child, parent, join] of [
		["messages", "chats", "p.number = c.chat_number"],
		["chat_activity", "chats", "p.number = c.chat_number"],
		["chats", "visitors", "p.id = c.visitor_id"],
		["article_views", "visitors", "p.id = c.visitor_id"],
	]) {
		assert.ok((await house.value(`SELECT count(*) FROM ${child} c JOIN ${parent} p ON ${join}`)) > 0, `${child} have ${parent}`);
		assert.equal(await house.value(`SELECT count(*) FROM ${child} c JOIN ${parent} p ON ${join} WHERE p.organization_id <> c.organization_id`), 0);
	}
	assert.deepEqual(await house.rows("PRAGMA foreign_key_check"), []);
	assert.equal(await house.value(`SELECT count(*) FROM messages m WHERE NOT EXISTS
		(SELECT 1 FROM chats c WHERE c.number = m.chat_number AND c.organization_id = m.organization_id)`), 0);
});

test("what both have in common is linked within each: a merge in one leaves the other as it was", async () => {
	const [ours, theirs] = owners;
	const state = () => house.rows(`SELECT hex(id), email, name, metadata, last_active_at FROM visitors WHERE hex(organization_id) = upper('${hexOf(theirs.id)}') ORDER BY number`);
	const before = await state();
	const first = await house.ok(ours.api_key, "/api/visitors/identify", { email: "person0@a.example" });
	await house.ok(ours.api_key, "/api/visitors/identify", { email: "person1@a.example", visitor_id: first.visitor_id });
	assert.equal(await house.value(`SELECT count(*) FROM visitors WHERE hex(organization_id) = upper('${hexOf(ours.id)}')`), ROUNDS - 1);
	assert.deepEqual(await state(), before);
});

test("a batch of one organization cannot name another, by any field", async () => {
	const [ours, theirs] = owners;
	const before = await house.value(`SELECT count(*) FROM messages WHERE hex(organization_id) = upper('${hexOf(theirs.id)}')`);
	const named = { organization_id: theirs.id, organizationId: theirs.id, organization: theirs.slug, slug: theirs.slug };
	const answer = await house.post(ours.api_key, `/api/batch?organization=${theirs.slug}`, [{ type: "message", chatId: "chat-0", role: "user", content: "x", ...named }], {
		"x-organization": theirs.slug, "x-organization-id": theirs.id,
	});
	assert.equal(answer.json.successes.length, 1);
	assert.equal(await house.value(`SELECT count(*) FROM messages WHERE hex(organization_id) = upper('${hexOf(theirs.id)}')`), before);
});
