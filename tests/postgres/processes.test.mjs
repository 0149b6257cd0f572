// Several processes on one database: what is ended through one is dead at the others within a second, what is stored through
// one is seen at the others, what is to be done once is, and figures stay exact whoever writes.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import http from "node:http";
import { House, fresh, openHouse, psql, run, binary, sanitized, until } from "../api/harness.mjs";

const SECOND = sanitized ? 4000 : 1000;
const houses = [];
let a, b, ours, theirs;

// One more process on the database of the first.
async function another() {
	const house = new House([], { name: a.name });
	houses.push(house);
	return house.start();
}
before(async () => {
	a = await openHouse();
	houses.unshift(a);
	b = await another();
	[ours, theirs] = [await a.organization(), await a.organization()];
});
after(async () => {
	for (const house of houses.slice(1)) await house.end();
	await houses[0]?.end();
});

const create = (house, key) => house.post(key, "/api/chats/create", { sessionId: "s" });

test("an organization, its key and its members made through one are known to the other at once", async () => {
	const made = await b.organization();
	assert.equal((await create(a, made.api_key)).status, 200);
	const admin = await b.member(made);
	const session = await a.request("GET", "/api/auth/session", { headers: { cookie: admin.cookie } });
	assert.equal(session.json.organization?.slug, made.slug, session.text);
});

const revoke = (house, { id }) => house.control(`/control/keys/revoke?organization=${ours.slug}`, { id });

test("a key revoked through one is refused by the other within a second", async () => {
	for (const [from, to] of [[a, b], [b, a]]) {
		const made = await from.control(`/control/keys?organization=${ours.slug}`, { name: fresh("key") });
		const key = made.api_key;
		assert.equal((await create(to, key)).status, 200, "it is remembered there");
		assert.equal((await create(from, key)).status, 200);
		await revoke(from, made);
		const began = Date.now();
		await until(async () => (await create(to, key)).status === 401, "the other refuses it", SECOND);
		assert.ok(Date.now() - began < SECOND);
		assert.equal((await create(to, ours.api_key)).status, 200, "another key goes on");
	}
});

test("a key revoked while the other's connection for notices is lost is refused when it is there again", async () => {
	const made = await a.control(`/control/keys?organization=${ours.slug}`, { name: fresh("key") });
	assert.equal((await create(b, made.api_key)).status, 200);
	// From here on nobody is told of anything, until each process has noticed.
	await psql(a.name, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'innkeeper (notices)'`);
	await revoke(a, made);
	await until(async () => (await create(b, made.api_key)).status === 401, "the other refuses it", 5 * SECOND);
});

test("a session ended through one is dead at the other at once, and so are those of a member who is removed or has another password", async () => {
	const admin = await a.member(ours);
	const at = (house, browser) => house.request("GET", "/api/settings", { headers: { cookie: browser.cookie } });
	const gone = await a.member(ours);
	assert.equal((await at(b, gone)).status, 200);
	const cookie = gone.cookie;
	await gone.ok("POST", "/api/auth/logout", {});
	assert.equal((await at(b, { cookie })).status, 401, "signed out");
	const removed = await a.member(ours, "Member");
	assert.equal((await at(b, removed)).status, 200);
	await admin.ok("DELETE", `/api/users/${removed.user.id}`);
	assert.equal((await at(b, removed)).status, 401, "removed");
	const demoted = await a.member(ours);
	await admin.ok("PATCH", `/api/users/${demoted.user.id}`, { role: "Member" });
	const answer = await b.request("POST", "/api/users", { headers: { cookie: demoted.cookie, "content-type": "application/json", "sec-fetch-site": "same-origin" }, body: JSON.stringify({ email: `${fresh("x")}@x.example`, role: "Admin" }) });
	assert.equal(answer.status, 403, answer.text);
});

test("wrong passwords count at all of them together, and the account's owner is let in at all again", async () => {
	const email = `${fresh("tried")}@staff.example`;
	const password = "correct horse battery";
	const attempt = (house, word) => house.post(undefined, "/api/auth/login", { email, password: word });
	await a.member(ours, "Member", email, password);
	for (let i = 0; i < 9; i++) assert.equal((await attempt(i % 2 ? a : b, "wrong horse battery")).status, 401);
	// The tenth makes the next one wait, wherever it comes.
	await until(async () => (await attempt(a, password)).status === 200, "the owner is let in", SECOND);
	for (let i = 0; i < 9; i++) assert.equal((await attempt(a, "wrong horse battery")).status, 401, `${i}: forgotten at the first`);
	assert.equal((await attempt(a, "wrong horse battery")).status, 401);
	await until(async () => (await attempt(b, "wrong horse battery")).status === 429, "the other makes it wait too", SECOND);
	const waiting = await attempt(b, password);
	assert.equal(waiting.status, 429, waiting.text);
	await until(async () => (await attempt(b, password)).status === 200, "once it has waited", 20000);
	await until(async () => (await attempt(a, "wrong horse battery")).status === 401, "its failures are forgotten at both", 5 * SECOND);
});

test("a suspended organization's keys and sessions are dead at the other within a second", async () => {
	const made = await a.organization();
	const admin = await a.member(made);
	assert.equal((await create(b, made.api_key)).status, 200);
	await a.verb("organization", "change", "--organization", made.slug, "--status", "suspended");
	await until(async () => (await create(b, made.api_key)).status === 403 || (await create(b, made.api_key)).status === 401, "the other refuses it", SECOND);
	assert.equal((await b.request("GET", "/api/settings", { headers: { cookie: admin.cookie } })).status, 401);
});

function listen(house, browser) {
	const stream = { text: "" };
	return new Promise((resolve, reject) => {
		stream.request = http.request({ host: "127.0.0.1", port: house.port, path: "/api/live", headers: { cookie: browser.cookie, accept: "text/event-stream" }, agent: false }, (response) => {
			response.setEncoding("utf8").on("data", (data) => (stream.text += data)).on("error", () => {});
			resolve(stream);
		});
		stream.request.on("error", reject);
		stream.request.end();
	});
}

test("a live stream at one shows what is stored through the other, once, and nobody else's", async () => {
	const [admin, rival] = [await a.member(ours), await a.member(theirs)];
	const streams = [await listen(a, admin), await listen(b, admin)];
	const strange = await listen(b, rival);
	for (const stream of [...streams, strange]) await until(() => stream.text.includes("event: ready"), "it is open");
	const chats = [];
	for (const house of [a, b, a, b]) {
		const chatId = fresh("chat");
		chats.push(chatId);
		await house.ok(ours.api_key, "/api/chats/create", { sessionId: "live", chatId });
		await house.ok(ours.api_key, "/api/chats/message", { chatId, role: "user", content: "SECRET" });
	}
	for (const stream of streams) {
		await until(() => chats.every((chat) => stream.text.split(chat).length >= 3), "both events of each chat", SECOND);
		for (const chat of chats) assert.equal(stream.text.split(chat).length - 1, 2, `${chat} came once as a chat and once as a message`);
		assert.doesNotMatch(stream.text, /SECRET/);
	}
	for (const chat of chats) assert.ok(!strange.text.includes(chat));
	for (const stream of [...streams, strange]) stream.request.destroy();
});

test("both write for the same organizations at once: every count is exact, nothing is there twice, verify finds nothing", async () => {
	const made = [await a.organization(), await a.organization(), await a.organization()];
	const admins = await Promise.all(made.map((organization) => a.member(organization)));
	const EACH = sanitized ? 20 : 60;
	const stored = made.map(() => 0);
	const talk = async (house, which, worker) => {
		const key = made[which].api_key;
		for (let i = 0; i < EACH; i++) {
			const messageId = `m-${worker}-${i}`;
			// The same chats from everywhere, and each message from both houses: one of them is a repeat.
			const message = { chatId: `chat-${i % 5}`, role: "user", content: `${worker} ${i}`, messageId };
			const answers = await Promise.all([house, house === a ? b : a].map((one) => one.post(key, "/api/chats/message", message)));
			for (const answer of answers) assert.equal(answer.status, 200, answer.text);
			stored[which]++;
		}
		assert.equal((await house.post(key, "/api/batch", Array.from({ length: 50 }, (_, i) => ({ type: "message", chatId: `chat-${i % 5}`, role: "assistant", content: "b", messageId: `b-${worker}-${i}` })))).status, 207);
	};
	for (const { api_key } of made) for (let i = 0; i < 5; i++) await a.ok(api_key, "/api/chats/create", { chatId: `chat-${i}`, sessionId: `session-${i}` });
	await Promise.all(made.flatMap((_, which) => [a, b].flatMap((house, side) => [0, 1].map((worker) => talk(house, which, `${side}${worker}`)))));
	for (const [which, admin] of admins.entries()) {
		const metrics = (await admin.ok("GET", "/api/analytics/summary-metrics")).metrics ?? (await admin.ok("GET", "/api/analytics/summary-metrics"));
		assert.equal(metrics.totalMessages, stored[which], "messages of users");
		assert.equal(metrics.totalChats, 5);
		const [{ rows, ids }] = await a.rows(`SELECT count(*) AS rows, count(DISTINCT external_id) AS ids FROM messages WHERE organization_id = '${made[which].id}'`);
		assert.deepEqual([rows, ids], [stored[which] + 4 * 50, stored[which] + 4 * 50]);
		const [{ counted }] = await a.rows(`SELECT sum(message_count) AS counted FROM chat_activity WHERE organization_id = '${made[which].id}'`);
		assert.equal(Number(counted), rows);
	}
	assert.equal((await b.verb("verify")).result, "exact");
});

test("a change of the time zone through one is counted anew while the other goes on writing", async () => {
	const made = await a.organization();
	const admin = await a.member(made);
	for (let i = 0; i < 30; i++) await a.ok(made.api_key, "/api/chats/create", { chatId: `z-${i}`, sessionId: `s-${i % 7}` });
	let going = true;
	let number = 0;
	const talk = async (house) => {
		while (going) await house.ok(made.api_key, "/api/chats/message", { chatId: `z-${number % 30}`, role: "user", content: "x", messageId: `z-${number++}` });
	};
	const talks = [talk(a), talk(b)];
	for (const zone of ["Asia/Kathmandu", "America/New_York", "UTC"]) {
		await a.verb("organization", "change", "--organization", made.slug, "--time-zone", zone);
		await until(async () => (await admin.ok("GET", "/api/settings")).figures_being_counted === null, `counted by ${zone}`, 30000);
	}
	going = false;
	await Promise.all(talks);
	assert.equal((await a.verb("verify", "--organization", made.slug)).result, "exact");
});

const holder = async () => (await a.rows("SELECT holder, expires_at FROM leases WHERE name = 'background'"))[0]?.holder;
const searched = async (house, admin, word) => (await house.request("GET", `/api/chats?search=${word}`, { headers: { cookie: admin.cookie } })).text;

test("one of them does the work in the background, for what all of them store", async () => {
	await until(holder, "somebody has the lease");
	const first = await holder();
	const admin = await a.member(ours);
	for (const house of [a, b]) {
		const word = `w${fresh("").replaceAll("-", "")}`;
		const chatId = fresh("chat");
		await house.ok(ours.api_key, "/api/chats/create", { chatId, sessionId: "s" });
		await house.ok(ours.api_key, "/api/chats/message", { chatId, role: "user", content: word });
		for (const reader of [a, b]) await until(async () => (await searched(reader, admin, word)).includes(chatId), "it is found through both");
	}
	assert.equal(await holder(), first, "it is the same one still");
	assert.equal((await a.rows("SELECT count(*) AS count FROM leases"))[0].count, 1);
});

test("a verb beside no server takes no lease", async () => {
	const before = await holder();
	const result = await run(binary, ["organization", "list", "--database", a.database]);
	assert.equal(result.status, 0, result.stderr);
	assert.equal(await holder(), before);
});

test("who has the lease and stops gives it back; who dies loses it within ten seconds, and the work goes on", async () => {
	// a alone, so that it is known whose the lease is.
	await b.stop();
	const admin = await a.member(ours);
	await until(async () => (await holder()) !== undefined, "a has it", 15000);
	const work = async (house) => {
		const word = `w${fresh("").replaceAll("-", "")}`;
		const chatId = fresh("chat");
		await house.ok(ours.api_key, "/api/chats/create", { chatId, sessionId: "s" });
		await house.ok(ours.api_key, "/api/chats/message", { chatId, role: "user", content: word });
		return { word, chatId };
	};
	const c = await another();
	const first = await work(c);
	await until(async () => (await searched(c, admin, first.word)).includes(first.chatId), "a works for c");
	const old = await holder();
	// Killed: nothing is given back.
	const dead = a.exited;
	a.child.kill("SIGKILL");
	await dead;
	a.child = null;
	const began = Date.now();
	await until(async () => ![undefined, old].includes(await holder()), "c takes it", 13000);
	assert.ok(Date.now() - began > 2000, "and not before it ran out");
	const second = await work(c);
	await until(async () => (await searched(c, admin, second.word)).includes(second.chatId), "c works");
	// Stopped: the next one has it at once.
	const d = await another();
	await c.stop();
	const handed = Date.now();
	await until(async () => (await holder()) !== undefined, "d takes it", 5000);
	assert.ok(Date.now() - handed < 5000);
	const third = await work(d);
	await until(async () => (await searched(d, admin, third.word)).includes(third.chatId), "d works");
	assert.equal((await d.verb("verify")).result, "exact");
	await d.stop();
});
