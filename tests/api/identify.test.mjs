// Who a visitor is: found, made, renamed, merged, and linked to what they did. And users of the concierge.
import { test, describe, before, after } from "node:test";
import assert from "node:assert/strict";
import { openHouse, assertError, fresh, hexOf, uuid, UUID7 } from "./harness.mjs";

let house, ours, theirs;
before(async () => {
	house = await openHouse();
	ours = await house.organization();
	theirs = await house.organization();
});
after(() => house.end());

const identify = (body, key = ours.api_key) => house.ok(key, "/api/visitors/identify", body);
const chat = async (body, key = ours.api_key) => (await house.ok(key, "/api/chats/create", { sessionId: fresh("s"), ...body })).chatId;
const view = (sessionId, key = ours.api_key) => house.ok(key, "/api/articles/view", { articleId: "a", articleSlug: "a", sessionId });
const address = () => `${fresh("e")}@a.example`;
const visitor = async (id) =>
	(await house.rows(`SELECT email, name, source, metadata, created_at, last_active_at, lower(hex(organization_id)) AS organization
		FROM visitors WHERE hex(id) = upper('${hexOf(id)}')`))[0];
const chatOf = async (chatId) =>
	(await house.rows(`SELECT user_id, lower(hex(id)) AS id, lower(hex(visitor_id)) AS visitor FROM chats WHERE chat_id = '${chatId}'`))[0];
const linksOf = async (table, sessionId) =>
	(await house.rows(`SELECT lower(hex(visitor_id)) AS visitor FROM ${table} WHERE session_id = '${sessionId}' ORDER BY number`)).map((row) => uuid(row.visitor) || null);

describe("POST /api/visitors/identify", () => {
	test("makes a visitor whom nobody knew, of source newsletter", async () => {
		const email = address();
		const answer = await identify({ email });
		const { visitor_id, ...rest } = answer;
		assert.match(visitor_id, UUID7);
		assert.deepEqual(rest, { success: true, message: "Visitor identified successfully", linked: { chats: 0, views: 0 } });
		const row = await visitor(visitor_id);
		assert.deepEqual([row.email, row.source, row.metadata, row.organization], [email, "newsletter", null, hexOf(ours.id)]);
	});

	test("keeps source, name and metadata", async () => {
		const { visitor_id } = await identify({ email: address(), source: "booking", name: "Ada", metadata: { season: "winter", n: 1 } });
		const row = await visitor(visitor_id);
		assert.deepEqual([row.source, row.name, JSON.parse(row.metadata)], ["booking", "Ada", { season: "winter", n: 1 }]);
	});

	test("twenty at once of one new e-mail make one visitor and answer 200 twenty times", async () => {
		const email = address();
		const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => identify({ email: i % 2 ? email : email.toUpperCase() })));
		assert.equal(new Set(answers.map((answer) => answer.visitor_id)).size, 1);
		assert.equal(await house.value(`SELECT count(*) FROM visitors WHERE email = '${email}'`), 1);
	});

	describe("finds a visitor", () => {
		test("by visitor_id, before the session and the e-mail", async () => {
			const wanted = await identify({ email: address() });
			const sessionId = fresh("s");
			await chat({ sessionId });
			await identify({ email: address(), session_id: sessionId });
			const answer = await identify({ email: address(), visitor_id: wanted.visitor_id, session_id: sessionId });
			assert.equal(answer.visitor_id, wanted.visitor_id);
		});

		test("by a chat of the session, before the e-mail", async () => {
			const sessionId = fresh("s");
			await chat({ sessionId });
			const known = await identify({ email: address(), session_id: sessionId });
			assert.equal((await identify({ email: address(), session_id: sessionId })).visitor_id, known.visitor_id);
		});

		test("by a view of the session", async () => {
			const sessionId = fresh("s");
			await view(sessionId);
			const known = await identify({ email: address(), session_id: sessionId });
			assert.equal((await identify({ email: address(), session_id: sessionId })).visitor_id, known.visitor_id);
		});

		test("by e-mail, when the session has nobody", async () => {
			const email = address();
			const known = await identify({ email });
			assert.equal((await identify({ email, session_id: fresh("s") })).visitor_id, known.visitor_id);
		});

		test("by session or e-mail, when visitor_id is unknown, foreign or no id at all", async () => {
			const foreign = await identify({ email: address() }, theirs.api_key);
			for (const visitor_id of [foreign.visitor_id, "01890000-0000-7000-8000-000000000000", "me"]) {
				const email = address();
				const known = await identify({ email });
				assert.equal((await identify({ email, visitor_id })).visitor_id, known.visitor_id);
			}
			assert.equal((await visitor(foreign.visitor_id)).organization, hexOf(theirs.id));
		});

		test("never in another organization: not by its visitor_id, session or e-mail", async () => {
			const [email, sessionId] = [address(), fresh("s")];
			await chat({ sessionId }, theirs.api_key);
			const foreign = await identify({ email, session_id: sessionId }, theirs.api_key);
			const before = await visitor(foreign.visitor_id);
			const mine = await identify({ email, session_id: sessionId, visitor_id: foreign.visitor_id });
			assert.notEqual(mine.visitor_id, foreign.visitor_id);
			assert.deepEqual(mine.linked, { chats: 0, views: 0 });
			assert.deepEqual(await visitor(foreign.visitor_id), before);
		});
	});

	describe("compares e-mails trimmed and case-folded", () => {
		for (const [name, one, other] of [
			["blanks around", "  trim@a.example\t", "trim@a.example"],
			["case", "UPPER@A.Example", "upper@a.example"],
			["sharp s", "straße@a.example", "STRASSE@a.example"],
			["a Greek final sigma", "ΟΔΟΣ@a.example", "οδος@a.example"],
			["composed and decomposed letters", "caf\u00e9@a.example", "CAFE\u0301@a.example"],
			["a dotted capital I", "\u0130d@a.example", "i\u0307d@a.example"],
		])
			test(name, async () => assert.equal((await identify({ email: one })).visitor_id, (await identify({ email: other })).visitor_id));

		test("but an i is no ı, and a dot or a plus makes another address", async () => {
			const ids = new Set();
			for (const email of ["ii@b.example", "ıı@b.example", "i.i@b.example", "ii+x@b.example"]) ids.add((await identify({ email })).visitor_id);
			assert.equal(ids.size, 4);
		});
	});

	test("found with another e-mail, a visitor takes the new one and the old one is free", async () => {
		const [old, next] = [address(), address()];
		const known = await identify({ email: old });
		assert.equal((await identify({ email: next, visitor_id: known.visitor_id })).visitor_id, known.visitor_id);
		assert.equal((await visitor(known.visitor_id)).email, next);
		assert.notEqual((await identify({ email: old })).visitor_id, known.visitor_id);
	});

	for (const olderHasEmail of [true, false])
		test(`two become one when the ${olderHasEmail ? "older" : "younger"} has the e-mail: links and metadata follow, the older id stays`, async () => {
			const [wanted, other] = [address(), address()];
			const sessions = [fresh("s"), fresh("s")];
			const chats = [];
			for (const sessionId of sessions) {
				chats.push(await chat({ sessionId }));
				await view(sessionId);
			}
			const timestamps = ["2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z"];
			const ids = [];
			for (const i of [0, 1]) {
				const email = (i === 0) === olderHasEmail ? wanted : other;
				const metadata = { both: `of ${i}`, [`only${i}`]: i };
				ids.push((await identify({ email, session_id: sessions[i], timestamp: timestamps[i], metadata })).visitor_id);
				await house.ok(ours.api_key, "/api/tavily-mentions", { sessionId: sessions[i], visitorId: ids[i], mentions: [{ url: "u" }] });
			}
			const withoutIt = olderHasEmail ? 1 : 0;
			const merged = await identify({ email: wanted, visitor_id: ids[withoutIt], metadata: { newest: true } });
			assert.equal(merged.visitor_id, ids[0]);
			assert.equal(await visitor(ids[1]), undefined);
			const row = await visitor(ids[0]);
			assert.equal(row.email, wanted);
			assert.equal(row.created_at, Date.parse(timestamps[0]));
			assert.deepEqual(JSON.parse(row.metadata), { both: "of 0", only0: 0, only1: 1, newest: true });
			for (const table of ["chats", "article_views", "web_mentions"])
				for (const sessionId of sessions) assert.deepEqual(await linksOf(table, sessionId), [ids[0]], `${table} of ${sessionId}`);
			assert.equal(await house.value(`SELECT count(*) FROM visitors WHERE email = '${other}'`), 0);
		});

	test("links all chats and views of the session that have nobody, and counts them", async () => {
		const sessionId = fresh("s");
		for (let i = 0; i < 3; i++) await chat({ sessionId });
		for (let i = 0; i < 2; i++) await view(sessionId);
		const first = await identify({ email: address(), session_id: sessionId });
		assert.deepEqual(first.linked, { chats: 3, views: 2 });
		assert.deepEqual(await linksOf("chats", sessionId), Array(3).fill(first.visitor_id));
		assert.deepEqual(await linksOf("article_views", sessionId), Array(2).fill(first.visitor_id));
		await chat({ sessionId });
		const again = await identify({ email: address(), session_id: sessionId });
		assert.deepEqual([again.visitor_id, again.linked], [first.visitor_id, { chats: 1, views: 0 }]);
	});

	test("links the chat that chat_id names, by its chat_id or its id", async () => {
		for (const either of ["chat_id", "id"]) {
			const chatId = await chat();
			const name = either === "id" ? uuid((await chatOf(chatId)).id) : chatId;
			const answer = await identify({ email: address(), chat_id: name });
			assert.deepEqual(answer.linked, { chats: 1, views: 0 });
			assert.equal(uuid((await chatOf(chatId)).visitor), answer.visitor_id);
		}
	});

	test("a chat named that also belongs to the session is counted once", async () => {
		const sessionId = fresh("s");
		const chatId = await chat({ sessionId });
		assert.deepEqual((await identify({ email: address(), session_id: sessionId, chat_id: chatId })).linked, { chats: 1, views: 0 });
	});

	test("an unknown chat_id and a foreign one link nothing and are no error", async () => {
		const foreign = await chat({}, theirs.api_key);
		for (const name of [foreign, uuid((await chatOf(foreign)).id), fresh("nowhere")])
			assert.deepEqual((await identify({ email: address(), chat_id: name })).linked, { chats: 0, views: 0 });
		assert.equal((await chatOf(foreign)).visitor || null, null);
	});

	test("metadata is merged key by key: given keys replace, others stay", async () => {
		const email = address();
		const { visitor_id } = await identify({ email, metadata: { a: 1, deep: { x: 1, y: 2 }, gone: "no" } });
		await identify({ email, metadata: { deep: { z: 3 }, b: [1], gone: null } });
		await identify({ email });
		assert.deepEqual(JSON.parse((await visitor(visitor_id)).metadata), { a: 1, deep: { z: 3 }, gone: null, b: [1] });
	});

	test("metadata cannot grow without end by merging", async () => {
		const email = address();
		await identify({ email, metadata: { a: "x".repeat(40000) } });
		const answer = await house.post(ours.api_key, "/api/visitors/identify", { email, metadata: { b: "x".repeat(40000) } });
		assertError(answer, 400, "invalid_field", "metadata");
	});

	for (const email of ["", "   ", "a", "@", "a@", "@b", "a b@c.example", "a@b@c", "a\n@b.example", `${"x".repeat(400)}@a.example`])
		test(`refuses ${JSON.stringify(email.slice(0, 20))} as an e-mail`, async () => {
			const before = await house.counts();
			const answer = await house.post(ours.api_key, "/api/visitors/identify", { email });
			assertError(answer, 400, email === "" ? "missing_field" : "invalid_field", "email");
			assert.deepEqual(await house.counts(), before);
		});
});

describe("POST /api/users/identify", () => {
	const user = (body, key = ours.api_key) => house.ok(key, "/api/users/identify", body);
	const userRow = async (id) =>
		(await house.rows(`SELECT email, name, role, provider, CASE WHEN account_id IS NULL THEN 1 ELSE 0 END AS without_account FROM users WHERE hex(id) = upper('${hexOf(id)}')`))[0];

	test("makes a user of role Visitor, never one who can sign in", async () => {
		const accounts = await house.value("SELECT count(*) FROM accounts");
		const email = address();
		const { user_id, ...rest } = await user({ email, source: "app", name: "Bo" });
		assert.match(user_id, UUID7);
		assert.deepEqual(rest, { success: true, message: "User identified successfully" });
		assert.deepEqual(await userRow(user_id), { email, name: "Bo", role: "Visitor", provider: "app", without_account: 1 });
		assert.equal(await house.value("SELECT count(*) FROM accounts"), accounts);
	});

	test("the same e-mail is the same user, folded, twenty times at once", async () => {
		const email = address();
		const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => user({ email: i % 2 ? email : ` ${email.toUpperCase()}` })));
		assert.equal(new Set(answers.map((answer) => answer.user_id)).size, 1);
		assert.equal(await house.value(`SELECT count(*) FROM users WHERE email = '${email}'`), 1);
	});

	test("the same e-mail in another organization is another user", async () => {
		const email = address();
		assert.notEqual((await user({ email })).user_id, (await user({ email }, theirs.api_key)).user_id);
	});

	test("a member is found and keeps role, name and account", async () => {
		const email = address();
		const made = await house.verb("user", "create", "--organization", ours.slug, "--email", email, "--role", "Creator", "--name", "Cy");
		assert.ok(made.invitation);
		const before = await userRow(made.id);
		assert.equal((await user({ email, name: "Mallory", source: "x" })).user_id, made.id);
		assert.deepEqual(await userRow(made.id), before);
		assert.deepEqual([before.role, before.without_account], ["Creator", 1], "nor does it accept the invitation");
	});

	test("chats and views of the session and the chat named become the user's, if they have none", async () => {
		const sessionId = fresh("s");
		const free = await chat({ sessionId });
		const taken = await chat({ sessionId, userId: "somebody" });
		const named = await chat();
		await view(sessionId);
		const { user_id } = await user({ email: address(), session_id: sessionId, chat_id: named });
		assert.deepEqual(
			[(await chatOf(free)).user_id, (await chatOf(taken)).user_id, (await chatOf(named)).user_id],
			[user_id, "somebody", user_id],
		);
		assert.equal(await house.value(`SELECT user_id FROM article_views WHERE session_id = '${sessionId}'`), user_id);
	});

	test("has no say over the chats of another organization", async () => {
		const sessionId = fresh("s");
		const foreign = await chat({ sessionId }, theirs.api_key);
		await user({ email: address(), session_id: sessionId, chat_id: foreign });
		assert.equal((await chatOf(foreign)).user_id, null);
	});

	test("refuses a missing e-mail", async () => assertError(await house.post(ours.api_key, "/api/users/identify", {}), 400, "missing_field", "email"));
});

describe("browsers of any site may ask", () => {
	for (const path of ["/api/visitors/identify", "/api/users/identify"]) {
		test(`OPTIONS ${path} is 200 with what is allowed, without a credential`, async () => {
			const answer = await house.request("OPTIONS", path, {
				headers: { origin: "https://site.example", "access-control-request-method": "POST", "access-control-request-headers": "x-api-key" },
			});
			assert.equal(answer.status, 200);
			assert.equal(answer.headers["access-control-allow-origin"], "*");
			assert.equal(answer.headers["access-control-allow-methods"], "POST, OPTIONS");
			assert.equal(answer.headers["access-control-allow-headers"], "Content-Type, x-api-key");
			assert.equal(answer.text, "");
		});

		test(`${path} sends the origin header on every answer: 200, 400, 401, 405, 413`, async () => {
			const answers = [
				await house.post(ours.api_key, path, { email: address() }),
				await house.post(ours.api_key, path, "{"),
				await house.post(ours.api_key, path, { email: 1 }),
				await house.post(undefined, path, { email: "a@b.example" }),
				await house.get(path),
				await house.request("POST", path, { key: ours.api_key, headers: { "content-length": String(64 * 1024 * 1024) } }).catch((error) => error),
			];
			assert.deepEqual(answers.map((answer) => answer.status), [200, 400, 400, 401, 405, 413]);
			for (const answer of answers) assert.equal(answer.headers["access-control-allow-origin"], "*", answer.text);
		});
	}

	test("no other route sends it", async () => {
		for (const answer of [await house.post(ours.api_key, "/api/chats/create", { sessionId: "s" }), await house.get("/healthz"), await house.get("/nowhere")])
			assert.equal(answer.headers["access-control-allow-origin"], undefined);
	});
});
