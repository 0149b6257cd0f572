// Articles and web results, one row each: what was sent, counted by the test.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertError, fresh, openHouse } from "./harness.mjs";

const DAY = 86400000;
const ago = (days) => new Date(Date.now() - days * DAY).toISOString();
let house;

before(async () => {
	house = await openHouse();
});
after(() => house.end());

async function guest() {
	const organization = await house.organization();
	const browser = await house.member(organization, "Member");
	return { key: organization.api_key, slug: organization.slug, browser, stats: (query = "") => browser.ok("GET", `/api/articles/stats${query}`), pages: (query = "") => browser.ok("GET", `/api/tavily-mentions${query}`) };
}

const mention = (key, timestamp, ...articles) => house.ok(key, "/api/articles/mention", { articles, timestamp });
const view = (key, timestamp, articleId, articleTitle, articleSlug, articleType) => house.ok(key, "/api/articles/view", { articleId, articleSlug, articleTitle, articleType, timestamp });

test("articles come by mentions and views, then mentions, called as they were last", async () => {
	const { key, slug, stats } = await guest();
	const beach = { id: "1", title: "Old Beach", slug: "old", type: "Article" };
	await mention(key, ago(2), { id: "1", title: "The Beach", slug: "beach", type: "Place" }, { id: "2", title: "100% Ünder_par", slug: "golf" });
	await mention(key, ago(20), beach, beach, { id: "3", title: "Gone", slug: "gone", type: "Event" });
	await mention(key, ago(40), beach);
	for (let i = 0; i < 2; i++) await view(key, ago(1), "2", "100% Ünder_par", "golf");
	await view(key, ago(29), "3", "Gone", "gone", "Event");
	await view(key, ago(29), "3", "Gone", "gone", "Event");
	const rows = [
		{ id: "1", name: "The Beach", slug: "beach", type: "Place", mentions: 3, views: 0 },
		{ id: "3", name: "Gone", slug: "gone", type: "Event", mentions: 1, views: 2 },
		{ id: "2", name: "100% Ünder_par", slug: "golf", type: "Article", mentions: 1, views: 2 },
	];
	const sorted = [rows[0], rows[2], rows[1]]; // of two alike the id decides
	assert.deepEqual(await stats(), { articles: sorted, totals: { totalMentioned: 5, totalViews: 4, uniqueArticles: 3 } });
	assert.deepEqual(await stats("?dateRange=60"), { articles: [{ ...rows[0], mentions: 4 }, rows[2], rows[1]], totals: { totalMentioned: 6, totalViews: 4, uniqueArticles: 3 } });
	assert.deepEqual((await stats("?dateRange=5")).totals, { totalMentioned: 2, totalViews: 2, uniqueArticles: 2 });
	assert.deepEqual((await stats("?days=5")).totals, { totalMentioned: 2, totalViews: 2, uniqueArticles: 2 });
	const range = `?from=${ago(45).slice(0, 10)}&to=${ago(35).slice(0, 10)}`;
	assert.deepEqual(await stats(range), { articles: [{ ...rows[0], mentions: 1 }], totals: { totalMentioned: 1, totalViews: 0, uniqueArticles: 1 } });
	assert.deepEqual(await stats("?type=Event"), { articles: [rows[1]], totals: { totalMentioned: 1, totalViews: 2, uniqueArticles: 1 } });
	assert.deepEqual(await stats("?limit=1"), { articles: [rows[0]], totals: { totalMentioned: 5, totalViews: 4, uniqueArticles: 3 } });
	assert.equal((await house.verb("verify", "--organization", slug)).result, "exact");
});

test("a search finds letters, whatever their case, and no pattern", async () => {
	const { key, stats } = await guest();
	await mention(key, undefined, { id: "1", title: "100% Ünder_par", slug: "golf" }, { id: "2", title: "O'Leary \"quotes\"", slug: "pub*" }, { id: "3", title: "Plain", slug: "plain" });
	const found = async (search) => (await stats(`?search=${encodeURIComponent(search)}`)).articles.map(({ id }) => id);
	for (const [search, ids] of [
		["%", ["1"]], ["_", ["1"]], ["'", ["2"]], ['"', ["2"]], ["*", ["2"]], ["üNDER", ["1"]], ["PLAI", ["3"]], ["plain OR golf", []],
		["GOLF", ["1"]], ["", ["1", "2", "3"]], ["nothing", []], ["\\", []],
	])
		assert.deepEqual(await found(search), ids, search);
});

test("web results are one row an address, newest first, with their clicks", async () => {
	const { key, slug, browser, pages } = await guest();
	const { visitor_id } = await house.ok(key, "/api/visitors/identify", { email: `${fresh("v")}@example.com` });
	const show = (timestamp, sessionId, chatId, visitorId, ...mentions) => house.ok(key, "/api/tavily-mentions", { mentions, sessionId, chatId, visitorId, timestamp });
	const [a, b] = ["https://a.example/", "https://b.example/"];
	const t = [ago(3), ago(2), ago(1)];
	await show(t[1], "s1", "c1", undefined, { url: a, title: "New A" }, { url: b });
	await show(t[0], "s2", "c2", visitor_id, { url: a, title: "Old A" });
	await show(t[2], "s2", "c1", visitor_id, { url: b, title: "B" });
	for (let i = 0; i < 2; i++) await house.ok(key, "/api/tavily-mentions/click", { articleUrl: a, chatId: "c1" });
	const row = (url, title, mentions, clicks, lastMentioned) => ({ url, title, type: "tavily_search", mentions, clicks, lastMentioned });
	const all = { mentions: [row(b, "B", 2, 0, t[2]), row(a, "New A", 2, 1, t[1])], total: 2 };
	assert.deepEqual(await pages(), all);
	assert.deepEqual(await browser.ok("GET", "/api/article-mentions"), all);
	assert.deepEqual(await pages("?limit=1"), { mentions: [all.mentions[0]], total: 2 });
	assert.deepEqual(await pages("?chatId=c2"), { mentions: [row(a, "New A", 1, 0, t[0])], total: 1 });
	assert.deepEqual(await pages("?chatId=c1"), { mentions: [row(b, "B", 2, 0, t[2]), row(a, "New A", 1, 1, t[1])], total: 2 });
	assert.deepEqual(await pages(`?visitorId=${visitor_id}`), { mentions: [row(b, "B", 1, 0, t[2]), row(a, "New A", 1, 0, t[0])], total: 2 });
	assert.deepEqual(await pages(`?visitorId=${visitor_id}&chatId=c1`), { mentions: [row(b, "B", 1, 0, t[2])], total: 1 });
	for (const query of ["?visitorId=nobody", "?visitorId=01890000-0000-7000-8000-000000000000", "?chatId=nowhere"]) assert.deepEqual(await pages(query), { mentions: [], total: 0 });
	assert.equal((await house.verb("verify", "--organization", slug)).result, "exact");
});

test("another organization's articles and pages are not seen", async () => {
	const [one, two] = [await guest(), await guest()];
	await mention(one.key, undefined, { id: "1", title: "A", slug: "a" });
	await house.ok(one.key, "/api/tavily-mentions", { mentions: [{ url: "https://a.example/" }], sessionId: "s", chatId: "c" });
	assert.deepEqual(await two.stats(), { articles: [], totals: { totalMentioned: 0, totalViews: 0, uniqueArticles: 0 } });
	for (const query of ["", "?chatId=c"]) assert.deepEqual(await two.pages(query), { mentions: [], total: 0 });
});

test("wrong parameters are refused by name", async () => {
	const { browser } = await guest();
	for (const [query, field] of [["dateRange=abc", "dateRange"], ["dateRange=0", "dateRange"], ["limit=0", "limit"], ["limit=1001", "limit"], ["from=2026-13-01", "from"], ["days=x", "days"]])
		assertError(await browser.get(`/api/articles/stats?${query}`), 400, "invalid_field", field);
	for (const query of ["limit=0", "limit=many"]) assertError(await browser.get(`/api/tavily-mentions?${query}`), 400, "invalid_field", "limit");
	assertError(await house.get("/api/articles/stats"), 401, "unauthorized");
});
