// The dashboard's lists: pages that hold still while rows arrive, cursors that are worth nothing elsewhere, CSV.
import { test, describe, before, after } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { assertError, fresh, hexOf, masked, openHouse, sendRaw, TIME, until, UUID7 } from "./harness.mjs";

// The organization with an Admin of it, who is signed in; `session` is what such a browser sends.
async function asAdmin(house, made) {
	const { cookie } = await house.member(made);
	return { ...made, session: { cookie } };
}

let house;
let organization;
let other;
let key;
before(async () => {
	house = await openHouse();
	organization = await asAdmin(house, await house.organization("Visit Lists"));
	other = await asAdmin(house, await house.organization("Visit Others"));
	key = organization.api_key;
});
after(() => house.end());

const read = async (path, who = organization, headers = {}) => house.get(path, { ...who.session, ...headers });
const json = async (path, who) => {
	const answer = await read(path, who);
	assert.equal(answer.status, 200, answer.text);
	return answer.json;
};
const next = (answer) => /^<([^>]*)>; rel="next"$/.exec(answer.headers.link ?? "")?.[1];
const cursorOf = (path) => new URL(path, "http://a").searchParams.get("cursor");

// All pages from `path` on: [rows of a page, ...]
async function pages(path, pick, between = async () => {}, who = organization) {
	const all = [];
	for (let at = path; at !== undefined; ) {
		const answer = await read(at, who);
		assert.equal(answer.status, 200, answer.text);
		all.push(pick(answer.json));
		at = next(answer);
		if (at !== undefined) await between(all.length);
	}
	return all;
}

// RFC 4180, strictly: [[cell, ...], ...]; every line ends with CRLF.
function parseCsv(text) {
	const lines = [];
	let line = [];
	for (let at = 0; at < text.length; ) {
		let cell = "";
		if (text[at] === '"') {
			for (at++; ; at++) {
				if (text[at] !== '"') cell += text[at];
				else if (text[at + 1] === '"') cell += text[++at];
				else break;
				assert.ok(at < text.length, "a quote is open");
			}
			at++;
		} else while (!/[,\r]/.test(text[at])) cell += text[at++];
		line.push(cell);
		if (text[at] === ",") at++;
		else {
			assert.equal(text.slice(at, at + 2), "\r\n");
			at += 2;
			lines.push(line);
			line = [];
		}
	}
	assert.deepEqual(line, []);
	return lines;
}
// [{name: cell}, ...]
function csvRows(text) {
	const [names, ...lines] = parseCsv(text);
	return lines.map((line) => {
		assert.equal(line.length, names.length);
		return Object.fromEntries(names.map((name, i) => [name, line[i]]));
	});
}

const batch = async (items, who = key) => {
	for (let i = 0; i < items.length; i += 1000) {
		const answer = await house.post(who, "/api/batch", items.slice(i, i + 1000));
		assert.equal(answer.status, 207);
		assert.deepEqual(answer.json.errors, []);
	}
};

describe("shapes", () => {
	let chat;
	let visitor;
	let user;
	before(async () => {
		chat = fresh("chat");
		await house.ok(key, "/api/chats/create", { sessionId: "shape-1", chatId: chat, location: "Fort Myers, Florida, US", userAgent: "UA", metadata: { a: 1 } });
		await house.ok(key, "/api/chats/message", { chatId: chat, role: "user", content: "one", metadata: { m: 1 } });
		await house.ok(key, "/api/chats/message", { chatId: chat, role: "assistant", content: "two" });
		await house.ok(key, "/api/articles/view", { articleId: "a-1", articleSlug: "a", articleTitle: "An article", sessionId: "shape-1" });
		visitor = (await house.ok(key, "/api/visitors/identify", { email: "shape@a.example", session_id: "shape-1", name: "S", metadata: { v: 1 } })).visitor_id;
		user = (await house.ok(key, "/api/users/identify", { email: "shape-user@a.example", session_id: "shape-1" })).user_id;
	});
	test("GET /api/chats", async () => {
		const [row] = (await json("/api/chats")).filter(({ chat_id }) => chat_id === chat);
		assert.match(row.id, UUID7);
		assert.match(row.created_at, TIME);
		assert.match(row.updated_at, TIME);
		const { id: ours, created_at, updated_at, ...rest } = row;
		assert.deepEqual(rest, {
			chat_id: chat, session_id: "shape-1", user_id: user, visitor_id: visitor, location: "Fort Myers, Florida, US", user_agent: "UA",
			status: "active", metadata: { a: 1 }, message_count: 2, organization_id: organization.id,
		});
		assert.deepEqual(Object.keys(row), ["id", "chat_id", "session_id", "user_id", "visitor_id", "location", "user_agent", "status", "metadata", "created_at", "updated_at", "message_count", "organization_id"]);
	});
	test("GET /api/chats/{chatId}/messages, by either id", async () => {
		const rows = await json(`/api/chats/${chat}/messages`);
		assert.deepEqual(rows.map(({ id: ours, created_at, ...rest }) => rest), [
			{ chat_id: chat, role: "user", content: "one", metadata: { m: 1 } },
			{ chat_id: chat, role: "assistant", content: "two", metadata: null },
		]);
		const [{ id: internal }] = (await json("/api/chats")).filter(({ chat_id }) => chat_id === chat);
		assert.deepEqual(await json(`/api/chats/${internal}/messages`), rows);
	});
	test("GET /api/visitors and /api/visitors/{id}", async () => {
		const [row] = (await json("/api/visitors")).visitors.filter(({ id: ours }) => ours === visitor);
		const { created_at, last_active_at, ...rest } = row;
		assert.match(created_at, TIME);
		assert.match(last_active_at, TIME);
		assert.deepEqual(rest, { id: visitor, email: "shape@a.example", name: "S", source: "newsletter", metadata: { v: 1 }, organization_id: organization.id });
		assert.deepEqual(await json(`/api/visitors/${visitor}`), { visitor: row });
		assert.deepEqual(await json(`/api/visitors/${visitor.toUpperCase()}`), { visitor: row });
	});
	test("GET /api/users and /api/users/{id}: members and contacts", async () => {
		const { users } = await json("/api/users");
		const [row] = users.filter(({ id: ours }) => ours === user);
		const { created_at, updated_at, ...rest } = row;
		assert.deepEqual(rest, { id: user, email: "shape-user@a.example", name: null, image: null, role: "Visitor", provider: rest.provider, provider_id: null, last_sign_in_at: null, organization_id: organization.id });
		assert.ok(users.some(({ role }) => role === "Admin"));
		assert.deepEqual(await json(`/api/users/${user}`), { user: row });
	});
	test("chats and views of a visitor and of a user", async () => {
		for (const path of [`/api/visitors/${visitor}`, `/api/users/${user}`]) {
			const { chats } = await json(`${path}/chats`);
			assert.equal(chats.length, 1, path);
			const { id: ours, created_at, ...short } = chats[0];
			assert.deepEqual(short, { chat_id: chat, topic_summary: null, leadScore: null, sentiment: null, message_count: 2 });
			const { views } = await json(`${path}/views`);
			const [{ id: view, viewed_at, ...viewed }] = views;
			assert.match(viewed_at, TIME);
			assert.deepEqual(viewed, { article_id: "a-1", article_name: "An article", article_type: "Article" });
		}
	});
	test("an id that nobody has, one of another organization and one that is none answer the same bytes", async () => {
		const theirs = (await house.ok(other.api_key, "/api/visitors/identify", { email: "their@a.example", session_id: "t" })).visitor_id;
		const theirUser = (await house.ok(other.api_key, "/api/users/identify", { email: "their@a.example", session_id: "t" })).user_id;
		const theirChat = fresh("chat");
		await house.ok(other.api_key, "/api/chats/create", { sessionId: "t", chatId: theirChat });
		const answers = [];
		for (const format of ["", "?format=csv"])
			for (const path of [
				...[theirs, randomUUID(), "x", "%27%20OR%201"].flatMap((one) => ["", "/chats", "/views"].map((rest) => `/api/visitors/${one}${rest}`)),
				...[theirUser, randomUUID(), "x"].flatMap((one) => ["", "/chats", "/views"].map((rest) => `/api/users/${one}${rest}`)),
				...[theirChat, fresh("chat"), "x"].map((one) => `/api/chats/${one}/messages`),
			]) {
				const answer = await read(path + format);
				assertError(answer, 404, "not_found");
				answers.push(masked(answer));
			}
		assert.equal(new Set(answers).size, 1);
	});
});

describe("summaries", () => {
	let told;
	let summarized;
	let visitor;
	before(async () => {
		told = fresh("told");
		summarized = fresh("summarized");
		await house.ok(key, "/api/chats/create", { sessionId: "sum", chatId: told, metadata: { topicSummary: "beaches", leadScore: 7, sentiment: "positive", mine: true } });
		await house.ok(key, "/api/chats/create", { sessionId: "sum", chatId: summarized, metadata: { topicSummary: "old", leadScore: 1, mine: true } });
		visitor = (await house.ok(key, "/api/visitors/identify", { email: "sum@a.example", session_id: "sum" })).visitor_id;
		await house.stop();
		await house.change(`INSERT INTO chat_summaries (chat_number, organization_id, topic_summary, user_score, lead_score, sentiment, topics, conversion_signals, summarized_at)
			SELECT number, organization_id, 'shells', 5, 9, 'negative', '["a","b"]', '["asked for a price"]', 1795446245678 FROM chats WHERE chat_id = '${summarized}'`);
		await house.start();
	});
	test("a summary stands in a chat's metadata; without one, what the concierge said stays", async () => {
		const chats = await json("/api/chats");
		const of = (name) => chats.find(({ chat_id }) => chat_id === name).metadata;
		assert.deepEqual(of(told), { topicSummary: "beaches", leadScore: 7, sentiment: "positive", mine: true });
		assert.deepEqual(of(summarized), {
			topicSummary: "shells", userScore: 5, leadScore: 9, sentiment: "negative", topics: ["a", "b"], conversionSignals: ["asked for a price"],
			summarizedAt: "2026-11-23T15:04:05.678Z", mine: true,
		});
	});
	test("a visitor's chats show the summary, else what the concierge said", async () => {
		const { chats } = await json(`/api/visitors/${visitor}/chats`);
		const of = (name) => chats.map(({ id, created_at, ...rest }) => rest).find(({ chat_id }) => chat_id === name);
		assert.deepEqual(of(told), { chat_id: told, topic_summary: "beaches", leadScore: 7, sentiment: "positive", message_count: 0 });
		assert.deepEqual(of(summarized), { chat_id: summarized, topic_summary: "shells", leadScore: 9, sentiment: "negative", message_count: 0 });
	});
	test("filters by summary", async () => {
		const names = async (query) => (await json(`/api/chats?${query}`)).map(({ chat_id }) => chat_id);
		assert.deepEqual(await names("min_lead_score=9"), [summarized]);
		assert.deepEqual(await names("min_lead_score=10"), []);
		assert.deepEqual(await names("sentiment=negative"), [summarized]);
		// A filter chooses by what the list shows: what the concierge gave, where no summary says otherwise.
		assert.deepEqual(await names("sentiment=positive"), [told]);
		assert.deepEqual((await names("min_lead_score=7")).sort(), [told, summarized].sort());
		assert.deepEqual(await names("sentiment=positive&min_lead_score=8"), []);
		assert.deepEqual(await names("sentiment=negative&min_lead_score=2&status=active"), [summarized]);
	});
});

describe("filters of chats", () => {
	const at = (time) => `filter-${time}`;
	const times = ["2026-03-01T00:00:00.000Z", "2026-03-01T23:59:59.999Z", "2026-03-02T00:00:00.000Z", "2026-03-03T12:00:00.000Z"];
	let visitor;
	before(async () => {
		for (const [i, timestamp] of times.entries())
			await house.ok(key, "/api/chats/create", { sessionId: "filter", chatId: at(timestamp), timestamp, status: i % 2 ? "completed" : "abandoned" });
		visitor = (await house.ok(key, "/api/visitors/identify", { email: "filter@a.example", session_id: "filter" })).visitor_id;
	});
	const names = async (query) => (await json(`/api/chats?${query}`)).map(({ chat_id }) => chat_id);
	const newest = (...chosen) => chosen.map((i) => at(times[i])).sort().reverse();

	test("from and to: a date is a whole day, a time a moment, both inclusive", async () => {
		assert.deepEqual(await names("from=2026-03-01&to=2026-03-03"), newest(0, 1, 2, 3));
		assert.deepEqual(await names("from=2026-03-01&to=2026-03-01"), newest(0, 1));
		assert.deepEqual(await names("from=2026-03-02&to=2026-03-31"), newest(2, 3));
		assert.deepEqual(await names(`from=2026-03-01T23:59:59.999Z&to=${times[2]}`), newest(1, 2));
		assert.deepEqual(await names("from=2026-03-01T23:00:00-01:00&to=2026-03-02"), newest(2));
		assert.deepEqual(await names("to=2026-02-01"), []);
	});
	test("a date is a day of the organization's time zone, also where clocks change", async () => {
		const who = await asAdmin(house, await house.organization(fresh("zone")));
		const zone = await house.request("PUT", "/api/settings", { headers: { ...who.session, "content-type": "application/json" }, body: JSON.stringify({ time_zone: "America/New_York" }) });
		assert.equal(zone.status, 200, zone.text);
		// 2026-03-08 has 23 hours there: from 05:00Z to 04:00Z.
		const moments = ["2026-03-08T04:59:59.999Z", "2026-03-08T05:00:00.000Z", "2026-03-09T03:59:59.999Z", "2026-03-09T04:00:00.000Z"];
		for (const timestamp of moments) await house.ok(who.api_key, "/api/chats/create", { sessionId: "z", chatId: timestamp, timestamp });
		const found = async (query) => (await json(`/api/chats?${query}`, who)).map(({ chat_id }) => chat_id);
		assert.deepEqual(await found("from=2026-03-08&to=2026-03-08"), [moments[2], moments[1]]);
		assert.deepEqual(await found("to=2026-03-07"), [moments[0]]);
		assert.deepEqual(await found("from=2026-03-09"), [moments[3]]);
		assert.deepEqual(await found("from=1970-01-01&to=9999-12-31"), moments.toReversed());
	});
	test("status and visitor, and all together, page by page", async () => {
		assert.deepEqual(await names("status=completed&to=2026-04-01"), newest(1, 3));
		assert.deepEqual(await names(`visitor=${visitor}`), newest(0, 1, 2, 3));
		assert.deepEqual(await names(`visitor=${visitor}&status=abandoned&from=2026-03-02`), newest(2));
		const all = await pages(`/api/chats?visitor=${visitor}&limit=1&to=2026-03-02`, (rows) => rows.map(({ chat_id }) => chat_id));
		assert.deepEqual(all, newest(0, 1, 2).map((name) => [name]));
	});
	test("a visitor of another organization has no chats here", async () => {
		await house.ok(other.api_key, "/api/chats/create", { sessionId: "theirs", chatId: fresh("chat") });
		const theirs = (await house.ok(other.api_key, "/api/visitors/identify", { email: "theirs@a.example", session_id: "theirs" })).visitor_id;
		assert.deepEqual(await names(`visitor=${theirs}`), []);
		assert.equal((await json(`/api/chats?visitor=${theirs}`, other)).length, 1);
	});
	test("unknown parameters are ignored", async () => assert.deepEqual(await names(`visitor=${visitor}&organization_id=${other.id}&offset=7&x`), newest(0, 1, 2, 3)));
	for (const [query, field] of [
		["limit=0", "limit"], ["limit=1001", "limit"], ["limit=abc", "limit"], ["limit=-1", "limit"], ["limit=1.5", "limit"], ["limit=99999999999999999999", "limit"],
		["limit=1&limit=2", "limit"], ["cursor=x", "cursor"], ["cursor=AAAA", "cursor"], [`cursor=${"A".repeat(75)}`, "cursor"], [`cursor=${"%27".repeat(60)}`, "cursor"],
		["format=xml", "format"], ["status=open", "status"], ["sentiment=happy", "sentiment"], ["min_lead_score=11", "min_lead_score"], ["min_lead_score=x", "min_lead_score"],
		["visitor=x", "visitor"], ["from=x", "from"], ["to=2026-13-01", "to"], ["to=2026-02-30", "to"], ["from=2026-1-1", "from"], ["from=2026-03-02&to=2026-03-01", "from"], ["from=yesterday&format=csv", "from"], ["cursor=x&format=csv", "cursor"],
	])
		test(`?${query.slice(0, 40)} is 400 for ${field}`, async () => assertError(await read(`/api/chats?${query}`), 400, "invalid_field", field));
});

describe("pages", () => {
	test("every row that stood is seen exactly once, newest first, while others arrive", async () => {
		const mine = fresh("paging");
		const who = await asAdmin(house, await house.organization(mine));
		const stood = Array.from({ length: 250 }, (_, i) => `${mine}-${i}`);
		// Many of the same millisecond: the number decides.
		await batch(stood.map((chatId, i) => ({ type: "chat", sessionId: "s", chatId, timestamp: new Date(Date.UTC(2026, 0, 1) + Math.floor(i / 20)).toISOString() })), who.api_key);
		let late = 0;
		const all = await pages("/api/chats?limit=17", (rows) => rows, async () => {
			await batch([
				{ type: "chat", sessionId: "s", chatId: `late-${mine}-${late++}` },
				{ type: "chat", sessionId: "s", chatId: `late-${mine}-${late++}`, timestamp: "2025-12-31T00:00:00Z" },
			], who.api_key);
		}, who);
		const rows = all.flat();
		const seen = rows.map(({ chat_id }) => chat_id);
		assert.equal(new Set(seen).size, seen.length, "none twice");
		assert.deepEqual(seen.filter((name) => !name.startsWith("late")), stood.toReversed());
		for (const page of all.slice(0, -1)) assert.equal(page.length, 17);
		for (let i = 1; i < rows.length; i++) assert.ok(rows[i - 1].created_at >= rows[i].created_at);
	});
	test("the last page that is exactly full has no next", async () => {
		const who = await asAdmin(house, await house.organization(fresh("full")));
		await batch(Array.from({ length: 6 }, (_, i) => ({ type: "visitor", email: `full${i}@a.example` })), who.api_key);
		const all = await pages("/api/visitors?limit=3", ({ visitors }) => visitors.map(({ email }) => email), undefined, who);
		assert.deepEqual(all.map(({ length }) => length), [3, 3]);
		assert.deepEqual((await pages("/api/visitors?limit=1000", ({ visitors }) => visitors, undefined, who)).length, 1);
		assert.deepEqual((await pages("/api/visitors?limit=1", ({ visitors }) => visitors, undefined, await asAdmin(house, await house.organization(fresh("empty"))))), [[]]);
	});
	test("without a limit a page holds 1,000 rows", async () => {
		const who = await asAdmin(house, await house.organization(fresh("thousand")));
		await batch(Array.from({ length: 2001 }, (_, i) => ({ type: "visitor", email: `v${i}@a.example` })), who.api_key);
		const all = await pages("/api/visitors", ({ visitors }) => visitors.map(({ email }) => email), undefined, who);
		assert.deepEqual(all.map(({ length }) => length), [1000, 1000, 1]);
		assert.deepEqual(all.flat(), Array.from({ length: 2001 }, (_, i) => `v${2000 - i}@a.example`));
	});
	test("the link keeps the other parameters as they were sent, and replaces the cursor", async () => {
		const first = await read("/api/chats?status=active&&x=%3Ca%3E%2C%20b&limit=1&y=a+b");
		const path = next(first);
		assert.match(path, /^\/api\/chats\?status=active&x=%3Ca%3E%2C%20b&limit=1&y=a\+b&cursor=[A-Za-z0-9_-]+$/);
		const second = next(await read(path.replace("cursor", "%63ursor")));
		assert.equal(second.match(/cursor/g).length, 1);
		assert.doesNotMatch(second, /%63ursor/);
		assert.notEqual(cursorOf(second), cursorOf(path));
	});
	test("HEAD has the link and no body", async () => {
		const answer = await house.request("HEAD", "/api/chats?limit=1", { headers: organization.session });
		assert.equal(answer.status, 200);
		assert.equal(answer.text, "");
		assert.match(answer.headers.link, /rel="next"/);
	});
	test("a cursor outlives a restart, and shows nothing of what it says", async () => {
		const path = next(await read("/api/chats?limit=1"));
		const bytes = Buffer.from(cursorOf(path), "base64url");
		assert.equal(bytes.length, 56);
		const again = next(await read("/api/chats?limit=1"));
		assert.notEqual(again, path, "sealed anew each time");
		const before = await json(path);
		await house.restart();
		assert.deepEqual(await json(path), before);
	});
});

describe("a cursor is worth nothing", () => {
	let cursor;
	let chat;
	before(async () => {
		chat = fresh("chat");
		await house.ok(key, "/api/chats/create", { sessionId: "c", chatId: chat });
		for (let i = 0; i < 3; i++) await house.ok(key, "/api/chats/message", { chatId: chat, role: "user", content: `${i}` });
		cursor = cursorOf(next(await read("/api/chats?limit=1")));
		for (let i = 0; i < 3; i++) await house.ok(other.api_key, "/api/chats/create", { sessionId: "c", chatId: fresh("theirs") });
	});
	const refused = async (path, who) => {
		const answer = await read(path, who);
		assertError(answer, 400, "invalid_field", "cursor");
		return masked(answer);
	};
	test("in another organization, on another list, changed in any bit, cut or grown: the same bytes each time", async () => {
		const answers = [await refused(`/api/chats?cursor=${cursor}`, other), await refused(`/api/visitors?cursor=${cursor}`), await refused(`/api/chats/${chat}/messages?cursor=${cursor}`)];
		const bytes = Buffer.from(cursor, "base64url");
		for (let bit = 0; bit < bytes.length * 8; bit += 7) {
			const forged = Buffer.from(bytes);
			forged[bit >> 3] ^= 1 << (bit & 7);
			answers.push(await refused(`/api/chats?cursor=${forged.toString("base64url")}`));
		}
		for (const text of [cursor.slice(0, -1), `${cursor}A`, `${cursor}=`, cursor.slice(4), "A".repeat(200), ` ${cursor}`.replace(" ", "%20")]) answers.push(await refused(`/api/chats?cursor=${text}`));
		assert.equal(new Set(answers).size, 1);
		assert.equal((await read(`/api/chats?cursor=${cursor}`)).status, 200, "it is still good where it belongs");
	});
	test("for the messages of another chat", async () => {
		const second = fresh("chat");
		await house.ok(key, "/api/chats/create", { sessionId: "c", chatId: second });
		for (let i = 0; i < 3; i++) await house.ok(key, "/api/chats/message", { chatId: second, role: "user", content: `${i}` });
		const path = next(await read(`/api/chats/${chat}/messages?limit=1`));
		await refused(path.replace(chat, second));
	});
});

describe("messages", () => {
	let chat;
	before(async () => {
		chat = `chat ${fresh("a+b")}?"<ü>%`;
		await house.ok(key, "/api/chats/create", { sessionId: "m", chatId: chat });
		await batch(Array.from({ length: 1203 }, (_, i) => ({
			type: "message", chatId: chat, role: i % 2 ? "assistant" : "user", content: `message ${i}`,
			timestamp: new Date(Date.UTC(2026, 5, 1) + ((i * 7919) % 1203) * 1000).toISOString(), // the times are in no order
		})));
	});
	const path = () => `/api/chats/${encodeURIComponent(chat)}/messages`;
	const contents = (rows) => rows.map(({ content }) => Number(content.slice(8)));
	const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i);

	test("a page holds the newest in the order in which they were said, the next one older ones", async () => {
		const all = await pages(`${path()}?limit=500`, contents);
		assert.deepEqual(all, [range(703, 1203), range(203, 703), range(0, 203)]);
		assert.deepEqual((await pages(path(), contents)).map(({ length }) => length), [1000, 203]);
	});
	test("stable while others are said", async () => {
		const all = await pages(`${path()}?limit=401`, contents, async (n) => {
			await house.ok(key, "/api/chats/message", { chatId: chat, role: "user", content: `message ${1202 + n}` });
		});
		assert.deepEqual(all.toReversed().flat(), range(0, 1203));
	});
	test("as CSV oldest first, all of them or the newest", async () => {
		const all = await read(`${path()}?format=csv`);
		const rows = csvRows(all.text);
		assert.deepEqual(contents(rows), range(0, rows.length));
		assert.ok(rows.length >= 1203);
		assert.deepEqual(Object.keys(rows[0]), ["id", "chat_id", "role", "content", "metadata", "created_at"]);
		const newest = csvRows((await read(`${path()}?format=csv&limit=700`)).text);
		assert.deepEqual(contents(newest), range(rows.length - 700, rows.length));
	});
	test("a chat without messages", async () => {
		const empty = fresh("empty");
		await house.ok(key, "/api/chats/create", { sessionId: "m", chatId: empty });
		assert.deepEqual(await json(`/api/chats/${empty}/messages`), []);
		assert.equal((await read(`/api/chats/${empty}/messages?format=csv`)).text, "id,chat_id,role,content,metadata,created_at\r\n");
	});
	test("a page of very large messages ends early and goes on behind its link", async () => {
		const large = fresh("large");
		await house.ok(key, "/api/chats/create", { sessionId: "m", chatId: large });
		for (let i = 0; i < 30; i++) await house.ok(key, "/api/chats/message", { chatId: large, role: "user", content: `message ${i} `.padEnd(700_000, "x") });
		const all = await pages(`/api/chats/${large}/messages`, (rows) => rows.map(({ content }) => parseInt(content.slice(8))));
		assert.ok(all.length > 1);
		assert.deepEqual(all.toReversed().flat(), range(0, 30));
		assert.deepEqual(csvRows((await read(`/api/chats/${large}/messages?format=csv`)).text).map(({ content }) => parseInt(content.slice(8))), range(0, 30));
	});
});

describe("CSV", () => {
	let who;
	const formulas = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(\"http://x\",\"y\")", "=cmd|' /C calc'!A0"];
	before(async () => {
		who = await asAdmin(house, await house.organization(fresh("csv")));
		await batch(Array.from({ length: 5000 }, (_, i) => ({ type: "visitor", email: `v${i}@a.example`, name: `Name ${i}, "quoted"\r\nü`, metadata: { i } })), who.api_key);
	});
	test("all 5,000 rows, not a page, as JSON has them", async () => {
		const answer = await read("/api/visitors?format=csv", who);
		assert.equal(answer.status, 200);
		assert.match(answer.headers["content-type"], /^text\/csv; charset=utf-8/);
		assert.match(answer.headers["content-disposition"], /^attachment; filename="visitors-\d{4}-\d\d-\d\d\.csv"$/);
		assert.equal(answer.headers.link, undefined);
		const rows = csvRows(answer.text);
		const wanted = (await pages("/api/visitors", ({ visitors }) => visitors, undefined, who)).flat();
		assert.deepEqual(rows, wanted.map((row) => ({ ...row, metadata: JSON.stringify(row.metadata) })));
		assert.equal(rows.length, 5000);
	});
	test("is on record, with who took it out", async () => {
		await read("/api/chats?format=csv", who);
		const [{ action, target, actor_kind }] = (await read("/api/audit?limit=1", who)).json.entries;
		assert.deepEqual([action, target, actor_kind], ["list.export", "chats", "user"]);
	});
	test("with limit it is that many, with a cursor from there on", async () => {
		const limited = csvRows((await read("/api/visitors?format=csv&limit=700", who)).text);
		assert.deepEqual(limited.map(({ email }) => email), Array.from({ length: 700 }, (_, i) => `v${4999 - i}@a.example`));
		const path = next(await read("/api/visitors?limit=700", who));
		const rest = csvRows((await read(path.replace("limit=700", "format=csv"), who)).text);
		assert.equal(rest.length, 4300);
		assert.equal(rest[0].email, "v4299@a.example");
	});
	test("by Accept, unless format or the order there says otherwise", async () => {
		const type = async (path, accept) => (await read(path, who, { accept })).headers["content-type"].split(";")[0];
		assert.equal(await type("/api/visitors?limit=1", "text/csv"), "text/csv");
		assert.equal(await type("/api/visitors?limit=1", "TEXT/CSV, */*;q=0.1"), "text/csv");
		assert.equal(await type("/api/visitors?limit=1", "application/json, text/csv"), "application/json");
		assert.equal(await type("/api/visitors?limit=1", "*/*"), "application/json");
		assert.equal(await type("/api/visitors?limit=1&format=json", "text/csv"), "application/json");
		assert.equal(await type("/api/visitors?limit=1&format=csv", "application/json"), "text/csv");
	});
	test("no cell begins a formula", async () => {
		const one = await asAdmin(house, await house.organization(fresh("formulas")));
		for (const [i, name] of formulas.entries()) await house.ok(one.api_key, "/api/visitors/identify", { email: `=f${i}@a.example`, name, source: name });
		for (const [i, chatId] of formulas.entries()) {
			await house.ok(one.api_key, "/api/chats/create", { sessionId: formulas[i], chatId, location: chatId, userAgent: chatId });
			await house.ok(one.api_key, "/api/chats/message", { chatId, role: "user", content: chatId });
		}
		const texts = [(await read("/api/visitors?format=csv", one)).text, (await read("/api/chats?format=csv", one)).text];
		for (const { id } of await json("/api/chats", one)) texts.push((await read(`/api/chats/${id}/messages?format=csv`, one)).text);
		assert.equal(texts.length, 2 + formulas.length);
		for (const text of texts) for (const cell of parseCsv(text).flat()) assert.doesNotMatch(cell, /^[=+\-@\t\r]/);
		assert.deepEqual(csvRows(texts[0]).map(({ name }) => name), formulas.map((name) => `'${name}`).toReversed());
	});
	test("HEAD has its head and asks for no row", async () => {
		const answer = await house.request("HEAD", "/api/visitors?format=csv", { headers: who.session });
		assert.equal(answer.status, 200);
		assert.match(answer.headers["content-type"], /^text\/csv/);
		assert.equal(answer.text, "");
	});
	test("HTTP/1.0 gets it whole", async () => {
		const head = Object.entries(who.session).map(([name, value]) => `${name}: ${value}\r\n`).join("");
		const text = await sendRaw(house.port, `GET /api/visitors?format=csv HTTP/1.0\r\n${head}\r\n`, { half: false });
		assert.equal(csvRows(Buffer.from(text.slice(text.indexOf("\r\n\r\n") + 4), "latin1").toString("utf8")).length, 5000);
	});
	test("clients that do not read hold up nobody, and four of an organization are what it may have", async () => {
		// More than the sockets' buffers hold, so that it cannot end before it is read.
		const large = await asAdmin(house, await house.organization(fresh("large")));
		for (let n = 0; n < 200; n += 50)
			await batch(Array.from({ length: 50 }, (_, i) => ({ type: "visitor", email: `v${n + i}@a.example`, metadata: { text: "x".repeat(60000) } })), large.api_key);
		const head = Object.entries(large.session).map(([name, value]) => `${name}: ${value}\r\n`).join("");
		// Reads the first line, and then no more.
		const open = () => new Promise((resolve) => {
			const socket = connect(house.port, "127.0.0.1");
			socket.on("error", () => {});
			socket.write(`GET /api/visitors?format=csv HTTP/1.1\r\nHost: a\r\n${head}\r\n`);
			socket.once("data", (data) => {
				socket.pause();
				resolve({ socket, status: Number(/^HTTP\/1.1 (\d+)/.exec(data.toString("latin1"))[1]) });
			});
		});
		const slow = await Promise.all(Array.from({ length: 40 }, open));
		assert.deepEqual([200, 429].map((status) => slow.filter((one) => one.status === status).length), [4, 36]);
		for (const path of ["/api/visitors", "/api/chats", "/api/articles/stats"]) {
			const refused = await read(`${path}?format=csv`, large);
			assertError(refused, 429, "rate_limited");
			assert.match(refused.headers["retry-after"], /^\d+$/);
			assert.equal(refused.headers["content-disposition"], undefined);
		}
		assert.equal(await house.value(`SELECT count(*) FROM audit_log WHERE action = 'list.export' AND organization_id = X'${hexOf(large.id)}'`), 4, "what was refused was not handed out");
		assert.equal((await read("/api/visitors?format=csv", who)).status, 200, "others have theirs");
		for (let i = 0; i < 50; i++) assert.equal((await json("/api/visitors?limit=1", large)).visitors.length, 1);
		await house.ok(large.api_key, "/api/visitors/identify", { email: "meanwhile@a.example" });
		for (const { socket } of slow) socket.destroy();
		await until(async () => (await read("/api/articles/stats?format=csv", large)).status === 200, "there is a place again");
		for (let i = 0; i < 10; i++) assert.equal((await read("/api/articles/stats?format=csv", large)).status, 200, "each leaves its own");
	});
});

test("GET /api/audit is a list of its own organization", async () => {
	const id = randomUUID();
	await house.stop();
	for (const [n, { id: owner }] of [organization, other].entries())
		await house.change(`INSERT INTO audit_log (organization_id, id, created_at, actor_kind, actor_email, action, target, detail, address)
			VALUES (X'${hexOf(owner)}', X'${hexOf(n ? randomUUID() : id)}', 1795446245678, 'user', 'a@a.example', 'key.revoke', 'CANARY${n}', '{"n":${n}}', '::1')`);
	await house.start();
	const answer = await read("/api/audit");
	const entry = answer.json.entries.find(({ id: one }) => one === id);
	assert.deepEqual(entry, { id, created_at: "2026-11-23T15:04:05.678Z", actor_kind: "user", actor_id: null, actor_email: "a@a.example", action: "key.revoke", target: "CANARY0", detail: { n: 0 }, address: "::1" });
	assert.doesNotMatch(answer.text, /CANARY1/);
});
