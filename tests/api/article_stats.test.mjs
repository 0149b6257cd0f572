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

// Every page from `path` on, and the cursors that led there.
async function walk(browser, path, pick, between = async () => {}) {
	const found = [];
	const cursors = [];
	for (let at = path; at !== undefined; ) {
		const answer = await browser.get(at);
		assert.equal(answer.status, 200, answer.text);
		found.push(pick(answer.json));
		at = /^<([^>]*)>; rel="next"$/.exec(answer.headers.link ?? "")?.[1];
		if (at === undefined) break;
		cursors.push(new URL(at, "http://a").searchParams.get("cursor"));
		await between(found.length);
	}
	return { found, cursors };
}
const range = (from, to) => Array.from({ length: to - from }, (unused, i) => from + i);
const csv = async (browser, path) => {
	const answer = await browser.get(path);
	assert.equal(answer.status, 200, answer.text);
	assert.match(answer.headers["content-type"], /^text\/csv/);
	return answer;
};

test("articles page by page: each once, in the order of the whole, with the totals of all", async () => {
	const { key, browser, stats } = await guest();
	const articles = range(0, 1203).map((i) => ({ id: `a-${i}`, title: i === 7 ? "=1+1" : `Article ${i}`, slug: `s-${i}` }));
	for (const [from, to] of [[0, 1000], [1000, 1203], [100, 400], [250, 260]]) await mention(key, undefined, ...articles.slice(from, to));
	for (const i of [0, 7, 255]) await view(key, undefined, `a-${i}`, articles[i].title, `s-${i}`);
	const totals = { totalMentioned: 1513, totalViews: 3, uniqueArticles: 1203 };
	const { found, cursors } = await walk(browser, "/api/articles/stats?limit=100&search=s-", (answer) => {
		assert.deepEqual(answer.totals, totals);
		return answer.articles;
	});
	assert.deepEqual(found.map(({ length }) => length), [...Array(12).fill(100), 3]);
	const all = found.flat();
	const byId = (a, b) => (a.id < b.id ? -1 : 1);
	assert.deepEqual(all, all.toSorted((a, b) => b.mentions + b.views - a.mentions - a.views || b.mentions - a.mentions || byId(a, b)));
	assert.equal(new Set(all.map(({ id }) => id)).size, 1203);
	assert.equal((await stats()).articles.length, 1000);

	const whole = await csv(browser, "/api/articles/stats?format=csv");
	assert.match(whole.headers["content-disposition"], /^attachment; filename="articles-\d{4}-\d\d-\d\d\.csv"$/);
	const cell = ({ id, name, slug, type, mentions, views }) => `${id},${name === "=1+1" ? "'=1+1" : name},${slug},${type},${mentions},${views}\r\n`;
	assert.equal(whole.text, `id,name,slug,type,mentions,views\r\n${all.map(cell).join("")}`);
	assert.equal((await csv(browser, `/api/articles/stats?format=csv&limit=3&cursor=${cursors[0]}`)).text, `id,name,slug,type,mentions,views\r\n${all.slice(100, 103).map(cell).join("")}`);
	assert.equal((await csv(browser, "/api/articles/stats?format=csv&search=nothing")).text, "id,name,slug,type,mentions,views\r\n");
});

test("web results page by page: each that stood is seen once, also those shown again meanwhile", async () => {
	const { key, browser, pages } = await guest();
	const show = (numbers, timestamp, chatId = "c") => house.ok(key, "/api/tavily-mentions", { mentions: numbers.map((i) => ({ url: `https://a.example/${i}`, title: i === 3 ? "@home" : `Title ${i}` })), sessionId: "s", chatId, timestamp });
	await show(range(0, 500), ago(2));
	await show(range(500, 1000), ago(2));
	await show(range(1000, 1203), ago(2), "d");
	await show(range(0, 10), ago(1), "d");
	const urls = (answer) => answer.mentions.map(({ url }) => url);
	const whole = [...range(0, 10).toReversed(), ...range(10, 1203).toReversed()].map((i) => `https://a.example/${i}`);
	for (const [query, total, expected] of [["", 1203, whole], ["&chatId=c", 1000, range(0, 1000).toReversed().map((i) => `https://a.example/${i}`)]]) {
		const { found } = await walk(browser, `/api/tavily-mentions?limit=400${query}`, (answer) => {
			assert.equal(answer.total, total);
			return urls(answer);
		});
		assert.deepEqual(found.flat(), expected);
	}
	assert.equal((await pages()).mentions.length, 1000);
	const { text, headers } = await csv(browser, "/api/article-mentions?format=csv");
	assert.match(headers["content-disposition"], /filename="web-results-/);
	const lines = text.split("\r\n");
	assert.equal(lines[0], "url,title,type,mentions,clicks,lastMentioned");
	assert.deepEqual(lines.slice(1, -1).map((line) => line.split(",")[0]), whole);
	assert.match(lines.find((line) => line.startsWith("https://a.example/3,")), /^https:\/\/a\.example\/3,'@home,tavily_search,2,0,\d{4}-/);
	// What the first page has shown comes again to the front, and no further page has it.
	const { found } = await walk(browser, "/api/tavily-mentions?limit=600", urls, async (count) => count === 1 && show(range(0, 10), undefined, "e"));
	assert.deepEqual(found.flat(), whole);
});

test("another organization's articles and pages are not seen", async () => {
	const [one, two] = [await guest(), await guest()];
	await mention(one.key, undefined, { id: "1", title: "A", slug: "a" });
	await house.ok(one.key, "/api/tavily-mentions", { mentions: [{ url: "https://a.example/" }], sessionId: "s", chatId: "c" });
	assert.deepEqual(await two.stats(), { articles: [], totals: { totalMentioned: 0, totalViews: 0, uniqueArticles: 0 } });
	for (const query of ["", "?chatId=c"]) assert.deepEqual(await two.pages(query), { mentions: [], total: 0 });
});

test("a cursor holds for the organization and the address that gave it out", async () => {
	const [one, two] = [await guest(), await guest()];
	for (const { key } of [one, two]) {
		await mention(key, undefined, { id: "1", title: "A", slug: "a" }, { id: "2", title: "B", slug: "b" });
		await house.ok(key, "/api/tavily-mentions", { mentions: [{ url: "https://a.example/" }, { url: "https://b.example/" }], sessionId: "s" });
	}
	const cursorOf = async (path) => (await walk(one.browser, `${path}?limit=1`, () => {})).cursors[0];
	const paths = ["/api/articles/stats", "/api/tavily-mentions", "/api/article-mentions"];
	const cursors = await Promise.all(paths.map(cursorOf));
	for (const [i, path] of paths.entries())
		for (const [j, cursor] of cursors.entries()) {
			const altered = `${cursor.slice(0, -2)}${cursor.at(-2) === "A" ? "B" : "A"}${cursor.at(-1)}`;
			assert.equal((await one.browser.get(`${path}?cursor=${cursor}`)).status, i === j ? 200 : 400);
			for (const format of ["json", "csv"]) {
				assertError(await two.browser.get(`${path}?cursor=${cursor}&format=${format}`), 400, "invalid_field", "cursor");
				assertError(await one.browser.get(`${path}?cursor=${altered}&format=${format}`), 400, "invalid_field", "cursor");
			}
		}
});

test("API keys page by page and as CSV, newest first", async () => {
	const organization = await house.organization();
	const admin = await house.member(organization, "Admin");
	for (const name of ["second", "=third"]) await admin.ok("POST", "/api/keys", { name });
	const { found } = await walk(admin, "/api/keys?limit=1", ([{ name }]) => name);
	assert.deepEqual(found.slice(0, 2), ["=third", "second"]);
	assert.equal(found.length, 3);
	const { text } = await csv(admin, "/api/keys?format=csv");
	assert.match(text, /^id,name,masked,created_at,last_used_at,revoked_at\r\n[0-9a-f-]{36},'=third,ik_live_/);
	assert.equal(text.split("\r\n").length, 5);
});

test("wrong parameters are refused by name", async () => {
	const organization = await house.organization();
	const [browser, admin] = [await house.member(organization, "Member"), await house.member(organization, "Admin")];
	for (const [query, field] of [["dateRange=abc", "dateRange"], ["dateRange=0", "dateRange"], ["limit=0", "limit"], ["limit=1001", "limit"], ["from=2026-13-01", "from"], ["days=x", "days"]])
		assertError(await browser.get(`/api/articles/stats?${query}`), 400, "invalid_field", field);
	for (const query of ["limit=0", "limit=many"]) assertError(await browser.get(`/api/tavily-mentions?${query}`), 400, "invalid_field", "limit");
	for (const path of ["/api/articles/stats", "/api/tavily-mentions", "/api/article-mentions", "/api/keys"])
		assertError(await (path === "/api/keys" ? admin : browser).get(`${path}?format=xml`), 400, "invalid_field", "format");
	assertError(await house.get("/api/articles/stats"), 401, "unauthorized");
});
