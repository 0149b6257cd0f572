// GET /api/live: what happens reaches who watches, in order, once it is durable, and nobody else.
import { test, describe, before, after } from "node:test";
import assert from "node:assert/strict";
import http from "node:http";
import { assertError, fresh, openHouse, until, UUID7 } from "./harness.mjs";

let house;
let organization;
let other;
let admin;
let rival;
before(async () => {
	house = await openHouse();
	organization = await house.organization("Visit Live");
	other = await house.organization("Visit CANARY");
	admin = await house.member(organization);
	rival = await house.member(other);
});
after(() => house.end());

// A stream as EventSource reads it: {status, headers, events: [{id, event, data}], comments, ended}
function listen(browser, { last, headers = {}, port = house.port } = {}) {
	const stream = { events: [], comments: [], text: "", status: 0, ended: false, whole: false };
	const all = { cookie: browser.cookie, accept: "text/event-stream", ...headers };
	if (last !== undefined) all["last-event-id"] = last;
	stream.opened = new Promise((resolve) => {
		stream.request = http.request({ host: "127.0.0.1", port, path: "/api/live", headers: all, agent: false }, (response) => {
			stream.status = response.statusCode;
			stream.headers = response.headers;
			let rest = "";
			response.setEncoding("utf8");
			response.on("data", (data) => {
				stream.text += data;
				const blocks = (rest + data).split("\n\n");
				rest = blocks.pop();
				for (const block of blocks) {
					if (block.startsWith(":")) stream.comments.push(block);
					const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s).slice(0, 2)));
					if (fields.event) stream.events.push({ id: fields.id, event: fields.event, data: JSON.parse(fields.data) });
				}
			});
			response.on("end", () => (stream.whole = stream.ended = true));
			response.on("error", () => (stream.ended = true));
			response.on("close", () => (stream.ended = true));
			resolve(stream);
		});
		stream.request.on("error", () => (stream.ended = true));
		stream.request.end();
	});
	stream.close = () => stream.request.destroy();
	return stream.opened;
}
const opened = async (browser, options) => {
	const stream = await listen(browser, options);
	assert.equal(stream.status, 200);
	await until(() => stream.events.length > 0, "it says that it is ready");
	return stream;
};
const kinds = (stream) => stream.events.map(({ event }) => event);
const streams = async () => Number(/^innkeeper_live_streams (\d+)$/m.exec((await house.get("/metrics")).text)[1]);
const chat = (chatId = fresh("chat"), key = organization.api_key) => house.ok(key, "/api/chats/create", { sessionId: "live", chatId });

test("it needs a session", async () => {
	assertError(await house.get("/api/live"), 401, "unauthorized");
	assertError(await house.get("/api/live", { "x-api-key": organization.api_key }), 401, "unauthorized");
});

test("new chats, messages, visitors and clicks come as ids and counts, without content", async () => {
	const stream = await opened(admin);
	assert.match(stream.headers["content-type"], /^text\/event-stream/);
	assert.equal(stream.headers["cache-control"], "no-store");
	assert.deepEqual(kinds(stream), ["ready"]);
	const name = fresh("chat");
	const key = organization.api_key;
	await chat(name);
	for (const content of ["SECRET one", "SECRET two"]) await house.ok(key, "/api/chats/message", { chatId: name, role: "user", content });
	const { visitor_id } = await house.ok(key, "/api/visitors/identify", { email: "SECRET@live.example", session_id: "live" });
	const { mentions } = await house.ok(key, "/api/tavily-mentions", { sessionId: "live", chatId: name, mentions: [{ url: "https://secret.example", title: "SECRET" }] });
	for (const repeat of [0, 1]) await house.ok(key, "/api/tavily-mentions/click", { articleUrl: "https://secret.example", chatId: name });
	// Repeats and changes are nothing new.
	await chat(name);
	await house.ok(key, "/api/visitors/identify", { email: "secret@live.example", name: "SECRET" });
	await chat(fresh("last"));
	await until(() => stream.events.length === 7);
	const [, made, one, two, visitor, click] = stream.events;
	assert.deepEqual(kinds(stream), ["ready", "chat", "message", "message", "visitor", "click", "chat"]);
	assert.match(made.data.id, UUID7);
	assert.deepEqual(made.data, { id: made.data.id, chat_id: name });
	assert.deepEqual(one.data, { id: one.data.id, chat_id: name, message_count: 1 });
	assert.deepEqual(two.data, { id: two.data.id, chat_id: name, message_count: 2 });
	const messages = (await admin.get(`/api/chats/${name}/messages`)).json;
	assert.deepEqual(messages.map(({ id }) => id), [one.data.id, two.data.id]);
	assert.deepEqual(visitor.data, { id: visitor_id });
	assert.deepEqual(click.data, { id: mentions[0].id, chat_id: name });
	assert.doesNotMatch(stream.text, /secret/i);
	stream.close();
});

test("of a batch only what was stored, in its order", async () => {
	const stream = await opened(admin);
	const name = fresh("batch");
	const answer = await house.post(organization.api_key, "/api/batch", [
		{ type: "chat", sessionId: "b", chatId: name },
		{ type: "message", chatId: "no such chat", role: "user", content: "x" },
		{ type: "message", chatId: name, role: "user", content: "x" },
		{ type: "visitor", email: "no e-mail" },
		{ type: "message", chatId: name, role: "assistant", content: "y" },
	]);
	assert.equal(answer.json.errors.length, 2);
	await until(() => stream.events.length === 4);
	await chat(fresh("behind"));
	await until(() => stream.events.length === 5);
	assert.deepEqual(kinds(stream), ["ready", "chat", "message", "message", "chat"]);
	assert.deepEqual(stream.events.slice(2, 4).map(({ data }) => data.message_count), [1, 2]);
	stream.close();
});

test("nothing of another organization, whatever both do at the same time", async () => {
	const ours = await opened(admin);
	const theirs = await opened(rival);
	const rounds = 60;
	await Promise.all(Array.from({ length: rounds }, async (_, i) => {
		await Promise.all([
			house.ok(organization.api_key, "/api/chats/create", { sessionId: "same", chatId: `OURS-${i}` }),
			house.ok(other.api_key, "/api/chats/create", { sessionId: "same", chatId: `THEIRS-${i}` }),
		]);
	}));
	await until(() => ours.events.length === rounds + 1 && theirs.events.length === rounds + 1);
	assert.doesNotMatch(ours.text, /THEIRS/);
	assert.doesNotMatch(theirs.text, /OURS/);
	assert.deepEqual(ours.events.slice(1).map(({ data }) => data.chat_id).sort(), Array.from({ length: rounds }, (_, i) => `OURS-${i}`).sort());
	// Neither do the ids tell how much happened elsewhere.
	const numbers = ours.events.map(({ id }) => Number(id.split("-")[1]));
	assert.deepEqual(numbers, numbers.map((_, i) => numbers[0] + i));
	// One's place is none in the other's.
	const foreign = await opened(rival, { last: ours.events[1].id });
	assert.deepEqual(kinds(foreign), ["reset"]);
	for (const stream of [ours, theirs, foreign]) stream.close();
});

describe("Last-Event-ID", () => {
	test("goes on exactly behind the last event, also behind none", async () => {
		const stream = await opened(admin);
		await chat("before-1");
		await until(() => stream.events.length === 2);
		stream.close();
		for (const name of ["gap-1", "gap-2", "gap-3"]) await chat(fresh(name));
		for (const [from, count] of [[0, 4], [1, 3]]) {
			const again = await opened(admin, { last: stream.events[from].id });
			await until(() => again.events.length === count);
			assert.deepEqual(kinds(again), Array(count).fill("chat"));
			await chat(fresh("after"));
			await until(() => again.events.length === count + 1);
			const numbers = again.events.map(({ id }) => Number(id.split("-")[1]));
			assert.deepEqual(numbers, numbers.map((_, i) => numbers[0] + i));
			again.close();
			await chat("before-1"); // nothing new
			stream.events[1].id = again.events.at(-4).id;
		}
	});
	test("a gap that is remembered no more, and what is no place at all, are a reset", async () => {
		const stream = await opened(admin);
		const start = stream.events[0].id;
		const [tag, number] = start.split("-");
		const items = Array.from({ length: 1025 }, () => ({ type: "chat", sessionId: "r", chatId: fresh("ring") }));
		for (const part of [items.slice(0, 1000), items.slice(1000)]) assert.equal((await house.post(organization.api_key, "/api/batch", part)).json.errors.length, 0);
		const at = (n) => `${tag}-${Number(number) + n}`;
		for (const last of [start, at(5000), `${tag}--1`, `${tag}-`, `${tag}-18446744073709551617`, `0${tag.slice(1, -1)}f-1`, "x"]) {
			const again = await opened(admin, { last });
			assert.equal(again.events[0].event, "reset", last);
			await chat(fresh("behind"));
			await until(() => again.events.length === 2);
			again.close();
		}
		stream.close();
	});
	test("all of the ring that is left, in order", async () => {
		const stream = await opened(admin);
		const start = stream.events[0].id;
		stream.close();
		const items = Array.from({ length: 1000 }, (_, i) => ({ type: "chat", sessionId: "r", chatId: fresh(`${i}`) }));
		await house.post(organization.api_key, "/api/batch", items);
		const again = await opened(admin, { last: start });
		await until(() => again.events.length === 1000);
		assert.deepEqual(again.events.map(({ data }) => data.chat_id), items.map(({ chatId }) => chatId));
		again.close();
	});
});

test("too many streams of an organization are 429, and others have theirs", async () => {
	await until(async () => {
		for (const { api_key } of [organization, other]) await chat(fresh("wake"), api_key);
		return (await streams()) === 0;
	}, "clients that went are noticed when there is something to say");
	const all = await Promise.all(Array.from({ length: 64 }, () => opened(admin)));
	assert.equal(await streams(), 64);
	const undisturbed = await opened(rival);
	const answer = await admin.get("/api/live");
	assertError(answer, 429, "rate_limited");
	await until(() => all.every(({ comments }) => comments.length > 0), "each is asked whether it is there");
	assert.deepEqual(undisturbed.comments, [], "and nobody else's");
	undisturbed.close();
	assert.match(answer.headers["retry-after"], /^\d+$/);
	(await opened(rival)).close();
	// Everybody hears of it.
	const name = fresh("all");
	await chat(name);
	await until(() => all.every(({ events }) => events.at(-1).data.chat_id === name));
	// Places of clients that went are found out by those who ask for one.
	for (const stream of all) stream.close();
	await until(async () => {
		const again = await listen(admin);
		again.close();
		return again.status === 200;
	}, "there is a place");
	await until(async () => {
		for (const { api_key } of [organization, other]) await chat(fresh("wake"), api_key);
		return (await streams()) === 0;
	}, "all are free");
});

test("clients that do not read hold up nobody", async () => {
	const deaf = await Promise.all(Array.from({ length: 10 }, () => opened(rival)));
	for (const stream of deaf) stream.request.socket.pause();
	const watching = await opened(rival);
	for (let round = 0; round < 20; round++)
		await house.post(other.api_key, "/api/batch", Array.from({ length: 500 }, () => ({ type: "chat", sessionId: "d", chatId: fresh("d") })));
	const name = fresh("end");
	await chat(name, other.api_key);
	await until(() => watching.events.at(-1)?.data.chat_id === name || watching.events.some(({ event }) => event === "reset"));
	for (const stream of [...deaf, watching]) stream.close();
});

test("a heartbeat comes within 15 seconds, and ends the stream of a session that is gone, of another organization now, or of a role that was removed", { timeout: 60000 }, async () => {
	const second = await house.member(organization, "Member");
	const leaving = await opened(second);
	const staying = await opened(admin);
	const gone = await house.member(organization, "Member");
	const removed = await opened(gone);
	await second.ok("POST", "/api/auth/logout", {});
	await admin.ok("DELETE", `/api/users/${gone.user.id}`);
	const began = Date.now();
	await until(() => leaving.ended && removed.ended, "they end", 20000);
	await until(() => staying.comments.length > 0, "a heartbeat", 20000);
	assert.ok(Date.now() - began < 20000);
	assert.ok(leaving.whole && removed.whole, "the server has ended them in good order");
	assert.ok(!staying.ended);
	staying.close();
});

test("a drain ends streams in good order and at once; after it, a place of before is a reset", async () => {
	const all = await Promise.all(Array.from({ length: 20 }, () => opened(admin)));
	const last = all[0].events.at(-1).id;
	const began = Date.now();
	await house.stop();
	assert.ok(Date.now() - began < 4000, `${Date.now() - began}`);
	await until(() => all.every(({ ended }) => ended));
	assert.ok(all.every(({ whole }) => whole));
	await house.start();
	const again = await opened(admin, { last });
	assert.deepEqual(kinds(again), ["reset"]);
	again.close();
});
