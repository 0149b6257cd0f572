// What an older single-tenant CRM may hold: rows by table, made from a seed, as a PostgreSQL database or a folder of CSV
// files. Rows are objects; what a column's value is not said of is null.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./harness.mjs";

const root = new URL("../..", import.meta.url).pathname;
let own; // {folder, url}: a PostgreSQL of this file's own

async function administrator() {
	if (process.env.INNKEEPER_TEST_POSTGRES) return process.env.INNKEEPER_TEST_POSTGRES;
	if (!own) {
		const folder = mkdtempSync(join(tmpdir(), "innkeeper-legacy-"));
		const result = await run("bash", [`${root}tests/postgres.sh`, "start", folder]);
		assert.equal(result.status, 0, result.stderr);
		own = { folder, url: result.stdout.trim() };
	}
	return own.url;
}

export async function endSources() {
	if (!own) return;
	const result = await run("bash", [`${root}tests/postgres.sh`, "stop", own.folder, "immediate"]);
	assert.equal(result.status, 0, result.stderr);
	rmSync(own.folder, { recursive: true, force: true });
	own = undefined;
}

async function psql(url, sql) {
	const result = await run("psql", ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", url, "-f", "-"], { input: sql });
	assert.equal(result.status, 0, result.stderr);
	return result.stdout.trim();
}

const quoted = (value) => (value === undefined || value === null ? "NULL" : `'${text(value).replaceAll("'", "''")}'`);
const text = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));

// The type of a column, where it is not text.
const TYPES = {
	id: "uuid",
	organization_id: "uuid",
	visitor_id: "uuid",
	metadata: "jsonb",
	clicked: "boolean",
	...Object.fromEntries(
		["created_at", "updated_at", "timestamp", "last_active_at", "last_sign_in_at", "mentioned_at", "viewed_at", "clicked_at"].map((name) => [name, "timestamptz"]),
	),
};

const columnsOf = (rows) => [...new Set(rows.flatMap((row) => Object.keys(row)))];

// A database with these tables: its URL, and how to change and drop it.
export async function databaseOf(tables) {
	const server = await administrator();
	const name = `legacy_${randomUUID().replaceAll("-", "")}`;
	const url = server.replace(/(@[^/]*\/)[^?]*/, `$1${name}`);
	await psql(server, `CREATE DATABASE ${name}`);
	const sql = Object.entries(tables).map(([table, rows]) => {
		const columns = columnsOf(rows);
		const values = rows.map((row) => `(${columns.map((column) => quoted(row[column])).join(",")})`);
		return `CREATE TABLE ${table} (${columns.map((column) => `"${column}" ${TYPES[column] ?? "text"}`).join(", ")});
			INSERT INTO ${table} VALUES ${values.join(",\n")};`;
	});
	await psql(url, sql.join("\n"));
	return { url, change: (words) => psql(url, words), drop: () => psql(server, `DROP DATABASE ${name} WITH (FORCE)`) };
}

const cell = (value) => (value === undefined || value === null ? "" : `"${text(value).replaceAll('"', '""')}"`);

// A folder with these tables, inside `folder`. A table that is a text is written as it is.
export function folderOf(folder, tables) {
	const path = join(folder, randomUUID());
	mkdirSync(path);
	for (const [table, rows] of Object.entries(tables)) {
		const columns = typeof rows === "string" ? [] : columnsOf(rows);
		const lines = typeof rows === "string" ? rows : [columns.join(","), ...rows.map((row) => columns.map((column) => cell(row[column])).join(","))].join("\r\n");
		writeFileSync(join(path, `${table}.csv`), lines);
	}
	return path;
}

// Numbers from a seed (mulberry32), and what is made of them.
export function chance(seed) {
	const next = () => {
		seed = (seed + 0x6d2b79f5) | 0;
		let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
	const below = (n) => Math.floor(next() * n);
	return {
		below,
		one: (list) => list[below(list.length)],
		is: (share) => next() < share,
		uuid: () => "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx".replace(/x/g, () => below(16).toString(16)),
	};
}

const FIRST = Date.UTC(2025, 0, 1);
const DAY = 86400000;

// A town's concierge of some weeks. `messages` about; all rows are sound.
export function soundRows(seed, { chats: count = 80, days = 40, organization } = {}) {
	const { below, one, is, uuid } = chance(seed);
	const moment = () => FIRST + below(days * DAY);
	const iso = (time) => new Date(time).toISOString();
	const owner = organization ? { organization_id: organization } : {};
	const article = () => ({ article_id: `a${below(12)}`, article_name: `Article ${below(12)}`, article_slug: `slug-${below(12)}`, article_type: "Article" });
	const users = [
		{ id: uuid(), email: "Ann@Staff.Example", name: "Ann", role: "Admin", provider: "google", created_at: iso(FIRST), ...owner },
		{ id: uuid(), email: "guest@letter.example", role: "Member", provider: "newsletter", created_at: iso(FIRST + 1), ...owner },
	];
	const visitors = Array.from({ length: Math.ceil(count / 4) }, (_, i) => ({
		id: uuid(),
		email: i % 5 === 4 ? `anonymous-${String(i).padStart(8, "0")}@concierge.local` : `Visitor${i % 13}@Example.com`.replace("V", is(0.5) ? "V" : "v"),
		name: is(0.5) ? `Name ${i}` : null,
		source: "newsletter",
		metadata: is(0.5) ? { season: one(["Winter", "Summer"]), preferences: ["Beach"] } : null,
		created_at: iso(moment()),
		session_id: `s${below(count)}`,
		...owner,
	}));
	const chats = Array.from({ length: count }, (_, i) => {
		const begun = moment();
		const summary = is(0.4) ? { topicSummary: `Topic ${i}`, userScore: 1 + below(5), leadScore: below(11), sentiment: one(["positive", "neutral", "negative"]), topics: ["Food"], conversionSignals: [], summarizedAt: iso(begun + DAY) } : {};
		return {
			id: uuid(),
			chat_id: `chat_${i}_${seed}`,
			session_id: `s${below(count)}`,
			user_id: is(0.2) ? users[1].id : null,
			visitor_id: is(0.4) ? one(visitors).id : null,
			location: one(["Rome, Lazio, Italy", "Miami, Florida, US", null]),
			user_agent: one(["Mozilla/5.0 (iPhone)", "Mozilla/5.0 (X11; Linux)", null]),
			status: one(["active", "completed"]),
			metadata: { page: i, ...summary },
			created_at: iso(begun),
			updated_at: iso(begun + below(DAY)),
			...owner,
		};
	});
	const messages = chats.flatMap((chat) =>
		Array.from({ length: below(9) }, (_, i) => ({
			id: uuid(),
			chat_id: chat.chat_id,
			role: i % 2 === 0 ? "user" : "assistant",
			content: `Message ${i} of "${chat.chat_id}",\nwith a line of its own`,
			created_at: iso(Date.parse(chat.created_at) + i * 60000),
		})),
	);
	const mentions = Array.from({ length: count }, () => ({ id: uuid(), ...article(), chat_id: one(chats).chat_id, mentioned_at: iso(moment()) }));
	const views = Array.from({ length: count }, () => ({ id: uuid(), ...article(), chat_id: one(chats).chat_id, session_id: `s${below(count)}`, visitor_id: is(0.3) ? one(visitors).id : null, viewed_at: iso(moment()), ...owner }));
	const web = Array.from({ length: count }, () => {
		const chat = one(chats);
		const clicked = is(0.3);
		return { id: uuid(), article_url: `https://${below(9)}.example/`, article_title: `Page ${below(9)}`, article_type: "tavily_search", chat_id: chat.chat_id, session_id: chat.session_id, search_query: "where", mentioned_at: iso(moment()), clicked, metadata: { score: 0.5 } };
	});
	return { users, visitors, chats, messages, mentions, views, web };
}

// What the dashboard must say of such rows, counted from them.
export function figuresOf({ visitors, chats, messages, mentions, views, web }) {
	const people = new Set(visitors.map(({ id, email }) => (email.startsWith("anonymous-") ? id : email.toLowerCase())));
	const asked = messages.filter(({ role }) => role === "user");
	return {
		totalChats: chats.length,
		totalMessages: asked.length,
		totalVisitors: people.size,
		totalArticleClicks: web.filter(({ clicked }) => clicked).length,
		totalArticleViews: views.length,
		totalPlacesTracked: new Set([...mentions, ...views].map(({ article_id: id }) => id)).size,
		engagedChats: new Set(asked.map(({ chat_id: chat }) => chat)).size,
		uniqueSessions: new Set(chats.map(({ session_id: session }) => session)).size,
	};
}

// Values by day of what user-activity and event-totals show.
export function daysOf({ visitors, chats, messages, views, web }) {
	const day = (time) => time.slice(0, 10);
	const distinct = (pairs) => {
		const days = {};
		for (const [at, member] of pairs) (days[at] ??= new Set()).add(member);
		return Object.fromEntries(Object.entries(days).map(([at, members]) => [at, members.size]));
	};
	const sessions = new Map(chats.map(({ chat_id: chat, session_id: session }) => [chat, session]));
	const asked = messages.filter(({ role }) => role === "user");
	const first = new Map(); // of each e-mail, the oldest
	for (const { id, email, created_at: at } of visitors) {
		const who = email.startsWith("anonymous-") ? id : email.toLowerCase();
		if (!first.has(who) || at < first.get(who)) first.set(who, at);
	}
	return {
		uniqueUsers: distinct(chats.map(({ created_at: at, session_id: session }) => [day(at), session])),
		chatSessions: distinct(asked.map(({ created_at: at, chat_id: chat }) => [day(at), sessions.get(chat)])),
		registrations: distinct([...first].map(([who, at]) => [day(at), who])),
		chatMessages: distinct(asked.map(({ created_at: at, id }) => [day(at), id])),
		articleClicks: distinct(web.filter(({ clicked }) => clicked).map(({ mentioned_at: at, id }) => [day(at), id])),
		articleViews: distinct(views.map(({ viewed_at: at, id }) => [day(at), id])),
	};
}
