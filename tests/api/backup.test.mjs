// Copies of the database, taken while it is written, and put back.
import { test, describe, before, after } from "node:test";
import assert from "node:assert/strict";
import { copyFileSync, existsSync, readFileSync, readdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { openHouse, run, binary, fresh, until } from "./harness.mjs";

let house, ours;
before(async () => {
	house = await openHouse();
	ours = await house.organization();
	await house.ok(ours.api_key, "/api/chats/create", { sessionId: "s", chatId: "c" });
});
after(() => house.end());

const inside = (name) => join(house.directory, name);
const say = (i) => house.post(ours.api_key, "/api/chats/message", { chatId: "c", role: "user", content: `${i}`, messageId: `m${i}` });
const failed = (result, pattern) => {
	assert.deepEqual([result.status, result.stdout], [1, ""], result.stdout + result.stderr);
	assert.match(result.stderr, /^innkeeper: .+\n$/m);
	assert.match(result.stderr, pattern);
};
// Reads another file than the server's.
const ask = async (file, sql) => {
	const result = await run("sqlite3", ["-json", file, sql]);
	assert.equal(result.status, 0, result.stderr);
	return result.stdout.trim() === "" ? [] : JSON.parse(result.stdout);
};

describe("backup", () => {
	test("under load holds everything that was acknowledged before it began, whole", async () => {
		let going = true;
		let number = 0;
		const answered = [];
		const talk = async () => {
			while (going) {
				const i = ++number;
				assert.equal((await say(i)).status, 200);
				answered.push(i);
			}
		};
		const talks = Array.from({ length: 16 }, talk);
		await until(() => answered.length > 300, "it is busy");
		const before = [...answered];
		const made = await house.verb("backup", inside("under-load"));
		const after = answered.length;
		going = false;
		await Promise.all(talks);
		assert.ok(after > before.length, "it went on meanwhile");
		assert.equal(made.bytes, statSync(inside("under-load")).size);
		assert.equal(made.sha256, createHash("sha256").update(readFileSync(inside("under-load"))).digest("hex"));
		copyFileSync(inside("under-load"), inside("looked-at"));
		const stored = new Set((await ask(inside("looked-at"), "SELECT content FROM messages")).map((row) => Number(row.content)));
		for (const i of before) assert.ok(stored.has(i), `message ${i}`);
		assert.deepEqual(await ask(inside("looked-at"), "PRAGMA integrity_check"), [{ integrity_check: "ok" }]);
		assert.deepEqual(await ask(inside("looked-at"), "PRAGMA foreign_key_check"), []);
		const [counted] = await ask(inside("looked-at"), "SELECT message_count, (SELECT count(*) FROM messages) AS rows FROM chat_activity");
		assert.equal(counted.message_count, counted.rows, "one moment, not several");
	});

	test("is its owner's alone, and never takes the place of a file", async () => {
		await house.verb("backup", inside("once"));
		assert.equal(statSync(inside("once")).mode & 0o077, 0);
		const bytes = readFileSync(inside("once"));
		failed(await house.run(["backup", inside("once")]), /once/);
		failed(await house.run(["backup", house.file]), /house\.db/);
		assert.deepEqual(readFileSync(inside("once")), bytes);
	});

	test("to where nothing can be written says so and leaves nothing", async () => {
		failed(await house.run(["backup", inside("no/such/folder/file")]), /folder/);
		assert.ok(!existsSync(inside("no")));
		assert.deepEqual(readdirSync(house.directory).filter((name) => /tmp|partial|part$/.test(name)), []);
	});

	test("takes a path from where the operator stands", async () => {
		const result = await run(binary, ["backup", "relative", "--database", house.database], { cwd: house.directory });
		assert.equal(result.status, 0, result.stderr);
		assert.equal(JSON.parse(result.stdout).path, inside("relative"));
	});

	test("works without a server too", async () => {
		await house.stop();
		await house.verb("backup", inside("at-rest"));
		await house.start();
		assert.ok(statSync(inside("at-rest")).size > 4096);
	});
});

describe("restore", () => {
	const restore = (file, database) => run(binary, ["restore", file, "--database", `sqlite:${database}`]);

	test("puts a backup in a new place, where a server finds everything as it was", async () => {
		await say(fresh("r"));
		await house.verb("backup", inside("moved"));
		const result = await restore(inside("moved"), inside("new.db"));
		assert.equal(result.status, 0, result.stderr);
		const other = await openHouse([], { file: inside("new.db") });
		assert.equal((await other.post(ours.api_key, "/api/chats/message", { chatId: "c", role: "user", content: "again" })).status, 200);
		const count = "SELECT count(*) AS n FROM messages";
		assert.equal(await other.value(count), (await house.value(count)) + 1);
		await other.end();
	});

	test("keeps what stood there beside it, and is refused while a server runs", async () => {
		await house.verb("backup", inside("back"));
		failed(await house.run(["restore", inside("back")]), /server/);
		await house.ok(ours.api_key, "/api/chats/create", { sessionId: "s", chatId: "made-after" });
		await house.stop();
		assert.equal((await house.run(["restore", inside("back")])).status, 0);
		await house.start();
		assert.equal(await house.value("SELECT count(*) FROM chats WHERE chat_id = 'made-after'"), 0);
		const kept = readdirSync(house.directory).find((name) => /^house\.db\.replaced-[^-]+$/.test(name));
		assert.ok(kept, readdirSync(house.directory).join(" "));
		assert.deepEqual(await ask(inside(kept), "SELECT count(*) AS n FROM chats WHERE chat_id = 'made-after'"), [{ n: 1 }]);
	});

	for (const [name, damage] of [
		["a wrong bit in its middle", (file) => flip(file, 0.5)],
		["a wrong bit at its end", (file) => flip(file, 1)],
		["a wrong bit at its beginning", (file) => flip(file, 0)],
		["its last byte missing", (file) => truncateSync(file, statSync(file).size - 1)],
		["its half missing", (file) => truncateSync(file, Math.floor(statSync(file).size / 2))],
		["nothing in it", (file) => truncateSync(file, 0)],
		["something behind it", (file) => writeFileSync(file, "x", { flag: "a" })],
		["a letter in its place", (file) => writeFileSync(file, "Dear Sir or Madam")],
		["a plain database in its place", (file) => copyFileSync(house.file, file)],
	])
		test(`refuses a file with ${name}, and touches nothing`, async () => {
			const file = inside(fresh("damaged"));
			await house.verb("backup", file);
			damage(file);
			await house.stop();
			const before = readFileSync(house.file);
			failed(await house.run(["restore", file]), /damaged/);
			assert.deepEqual(readFileSync(house.file), before);
			await house.start();
			failed(await restore(file, inside(fresh("unmade"))), /damaged/);
			assert.ok(!readdirSync(house.directory).some((entry) => /^unmade-[^.]*$/.test(entry)), "no database was made");
		});

	test("refuses a file that is not there", async () => failed(await restore(inside("nowhere"), inside("unmade.db")), /nowhere/));

	function flip(file, where) {
		const bytes = readFileSync(file);
		bytes[Math.min(bytes.length - 1, Math.floor(bytes.length * where))] ^= 1;
		writeFileSync(file, bytes);
	}
});
