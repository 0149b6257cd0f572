// A disk that fails: a sync that does not return well ends the server before anyone is told "stored"; a full disk does
// not, and leaves nothing half-stored. The disk is failing_sync.c, preloaded.
import { before, after } from "node:test";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Connection, Remains, createOrganization, end, launch, start, temporaryFolder, test, within } from "./harness.mjs";

const EIO = 5;
const ENOSPC = 28;
const folder = temporaryFolder("failing-sync");
const library = join(folder, "failing_sync.so");

before(() => {
	const source = fileURLToPath(new URL("failing_sync.c", import.meta.url));
	execFileSync("cc", ["-std=c17", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", library, source, "-ldl"]);
});
after(() => rmSync(folder, { recursive: true }));

// A server on a disk of its own, with a chat; its messages are numbered and remembered as acknowledged or not.
class Inn {
	constructor(name) {
		this.database = join(folder, name);
		this.rules = join(folder, `${name}.rules`);
		this.environment = { LD_PRELOAD: library, INNKEEPER_FAILING: this.rules };
		this.acknowledged = [];
		this.refused = [];
		this.unanswered = [];
		this.serial = 0;
		this.padding = 0; // of each message, in bytes
		this.disk("");
	}

	disk(rule) {
		writeFileSync(this.rules, rule);
	}

	async start() {
		this.server = await start(this.database, { environment: this.environment });
	}

	async open() {
		await this.start();
		this.key = await createOrganization(this.database, "Fort Myers");
		const connection = new Connection(this.server.port, this.key);
		const answer = await connection.post("/api/chats/create", { chatId: "c", sessionId: "s" });
		assert.equal(answer?.status, 200, answer?.body);
	}

	async send(connection, messageId) {
		const content = messageId + ".".repeat(this.padding);
		const answer = await connection.post("/api/chats/message", { chatId: "c", role: "user", content, messageId });
		const remembered = answer === null ? this.unanswered : answer.status === 200 ? this.acknowledged : this.refused;
		remembered.push(messageId);
		return answer;
	}

	// So many messages over so many connections; the answers.
	async write(count, connections = 8) {
		let left = count;
		const answers = [];
		await Promise.all(
			Array.from({ length: connections }, async () => {
				const connection = new Connection(this.server.port, this.key);
				while (connection.open && left-- > 0) answers.push(await this.send(connection, `m-${++this.serial}`));
				await connection.close();
			}),
		);
		return answers;
	}

	// It ends by itself, and its last error says why. A step of background work may have come first: its commit is one too.
	async assertEnds(because) {
		const { code } = await within(this.server.exited, 10000, "the end of the server");
		assert.ok(code > 0, `a code that is not zero, and no signal: ${code}`);
		const errors = this.server.lines.map((line) => JSON.parse(line)).filter(({ level }) => level === "error");
		const last = errors.at(-1);
		assert.match(last.message, /disk failed: ending now/);
		assert.ok(last.while.startsWith(because), `${last.while}, not ${because}`);
	}

	// Each acknowledged message is there once; the others in `absent` are not at all.
	async assertStored(absent = []) {
		const remains = new Remains(this.database);
		await remains.assertSound();
		const whole = `substr(content, 1, length(content) - ${this.padding}) = external_id`;
		const found = (await remains.all(`SELECT external_id FROM messages WHERE ${whole}`)).flat();
		const [[total]] = await remains.all("SELECT count(*) FROM messages");
		const [[counted]] = await remains.all("SELECT message_count FROM chat_activity");
		remains.remove();
		const there = new Set(found);
		assert.equal(there.size, Number(total), "nothing twice, nothing half");
		assert.equal(there.size, Number(counted), "as many as its chat counted");
		for (const id of this.acknowledged) assert.ok(there.has(id), `${id} was acknowledged and is lost`);
		for (const id of absent) assert.ok(!there.has(id), `${id} was refused and is there`);
	}

	// On a healthy disk again: all is there, and what got no 200 can be sent again and is there once.
	async assertRecovers() {
		this.disk("");
		await this.start();
		const connection = new Connection(this.server.port, this.key);
		for (const id of [...this.unanswered.splice(0), ...this.refused.splice(0)])
			assert.equal((await this.send(connection, id))?.status, 200, `${id} sent again`);
		await connection.close();
		assert.deepEqual(await end(this.server), { code: 0, signal: null });
		await this.assertStored();
	}
}

for (const [what, rule] of [
	["sync", `sync -wal ${EIO}`],
	["write", `write -wal ${EIO}`],
]) {
	test(`a failed ${what} of a commit ends the server, and nobody who waits is told "stored"`, async () => {
		const inn = new Inn(`commit-${what}`);
		await inn.open();
		await inn.write(200);
		assert.equal(inn.acknowledged.length, 200);
		inn.disk(rule);
		const answers = await inn.write(8);
		assert.deepEqual(answers, Array(8).fill(null), "no answer at all");
		await inn.assertEnds("committing");
		assert.match(inn.server.lines.at(-1), /ending now/, "the last line of the log says why");
		await inn.assertRecovers();
	});
}

test("a sync that fails under load loses nothing that was acknowledged", async () => {
	const inn = new Inn("load");
	await inn.open();
	const writing = inn.write(1e6, 32);
	const fail = setInterval(() => {
		if (inn.acknowledged.length < 2000) return;
		inn.disk(`sync -wal ${EIO}`);
		clearInterval(fail);
	}, 5);
	await inn.assertEnds("committing");
	await writing;
	assert.ok(inn.unanswered.length > 0, "somebody was waiting");
	await inn.assertStored();
	await inn.assertRecovers();
});

test("a failed sync of the database's file ends the server, though no request waits for it", async () => {
	const inn = new Inn("home");
	await inn.open();
	await inn.write(10);
	inn.disk(`sync /home ${EIO}`);
	await inn.assertEnds("moving the log home");
	await inn.assertRecovers();
});

test("a log that cannot be moved home at the start is served to nobody", async () => {
	const inn = new Inn("begin");
	await inn.open();
	await inn.write(10);
	await end(inn.server, "SIGKILL");
	inn.disk(`sync * ${EIO}`);
	const server = launch(inn.database, { environment: inn.environment });
	const { code } = await within(server.exited, 10000, "the end of the server");
	assert.ok(code > 0, `a code that is not zero: ${code}`);
	assert.ok(!server.lines.some((line) => line.includes('"ready"')), "it was never ready");
	await inn.assertRecovers();
});

test("a full disk refuses writes and nothing else, and the server goes on when there is room again", async () => {
	const inn = new Inn("full");
	await inn.open();
	await inn.write(50);
	inn.disk(`write -wal ${ENOSPC}`);
	const answers = await inn.write(40);
	assert.deepEqual(
		answers.map((answer) => [answer?.status, JSON.parse(answer?.body).code]),
		Array(40).fill([503, "unavailable"]),
	);
	const reader = new Connection(inn.server.port, inn.key);
	assert.equal((await reader.request("GET", "/healthz"))?.status, 200);
	assert.equal((await reader.request("GET", "/readyz"))?.status, 200);
	await reader.close();
	inn.disk("");
	const refused = [...inn.refused];
	assert.deepEqual([...new Set((await inn.write(50)).map((answer) => answer?.status))], [200], "room again");
	await end(inn.server, "SIGKILL");
	await inn.assertStored(refused);
	await inn.assertRecovers();
});

// The log's index grows with its 4,063rd page.
test("a disk too full for the log's index refuses writes, and the server goes on when there is room again", async () => {
	const inn = new Inn("index");
	await inn.open();
	inn.padding = 200000;
	inn.disk(`write -shm ${ENOSPC}`);
	while (inn.refused.length === 0 && inn.acknowledged.length < 400) {
		const answers = await inn.write(8);
		for (const answer of answers) assert.ok([200, 503].includes(answer?.status), answer?.body ?? "no answer");
	}
	assert.ok(inn.refused.length > 0, "the index had to grow");
	inn.disk("");
	assert.deepEqual([...new Set((await inn.write(20)).map((answer) => answer?.status))], [200], "room again");
	await end(inn.server, "SIGKILL");
	await inn.assertStored();
	await inn.assertRecovers();
});

test("a disk that fills up under load stores each request whole or not at all", async () => {
	const inn = new Inn("filling");
	await inn.open();
	const writing = inn.write(6000, 32);
	let full = false;
	const flicker = setInterval(() => inn.disk((full = !full) ? `write -wal ${ENOSPC}` : ""), 15);
	await writing;
	clearInterval(flicker);
	inn.disk("");
	assert.ok(inn.refused.length > 0 && inn.acknowledged.length > 0, "both happened");
	assert.equal(inn.unanswered.length, 0, "the server lived");
	await end(inn.server, "SIGKILL");
	await inn.assertStored(inn.refused);
	await inn.assertRecovers();
});
