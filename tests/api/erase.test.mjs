// Erasing: everything that hangs on a chat or a visitor goes, the figures move along, nothing of another organization is
// touched, and nothing can be read from the files afterwards.
import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { assertError, fresh, masked, openHouse, postgres, psql, until } from "./harness.mjs";

let house;
let ours;
let theirs;
before(async () => {
	house = await openHouse();
	ours = await house.organization("Erase Ours");
	theirs = await house.organization("Erase Theirs");
	for (const owner of [ours, theirs]) owner.admin = await house.member(owner, "Admin");
});
after(() => house.end());

const TABLES = ["chats", "chat_activity", "messages", "chat_summaries", "article_mentions", "article_views", "web_mentions", "visitors", "erasures"];

// Rows of an organization by table.
async function rows(owner) {
	const found = {};
	for (const table of TABLES)
		found[table] = await house.value(`SELECT count(*) FROM ${table} WHERE organization_id = (SELECT id FROM organizations WHERE slug = '${owner.slug}')`);
	return found;
}

const exact = async () => {
	const answer = await house.run(["verify"]);
	assert.equal(answer.status, 0, answer.stdout + answer.stderr);
	assert.equal(JSON.parse(answer.stdout).differences.length, 0, answer.stdout);
};

const finished = () => until(async () => (await house.value("SELECT count(*) FROM erasures")) === 0, "all messages are gone", 60000);

// A visitor with a chat: three messages, a mention, a view, a web result that was clicked; everything says `canary`.
async function story(owner, name, canary, at) {
	const key = owner.api_key;
	const timestamp = at === undefined ? {} : { timestamp: at };
	await house.ok(key, "/api/chats/create", { sessionId: `${name}-session`, chatId: name, location: `${canary}, Florida, US`, ...timestamp });
	for (const role of ["user", "assistant", "user"])
		await house.ok(key, "/api/chats/message", { chatId: name, role, content: `${canary} says ${role}. ${canary.repeat(1000)}`, messageId: `${name}-${fresh("m")}`, ...timestamp });
	await house.ok(key, "/api/articles/mention", { chatId: name, articles: [{ id: `${canary}-a`, title: canary, slug: canary }] });
	await house.ok(key, "/api/articles/view", { chatId: name, sessionId: `${name}-session`, articleId: `${canary}-a`, articleSlug: canary });
	await house.ok(key, "/api/tavily-mentions", { chatId: name, sessionId: `${name}-session`, mentions: [{ url: `https://${canary}.example/`, title: canary, score: 1, content: canary }] });
	await house.ok(key, "/api/tavily-mentions/click", { chatId: name, articleUrl: `https://${canary}.example/` });
	const { visitor_id } = await house.ok(key, "/api/visitors/identify", { email: `${canary}@example.org`, session_id: `${name}-session`, chat_id: name, metadata: { season: canary } });
	return visitor_id;
}

const canaryOf = (prefix) => `${prefix}${fresh("").replaceAll("-", "")}`;

test("a chat goes with everything that hangs on it; another organization's of the same name stays", async () => {
	const canary = canaryOf("a");
	const before = await rows(ours);
	await story(ours, "one", canary);
	await story(theirs, "one", canary);
	const there = await rows(theirs);
	const answer = await ours.admin.ok("DELETE", "/api/chats/one");
	assert.deepEqual(answer, { success: true, erased: { chats: 1, messages: 3, chat_summaries: 0, article_mentions: 1, article_views: 1, web_mentions: 1, visitors: 0, users: 0 } });
	assertError(await ours.admin.get("/api/chats/one/messages"), 404, "not_found");
	assert.deepEqual(await ours.admin.ok("GET", `/api/chats?q=${canary}`), []);
	await finished();
	assert.deepEqual(await rows(ours), { ...before, visitors: before.visitors + 1 });
	assert.deepEqual(await rows(theirs), there);
	await until(async () => (await theirs.admin.ok("GET", `/api/chats?q=${canary}`)).length === 1);
	await exact();
	// Nothing is left to erase: the same answer as for what never was.
	const again = await ours.admin.request("DELETE", "/api/chats/one");
	assertError(again, 404, "not_found");
	assert.equal(masked(again), masked(await ours.admin.request("DELETE", "/api/chats/never")));
});

// The database's files. PostgreSQL leaves what was removed in its own until they are written anew, which is its
// administrator's to do (docs/operate.md).
async function bytes() {
	let files = [house.file, `${house.file}-wal`];
	if (postgres) {
		await psql(house.name, "VACUUM (FULL, ANALYZE); VACUUM FULL pg_catalog.pg_statistic; CHECKPOINT");
		const folder = await psql(house.name, "SELECT current_setting('data_directory') || '/base/' || oid FROM pg_database WHERE datname = current_database()");
		files = readdirSync(folder.trim()).map((name) => join(folder.trim(), name));
	}
	return Buffer.concat(files.filter(existsSync).map((file) => readFileSync(file)));
}

test("a visitor goes with all chats and links, and no byte of it is left in the files", async () => {
	const canary = canaryOf("b");
	const visitor = await story(ours, "two", canary);
	const other = await story(theirs, "two", `x${canary.slice(1)}`);
	await house.ok(ours.api_key, "/api/chats/create", { sessionId: "two-session", chatId: "two-b" });
	await house.ok(ours.api_key, "/api/chats/message", { chatId: "two-b", role: "user", content: canary });
	await house.ok(ours.api_key, "/api/visitors/identify", { email: `${canary}@example.org`, session_id: "two-session", chat_id: "two-b" });
	assert.ok((await bytes()).includes(canary));
	// Another organization's visitor is unknown.
	const foreign = await ours.admin.request("DELETE", `/api/visitors/${other}`);
	assertError(foreign, 404, "not_found");
	assert.equal(masked(foreign), masked(await ours.admin.request("DELETE", "/api/visitors/01a20ac7-e92e-7bd6-8927-4c55f2a9588e")));
	const answer = await ours.admin.ok("DELETE", `/api/visitors/${visitor}`);
	assert.deepEqual(answer.erased, { chats: 2, messages: 4, chat_summaries: 0, article_mentions: 1, article_views: 1, web_mentions: 1, visitors: 1, users: 0 });
	await finished();
	await exact();
	if (postgres) assert.ok(!(await house.kept()).rows.includes(canary), "no row says it");
	// SQLite's log is emptied after a second of rest; nothing is asked of the operator.
	const gone = async () => {
		const left = await bytes();
		return !left.includes(canary) && !left.includes(canary.toUpperCase());
	};
	await until(gone, "no byte of the canary is left", 30000);
	assert.ok((await bytes()).includes(canary.slice(1)), "the other organization's words are still there");
});

test("only an Admin erases and exports, and the record says who did", async () => {
	const canary = canaryOf("c");
	const visitor = await story(ours, "three", canary);
	for (const role of ["Creator", "Member"]) {
		const browser = await house.member(ours, role);
		assertError(await browser.request("DELETE", "/api/chats/three"), 403, "forbidden");
		assertError(await browser.request("DELETE", `/api/visitors/${visitor}`), 403, "forbidden");
		assertError(await browser.get(`/api/visitors/${visitor}/export`), 403, "forbidden");
	}
	assertError(await house.request("DELETE", "/api/chats/three", { key: ours.api_key }), 401, "unauthorized");
	assert.equal((await ours.admin.get(`/api/visitors/${visitor}/export`)).status, 200);
	await ours.admin.ok("DELETE", `/api/visitors/${visitor}`);
	const audit = await house.rows(`SELECT action, target FROM audit_log WHERE target = '${visitor}' ORDER BY number`);
	assert.deepEqual(audit, [{ action: "visitor.export", target: visitor }, { action: "visitor.delete", target: visitor }]);
});

test("an export holds everything that is known of a person, and of nobody else", async () => {
	const canary = canaryOf("d");
	const visitor = await story(ours, "four", canary);
	const answer = await ours.admin.get(`/api/visitors/${visitor}/export`);
	assert.equal(answer.headers["content-disposition"], `attachment; filename="visitor-${visitor}.json"`);
	const { visitor: person, chats, article_views, web_mentions } = answer.json;
	assert.equal(person.email, `${canary}@example.org`);
	assert.deepEqual(person.metadata, { season: canary });
	assert.deepEqual(chats.map((chat) => chat.chat_id), ["four"]);
	assert.deepEqual(chats[0].messages.map((message) => message.role), ["user", "assistant", "user"]);
	assert.deepEqual(chats[0].article_mentions.map((mention) => mention.article_id), [`${canary}-a`]);
	assert.equal(article_views.length + chats[0].article_views.length, 1);
	assert.equal(web_mentions.length + chats[0].web_mentions.length, 1);
	assertError(await theirs.admin.get(`/api/visitors/${visitor}/export`), 404, "not_found");
});

// The tables with a row that says a word. (The tables of SQLite's index hold no row that reads as one.)
async function tablesThatSay(word) {
	if (postgres) {
		// At once, since each question is a program started.
		const asked = (await house.tables()).map((name) => `SELECT '${name}' AS name WHERE EXISTS (SELECT FROM ${name} AS t WHERE strpos(t::text, '${word}') > 0)`);
		return (await house.rows(asked.join(" UNION ALL "))).map(({ name }) => name);
	}
	const found = [];
	for (const name of await house.tables())
		if (!name.startsWith("search") && JSON.stringify(await house.rows(`SELECT * FROM "${name}"`)).includes(word)) found.push(name);
	return found;
}

// Whatever way a row can hang on a person; each says the canary and its own name.
async function everyLink(owner, canary) {
	const key = owner.api_key;
	const post = (path, body) => house.ok(key, path, body);
	const session = `${canary}-session`;
	const email = `${canary}@example.org`;
	const visitor = await story(owner, canary, canary);
	const web = (name, more) => post("/api/tavily-mentions", { mentions: [{ url: `https://${canary}.example/${name}`, title: `${canary} ${name}` }], sessionId: session, ...more });
	const view = (name, more) => post("/api/articles/view", { articleId: `${canary}-${name}`, articleSlug: `${canary}-${name}`, ...more });
	await web("web-of-session");
	await post("/api/tavily-mentions/click", { articleUrl: `https://${canary}.example/web-of-session`, sessionId: session });
	await web("web-of-unknown-chat", { chatId: `${canary}-never` });
	await web("web-of-visitor", { visitorId: visitor, sessionId: `${canary}-session-of-web` });
	await web("web-of-session-of-web", { sessionId: `${canary}-session-of-web` });
	await view("view-of-session", { sessionId: session });
	await view("view-of-chat", { chatId: canary });
	await post("/api/chats/create", { sessionId: session, chatId: `${canary}-chat-of-session`, metadata: { note: `${canary}-metadata` } });
	await post("/api/chats/message", { chatId: `${canary}-chat-of-session`, role: "user", content: `${canary}-message-of-session`, metadata: { note: canary } });
	// The contact: another session, known by the e-mail alone.
	await post("/api/chats/create", { sessionId: `${canary}-session-of-user`, chatId: `${canary}-chat-of-user` });
	await view("view-of-user", { sessionId: `${canary}-session-of-user` });
	await post("/api/users/identify", { email, name: `${canary}-name-of-user`, session_id: `${canary}-session-of-user` });
	await post("/api/articles/mention", { chatId: `${canary}-chat-of-user`, articles: [{ id: `${canary}-mention-of-user`, title: canary, slug: canary }] });
	const names = ["web-of-session", "web-of-unknown-chat", "web-of-visitor", "web-of-session-of-web", "view-of-session", "view-of-chat", "chat-of-session", "metadata", "message-of-session", "chat-of-user", "view-of-user", "name-of-user", "mention-of-user"];
	return { visitor, names, receipt: { chats: 3, messages: 4, chat_summaries: 0, article_mentions: 2, article_views: 4, web_mentions: 5, visitors: 1, users: 1 } };
}

const sum = (lists) => lists.reduce((total, list) => total + list.length, 0);

test("what an export shows is what an erasure removes, and nothing of the person is left in any table", async () => {
	const canary = canaryOf("e");
	const { visitor, names, receipt } = await everyLink(ours, canary);
	const foreign = await everyLink(theirs, canary);
	// Another visitor in the same session: linked to this one, it stays.
	const other = canaryOf("o");
	await house.ok(ours.api_key, "/api/chats/create", { sessionId: `${other}-session`, chatId: other, location: other });
	const { visitor_id: sharer } = await house.ok(ours.api_key, "/api/visitors/identify", { email: `${other}@example.org`, chat_id: other });
	await house.ok(ours.api_key, "/api/tavily-mentions", { mentions: [{ url: `https://${other}.example/`, title: other }], sessionId: `${canary}-session`, chatId: other });
	await house.ok(ours.api_key, "/api/tavily-mentions", { mentions: [{ url: `https://${other}.example/`, title: other }], sessionId: `${canary}-session`, visitorId: sharer });
	const kept = await rows(theirs);

	const { text, json } = await ours.admin.get(`/api/visitors/${visitor}/export`);
	for (const name of names) assert.ok(text.includes(name), name);
	assert.ok(!text.includes(other), "nothing of another visitor");
	assert.equal(json.user.email, `${canary}@example.org`);
	const { chats } = json;
	const shown = {
		chats: chats.length,
		messages: sum(chats.map((chat) => chat.messages)),
		chat_summaries: 0,
		article_mentions: sum(chats.map((chat) => chat.article_mentions)),
		article_views: json.article_views.length + sum(chats.map((chat) => chat.article_views)),
		web_mentions: json.web_mentions.length + sum(chats.map((chat) => chat.web_mentions)),
		visitors: 1,
		users: 1,
	};
	assert.deepEqual(shown, receipt);
	const answer = await ours.admin.ok("DELETE", `/api/visitors/${visitor}`);
	assert.deepEqual(answer.erased, receipt);
	await exact();
	await finished();
	assert.deepEqual(await rows(theirs), kept);
	assert.ok((await tablesThatSay(canary)).length > 5, "the other organization's person has the same words");
	assert.deepEqual((await theirs.admin.ok("DELETE", `/api/visitors/${foreign.visitor}`)).erased, receipt);
	await finished();
	// What the other visitor was shown in that session names the session; nothing else does.
	assert.deepEqual(await tablesThatSay(canary), ["web_mentions"]);
	assert.equal((await ours.admin.ok("DELETE", `/api/visitors/${sharer}`)).erased.web_mentions, 2);
	await finished();
	assert.deepEqual(await tablesThatSay(canary), []);
	assert.deepEqual(await tablesThatSay(other), []);
	await exact();
});

test("with the last chat of a session goes what carries the session alone", async () => {
	const canary = canaryOf("l");
	const key = ours.api_key;
	const shown = { sessionId: canary, mentions: [{ url: `https://${canary}.example/`, title: canary }] };
	for (const chatId of [`${canary}-1`, `${canary}-2`]) await house.ok(key, "/api/chats/create", { sessionId: canary, chatId });
	await house.ok(key, "/api/tavily-mentions", shown);
	await house.ok(key, "/api/articles/view", { sessionId: canary, articleId: canary, articleSlug: canary });
	const nothing = { messages: 0, chat_summaries: 0, article_mentions: 0, visitors: 0, users: 0 };
	assert.deepEqual((await ours.admin.ok("DELETE", `/api/chats/${canary}-1`)).erased, { ...nothing, chats: 1, article_views: 0, web_mentions: 0 });
	assert.deepEqual((await ours.admin.ok("DELETE", `/api/chats/${canary}-2`)).erased, { ...nothing, chats: 1, article_views: 1, web_mentions: 1 });
	// The record keeps whose chat it was, by the concierge's name of it.
	assert.deepEqual(await tablesThatSay(canary), ["audit_log"]);
	await exact();
});

test("a member with the visitor's e-mail stays, and is not exported", async () => {
	const canary = canaryOf("s");
	const email = `${canary}@example.org`;
	const { visitor_id } = await house.ok(ours.api_key, "/api/visitors/identify", { email });
	await ours.admin.ok("POST", "/api/users", { email });
	assert.equal((await ours.admin.ok("GET", `/api/visitors/${visitor_id}/export`)).user, null);
	const { erased } = await ours.admin.ok("DELETE", `/api/visitors/${visitor_id}`);
	assert.equal(erased.visitors, 1);
	assert.equal(erased.users, 0);
	assert.ok((await tablesThatSay(email)).includes("users"));
});

test("figures know nothing of a long conversation when its erasure is answered, and verify finds nothing on the way", async () => {
	const canary = canaryOf("n");
	const figures = () => ours.admin.ok("GET", "/api/analytics/summary-metrics");
	const before = await figures();
	await house.ok(ours.api_key, "/api/chats/create", { sessionId: canary, chatId: canary });
	for (let i = 0; i < 20; i++) {
		const items = Array.from({ length: 1000 }, (_, j) => ({ type: "message", chatId: canary, role: "user", content: `${i} ${j}`, timestamp: new Date(Date.UTC(2026, 0, 1 + ((i * 1000 + j) % 300))).toISOString() }));
		assert.equal((await house.post(ours.api_key, "/api/batch", items)).status, 207);
	}
	assert.equal((await figures()).totalMessages, before.totalMessages + 20000);
	const erasing = ours.admin.ok("DELETE", `/api/chats/${canary}`);
	await exact();
	assert.equal((await erasing).erased.messages, 20000);
	assert.deepEqual(await figures(), before);
	await exact();
	await finished();
	await exact();
});

test("a visitor of a thousand rows is told as one, whatever pieces it went in", async () => {
	const canary = canaryOf("g");
	const visitor = await story(ours, "great", canary);
	const shown = { type: "web_mentions", sessionId: "great-session", visitorId: visitor, mentions: Array.from({ length: 500 }, () => ({ url: `https://${canary}.example/` })) };
	const chats = Array.from({ length: 50 }, (_, i) => ({ type: "chat", sessionId: "great-session", chatId: `great-${i}` }));
	const views = Array.from({ length: 300 }, () => ({ type: "article_view", sessionId: "great-session", articleId: canary, articleSlug: canary }));
	assert.deepEqual((await house.post(ours.api_key, "/api/batch", [shown, { ...shown, chatId: "great" }, ...chats, ...views])).json.errors, []);
	await house.ok(ours.api_key, "/api/visitors/identify", { email: `${canary}@example.org`, session_id: "great-session" });
	const answer = await ours.admin.ok("DELETE", `/api/visitors/${visitor}`);
	assert.deepEqual(answer.erased, { chats: 51, messages: 3, chat_summaries: 0, article_mentions: 1, article_views: 301, web_mentions: 1001, visitors: 1, users: 0 });
	await finished();
	await exact();
});

test("while a chat's messages wait to be removed, their names and words are nobody's", async () => {
	const word = canaryOf("w");
	await house.ok(ours.api_key, "/api/chats/create", { sessionId: "gone", chatId: "gone" });
	const items = Array.from({ length: 1000 }, (_, i) => ({ type: "message", chatId: "gone", role: "user", content: `${word} ${i}`, messageId: `${word}-${i}` }));
	assert.equal((await house.post(ours.api_key, "/api/batch", items)).json.successes.length, 1000);
	await until(async () => (await ours.admin.ok("GET", `/api/chats?q=${word}`)).length === 1);
	await ours.admin.ok("DELETE", "/api/chats/gone");
	const oldest = { role: "user", content: "again", messageId: `${word}-0` }; // removed last
	assertError(await house.post(ours.api_key, "/api/chats/message", { chatId: "gone", ...oldest }), 404, "not_found");
	await house.ok(ours.api_key, "/api/chats/create", { sessionId: "next", chatId: "next" });
	assert.deepEqual(await ours.admin.ok("GET", `/api/chats?q=${word}`), []);
	const keyed = { chatId: "next", role: "user", content: "other" };
	for (const message of [{ chatId: "next", ...oldest }, { chatId: "next", ...oldest }, keyed]) await house.ok(ours.api_key, "/api/chats/message", message);
	const said = await ours.admin.ok("GET", "/api/chats/next/messages");
	assert.deepEqual(said.map(({ content }) => content), ["again", "other"]);
	await finished();
	await exact();
});

test("a conversation of ten thousand messages is gone at once, and its rows soon after, over a kill", async () => {
	await house.ok(ours.api_key, "/api/chats/create", { sessionId: "five", chatId: "five" });
	for (let i = 0; i < 10; i++) {
		const items = Array.from({ length: 1000 }, (_, j) => ({ type: "message", chatId: "five", role: "user", content: `word ${i} ${j}` }));
		assert.equal((await house.post(ours.api_key, "/api/batch", items)).status, 207);
	}
	const messages = (await rows(ours)).messages;
	const answer = await ours.admin.ok("DELETE", "/api/chats/five");
	assert.equal(answer.erased.messages, 10000);
	assertError(await ours.admin.get("/api/chats/five/messages"), 404, "not_found");
	house.child.kill("SIGKILL");
	await house.exited;
	await house.start();
	await finished();
	assert.equal((await rows(ours)).messages, messages - 10000);
	await exact();
});

test("a retention is counted before, applied to what is older, and never to others", async () => {
	const kept = await house.organization("Erase Kept");
	const canary = canaryOf("f");
	await story(kept, "old", canary, "2020-01-01T00:00:00Z");
	await story(kept, "new", `${canary}n`);
	const there = await rows(theirs);
	const run = async (...words) => {
		const answer = await house.run(["retention", "--organization", kept.slug, ...words]);
		assert.equal(answer.status, 0, answer.stderr);
		return JSON.parse(answer.stdout);
	};
	const forever = await house.run(["retention", "--organization", kept.slug]);
	assert.equal(forever.status, 1);
	assert.match(forever.stderr, /keeps its data for ever/);
	// What moved today is not old, whenever it says it was.
	const none = await run("--days", "30", "--dry-run");
	assert.equal(none.would_erase.chats, 0);
	assert.deepEqual((await run("--days", "30")).erased, none.would_erase);
	const before = new Date(Date.now() + 3600000).toISOString();
	const counted = await run("--before", before, "--dry-run");
	assert.deepEqual(counted.would_erase, { chats: 2, messages: 6, chat_summaries: 0, article_mentions: 2, article_views: 2, web_mentions: 2, visitors: 2, users: 0 });
	const unchanged = await rows(kept);
	assert.equal(unchanged.messages, 6);
	const applied = await run("--before", before);
	assert.deepEqual(applied.erased, counted.would_erase);
	await finished();
	const left = await rows(kept);
	for (const table of TABLES) assert.equal(left[table], 0, table);
	assert.deepEqual(await rows(theirs), there);
	await exact();
	const audit = await house.rows(`SELECT detail FROM audit_log WHERE action = 'retention.apply'`);
	assert.equal(JSON.parse(audit[0].detail).erased.chats, 2);
});
