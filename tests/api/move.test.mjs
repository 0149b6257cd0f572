// One organization as a whole: exported, brought into another house (of the other engine, when there is one) and back, erased;
// with files that are wrong, and with kills in the midst.
import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync, mkdtempSync, copyFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Browser, fresh, hexOf, masked, openHouse, postgres, psql, run, send, until } from "./harness.mjs";

const folder = mkdtempSync(join(tmpdir(), "innkeeper-move-"));
const inside = (name) => join(folder, name);
const houses = [];

// One whose database is SQLite's whatever else the tests run with; or of the engine that they run with.
const sqliteHouse = async () => houses[houses.push(await openHouse([], { file: inside(`${randomUUID()}.db`) })) - 1];
const anyHouse = async () => houses[houses.push(await openHouse()) - 1];
after(async () => {
	for (const house of houses) await house.end();
	rmSync(folder, { recursive: true, force: true });
});

const list = async (house) => (await house.verb("organization", "list")).map(({ slug }) => slug).sort();
const exact = async (house) => assert.equal((await house.run(["verify"])).status, 0, (await house.run(["verify"])).stdout);
async function exported(house, slug) {
	const file = inside(fresh("export"));
	const answer = await house.verb("export", file, "--organization", slug);
	const bytes = readFileSync(file);
	assert.deepEqual([answer.bytes, answer.sha256], [bytes.length, createHash("sha256").update(bytes).digest("hex")]);
	return file;
}
function refused(result, words) {
	assert.equal(result.status, 1, result.stdout);
	assert.match(result.stderr, words);
	assert.equal(result.stdout, "");
}

// Of the running server itself; the command line beside a server on PostgreSQL is one of its own.
function ask(to, path, body) {
	const text = body && JSON.stringify(body);
	const headers = { host: "localhost", ...(text && { "content-type": "application/json", "content-length": Buffer.byteLength(text) }) };
	return send({ host: undefined, socketPath: `${to.file}.control`, method: text ? "POST" : "GET", path, headers }, text);
}

// What every organization here has in common: all its external ids.
async function fill(house, { api_key: key }) {
	const at = (minute) => new Date(Date.UTC(2026, 2, 8, 5, minute)).toISOString();
	for (let i = 0; i < 6; i++) {
		const metadata = i % 2 ? { leadScore: i, sentiment: "positive" } : { note: "\u{1F3DD} \"quoted\"\\\n" };
		await house.ok(key, "/api/chats/create", { sessionId: `s${i % 4}`, chatId: `c${i}`, location: "Rome, Lazio, Italy", userAgent: "iPhone", metadata });
	}
	for (let i = 0; i < 40; i++)
		await house.ok(key, "/api/chats/message", { chatId: `c${i % 5}`, role: i % 3 ? "user" : "assistant", content: `message ${i} snorkeling é漢`, timestamp: at(i % 7), ...(i % 2 && { messageId: `m${i}` }), ...(i % 5 === 0 && { metadata: { i } }) }, i % 4 ? {} : { "idempotency-key": `k${i}` });
	await house.ok(key, "/api/articles/mention", { articles: [{ id: "a", title: "A", slug: "a" }, { id: "b", title: "B", slug: "b", type: "Event" }], chatId: "c1" });
	await house.ok(key, "/api/articles/view", { articleId: "a", articleSlug: "a", articleTitle: "A again", chatId: "c1", sessionId: "s1" });
	await house.ok(key, "/api/tavily-mentions", { mentions: [{ url: "https://a.example/" }, { url: "https://b.example/", title: "B", score: 0.25 }], sessionId: "s1", chatId: "c9", searchQuery: "q" });
	await house.ok(key, "/api/tavily-mentions/click", { articleUrl: "https://a.example/", sessionId: "s1" });
	await house.ok(key, "/api/visitors/identify", { email: "guest@example.com", session_id: "s1", metadata: { season: "Winter", vibes: ["calm", "sea"] } });
	await house.ok(key, "/api/visitors/identify", { email: "other@example.com", session_id: "s2" });
	await house.ok(key, "/api/users/identify", { email: "contact@example.com", session_id: "s3" });
}

// What a search finds to its end: how much of it a page holds depends on how fast the machine is.
async function found(browser, path) {
	const rows = [];
	for (let at = path; at !== undefined; ) {
		const answer = await browser.get(at);
		assert.equal(answer.status, 200, `${at}: ${answer.text}`);
		rows.push(...answer.json);
		at = /<([^>]*)>; rel="next"/.exec(answer.headers.link ?? "")?.[1];
	}
	return { status: 200, headers: {}, text: JSON.stringify(rows) };
}

// Everything that the staff can read, as bytes, but for what is of the house (a cursor, when a session ends).
async function everything(browser) {
	const paths = [];
	const add = (...more) => paths.push(...more);
	const json = async (path) => (await browser.get(path)).json;
	for (const name of ["audit", "chats", "visitors", "users", "keys", "settings", "articles/stats", "tavily-mentions", "article-mentions"]) add(`/api/${name}`);
	for (const name of ["audit", "chats", "visitors", "users", "keys", "articles/stats", "tavily-mentions"]) add(`/api/${name}?format=csv`);
	add("/api/chats?limit=2", "/api/chats?min_lead_score=1", "/api/tavily-mentions?chatId=c9");
	for (const name of ["summary-metrics", "user-activity", "event-totals", "conversion-rates", "user-composition", "interests"])
		for (const query of ["", "?from=2026-03-01&to=2026-03-31", "?days=365"]) add(`/api/analytics/${name}${query}`);
	for (const { id, chat_id: chat } of await json("/api/chats")) add(`/api/chats/${chat}/messages`, `/api/chats/${chat}/messages?limit=3`, `/api/chats/${id}/messages?format=csv`);
	for (const { id } of (await json("/api/visitors")).visitors) add(`/api/visitors/${id}`, `/api/visitors/${id}/chats`, `/api/visitors/${id}/views`);
	for (const { id } of (await json("/api/users")).users) add(`/api/users/${id}`, `/api/users/${id}/chats`, `/api/users/${id}/views`);
	const answers = {};
	for (const path of paths) {
		const answer = await browser.get(path);
		assert.equal(answer.status, 200, `${path}: ${answer.text}`);
		answer.headers = { ...answer.headers, link: answer.headers.link?.replace(/cursor=[^&>]*/, "cursor="), "set-cookie": undefined };
		// That a list was taken away is in the record from then on.
		if (path === "/api/audit?format=csv") answer.text = answer.text.split("\r\n").filter((line) => !line.includes("list.export")).join("\r\n");
		answers[path] = masked(answer);
	}
	for (const path of ["/api/chats?q=snorkeling", "/api/chats?q=calm"]) answers[path] = masked(await found(browser, path));
	const session = await json("/api/auth/session");
	return { ...answers, session: JSON.stringify({ ...session, expires: undefined }) };
}

// A session that is there without a sign-in, which would be told of in what is compared.
async function signedIn(house, organization, account, cookie) {
	const hash = createHash("sha256").update(cookie.split("=")[1]).digest("hex");
	await house.stop();
	await house.change(`INSERT INTO sessions (hash, account_id, entered_organization_id, created_at, expires_at) VALUES ('${hash}', X'${account}', X'${hexOf(organization.id)}', ${Date.now()}, ${Date.now() + 86400000})`);
	await house.start();
	const browser = new Browser(house);
	browser.cookies.set(...cookie.split("="));
	return browser;
}

describe("an organization that moves", () => {
	let from;
	let original;
	let staff;
	let account;
	let earlier;
	let file;
	let invitation;

	before(async () => {
		from = await sqliteHouse();
		await fill(from, await from.organization("Neighbor"));
		original = await from.organization("Visit Fort Myers", "--location", "Florida", "--requests-per-minute", "100000");
		staff = await from.member(original, "Admin", "admin@example.com");
		await staff.ok("PUT", "/api/settings", { time_zone: "America/New_York", organization_name: "Visit Fort Myers \u{1F3DD}" });
		await fill(from, original);
		await staff.ok("DELETE", "/api/chats/c4");
		({ invitation } = await staff.ok("POST", "/api/users", { email: "invited@example.com", role: "Creator" }));
		const spare = await staff.ok("POST", "/api/keys", { name: "spare" });
		await staff.ok("DELETE", `/api/keys/${spare.id}`);
		await until(async () => (await from.value("SELECT count(*) FROM rollup_states WHERE has_work = 1")) === 0);
		await until(async () => (await from.value("SELECT count(*) FROM erasures")) === 0);
		await from.stop();
		await from.change(`INSERT INTO chat_summaries (chat_number, organization_id, topic_summary, user_score, lead_score, sentiment, topics, conversion_signals, summarized_at, last_message)
			SELECT c.number, c.organization_id, 'A calm beach', 4, 7, 'positive', '["beach"]', '[]', 1772946000000, a.last_message FROM chats AS c JOIN chat_activity AS a ON a.chat_number = c.number WHERE c.chat_id = 'c1'`);
		await from.start();
		await until(async () => (await staff.get("/api/chats?q=snorkeling")).json.length === 4);
		account = await from.value("SELECT lower(hex(id)) FROM accounts WHERE email = 'admin@example.com'");
		file = await exported(from, original.slug);
		earlier = await everything(staff);
	});

	// What was read in between: it is in the record, and a key's use is noted.
	const withoutExports = (answers) => ({ ...answers, "/api/audit": undefined, "/api/audit?format=csv": undefined, "/api/keys": undefined, "/api/keys?format=csv": undefined });

	// What the index of the source, which was given its summary behind its back, does not know.
	const same = (answers, wanted) => {
		for (const path of Object.keys(wanted)) if (path !== "/api/chats?q=calm") assert.ok(answers[path] === wanted[path], `${path}:\n${answers[path]?.slice(0, 400)}\n${wanted[path]?.slice(0, 400)}`);
	};

	test("is the same in every byte that its staff reads in a house of the engine that is tested, and back, and works on", async () => {
		const to = await anyHouse();
		const theirs = await to.organization("Neighbor");
		await fill(to, theirs);
		const neighbor = await to.member(theirs);
		await until(async () => (await neighbor.get("/api/chats?q=snorkeling")).json.length === 5);
		const untouched = await everything(neighbor);
		const answer = await to.verb("import", file);
		assert.deepEqual([answer.id, answer.slug], [original.id, original.slug]);
		await exact(to);
		const browser = await signedIn(to, original, account, staff.cookie);
		await until(async () => (await browser.get("/api/chats?q=snorkeling")).json.length === 4);
		same(await everything(browser), earlier);
		assert.equal((await browser.get("/api/chats?q=calm")).json.length, 1, "a summary's words are found");
		same(withoutExports(await everything(neighbor)), withoutExports(untouched));

		// And back into a house of SQLite's. What is exported has its export in its record.
		const back = await exported(to, original.slug);
		const [last] = (await browser.get("/api/audit")).json.entries;
		assert.deepEqual([last.action, last.actor_kind, last.actor_id, last.address], ["organization.export", "operator", null, null]);
		const later = await everything(browser);
		const home = await sqliteHouse();
		await home.verb("import", back);
		const again = await signedIn(home, original, account, staff.cookie);
		await until(async () => (await again.get("/api/chats?q=snorkeling")).json.length === 4);
		same(await everything(again), later);
		await exact(home);

		// It goes on as it was: key, repeated messages, password, invitation.
		const chat = (await again.get("/api/chats/c1/messages")).json;
		const repeated = await home.ok(original.api_key, "/api/chats/message", { chatId: "c1", role: "user", content: "other", messageId: "m1" });
		assert.equal(repeated.messageId, "m1");
		await home.ok(original.api_key, "/api/chats/message", { chatId: "c1", role: "user", content: "and on" });
		assert.deepEqual((await again.get("/api/chats/c1/messages")).json.map(({ content }) => content), [...chat.map(({ content }) => content), "and on"]);
		await new Browser(home, "admin@example.com", "correct horse battery").signIn();
		await new Browser(home).ok("POST", "/api/auth/join", { token: /token=([\w-]+)/.exec(invitation.link)[1], password: "correct horse battery" });
		await exact(home);
	});

	test("comes in under another slug beside organizations with the same external ids", async () => {
		const to = await anyHouse();
		const theirs = await to.organization("Visit Fort Myers");
		await fill(to, theirs);
		refused(await to.run(["import", file]), /slug visit-fort-myers already.*--slug/);
		refused(await to.run(["import", file, "--slug", "No Slug"]), /slug must be/);
		assert.equal((await to.verb("import", file, "--slug", "fort-myers")).slug, "fort-myers");
		refused(await to.run(["import", file, "--slug", "twice"]), /here already, as fort-myers/);
		assert.deepEqual(await list(to), ["fort-myers", "visit-fort-myers"]);
		assert.deepEqual(await to.rows("SELECT count(*) AS n FROM chats GROUP BY organization_id ORDER BY n"), [{ n: 5 }, { n: 6 }]);
		await exact(to);
	});

	test("leaves the password of an account that is there, which gets the membership", async () => {
		const to = await anyHouse();
		const theirs = await to.organization("Elsewhere");
		await to.member(theirs, "Admin", "admin@example.com", "another password");
		await to.verb("import", file);
		const browser = await new Browser(to, "admin@example.com", "another password").signIn();
		const { organizations } = await browser.ok("GET", "/api/auth/session");
		assert.deepEqual(organizations.map(({ slug }) => slug).sort(), ["elsewhere", "visit-fort-myers"]);
		await to.verb("organization", "delete", original.slug, "--confirm", original.slug);
		assert.deepEqual((await new Browser(to, "admin@example.com", "another password").signIn().then((b) => b.ok("GET", "/api/auth/session"))).organizations.length, 1);
	});

	test("is not written over a file, nor beside one", async () => {
		refused(await from.run(["export", file, "--organization", original.slug]), /never overwrites/);
		refused(await from.run(["export", inside("no/such/folder"), "--organization", original.slug]), /No such file/);
		refused(await from.run(["export", inside("x"), "--organization", "nobody"]), /no organization/);
		assert.ok(!readdirSync(folder).some((name) => name.includes("partial")));
	});

	describe("as a file that is wrong is refused, and nothing is stored", () => {
		let to;
		let stored;
		before(async () => {
			to = await anyHouse();
			await to.organization("There");
			stored = await to.counts();
		});
		const nothing = async () => {
			assert.deepEqual(await to.counts(), stored);
			assert.equal(Number(await to.value("SELECT (SELECT count(*) FROM organizations) + (SELECT count(*) FROM accounts)")), 1);
		};
		const importing = async (path, words) => {
			const answer = await ask(to, "/control/organizations/import", { path });
			assert.ok(answer.status >= 400 && answer.status < 500, answer.text);
			assert.match(answer.json.error, words);
		};
		const copy = () => {
			const other = inside(fresh("copy"));
			copyFileSync(file, other);
			return other;
		};

		test("whichever byte it is", async () => {
			const bytes = readFileSync(file);
			const places = [0, 18, 24, 60, 100, 4095, bytes.length - 41, bytes.length - 40, bytes.length - 33, bytes.length - 1];
			for (let i = 1; i < 12; i++) places.push(Math.floor((bytes.length * i) / 12));
			for (const place of places) {
				const other = copy();
				const wrong = Buffer.from(bytes);
				wrong[place] ^= 1;
				writeFileSync(other, wrong);
				await importing(other, /damaged/);
			}
			await nothing();
		});

		for (const [name, damage] of [
			["half", (other) => truncateSync(other, Math.floor(statSync(other).size / 2))],
			["nothing", (other) => truncateSync(other, 0)],
			["a byte behind the end", (other) => writeFileSync(other, "x", { flag: "a" })],
			["a letter instead", (other) => writeFileSync(other, "Dear Sir or Madam")],
		])
			test(`${name} of it`, async () => {
				const other = copy();
				damage(other);
				await importing(other, /damaged/);
				await nothing();
			});

		// Whoever makes a file can make its checksums too.
		for (const [name, sql, words, redigest = true] of [
			["a row more than its manifest says", "INSERT INTO visitors SELECT number + 1000, id, 'x', name, source, metadata, created_at, last_active_at FROM visitors LIMIT 1", /damaged.*checksum of visitors/, false],
			["another text than its manifest says", "UPDATE messages SET content = 'other' WHERE number = (SELECT min(number) FROM messages)", /checksum of messages/, false],
			["a newer format", "UPDATE manifest SET value = '2' WHERE name = 'format'", /newer Innkeeper/],
			["a newer schema", "UPDATE manifest SET value = '9999' WHERE name = 'schema'", /newer Innkeeper/],
			["no manifest", "DELETE FROM manifest", /manifest/],
			["another organization in it", `UPDATE organizations SET id = X'${hexOf(randomUUID())}'`, /not the manifest's/],
			["a message of no chat", "UPDATE messages SET chat_number = 123456789 WHERE number = (SELECT max(number) FROM messages)", /not there/],
			["a message behind another than the one before it", "UPDATE messages SET previous = NULL WHERE number = (SELECT max(number) FROM messages)", /no chain/],
			["a message behind none", "UPDATE messages SET previous = 123456789 WHERE number = (SELECT max(number) FROM messages)", /not there/],
			["metadata that is no JSON", "UPDATE visitors SET metadata = '{\"a\":'", /JSON/],
			["text that is no UTF-8", "UPDATE chats SET chat_id = CAST(X'ff' AS TEXT) WHERE chat_id = 'c0'", /chat_id of a row/],
			["U+0000 in it", "UPDATE chats SET chat_id = CAST(X'410041' AS TEXT) WHERE chat_id = 'c0'", /chat_id of a row/],
			["an id that is too short", "UPDATE chats SET id = X'00' WHERE chat_id = 'c0'", /id of a row/],
			["a role that there is not", "UPDATE users SET role = 'Owner' WHERE role = 'Admin'", /row of users/],
			["an account for a visitor", "UPDATE users SET account_id = (SELECT id FROM accounts) WHERE role = 'Visitor'", /row of users/],
			["an account without an e-mail", "UPDATE accounts SET email = 'nobody'", /account/],
			["no name", "UPDATE users SET email = NULL", /NOT NULL|row of users/],
			["a chat of no visitor", `UPDATE chats SET visitor_id = X'${hexOf(randomUUID())}' WHERE chat_id = 'c0'`, /row of chats/],
			["a status that there is not", "UPDATE organizations SET status = 'open'", /manifest/],
			["a time zone that there is not", "UPDATE organizations SET time_zone = 'Mars/Olympus'", /time zone/],
			["a slug that is none", "UPDATE organizations SET slug = '../x'", /slug must be/],
			["a view in a table's place", "ALTER TABLE visitors RENAME TO v; CREATE VIEW visitors AS SELECT * FROM v", /another kind/],
			["a trigger", "CREATE TRIGGER t BEFORE INSERT ON visitors BEGIN SELECT 1; END", /another kind/],
			["a table less", "DROP TABLE messages; DELETE FROM manifest_tables WHERE name = 'messages'", /not there/],
			["a module's table, however it is spelled", "DROP TABLE articles; CREATE VIRTUAL TABLE articles USING fts5(article_id); PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'CREATE VIRTUAL', 'CREATE/**/VIRTUAL') WHERE name = 'articles'", /another kind/, false],
			["a column that is computed", "ALTER TABLE visitors ADD COLUMN more TEXT AS (hex(email))", /another kind/, false],
			["a time after the last one", "UPDATE chats SET created_at = 9223372036854775807 WHERE chat_id = 'c0'", /created_at of a row/],
			["a time before the first one", "UPDATE messages SET created_at = -1 WHERE number = (SELECT min(number) FROM messages)", /created_at of a row/],
			["a text that is too long", "UPDATE messages SET content = printf('%.*c', 1048577, 'x') WHERE number = (SELECT min(number) FROM messages)", /content of a row/],
			["more days than may be kept", "UPDATE organizations SET retention_days = 9223372036854775807", /manifest/],
			["more requests a minute than may be", "UPDATE organizations SET requests_per_minute = -1", /manifest/],
			["a chat whose newest message is another's", "UPDATE chat_activity SET last_message = (SELECT max(last_message) FROM chat_activity) WHERE last_message = (SELECT min(last_message) FROM chat_activity)", /where its messages are/],
			["a chat that tells of too few messages", "UPDATE chat_activity SET message_count = message_count - 1 WHERE message_count > 0", /or how many/],
			["a chat that does not tell of its messages", "DELETE FROM chat_activity WHERE chat_number = (SELECT min(chat_number) FROM chat_activity)", /where its messages are/],
		])
			test(`with ${name}`, async () => {
				const other = copy();
				const changed = await reseal(other, sql, redigest);
				if (!changed) return; // the file's own constraints say no
				await importing(other, words);
				await nothing();
			});
	});
});

// Changes a file as its maker could: with its own checksums, as docs/move.md says how they are made.
async function reseal(file, sql, redigest) {
	truncateSync(file, statSync(file).size - 40);
	const changed = await run("sqlite3", [file, sql]);
	if (changed.status !== 0 || changed.stderr !== "") return false;
	const ask = async (text) => {
		const { stdout, stderr } = await run("sqlite3", ["-json", file, text]);
		assert.equal(stderr, "");
		return stdout.trim() === "" ? [] : JSON.parse(stdout);
	};
	const columns = new Map();
	for (const { t, c } of redigest ? await ask("SELECT m.name AS t, p.name AS c FROM manifest_tables AS m JOIN sqlite_schema AS s ON s.name = m.name AND s.type = 'table' JOIN pragma_table_info(m.name) AS p") : [])
		columns.set(t, [...(columns.get(t) ?? []), c]);
	const texts = [...columns].map(([t, names]) => `SELECT '${t}' AS t, rowid AS r, ${names.map((c) => `typeof(${c}) || ':' || hex(${c})`).join(" || ' ' || ")} AS v FROM ${t}`);
	const rows = texts.length > 0 ? await ask(`${texts.join(" UNION ALL ")} ORDER BY t, r`) : [];
	const changes = [...columns.keys()].map((t) => {
		const hash = createHash("sha256");
		const own = rows.filter((row) => row.t === t);
		for (const { v } of own) {
			hash.update("r");
			for (const value of v.split(" ")) {
				const [type, hex] = value.split(":");
				const bytes = Buffer.from(hex, "hex");
				const head = Buffer.alloc(8);
				if (type === "null") hash.update("n");
				else if (type === "integer") hash.update("i").update((head.writeBigInt64BE(BigInt(bytes.toString())), head));
				else hash.update({ text: "t", blob: "b" }[type]).update((head.writeBigInt64BE(BigInt(bytes.length)), head)).update(bytes);
			}
		}
		return `UPDATE manifest_tables SET sha256 = '${hash.digest("hex")}', row_count = ${own.length} WHERE name = '${t}'`;
	});
	if (changes.length > 0) await ask(changes.join("; "));
	const bytes = readFileSync(file);
	writeFileSync(file, Buffer.concat([bytes, Buffer.from("INNKORG1"), createHash("sha256").update(bytes).digest()]));
	return true;
}

describe("a large organization", () => {
	const CHATS = 40;
	const MESSAGES = 16000;
	let house;
	let large;
	let neighbor;
	let file;

	const moving = (to) => ask(to, "/control/organizations/moving");
	const batch = (at) =>
		Array.from({ length: 1000 }, (_, i) => ({ type: "message", chatId: `c${(at + i) % CHATS}`, role: (at + i) % 2 ? "user" : "assistant", content: `m ${at + i} ${"word ".repeat((at + i) % 20)}`, messageId: `m${at + i}` }));
	// Kills the server with kill -9 once the move has come to a part.
	async function killAt(to, path, body, part) {
		const asked = assert.rejects(ask(to, path, body));
		await until(async () => {
			const { json } = await moving(to);
			return json?.part === part && json.done > 0;
		}, `it comes to ${part}`);
		to.child.kill("SIGKILL");
		await once(to.child, "close");
		to.child = null;
		await asked;
		await to.start();
	}
	const ROWS = ["api_keys", "users", "visitors", "chats", "chat_activity", "messages", "article_mentions", "articles", "web_pages", "rollup_counts", "rollup_members", "rollup_states", "audit_log"];
	const OF_POSTGRES = postgres ? ["search", "search_progress"] : []; // SQLite's index has no organizations' rows
	const rowsOf = (to, id, names = ROWS) =>
		to.rows(
			names
				.map((name) => `SELECT '${name}' AS name, count(*) AS n FROM ${name} WHERE organization_id = X'${hexOf(id)}'`)
				.join(" UNION ALL "),
		);
	const gone = async (to, id) => (await rowsOf(to, id, [...ROWS, ...OF_POSTGRES])).every(({ n }) => Number(n) === 0);
	// By the house itself, what came in of an organization that comes no further.
	async function removed(to, id) {
		await until(() => gone(to, id), "what is half is removed", 60000);
		assert.deepEqual(await list(to), ["neighbor"]);
		assert.equal(await to.value("SELECT count(*) FROM organizations"), 1);
		assert.equal(await to.value("SELECT count(*) FROM accounts"), 0);
		await exact(to);
	}
	// On PostgreSQL another process may be at it still, until none has taken a step for a minute. Stops the server, whose own
	// job would else be at it.
	async function forsake(to) {
		await to.stop();
		await to.change("UPDATE organizations SET moving_at = moving_at - 60000 WHERE moving IS NOT NULL");
	}

	before(async () => {
		house = await anyHouse();
		neighbor = await house.organization("Neighbor");
		large = await house.organization("Large");
		await fill(house, neighbor);
		await house.member(large);
		for (let i = 0; i < CHATS; i++) await house.ok(large.api_key, "/api/chats/create", { sessionId: `s${i}`, chatId: `c${i}` });
		for (let at = 0; at < MESSAGES; at += 1000) {
			const answer = await house.post(large.api_key, "/api/batch", batch(at));
			assert.equal(answer.json.errors.length, 0, answer.text.slice(0, 500));
		}
		file = await exported(house, large.slug);
	});

	test("is exported as of one moment while it is written", async () => {
		let stop = false;
		let sent = 0;
		const writing = (async () => {
			for (; !stop; sent++) await house.ok(large.api_key, "/api/chats/message", { chatId: `c${sent % CHATS}`, role: "user", content: `live ${sent}` });
		})();
		await until(() => sent > 20);
		const during = await exported(house, large.slug);
		const then = sent;
		await until(() => sent > then + 5);
		stop = true;
		await writing;
		const to = await anyHouse();
		await to.verb("import", during);
		await exact(to);
		const [{ told, there }] = await to.rows("SELECT (SELECT sum(message_count) FROM chat_activity) AS told, (SELECT count(*) FROM messages) AS there");
		assert.equal(Number(told), Number(there));
		assert.ok(Number(there) >= MESSAGES && Number(there) < MESSAGES + sent, `${there}`);
	});

	test("is all there or not at all when the server is killed while it comes in", async () => {
		const to = await anyHouse();
		const theirs = await to.organization("Neighbor");
		await fill(to, theirs);
		await killAt(to, "/control/organizations/import", { path: file }, "messages");
		assert.deepEqual(await list(to), ["neighbor"]);
		assert.equal((await to.post(large.api_key, "/api/chats/create", { sessionId: "s" })).status, 401);
		if (postgres) {
			refused(await to.run(["import", file]), /moves this organization at the moment/);
			await forsake(to);
			await to.start();
			await removed(to, large.id);
		}
		assert.equal((await to.verb("import", file)).slug, "large");
		await exact(to);
	});

	// Who stood still for a minute is told when it goes on.
	if (postgres)
		test("is given up when another process takes it for one that had ended", async () => {
			const to = await anyHouse();
			await fill(to, await to.organization("Neighbor"));
			const asked = ask(to, "/control/organizations/import", { path: file });
			await until(async () => (await moving(to)).json?.part === "messages", "it comes to messages");
			await psql(to.name, `UPDATE innkeeper.organizations SET moving_by = gen_random_uuid() WHERE moving IS NOT NULL`);
			const answer = await asked;
			assert.ok(answer.status >= 400, answer.text);
			await removed(to, large.id);
		});

	// There it has been seen just now.
	if (!postgres)
		test("leaves nothing behind when it comes in no further", async () => {
			const to = await anyHouse();
			await fill(to, await to.organization("Neighbor"));
			await killAt(to, "/control/organizations/import", { path: file }, "messages");
			await removed(to, large.id);
			await to.verb("import", file);
			await exact(to);
		});

	test("is seen by nobody while it comes in, and holds up nobody", async () => {
		const to = await anyHouse();
		const theirs = await to.organization("Neighbor");
		await to.ok(theirs.api_key, "/api/chats/create", { sessionId: "s", chatId: "c" });
		const importing = ask(to, "/control/organizations/import", { path: file });
		let seen = 0;
		let done = false;
		importing.then(() => (done = true));
		await until(async () => (await moving(to)).json?.part === "messages");
		assert.equal((await to.post(large.api_key, "/api/chats/create", { sessionId: "s" })).status, 401);
		for (; !done; seen++) {
			const listed = (await ask(to, "/control/organizations")).json.length;
			await to.ok(theirs.api_key, "/api/chats/message", { chatId: "c", role: "user", content: "hello" });
			if (listed > 1) break;
		}
		assert.equal((await importing).status, 200, (await importing).text);
		assert.ok(seen > 0);
		assert.deepEqual(await list(to), ["large", "neighbor"]);
	});

	test("goes at once for everybody, row by row, and the receipt is whole although the server was killed", async () => {
		const to = await anyHouse();
		const theirs = await to.organization("Neighbor");
		await fill(to, theirs);
		const untouched = await rowsOf(to, theirs.id);
		await to.verb("import", file);
		await until(async () => /^innkeeper_search_lag_messages 0$/m.test((await to.get("/metrics")).text), "the index has come to it", 30000);
		refused(await to.run(["organization", "delete", "large", "--confirm", "neighbor"]), /slug once more/);
		refused(await to.run(["organization", "delete", "nobody", "--confirm", "nobody"]), /no organization/);
		const earlier = Object.fromEntries((await rowsOf(to, large.id)).map(({ name, n }) => [name, Number(n)]));
		await killAt(to, "/control/organizations/delete", { slug: "large", confirm: "large" }, "rows");
		assert.deepEqual(await list(to), ["neighbor"]);
		assert.equal((await to.post(large.api_key, "/api/chats/create", { sessionId: "s" })).status, 401);
		if (postgres) await forsake(to);
		const { erased } = await to.verb("organization", "delete", "large", "--confirm", "large");
		if (postgres) await to.start();
		for (const [name, n] of Object.entries(earlier)) assert.equal(erased[name], n, name);
		assert.deepEqual([erased.messages, erased.chats, erased.accounts], [MESSAGES, CHATS, 1]);
		assert.ok(await gone(to, large.id));
		assert.deepEqual(await rowsOf(to, theirs.id), untouched);
		assert.deepEqual(await to.rows("PRAGMA foreign_key_check"), []);
		await exact(to);
		if (!postgres) assert.equal((await run("sqlite3", [to.file, "INSERT INTO search (search) VALUES ('integrity-check')"])).stdout, "");
		assert.equal((await to.verb("import", file)).slug, "large", "slug and id are free again");
		await exact(to);
	});

	test("goes from the house of the engine that is tested, with all its sessions and its key", async () => {
		const to = await anyHouse();
		const theirs = await to.organization("Neighbor");
		await fill(to, theirs);
		const made = await to.organization("Going");
		await fill(to, made);
		const browser = await to.member(made);
		const untouched = await rowsOf(to, theirs.id);
		const { erased } = await to.verb("organization", "delete", "going", "--confirm", "going");
		assert.deepEqual([erased.chats, erased.messages, erased.visitors, erased.users, erased.accounts, erased.sessions, erased.api_keys], [6, 40, 2, 2, 1, 1, 1]);
		assert.equal((await browser.get("/api/chats")).status, 401);
		assert.equal((await to.post(made.api_key, "/api/chats/create", { sessionId: "s" })).status, 401);
		assert.ok(await gone(to, made.id));
		assert.deepEqual(await rowsOf(to, theirs.id), untouched);
		assert.deepEqual(await list(to), ["neighbor"]);
		assert.equal((await to.organization("Going")).slug, "going");
	});
});
