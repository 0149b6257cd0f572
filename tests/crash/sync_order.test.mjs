// The order "reply after fsync", seen from outside: kill -9 cannot show a missing sync, a trace of system calls can.
// Needs strace. Every 200 must begin after the return of a sync that began after the commit with its row was written.
import { after } from "node:test";
import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Connection, createOrganization, end, start, temporaryFolder, test } from "./harness.mjs";

const WRITES = 2000;
const SHARED = 8; // writes that one sync covers on average at 64 connections, at least
const CALLS = "pwrite64,pwritev,write,writev,sendto,sendmsg,fdatasync,fsync";
const FRAME_HEAD = 24; // bytes; https://www.sqlite.org/fileformat2.html#the_write_ahead_log

const folder = temporaryFolder("sync-order");
after(() => rmSync(folder, { recursive: true }));

const marker = (number) => `mark-${String(number).padStart(6, "0")}`;
const bytesOf = (quoted) => Buffer.from(quoted.replaceAll("\\x", ""), "hex").toString("latin1");

// Finished calls of a trace, in the order of their begin. `began` and `ended` are line numbers: strace writes a line when
// a call has returned, or one when it is entered and a second one when it returns if another thread's came between.
function parseTrace(text) {
	const calls = [];
	const unfinished = new Map();
	text.split("\n").forEach((line, at) => {
		const resumed = /^(\d+) +<\.\.\. (\w+) resumed>.* = (-?\d+)/.exec(line);
		if (resumed) {
			const call = unfinished.get(resumed[1]);
			if (call?.name === resumed[2]) Object.assign(call, { ended: at, result: Number(resumed[3]) });
			unfinished.delete(resumed[1]);
			return;
		}
		const whole = /^(\d+) +(\w+)\(\d+<([^>]*)>/.exec(line);
		if (!whole) return;
		const [, thread, name, file] = whole;
		const call = { name, file: bytesOf(file), began: at, ended: Infinity, result: NaN };
		call.data = [...line.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map((match) => bytesOf(match[1])).join("");
		if (line.endsWith("<unfinished ...>")) unfinished.set(thread, call);
		else Object.assign(call, { ended: at, result: Number(/ = (-?\d+)[^=]*$/.exec(line)?.[1] ?? NaN) });
		calls.push(call);
	});
	return calls;
}

// What a trace says about each marked 200: {marker, send, sync}; sync undefined: none covered it in time.
function judge(text) {
	const calls = parseTrace(text);
	const covered = new Map(); // marker -> the sync that made it durable
	const answered = [];
	let written = new Set(); // by the transaction that is being written to the log
	let committed = []; // whole transactions that wait for a sync: {markers, ended}
	let commits = false; // the page that comes ends the transaction
	for (const call of calls) {
		const log = call.file.endsWith("-wal");
		if (log && call.name === "pwrite64" && call.data.length === FRAME_HEAD) {
			commits = call.data.slice(4, 8) !== "\0\0\0\0";
		} else if (log && call.name === "pwrite64") {
			for (const [found] of call.data.matchAll(/mark-\d{6}/g)) written.add(found);
			if (commits) {
				committed.push({ markers: written, ended: call.ended });
				written = new Set();
			}
		} else if (log && ["fdatasync", "fsync"].includes(call.name) && call.result === 0) {
			const durable = committed.filter(({ ended }) => ended < call.began);
			committed = committed.filter(({ ended }) => ended >= call.began);
			for (const { markers } of durable)
				for (const one of markers) if (!covered.has(one)) covered.set(one, call);
		} else if (call.data.startsWith("HTTP/1.1 200")) {
			const id = /\r\nx-request-id: (mark-\d{6})\r\n/i.exec(call.data)?.[1];
			if (id) answered.push({ marker: id, send: call });
		}
	}
	return answered.map(({ marker: id, send }) => {
		const sync = covered.get(id);
		return { marker: id, send, sync: sync && sync.ended < send.began ? sync : undefined, covering: sync };
	});
}

const broken = (text) => judge(text).filter(({ sync }) => !sync);

async function writeMarked(server, key, connections, writes) {
	let number = 0;
	await Promise.all(
		Array.from({ length: connections }, async (_, own) => {
			const connection = new Connection(server.port, key);
			const chatId = `chat-${own}`;
			const created = await connection.post("/api/chats/create", { chatId, sessionId: chatId });
			assert.equal(created?.status, 200, created?.body);
			while (number < writes) {
				const mark = marker(number++);
				const message = { chatId, role: "user", content: `${mark} was here` };
				const answer = await connection.post("/api/chats/message", message, { "X-Request-Id": mark });
				assert.equal(answer?.status, 200, answer?.body);
			}
			await connection.close();
		}),
	);
}

let trace = "";

test(`no 200 of ${WRITES} leaves before the sync that covers its commit has returned`, async (context) => {
	const database = join(folder, "traced");
	const output = join(folder, "trace");
	const wrapper = ["strace", "-D", "-f", "-y", "-xx", "-s", "8192", "-e", `trace=${CALLS}`, "-o", output];
	const server = await start(database, { wrapper });
	await writeMarked(server, await createOrganization(database, "Fort Myers"), 32, WRITES);
	assert.deepEqual(await end(server), { code: 0, signal: null });
	trace = readFileSync(output, "latin1");
	const verdicts = judge(trace);
	assert.equal(new Set(verdicts.map(({ marker: id }) => id)).size, WRITES, "every 200 was seen");
	const early = verdicts.filter(({ sync }) => !sync).map(({ marker: id }) => id);
	assert.deepEqual(early, [], "sent before their sync had returned");
	const syncs = new Set(verdicts.map(({ sync }) => sync)).size;
	context.diagnostic(`${WRITES} writes at 32 connections, ${syncs} syncs of their commits`);
});

// The judge itself, on the same trace made to lie: each lie must be found out, and for the right writes.
const lies = {
	"a reply sent before the sync began": (lines, { send, sync }) => {
		const [line] = lines.splice(send.began, 1);
		lines.splice(sync.began, 0, line);
	},
	"a reply sent while the sync ran": (lines, { send, sync }) => {
		const [thread] = lines[sync.began].split(" ");
		lines[sync.began] = lines[sync.began].replace(/\) += 0$/, " <unfinished ...>");
		lines.splice(send.ended + 1, 0, `${thread} <... fdatasync resumed>) = 0`);
	},
	"a sync that never was": (lines, { sync }) => lines.splice(sync.began, 1),
	"a sync that failed": (lines, { sync }) => {
		lines[sync.began] = lines[sync.began].replace(/= 0$/, "= -1 EIO (Input/output error)");
	},
	"a sync before the commit's last page": (lines, { sync }) => {
		let page = sync.began - 1;
		while (!lines[page].includes("pwrite64(")) page--;
		const [line] = lines.splice(sync.began, 1);
		lines.splice(page, 0, line);
	},
	"a sync of another file": (lines, { sync }) => {
		lines[sync.began] = lines[sync.began].replace("\\x2d\\x77\\x61\\x6c>", ">");
	},
};

for (const [lie, tell] of Object.entries(lies)) {
	test(`the judge finds ${lie}`, () => {
		assert.notEqual(trace, "", "there is a trace");
		// One write in the middle whose sync and send stand on a line each, so that the lie is simple to tell.
		const whole = ({ send, sync }) => sync && sync.began === sync.ended && send.began === send.ended;
		const verdicts = judge(trace);
		const victim = verdicts.slice(verdicts.length >> 1).find(whole);
		assert.ok(victim, "a write to lie about");
		const lines = trace.split("\n");
		tell(lines, victim);
		const found = broken(lines.join("\n")).map(({ marker: id }) => id);
		assert.ok(found.includes(victim.marker), `${victim.marker} is found`);
		const batch = verdicts.filter(({ sync }) => sync === victim.sync).map(({ marker: id }) => id);
		for (const id of found) assert.ok(batch.includes(id), `${id} is true and stays so`);
	});
}

async function batchItems(connection) {
	const { body } = await connection.request("GET", "/metrics");
	const read = (part) => Number(new RegExp(`^innkeeper_batch_items_${part}\\S* (\\d+)$`, "m").exec(body)[1]);
	return { items: read("sum"), batches: read("count") };
}

test(`at 64 connections at least ${SHARED} writes share one sync`, async (context) => {
	const database = join(folder, "shared");
	const server = await start(database);
	const key = await createOrganization(database, "Fort Myers");
	const watch = new Connection(server.port, key);
	const before = await batchItems(watch);
	await writeMarked(server, key, 64, 20000);
	const now = await batchItems(watch);
	await watch.close();
	assert.deepEqual(await end(server), { code: 0, signal: null });
	const average = (now.items - before.items) / (now.batches - before.batches);
	context.diagnostic(`${average.toFixed(1)} writes a sync`);
	assert.ok(average >= SHARED, `${average} writes a sync`);
});
