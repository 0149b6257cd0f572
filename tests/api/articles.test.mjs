// Articles that an answer mentioned, and articles that were opened.
import { test, describe, before, after } from "node:test";
import assert from "node:assert/strict";
import { openHouse, assertError, fresh, hexOf, UUID7 } from "./harness.mjs";

let house, ours;
before(async () => {
	house = await openHouse();
	ours = await house.organization();
});
after(() => house.end());

const mention = (body) => house.post(ours.api_key, "/api/articles/mention", body);
const view = (body) => house.post(ours.api_key, "/api/articles/view", body);
const article = (id, more) => ({ id, title: `Title of ${id}`, slug: `slug-of-${id}`, ...more });

describe("POST /api/articles/mention", () => {
	test("records each article, of type Article unless it says another", async () => {
		const chatId = fresh("chat");
		const answer = await mention({ chatId, articles: [article("a"), article("b", { type: "Place" })] });
		assert.deepEqual([answer.status, answer.json], [200, { success: true, mentionsRecorded: 2 }]);
		const rows = await house.rows(`SELECT article_id, article_name, article_slug, article_type,
			lower(hex(organization_id)) AS organization FROM article_mentions WHERE chat_id = '${chatId}' ORDER BY number`);
		const organization = hexOf(ours.id);
		assert.deepEqual(rows, [
			{ article_id: "a", article_name: "Title of a", article_slug: "slug-of-a", article_type: "Article", organization },
			{ article_id: "b", article_name: "Title of b", article_slug: "slug-of-b", article_type: "Place", organization },
		]);
	});

	test("keeps a chatId that nobody knows, and it belongs to that chat once it is made", async () => {
		const chatId = fresh("later");
		await house.ok(ours.api_key, "/api/articles/mention", { chatId, articles: [article("a")] });
		await house.ok(ours.api_key, "/api/chats/create", { sessionId: "s", chatId });
		const joined = `SELECT count(*) FROM article_mentions m JOIN chats c ON c.organization_id = m.organization_id AND
			c.chat_id = m.chat_id WHERE c.chat_id = '${chatId}'`;
		assert.equal(await house.value(joined), 1);
	});

	test("needs no chat", async () => {
		const title = fresh("title");
		await house.ok(ours.api_key, "/api/articles/mention", { articles: [article("a", { title })] });
		assert.equal(await house.value(`SELECT count(*) FROM article_mentions WHERE article_name = '${title}' AND chat_id IS NULL`), 1);
	});

	test("takes a thousand at once, not one more", async () => {
		const many = Array.from({ length: 1000 }, (_, i) => article(`m${i}`));
		const chatId = fresh("many");
		assert.equal((await mention({ chatId, articles: many })).json.mentionsRecorded, 1000);
		assertError(await mention({ chatId, articles: [...many, article("x")] }), 400, "invalid_field", "articles");
		assert.equal(await house.value(`SELECT count(*) FROM article_mentions WHERE chat_id = '${chatId}'`), 1000);
	});

	for (const [name, articles, code, field] of [
		["no articles", undefined, "missing_field", "articles"],
		["an empty array", [], "invalid_field", "articles"],
		["an object", {}, "invalid_field", "articles"],
		["an element that is no object", [article("a"), "b"], "invalid_field", "articles[1]"],
		["a last element without a slug", [article("a"), article("b"), article("c", { slug: undefined })], "missing_field", "articles[2].slug"],
		["an element whose title is a number", [article("a", { title: 5 })], "invalid_field", "articles[0].title"],
		["an element whose id is null", [article("a"), article(null)], "missing_field", "articles[1].id"],
	])
		test(`refuses ${name}, and stores none of them`, async () => {
			const before = await house.counts();
			assertError(await mention({ articles, chatId: "c" }), 400, code, field);
			assert.deepEqual(await house.counts(), before);
		});
});

describe("POST /api/articles/view", () => {
	test("records a view, with everything that was said of it", async () => {
		const sessionId = fresh("session");
		const answer = await view({
			articleId: "a1", articleSlug: "the-beach", articleTitle: "The beach", articleType: "Place", chatId: "c1", sessionId,
		});
		assert.deepEqual(Object.keys(answer.json), ["success", "viewId"]);
		assert.match(answer.json.viewId, UUID7);
		const [row] = await house.rows(`SELECT article_id, article_slug, article_name, article_type, chat_id, visitor_id, user_id,
			lower(hex(id)) AS id FROM article_views WHERE session_id = '${sessionId}'`);
		assert.deepEqual(row, {
			article_id: "a1", article_slug: "the-beach", article_name: "The beach", article_type: "Place", chat_id: "c1",
			visitor_id: null, user_id: null, id: hexOf(answer.json.viewId),
		});
	});

	test("the title defaults to the slug, the type to Article", async () => {
		const articleId = fresh("a");
		await house.ok(ours.api_key, "/api/articles/view", { articleId, articleSlug: "slug" });
		const [row] = await house.rows(`SELECT article_name, article_type, chat_id, session_id FROM article_views WHERE article_id = '${articleId}'`);
		assert.deepEqual(row, { article_name: "slug", article_type: "Article", chat_id: null, session_id: null });
	});

	test("the same article again is another view", async () => {
		const articleId = fresh("a");
		const first = await view({ articleId, articleSlug: "s" });
		const second = await view({ articleId, articleSlug: "s" });
		assert.notEqual(first.json.viewId, second.json.viewId);
		assert.equal(await house.value(`SELECT count(*) FROM article_views WHERE article_id = '${articleId}'`), 2);
	});

	for (const [name, body, code, field] of [
		["no articleId", { articleSlug: "s" }, "missing_field", "articleId"],
		["no articleSlug", { articleId: "a" }, "missing_field", "articleSlug"],
		["an articleId that is a number", { articleId: 5, articleSlug: "s" }, "invalid_field", "articleId"],
	])
		test(`refuses ${name}`, async () => assertError(await view(body), 400, code, field));
});
