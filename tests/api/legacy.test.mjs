// `innkeeper import --legacy`: an older single-tenant CRM's tables, from its database or as CSV, into one organization.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { binary, fresh, hexOf, openHouse, until, uuid } from "./harness.mjs";
import { chance, databaseOf, daysOf, endSources, figuresOf, folderOf, soundRows } from "./legacy_source.mjs";

const SEED = Number(process.env.INNKEEPER_TEST_SEED ?? 20251118);
const OLD_KEY = "hmz_abcdefghijklmnopqrstuvwxyz012345";
const NONE = { read: 0, stored: 0, already_there: 0, rejected: 0, changed: 0 };

let house;
let neighbour;
before(async () => {
	console.log(`seed ${SEED}`);
	house = await openHouse();
	neighbour = await house.organization("Neighbour");
	await house.ok(neighbour.api_key, "/api/chats/create", { sessionId: "s1", chatId: `chat_1_${SEED}` });
	await house.ok(neighbour.api_key, "/api/visitors/identify", { email: "visitor1@example.com", session_id: "s1" });
});
after(async () => {
	await house?.end();
	await endSources();
});

async function bring(source, slug, ...options) {
	const path = join(house.directory, fresh("rejected"));
	const result = await house.run(["import", "--legacy", source, "--organization", slug, "--rejected", path, ...options], { cwd: house.directory });
	assert.equal(result.signal, null, result.stderr);
	const lines = existsSync(path) ? readFileSync(path, "utf8").trim().split("\n").map((line) => JSON.parse(line)) : [];
	return { status: result.status, stderr: result.stderr, path, lines, ...(result.stdout === "" ? {} : JSON.parse(result.stdout)) };
}

const exact = async () => assert.equal((await house.run(["verify"])).status, 0, "every figure is what the rows say");

// Everything of an organization that an import writes, but for internal numbers.
async function holdings({ id }) {
	const where = `WHERE t.organization_id = X'${hexOf(id)}'`;
	const tables = {
		users: `SELECT lower(hex(t.id)) AS id, email, name, role, provider, created_at FROM users AS t ${where} ORDER BY email`,
		visitors: `SELECT lower(hex(t.id)) AS id, email, name, source, metadata, created_at, last_active_at FROM visitors AS t ${where} ORDER BY t.id`,
		chats: `SELECT lower(hex(t.id)) AS id, chat_id, session_id, user_id, lower(hex(visitor_id)) AS visitor, location, user_agent, status, metadata, created_at FROM chats AS t ${where} ORDER BY t.id`,
		activity: `SELECT c.chat_id, t.updated_at, t.message_count FROM chat_activity AS t JOIN chats AS c ON c.number = t.chat_number ${where} ORDER BY c.chat_id`,
		summaries: `SELECT c.chat_id, topic_summary, user_score, lead_score, sentiment, topics, conversion_signals, summarized_at, m.external_id FROM chat_summaries AS t JOIN chats AS c ON c.number = t.chat_number LEFT JOIN messages AS m ON m.number = t.last_message ${where} ORDER BY c.chat_id`,
		messages: `SELECT lower(hex(t.id)) AS id, c.chat_id, role, content, t.created_at, external_id FROM messages AS t JOIN chats AS c ON c.number = t.chat_number ${where} ORDER BY external_id`,
		mentions: `SELECT lower(hex(t.id)) AS id, article_id, article_name, article_slug, chat_id, mentioned_at FROM article_mentions AS t ${where} ORDER BY t.id`,
		views: `SELECT lower(hex(t.id)) AS id, article_id, chat_id, session_id, lower(hex(visitor_id)) AS visitor, viewed_at FROM article_views AS t ${where} ORDER BY t.id`,
		web: `SELECT lower(hex(t.id)) AS id, article_url, article_title, chat_id, session_id, mentioned_at, clicked_at, metadata FROM web_mentions AS t ${where} ORDER BY t.id`,
	};
	const entries = await Promise.all(Object.entries(tables).map(async ([name, sql]) => [name, await house.rows(sql)]));
	return Object.fromEntries(entries);
}

// Both generations of names: tavily_mentions beside article_mentions, or its later name in an article_mentions of its own.
const older = ({ users, visitors, chats, messages, mentions, views, web }) => ({
	users,
	visitors,
	chats,
	messages: messages.map(({ created_at: timestamp, ...row }) => ({ ...row, timestamp })),
	article_mentions: mentions,
	article_views: views,
	tavily_mentions: web,
});
const later = ({ users, visitors, chats, messages, views, web }) => ({ users, visitors, chats, messages, article_mentions: web, article_views: views });

const valuesOf = (rows) => Object.fromEntries(rows.filter(({ value }) => value > 0).map(({ day, value }) => [day, value]));

async function assertFigures(organization, rows) {
	const member = await house.staff(organization);
	assert.deepEqual(await member.ok("GET", "/api/analytics/summary-metrics"), figuresOf(rows));
	const range = "?from=2025-01-01&to=2025-03-31";
	const activity = await member.ok("GET", `/api/analytics/user-activity${range}`);
	const totals = await member.ok("GET", `/api/analytics/event-totals${range}`);
	const days = daysOf(rows);
	assert.deepEqual(valuesOf(activity.uniqueUsers), days.uniqueUsers);
	assert.deepEqual(valuesOf(activity.chatMessages), days.chatSessions);
	assert.deepEqual(valuesOf(activity.registrations), days.registrations);
	for (const name of ["chatMessages", "articleClicks", "articleViews"]) assert.deepEqual(valuesOf(totals[name]), days[name], name);
}

test("a database of the older kind is brought in whole, figures and all, and only once", async () => {
	const rows = soundRows(SEED);
	const organization = await house.organization("Older Town");
	const before = await holdings(neighbour);
	const source = await databaseOf(older(rows));
	const answer = await bring(source.url, organization.slug);
	assert.equal(answer.status, 0, answer.stderr);
	assert.deepEqual([answer.source_organization, answer.api_key], [null, null]);
	for (const [table, list] of Object.entries(older(rows))) {
		const { changed, ...counts } = answer.tables[table];
		assert.deepEqual(counts, { read: list.length, stored: list.length, already_there: 0, rejected: 0 }, table);
		if (table !== "visitors") assert.equal(changed, 0, table);
	}
	assert.ok(answer.lines.every(({ table, outcome, reason }) => table === "visitors" && outcome === "changed" && /the two are one/.test(reason)));
	await assertFigures(organization, rows);
	await exact();

	const counts = await house.counts();
	const again = await bring(source.url, organization.slug);
	await source.drop();
	for (const [table, list] of Object.entries(older(rows))) assert.deepEqual(again.tables[table], { ...NONE, read: list.length, already_there: list.length }, table);
	assert.equal(again.rejected_file, null);
	assert.equal(existsSync(again.path), false, "a file without lines is not left behind");
	assert.deepEqual(await house.counts(), counts);
	assert.deepEqual(await holdings(neighbour), before, "the neighbour has what it had");
	await exact();
});

test("what the API shows of it is what it was: order, summary, metadata, visitor", async () => {
	const organization = await house.organization("Shown Town");
	const { uuid: id } = chance(SEED + 1);
	const visitor = { id: id(), email: "One@Example.com", created_at: "2025-01-01 00:00:00+00", first_name: "One", metadata: '{"a":1}' };
	const chat = {
		id: id(),
		chat_id: "c",
		session_id: "s",
		visitor_id: visitor.id,
		created_at: "2025-01-02T00:00:00Z",
		updated_at: "2025-01-05 00:00:00.5+00",
		metadata: { kept: true, topicSummary: "Beaches", userScore: 5, leadScore: 9, sentiment: "Positive", topics: ["Sand", "Sea", "Sun", "More"], conversionSignals: ["booked"], summarizedAt: "2025-01-02T00:02:30Z" },
	};
	const failed = { id: id(), chat_id: "f", session_id: "s", created_at: "2025-01-03", metadata: { topicSummary: "Failed", userScore: 3, leadScore: 3, sentiment: "neutral", topics: ["general inquiry"], summarizedAt: "2025-01-04" } };
	const messages = [3, 1, 2].map((i) => ({ id: id(), chat_id: i === 2 ? chat.id : "c", role: "user", content: `${i}`, created_at: 1735776000 + i * 60 }));
	const answer = await bring(folderOf(house.directory, { visitors: [visitor], chats: [failed, chat], messages }), organization.slug);
	assert.equal(answer.status, 0, answer.stderr);
	assert.deepEqual(answer.lines.map(({ key, reason }) => [key, reason]), [[failed.id, "Its scores are what a failed summarizer wrote: taken as not scored."]]);
	const member = await house.staff(organization);
	const [second, first] = await member.ok("GET", "/api/chats");
	assert.equal(first.id, chat.id);
	assert.equal(first.visitor_id, visitor.id);
	assert.equal(first.updated_at, "2025-01-05T00:00:00.500Z");
	assert.equal(first.message_count, 3);
	assert.deepEqual(first.metadata, { kept: true, topicSummary: "Beaches", userScore: 5, leadScore: 9, sentiment: "positive", topics: ["Sand", "Sea", "Sun"], conversionSignals: ["booked"], summarizedAt: "2025-01-02T00:02:30.000Z" });
	assert.equal(await house.value(`SELECT metadata FROM chats WHERE id = X'${hexOf(chat.id)}'`), '{"kept":true}');
	assert.equal(second.metadata.topicSummary, "Failed");
	assert.deepEqual([second.metadata.userScore ?? null, second.metadata.leadScore ?? null, second.metadata.sentiment ?? null], [null, null, null]);
	const said = await member.ok("GET", "/api/chats/c/messages");
	assert.deepEqual(said.map(({ content }) => content), ["1", "2", "3"]);
	assert.equal(await house.value(`SELECT m.content FROM chat_summaries AS s JOIN messages AS m ON m.number = s.last_message WHERE s.topic_summary = 'Beaches'`), "2", "it rests on what was said before it");
	const shown = await member.ok("GET", `/api/visitors/${visitor.id}`);
	assert.deepEqual([shown.visitor.email, shown.visitor.metadata], ["one@example.com", { first_name: "One", a: 1 }]);
	await until(async () => (await member.ok("GET", "/api/chats?q=beaches")).length === 1, "the summary is found");
});

test("of a database with several organizations one is taken, and its key works on", async () => {
	const [mine, other] = ["aaaaaaaa-0000-4000-8000-000000000001", "BBBBBBBB-0000-4000-8000-000000000002"];
	const rows = soundRows(SEED + 2, { chats: 30, organization: mine });
	const others = soundRows(SEED + 3, { chats: 30, organization: other });
	const tables = later(Object.fromEntries(Object.keys(rows).map((name) => [name, [...rows[name], ...others[name]]])));
	const organization = await house.organization("Many Towns");
	const before = await holdings(neighbour);
	const source = await databaseOf({
		organization_settings: [
			{ id: other, slug: "other", organization_name: "Other", api_key: OLD_KEY.replace("abc", "xyz") },
			{ id: mine, slug: organization.slug, organization_name: "Mine", location: "Rome", api_key: OLD_KEY },
		],
		...tables,
	});
	const answer = await bring(source.url, organization.slug);
	assert.equal(answer.status, 0, answer.stderr);
	assert.deepEqual([answer.source_organization, answer.api_key], [mine, "stored"]);
	for (const [table, list] of Object.entries(later(rows))) {
		const { read, stored, rejected } = answer.tables[table];
		assert.deepEqual([read, stored, rejected], [tables[table].length, list.length, tables[table].length - list.length], table);
	}
	assert.ok(answer.lines.filter(({ outcome }) => outcome === "rejected").every(({ reason }) => /belongs to|another organization/.test(reason)));
	const held = JSON.stringify(await holdings(organization));
	for (const list of Object.values(others)) for (const { id } of list) assert.equal(held.includes(hexOf(id)), false, "nothing of the other one");
	await assertFigures(organization, { ...rows, mentions: [] });

	await house.ok(OLD_KEY, "/api/chats/create", { sessionId: "new", chatId: "by-the-old-key" });
	assert.equal(await house.value(`SELECT count(*) FROM chats WHERE organization_id = X'${hexOf(organization.id)}' AND chat_id = 'by-the-old-key'`), 1);
	assert.equal(await house.value(`SELECT count(*) FROM api_keys WHERE masked LIKE '%${OLD_KEY}%' OR hash LIKE '%hmz_%'`), 0, "the key itself is kept nowhere");
	const member = await house.staff(organization);
	assert.equal((await member.ok("GET", "/api/settings")).location, "Rome");

	// The same database for another one of ours: the key is not theirs to have.
	const second = await house.organization("Second Town");
	const stolen = await bring(source.url, second.slug, "--source-organization", mine.toUpperCase());
	assert.deepEqual([stolen.status, stolen.api_key], [0, "rejected"], stolen.stderr);
	assert.ok(stolen.lines.some(({ key, reason }) => key === "api_key" && /Another organization/.test(reason)));
	const unnamed = await house.organization("Third Town");
	const nothing = await bring(source.url, unnamed.slug);
	await source.drop();
	assert.equal(nothing.source_organization, null);
	assert.equal(nothing.tables.chats.stored, 0);
	assert.ok(nothing.lines.some(({ reason }) => /--source-organization says which/.test(reason)));
	assert.deepEqual(await holdings(neighbour), before);
	await exact();
});

test("a key that was revoked here does not come back", async () => {
	const organization = await house.organization("Revoked Town");
	const key = "hmz_0123456789abcdefghijklmnopqrstuv";
	const folder = folderOf(house.directory, { organization_settings: [{ id: "1", slug: "x", api_key: key }] });
	assert.equal((await bring(folder, organization.slug)).api_key, "stored");
	assert.equal((await house.post(key, "/api/chats/create", { sessionId: "s" })).status, 200);
	const keys = await house.verb("key", "list", "--organization", organization.slug);
	await house.verb("key", "revoke", keys.find(({ masked }) => masked.startsWith("hmz_")).id, "--organization", organization.slug);
	assert.equal((await bring(folder, organization.slug)).api_key, "already_there");
	assert.equal((await house.post(key, "/api/chats/create", { sessionId: "s" })).status, 401);
});

test("a folder of CSV files gives what the database gives, whatever order they are in", async () => {
	const rows = soundRows(SEED + 4, { chats: 40 });
	const [one, two] = [await house.organization("From Database"), await house.organization("From Folder")];
	const source = await databaseOf(older(rows));
	assert.equal((await bring(source.url, one.slug)).status, 0);
	await source.drop();
	const shuffled = Object.fromEntries(Object.entries(older(rows)).map(([name, list]) => [name, list.toReversed()]));
	const answer = await bring(folderOf(house.directory, shuffled), two.slug);
	assert.equal(answer.status, 0, answer.stderr);
	assert.deepEqual(await holdings(two), await holdings(one));
	await assertFigures(two, rows);
	await exact();
});

test("rows that cannot be taken are told with the reason, and those that can are taken", async () => {
	const mine = "cccccccc-0000-4000-8000-000000000001";
	const other = "cccccccc-0000-4000-8000-000000000002";
	const { uuid: id } = chance(SEED + 5);
	const long = "x".repeat(201);
	const at = "2025-02-01T00:00:00Z";
	const [visitor, foreignVisitor, user, foreignUser] = [id(), id(), id(), id()];
	const chat = { id: id(), chat_id: "good", session_id: "s", created_at: at, organization_id: mine };
	const users = [
		{ id: user, email: "a@x.example", role: "Owner", created_at: at, organization_id: mine },
		{ id: id(), email: "A@X.example", role: "Admin", created_at: "2025-02-02", organization_id: mine },
		{ id: foreignUser, email: "b@x.example", role: "Admin", created_at: at, organization_id: other },
		{ id: id(), email: "not an e-mail", created_at: at, organization_id: mine },
		{ id: id(), created_at: at, organization_id: mine },
	];
	const visitors = [
		{ id: visitor, email: " Me@X.Example ", created_at: at, organization_id: mine, metadata: '{"a":"\\u0000b","c":"\\\\u0000"}' },
		{ id: foreignVisitor, email: "me@x.example", created_at: at, organization_id: other },
		{ id: "17", email: "nobody", created_at: "yesterday", organization_id: mine, metadata: "{not json" },
	];
	const chats = [
		{ ...chat, visitor_id: foreignVisitor, user_id: foreignUser, status: "open", location: "y".repeat(2000), metadata: { userScore: 9, topicSummary: "T", sentiment: "angry" } },
		{ id: id(), chat_id: long, session_id: "s", created_at: at, organization_id: mine },
		{ id: id(), chat_id: "theirs", session_id: "s", created_at: at, organization_id: other },
		{ id: id(), chat_id: "follows", session_id: "s", created_at: at, visitor_id: foreignVisitor },
		{ id: id(), chat_id: "numbered", session_id: "s", created_at: at, organization_id: mine, visitor_id: "17" },
		{ id: id(), chat_id: "good", session_id: "s", created_at: "2025-03-01", organization_id: mine },
	];
	const message = { chat_id: "good", role: "user", content: "Hello", created_at: at };
	const messages = [
		{ id: id(), ...message },
		{ id: id(), ...message, chat_id: "gone" },
		{ id: id(), ...message, chat_id: "theirs" },
		{ id: id(), ...message, content: "" },
		{ id: id(), ...message, content: "a\0b" },
		{ id: id(), ...message, content: "z".repeat(1024 * 1024 + 1) },
		{ id: id(), ...message, role: "tool" },
		{ id: id(), ...message, created_at: "never" },
	];
	const views = [
		{ id: id(), article_id: "a", chat_id: "theirs", viewed_at: at, organization_id: mine },
		{ id: id(), article_id: "a", chat_id: "theirs", viewed_at: at },
		{ id: id(), viewed_at: at, organization_id: mine },
		{ id: id(), article_id: "a", viewed_at: at, visitor_id: id(), organization_id: mine },
	];
	const web = `id,article_url,session_id,mentioned_at\n${id()},https://a.example/,s,${at}\n${id()},,s,${at}\n1,2\n"a"b,x\n${id()},https://b.example/,,${at}\n${id()},"https://c.example/`;
	const folder = folderOf(house.directory, { users, visitors, chats, messages, article_views: views, tavily_mentions: web });
	const organization = await house.organization("Hostile Town");
	const answer = await bring(folder, organization.slug, "--source-organization", mine);
	assert.equal(answer.status, 0, answer.stderr);
	const told = (table) => answer.lines.filter((line) => line.table === table).map(({ key, outcome, reason }) => `${outcome} ${key}: ${reason}`).sort();
	const expected = (...list) => list.map(([row, outcome, reason]) => `${outcome} ${row.id ?? row}: ${reason}`).sort();
	assert.deepEqual(told("users"), expected(
		[users[0], "changed", "role is none of ours: taken as Visitor."],
		[users[1], "changed", "A user with this e-mail is there already: the two are one."],
		[users[2], "rejected", `It belongs to the organization ${other}.`],
		[users[3], "rejected", "email is none."],
		[users[4], "rejected", "email is missing."],
	));
	assert.deepEqual(told("visitors"), expected(
		[visitors[0], "changed", "metadata holds U+0000: taken out."],
		[visitors[1], "rejected", `It belongs to the organization ${other}.`],
		[visitors[2], "changed", "email is none: left out."],
		[visitors[2], "changed", "created_at is no time: left out."],
		[visitors[2], "changed", "metadata is no JSON object that is kept exactly: left out."],
	));
	assert.deepEqual(told("chats"), expected(
		[chats[0], "changed", "Its visitor belongs to another organization: the link is cut."],
		[chats[0], "changed", "Its user belongs to another organization: the link is cut."],
		[chats[0], "changed", "status is none of ours: taken as completed."],
		[chats[0], "changed", "location is longer than 1000 bytes: cut."],
		[chats[0], "changed", "userScore is no number from 1 to 5: left out."],
		[chats[0], "changed", "sentiment is none of ours: left out."],
		[chats[1], "rejected", "chat_id is longer than 200 bytes."],
		[chats[2], "rejected", `It belongs to the organization ${other}.`],
		[chats[3], "rejected", "Its visitor belongs to another organization."],
	));
	assert.deepEqual(told("messages"), expected(
		[messages[1], "rejected", "Its chat is not there."],
		[messages[2], "rejected", "Its chat belongs to another organization."],
		[messages[3], "rejected", "content is empty."],
		[messages[4], "rejected", "content is not UTF-8, or holds a NUL."],
		[messages[5], "rejected", "content is longer than 1048576 bytes."],
		[messages[6], "rejected", "role is not user, assistant or system."],
		[messages[7], "changed", "created_at is no time: left out."],
		[messages[7], "changed", "When it was said is not known: taken as the chat's begin."],
	));
	assert.deepEqual(told("article_views"), expected(
		[views[0], "changed", "Its chat belongs to another organization: the link is cut."],
		[views[1], "rejected", "Its chat belongs to another organization."],
		[views[2], "rejected", "article_id and article_slug are missing."],
		[views[3], "changed", "Its visitor is not there: the link is cut."],
	));
	const reasons = told("tavily_mentions").map((line) => line.replace(/^rejected [^:]*: /, ""));
	assert.deepEqual(reasons.sort(), [
		"It is no row: a quote is not closed.",
		"It is no row: it has more or fewer cells than there are columns.",
		"It is no row: something stands behind a closing quote.",
		"article_url is missing.",
		"session_id and chat_id are missing.",
	]);
	assert.deepEqual(answer.tables.tavily_mentions, { ...NONE, read: 6, stored: 1, rejected: 5 });
	assert.deepEqual(answer.tables.chats, { read: 6, stored: 2, already_there: 1, rejected: 3, changed: 1 });
	for (const { read, stored, already_there: there, rejected } of Object.values(answer.tables)) assert.equal(read, stored + there + rejected);
	assert.equal(statSync(answer.path).mode & 0o777, 0o600);

	const held = await holdings(organization);
	assert.deepEqual(held.visitors.map(({ email, metadata }) => [email, metadata]).sort(), [[null, null], ["me@x.example", '{"a":"b","c":"\\\\u0000"}']].sort());
	assert.deepEqual(held.users.map(({ email, role }) => [email, role]), [["a@x.example", "Visitor"]]);
	const good = held.chats.find(({ chat_id: name }) => name === "good");
	assert.deepEqual([uuid(good.id), good.visitor || null, good.user_id, good.location.length], [chat.id, null, null, 1000]);
	const numbered = held.chats.find(({ chat_id: name }) => name === "numbered");
	assert.equal(numbered.visitor, held.visitors.find(({ email }) => email === null).id, "an id of another kind leads to the same visitor");
	await exact();
	const again = await bring(folder, organization.slug, "--source-organization", mine);
	for (const [table, counts] of Object.entries(again.tables)) assert.equal(counts.stored, 0, table);
	assert.deepEqual(await holdings(organization), held);
});

test("sessions of a visitor that were no visitor's become theirs, and what is no table or column is passed over", async () => {
	const organization = await house.organization("Session Town");
	const { uuid: id } = chance(SEED + 6);
	const visitor = id();
	const folder = folderOf(house.directory, {
		visitors: [{ id: visitor, email: "s@x.example", session_id: "mine", created_at: "2025-01-01", shoe_size: "43" }],
		chats: [{ chat_id: "1", session_id: "mine", created_at: "2025-01-01" }, { chat_id: "2", session_id: "other", created_at: "2025-01-01" }],
		article_views: [{ article_id: "a", session_id: "mine" }],
		invoices: [{ id: 1 }],
	});
	const answer = await bring(folder, organization.slug);
	assert.equal(answer.status, 0, answer.stderr);
	assert.equal(answer.tables.visitors.unknown_columns, "shoe_size");
	assert.deepEqual(Object.keys(answer.tables), ["visitors", "chats", "article_views"]);
	const held = await holdings(organization);
	assert.deepEqual(held.chats.map(({ chat_id: name, visitor: who }) => [name, who || null]).sort(), [["1", hexOf(visitor)], ["2", null]]);
	assert.equal(held.views[0].visitor, hexOf(visitor));
	const again = await bring(folder, organization.slug);
	assert.equal(again.tables.article_views.already_there, 1, "a row without an id is known again too");
	await exact();
});

test("trips and their places are kept with their visitor", async () => {
	const organization = await house.organization("Travelled Town");
	const { uuid: id } = chance(SEED + 9);
	const [visitor, trip, lost] = [id(), id(), id()];
	const folder = folderOf(house.directory, {
		visitors: [{ id: visitor, email: "t@x.example", created_at: "2025-01-01", metadata: { season: "Winter", trips: [{ name: "Mine" }] } }],
		trips: [{ id: trip, name: "Spring", days: 3, visitor_id: visitor, created_at: "2025-01-02" }, { id: lost, name: "Nobody's", visitor_id: id() }, { id: id(), name: "Nameless" }],
		trip_locations: [{ id: id(), trip_id: trip, name: "Beach", lat: "26.4", lng: "-81.9" }, { id: id(), trip_id: trip, name: "Pier" }, { id: id(), trip_id: lost, name: "Nowhere" }],
	});
	const answer = await bring(folder, organization.slug);
	assert.equal(answer.status, 0, answer.stderr);
	assert.deepEqual(answer.lines.map(({ table, reason }) => `${table}: ${reason}`).sort(), [
		"trip_locations: Its trip is not there.",
		"trips: It has no visitor whose it could be.",
		"trips: Its visitor is not there.",
	]);
	const [{ metadata }] = (await holdings(organization)).visitors;
	assert.deepEqual(JSON.parse(metadata).trips, [{ name: "Mine" }, { id: trip, created_at: "2025-01-02", name: "Spring", days: "3" }]);
	assert.deepEqual(JSON.parse(metadata).tripLocations.map(({ name, trip_id: of, lat }) => [name, of, lat]), [["Beach", trip, "26.4"], ["Pier", trip, undefined]]);
	const again = await bring(folder, organization.slug);
	assert.deepEqual([again.tables.trips.stored, again.tables.trip_locations.already_there], [0, 2]);
	assert.equal((await holdings(organization)).visitors[0].metadata, metadata);
	await exact();
});

test("what is there already stays, and a visitor who came since becomes one with the older row", async () => {
	const organization = await house.organization("Running Town");
	const { uuid: id } = chance(SEED + 7);
	const { visitor_id: there } = await house.ok(organization.api_key, "/api/visitors/identify", { email: "me@x.example", metadata: { season: "Winter" } });
	await house.ok(organization.api_key, "/api/chats/create", { sessionId: "s", chatId: "c", metadata: { mine: true } });
	const old = id();
	const folder = folderOf(house.directory, {
		visitors: [{ id: old, email: "ME@x.example", name: "Me", metadata: { season: "Summer", vibes: ["calm"] }, created_at: "2025-01-01" }],
		chats: [{ id: id(), chat_id: "c", session_id: "other", created_at: "2025-01-01" }, { id: id(), chat_id: "d", session_id: "t", visitor_id: old, created_at: "2025-01-01" }],
		messages: [{ id: id(), chat_id: "c", role: "user", content: "Before", created_at: "2025-01-01" }],
	});
	const answer = await bring(folder, organization.slug);
	assert.deepEqual(answer.tables.chats, { ...NONE, read: 2, stored: 1, already_there: 1 });
	const held = await holdings(organization);
	assert.deepEqual(held.visitors.map(({ id: who, name, metadata }) => [uuid(who), name, JSON.parse(metadata)]), [[there, "Me", { season: "Winter", vibes: ["calm"] }]]);
	assert.equal(held.chats.find(({ chat_id: name }) => name === "d").visitor, hexOf(there));
	assert.deepEqual(JSON.parse(held.chats.find(({ chat_id: name }) => name === "c").metadata), { mine: true });
	assert.equal(held.messages.length, 1);
	await exact();
});

test("an import that is killed goes on where it was, and ends with the same", async () => {
	const rows = soundRows(SEED + 8, { chats: 500 });
	const [whole, killed] = [await house.organization("Whole Town"), await house.organization("Killed Town")];
	const folder = folderOf(house.directory, older(rows));
	assert.equal((await bring(folder, whole.slug)).status, 0);
	await house.stop();
	const count = () => house.value(`SELECT count(*) FROM messages WHERE organization_id = X'${hexOf(killed.id)}'`);
	for (const enough of [100, 900]) {
		const path = join(house.directory, fresh("rejected"));
		const child = spawn(binary, ["import", "--legacy", folder, "--organization", killed.slug, "--rejected", path, "--database", house.database], { stdio: "ignore" });
		const ended = once(child, "close");
		await until(async () => child.exitCode !== null || (await count()) >= enough, `${enough} messages`, 60000);
		child.kill("SIGKILL");
		const [, signal] = await ended;
		assert.equal(signal, "SIGKILL", "it was not done yet");
		const stored = await count();
		assert.ok(stored >= enough && stored < rows.messages.length, `${stored}`);
	}
	await house.start();
	const answer = await bring(folder, killed.slug);
	assert.equal(answer.status, 0, answer.stderr);
	assert.ok(answer.tables.messages.already_there >= 900 && answer.tables.messages.stored > 0);
	assert.deepEqual(await holdings(killed), await holdings(whole));
	await assertFigures(killed, rows);
	await exact();
});

test("what cannot be asked is said in a sentence, and nothing is left behind", async () => {
	const organization = await house.organization("Asking Town");
	const folder = folderOf(house.directory, { chats: [{ chat_id: "1" }] });
	const entries = () => readdirSync(house.directory).length;
	const before = entries();
	for (const [words, pattern] of [
		[["--legacy", "/nowhere", "--organization", organization.slug], /no such folder/],
		[["--legacy", "postgres://nobody@127.0.0.1:1/x", "--organization", organization.slug], /old database says/],
		[["--legacy", "mysql://x", "--organization", organization.slug], /postgres:\/\/…, or a folder/],
		[["--legacy", folder, "--organization", "nowhere"], /no organization/i],
		[["--legacy", folder, "--organization", organization.slug, "--rejected", join(folder, "chats.csv")], /there already/],
		[["--legacy", folderOf(house.directory, { chats: "" }), "--organization", organization.slug], /no line of column names/],
		[["--legacy", folderOf(house.directory, { chats: "id,ID\n1,2" }), "--organization", organization.slug], /twice/],
	]) {
		const result = await house.run(["import", ...words], { cwd: house.directory });
		assert.deepEqual([result.status, result.stdout], [1, ""], words.join(" "));
		assert.match(result.stderr, pattern);
	}
	assert.equal(entries(), before + 2, "the two folders");
	assert.equal((await house.run(["import"])).status, 2);
});

test("a role that sees only a part of the old database is refused", async () => {
	const organization = await house.organization("Blind Town");
	const source = await databaseOf({ chats: [{ chat_id: "1", session_id: "s" }] });
	const role = `blind_${hexOf(organization.id)}`;
	await source.change(`CREATE ROLE ${role} LOGIN; GRANT SELECT ON chats TO ${role}; ALTER TABLE chats ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON chats USING (chat_id <> '1')`);
	const answer = await bring(source.url.replace(/\/\/[^@]*@/, `//${role}@`), organization.slug);
	await source.change(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
	await source.drop();
	assert.equal(answer.status, 1);
	assert.match(answer.stderr, /row-level security/);
});
