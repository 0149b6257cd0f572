// While there is more to write than can be, what the staff reads waits its turn, and no organization waits for another's
// crowd; otherwise nothing waits.
import { test, describe, before, after, afterEach } from "node:test";
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { openHouse, assertError, fresh, postgres, sanitized, until } from "./harness.mjs";

const PATIENCE = sanitized ? 8000 : 2000; // ms; a sanitizer's read takes longer than what is promised leaves for it
const SLACK = 2000; // of a busy machine, beside that
const OF_ORGANIZATION = 128;
const WRITERS = 12;
const CHATS = 1500;
const PAGE = "/api/chats?limit=200";

let house, ours, theirs, admin, rival;
before(async () => {
	house = await openHouse(["--max-connections", "2000"]);
	ours = await house.organization(fresh("Visit Crowd"));
	theirs = await house.organization(fresh("Visit Quiet"));
	[admin, rival] = [await house.member(ours), await house.member(theirs)];
	// Enough that a page costs more than opening a connection for it.
	for (let part = 0; part < CHATS / 500; part++) {
		const chats = Array.from({ length: 500 }, (_, at) => ({ type: "chat", chatId: `c${part}-${at}`, sessionId: "s", metadata: { part, at } }));
		assert.equal((await house.post(ours.api_key, "/api/batch", chats)).status, 207);
	}
});
after(() => house.end());

const metric = async (name, of = house) => Number(new RegExp(`^innkeeper_${name}(?:\\{\\})? (\\S+)`, "m").exec((await of.request("GET", "/metrics", { agent: false })).text)[1]);

// Concierges that write without a rest, until end() is called: something always waits behind a commit. They have a thread
// of their own, so that they go on while the test opens a crowd's connections.
const CONCIERGES = `
const { parentPort, workerData } = require("node:worker_threads");
const http = require("node:http");
const agent = new http.Agent({ keepAlive: true });
const body = JSON.stringify(Array(400).fill({ type: "article_view", articleId: "a", articleSlug: "a", sessionId: "s" }));
const headers = { "x-api-key": workerData.key, "content-type": "application/json", "content-length": body.length };
let ended = false;
const send = () => new Promise((resolve) => {
	const request = http.request({ host: "127.0.0.1", port: workerData.port, method: "POST", path: "/api/batch", headers, agent }, (response) => {
		response.resume().on("error", resolve).on("end", () => resolve(response.statusCode));
	});
	request.on("error", resolve);
	request.end(body);
});
const loop = async () => {
	while (!ended) {
		const status = await send();
		if (status !== 207) return status;
	}
};
parentPort.once("message", () => (ended = true));
Promise.all(Array.from({ length: workerData.writers }, loop)).then((statuses) => {
	agent.destroy();
	parentPort.postMessage(statuses.filter((status) => status !== undefined).map(String));
});
`;

async function saturate(of = house, organization = ours) {
	const worker = new Worker(CONCIERGES, { eval: true, workerData: { port: of.port, key: organization.api_key, writers: WRITERS } });
	const ended = once(worker, "message");
	const load = { ask: () => worker.postMessage("end"), ended };
	load.end = async () => {
		load.ask();
		assert.deepEqual((await ended)[0], [], "every batch is stored");
	};
	if (!postgres) await until(async () => (await metric("writer_saturated", of)) === 1, "the writer is saturated");
	return load;
}

// How much may be read is measured by what a read takes of this process, which is next to nothing where PostgreSQL does the
// work: there a crowd need not wait. What a client sees must hold all the same.
const crowded = async () => postgres || (await until(async () => (await metric("reads_waiting")) > 20, "the crowd waits"));

// `count` reads at once, each on a connection of its own: promises of {status, headers, text, waited}, and `sockets`.
function crowd(browser, count, path = PAGE) {
	const agent = new http.Agent({ maxSockets: Infinity });
	const requests = [];
	const answers = Array.from({ length: count }, () => new Promise((resolve, reject) => {
		const began = Date.now();
		const request = http.get({ host: "127.0.0.1", port: browser.house.port, path, headers: { cookie: browser.cookie }, agent }, (response) => {
			let text = "";
			response.setEncoding("utf8");
			response.on("data", (data) => (text += data));
			response.on("error", reject);
			response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text, json: JSON.parse(text), waited: Date.now() - began }));
		});
		request.on("error", reject);
		requests.push(request);
	}));
	return { answers, leave: () => requests.forEach((request) => request.destroy()) };
}

async function timed(asking) {
	const began = Date.now();
	return { answer: await asking, waited: Date.now() - began };
}

test("nothing waits while the writer rests, or has one client after the other", async () => {
	for (let i = 0; i < 10; i++) {
		await house.ok(theirs.api_key, "/api/chats/create", { sessionId: fresh("s") });
		for (const { status } of await Promise.all(crowd(admin, 20, "/api/chats?limit=5").answers)) assert.equal(status, 200);
	}
	assert.equal(await metric("read_delay_seconds_count"), 0);
	assert.equal(await metric("writer_saturated"), 0);
});

describe("while there is more to write than can be", () => {
	let load;
	afterEach(async () => {
		await load.end();
		await until(async () => (await metric("writer_saturated")) === 0 && (await metric("reads_waiting")) === 0, "it is over");
	});

	test("a crowd waits, and another organization's single read is served in its turn", async () => {
		load = await saturate();
		let ended = false;
		const statuses = new Set();
		const loop = async () => {
			while (!ended) statuses.add((await admin.get(PAGE)).status);
		};
		const loops = Promise.all(Array.from({ length: 32 }, loop));
		await crowded();
		for (let i = 0; i < 10; i++) {
			const { answer, waited } = await timed(rival.get("/api/chats?limit=50"));
			assert.equal(answer.status, 200, answer.text);
			assert.ok(waited < PATIENCE + SLACK, `a single read waited ${waited} ms`);
		}
		ended = true;
		await loops;
		assert.ok(statuses.has(200));
		assert.ok([...statuses].every((status) => status === 200 || status === 503), [...statuses].join());
		if (!postgres) assert.ok((await metric("read_delay_seconds_count")) > 32);
	});

	// Who waits at all.
	if (!postgres)
		test("who asks for more than there is room for is told to come back, and nobody else", async () => {
			load = await saturate();
			const before = await metric("reads_refused_total");
			const many = crowd(admin, 2 * OF_ORGANIZATION);
			await until(async () => (await metric("reads_refused_total")) > before, "some are refused");
			const { answer } = await timed(rival.get("/api/visitors"));
			assert.equal(answer.status, 200, answer.text);
			for (const path of ["/healthz", "/readyz", "/metrics"]) assert.equal((await house.request("GET", path, { agent: false })).status, 200, path);
			const answers = await Promise.all(many.answers);
			const refused = answers.filter(({ status }) => status === 503);
			assert.ok(refused.length > 0);
			for (const one of refused) {
				assertError(one, 503, "unavailable");
				assert.equal(one.headers["retry-after"], "1");
			}
			for (const { status, waited } of answers) {
				assert.ok(status === 200 || status === 503, String(status));
				assert.ok(waited < PATIENCE + 2 * SLACK, `${status} after ${waited} ms`);
			}
		});

	test("who leaves while waiting takes nothing along", async () => {
		load = await saturate();
		const many = crowd(admin, OF_ORGANIZATION);
		many.answers.forEach((answer) => answer.catch(() => {}));
		await crowded();
		many.leave();
		assert.equal((await rival.get("/api/chats?limit=50")).status, 200);
		await until(async () => (await metric("reads_waiting")) === 0, "those who left wait no more");
	});

	// Who waits at all.
	if (!postgres)
		test("who was signed out while waiting reads nothing", async () => {
			load = await saturate();
			const leaving = await house.member(ours);
			const cookie = leaving.cookie;
			const answers = [];
			const ask = (count) => answers.push(...crowd(leaving, count).answers.map(async (answer) => ({ status: (await answer).status, at: Date.now() })));
			ask(OF_ORGANIZATION / 2);
			await crowded();
			let gone = 0;
			const logout = leaving.ok("POST", "/api/auth/logout", {}).then(() => (gone = Date.now()));
			for (; gone === 0; await sleep(50)) ask(8); // so that some wait at the moment when the session ends
			await logout;
			const all = await Promise.all(answers);
			assert.equal((await house.get("/api/chats", { cookie })).status, 401);
			assert.ok(all.some(({ status }) => status === 401), "those that waited still");
			for (const { status, at } of all) assert.ok(status !== 200 || at < gone + PATIENCE / 4, `read ${at - gone} ms after`);
		});

	test("a list as CSV comes whole, page by page, and who leaves it takes nothing along", async () => {
		load = await saturate();
		const delayed = await metric("read_delay_seconds_count");
		await until(async () => {
			const all = await Promise.all(Array.from({ length: 4 }, () => admin.get("/api/chats?format=csv")));
			for (const { status, text } of all) {
				assert.equal(status, 200);
				assert.equal(text.split("\r\n").length, 1 + CHATS + 1);
			}
			return postgres || (await metric("read_delay_seconds_count")) > delayed + 4;
		}, "pages wait");
		for (let i = 0; i < 8; i++) {
			const request = http.get({ host: "127.0.0.1", port: house.port, path: "/api/chats?format=csv", headers: { cookie: admin.cookie }, agent: false });
			request.on("error", () => {});
			request.on("response", (response) => response.on("error", () => {}).once("data", () => request.destroy()));
			await new Promise((resolve) => request.on("close", resolve));
		}
		assert.equal((await rival.get("/api/chats")).status, 200);
	});
});

test("a server that ends answers what waits", async () => {
	const other = await openHouse();
	try {
		const organization = await other.organization();
		const member = await other.member(organization);
		const chats = Array.from({ length: 500 }, (_, at) => ({ type: "chat", chatId: `c${at}`, sessionId: "s" }));
		assert.equal((await other.post(organization.api_key, "/api/batch", chats)).status, 207);
		const load = await saturate(other, organization);
		const many = crowd(member, OF_ORGANIZATION);
		let answered = 0;
		for (const answer of many.answers) answer.then(() => answered++, () => {});
		// All have come in: a client between two requests finds the door closed.
		await until(async () => (await metric("reads_waiting", other)) + answered >= OF_ORGANIZATION - 1, "the crowd waits");
		load.ask(); // what is under way is still answered
		const stopped = other.stop();
		for (const { status } of await Promise.all(many.answers)) assert.ok(status === 200 || status === 503, String(status));
		await stopped;
		await load.ended; // a client between two requests finds the door closed
	} finally {
		await other.end();
	}
});
