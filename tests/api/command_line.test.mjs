// The operator's words: JSON on standard output, sentences on standard error, exit codes 0, 1 (failed) and 2 (usage).
import { test, describe, before, after } from "node:test";
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binary, openHouse, run, fresh } from "./harness.mjs";
import { assertPrinted, assertSaid } from "./words.mjs";

let directory;
before(() => (directory = mkdtempSync(join(tmpdir(), "innkeeper-words-"))));
after(() => rmSync(directory, { recursive: true, force: true }));

const innkeeper = (words, options) => run(binary, words, { cwd: directory, ...options });
const database = (name) => ["--database", `sqlite:${join(directory, name)}`];

describe("help", () => {
	test("--help lists every verb and setting, and succeeds", async () => {
		for (const words of [["--help"], ["help"]]) {
			const { status, stdout, stderr } = await innkeeper(words);
			assert.deepEqual([status, stderr], [0, ""]);
			for (const verb of ["serve", "demo", "organization create", "organization list", "key create", "key list", "key revoke", "user create", "user list", "backup", "restore", "migrate"])
				assert.ok(stdout.includes(`innkeeper ${verb}`), verb);
			for (const setting of ["--database", "--listen", "INNKEEPER_DATABASE", "INNKEEPER_LISTEN"]) assert.ok(stdout.includes(setting), setting);
		}
	});

	test("--help on every verb that the list names, wherever it stands, does nothing but help", async () => {
		const { stdout } = await innkeeper(["--help"]);
		const verbs = [...stdout.matchAll(/^ {2}innkeeper ((?:[a-z]+ ?)+?)(?= [-<[A-Z]|$)/gm)].map((match) => match[1].trim().split(" "));
		assert.ok(verbs.length >= 12);
		for (const verb of verbs)
			for (const words of [[...verb, "--help"], [...verb, "--organization", "x", "--help"]]) {
				const result = await innkeeper(words);
				assert.deepEqual([result.status, result.stderr], [0, ""], words.join(" "));
				assert.ok(result.stdout.startsWith(`innkeeper ${verb.join(" ")}`), result.stdout);
			}
		assert.deepEqual(readdirSync(directory).filter((name) => name.endsWith(".db")), []);
	});

	test("--version says one", async () => assert.match((await innkeeper(["--version"])).stdout, /^innkeeper \d+\.\d+\.\d+\n$/));
});

describe("wrong words are exit code 2 and a sentence", () => {
	for (const [words, pattern] of [
		[[], /verb/],
		[["frobnicate"], /frobnicate/],
		[["organization"], /organization/],
		[["organization", "frobnicate"], /./],
		[["organization", "create"], /NAME/],
		[["organization", "create", "A", "B"], /B/],
		[["organization", "create", "A", "--frob", "x"], /--frob/],
		[["organization", "create", "A", "--slug"], /--slug/],
		[["organization", "create", "A", "--requests-per-minute", "many"], /--requests-per-minute/],
		[["organization", "create", "A", "--requests-per-minute", "1e3"], /--requests-per-minute/],
		[["key", "create"], /--organization/],
		[["key", "revoke", "--organization", "x"], /ID/],
		[["user", "create", "--organization", "x"], /--email/],
		[["backup"], /FILE/],
		[["restore"], /FILE/],
		[["serve", "--threads", "none"], /threads/],
		[["serve", "--threads", "0"], /threads/],
		[["serve", "--threads", "99999999999999999999"], /threads/],
		[["serve", "--queue=-1"], /queue/],
		[["serve", "--listen"], /listen/],
		[["serve", "--database", "mysql://x"], /sqlite:/],
		[["serve", "--database", "sqlite:"], /sqlite:/],
		[["serve", "--database="], /database/],
		[["serve", "--log-level", "loud"], /log-level/],
		[["serve", "extra"], /extra/],
		[["serve", "--config", "no-such-file"], /no-such-file/],
	])
		test(words.join(" ") || "none", async () => {
			assertSaid(await innkeeper(words), 2, pattern);
			assert.deepEqual(readdirSync(directory), [], "and nothing was made");
		});
});

describe("serve", () => {
	for (const [name, words, pattern] of [
		["an address that is none", ["--listen", "nowhere"], /nowhere/],
		["an address of another machine", ["--listen", "192.0.2.1:8080"], /192\.0\.2\.1/],
		["a trusted proxy that is no address", ["--listen", "127.0.0.1:0", "--trusted-proxy", "proxy.example"], /./],
	])
		test(`${name} is exit code 1 and a sentence`, async () => assertSaid(await innkeeper(["serve", ...database(`${fresh("s")}.db`), ...words]), 1, pattern));

	test("a folder that is not there is exit code 1 and a sentence", async () => {
		assertSaid(await innkeeper(["serve", "--listen", "127.0.0.1:0", "--database", `sqlite:${directory}/not/there.db`]), 1);
	});

	test("a file that is no database is refused and left as it was", async () => {
		const file = join(directory, "letter.db");
		writeFileSync(file, "Dear Sir or Madam, ".repeat(1000));
		const size = statSync(file).size;
		assertSaid(await innkeeper(["serve", "--listen", "127.0.0.1:0", ...database("letter.db")]), 1);
		assert.equal(statSync(file).size, size);
	});

	test("a second server of one database is refused", async () => {
		const house = await openHouse();
		const result = await house.run(["serve", "--listen", "127.0.0.1:0", "--control", join(house.directory, "other")]);
		assertSaid(result, 1, /server/);
		assert.equal((await house.get("/readyz")).status, 200);
		await house.end();
	});

	test("an address in use is refused, and the first server goes on", async () => {
		const house = await openHouse();
		assertSaid(await innkeeper(["serve", ...database("other.db"), "--listen", `127.0.0.1:${house.port}`]), 1, new RegExp(`${house.port}`));
		assert.equal((await house.get("/readyz")).status, 200);
		await house.end();
	});
});

test("the control socket is its owner's alone, and a dead one is no obstacle", async () => {
	const house = await openHouse();
	const control = `${house.file}.control`;
	assert.equal(statSync(control).mode & 0o777, 0o600);
	assert.equal(statSync(house.file).mode & 0o077, 0, "nor is the database for others");
	house.child.kill("SIGKILL");
	await house.exited;
	assert.ok(existsSync(control));
	assert.equal(JSON.stringify(await house.verb("organization", "list")), "[]");
	await house.start();
	assert.equal(JSON.stringify(await house.verb("organization", "list")), "[]");
	await house.end();
});

test("twenty verbs at once without a server all succeed or say who has the database, and none is lost", async () => {
	const house = await openHouse();
	await house.stop();
	const results = await Promise.all(Array.from({ length: 20 }, (_, i) => house.run(["organization", "create", `At once ${i}`])));
	const good = results.filter((result) => result.status === 0).map((result) => JSON.parse(result.stdout).id);
	for (const result of results) if (result.status !== 0) assertSaid(result, 1, /server|database/);
	assert.ok(good.length > 0);
	assert.deepEqual((await house.verb("organization", "list")).map((row) => row.id).sort(), good.sort());
	await house.end();
});

test("a verb that cannot reach the server which has the database says so", async () => {
	const control = join(directory, "elsewhere.control");
	const house = await openHouse(["--control", control]);
	assertSaid(await house.run(["organization", "list"]), 1, /--control/);
	const reached = await house.run(["organization", "list", "--control", control]);
	assert.deepEqual(assertPrinted(reached), []);
	await house.end();
});

test("a verb on a database that is not there says so and makes none, unless it founds one", async () => {
	for (const words of [["organization", "list"], ["key", "list", "--organization", "x"], ["backup", "x.backup"]])
		assertSaid(await innkeeper([...words, ...database("absent.db")]), 1, /absent\.db/);
	assert.ok(!existsSync(join(directory, "absent.db")));
	assertPrinted(await innkeeper(["organization", "create", "First", ...database("absent.db")]));
	assert.ok(existsSync(join(directory, "absent.db")));
});

describe("settings", () => {
	// Which of four databases a verb meets is told by the organization in it.
	const names = ["word", "environment", "file", "innkeeper"];
	before(async () => {
		for (const name of names) assertPrinted(await innkeeper(["organization", "create", name, ...database(`${name}.db`)]));
		writeFileSync(join(directory, "settings"), `# where\n\n  database =   sqlite:${join(directory, "file.db")}  \nlog-level=error\n`);
	});
	const met = async (words, env) => assertPrinted(await innkeeper(["organization", "list", ...words], { env }))[0].organization_name;
	const file = ["--config", "settings"];
	const env = () => ({ INNKEEPER_DATABASE: `sqlite:${join(directory, "environment.db")}` });

	test("come from the command line first", async () => assert.equal(await met([...database("word.db"), ...file], env()), "word"));
	test("then from the environment", async () => assert.equal(await met(file, env()), "environment"));
	test("then from the config file", async () => assert.equal(await met(file), "file"));
	test("then from the config file that the environment names", async () => assert.equal(await met([], { INNKEEPER_CONFIG: "settings" }), "file"));
	test("then from the default, in the folder where one stands", async () => assert.equal(await met([]), "innkeeper"));
	test("an empty variable counts as none", async () => assert.equal(await met([], { INNKEEPER_DATABASE: "" }), "innkeeper"));

	for (const [name, text, pattern] of [
		["a setting that there is not", "database = sqlite:x.db\nfrob = 1\n", /:2: .*frob/],
		["a line that is none", "database\n", /:1: /],
		["a bad number", "threads = many\n", /threads/],
		["a number out of its range", "queue = 0\n", /queue/],
	])
		test(`a config file with ${name} is exit code 2 and says where`, async () => {
			writeFileSync(join(directory, "bad"), text);
			assertSaid(await innkeeper(["serve", "--config", "bad"]), 2, pattern);
		});

	test("a bad variable is exit code 2 and says which", async () => {
		assertSaid(await innkeeper(["serve"], { env: { INNKEEPER_THREADS: "none" } }), 2, /INNKEEPER_THREADS/);
	});
});

describe("migrate", () => {
	test("makes a database, and applies nothing twice", async () => {
		const first = assertPrintedLast(await innkeeper(["migrate", ...database("migrate.db")]));
		assert.ok(first.applied > 0 && first.applied === first.schema);
		assert.deepEqual(assertPrintedLast(await innkeeper(["migrate", ...database("migrate.db")])), { applied: 0, schema: first.schema });
	});

	// Its log goes to standard error.
	function assertPrintedLast({ status, stdout, stderr }) {
		assert.equal(status, 0, stderr);
		for (const line of stderr.split("\n").filter((each) => each !== "")) JSON.parse(line);
		return JSON.parse(stdout);
	}

	test("is refused while a server runs", async () => {
		const house = await openHouse();
		assertSaid(await house.run(["migrate"]), 1, /server/);
		await house.end();
	});

	for (const [name, sql, pattern] of [
		["newer than the binary", "INSERT INTO migrations VALUES (9999, '9999_future.sql', 'x', 1)", /newer/],
		["whose migration was edited afterwards", "UPDATE migrations SET checksum = 'x' WHERE number = 2", /0002.*edited/],
	])
		test(`a database ${name} is refused by serve, migrate and every verb, and not touched`, async () => {
			const house = await openHouse();
			await house.organization("Kept");
			await house.stop();
			await house.change(sql);
			const before = await house.rows("SELECT * FROM migrations");
			for (const words of [["serve", "--listen", "127.0.0.1:0"], ["migrate"], ["organization", "list"], ["organization", "create", "x"]])
				assertSaid(await house.run(words), 1, pattern);
			assert.deepEqual(await house.rows("SELECT * FROM migrations"), before);
			assert.equal(await house.value("SELECT count(*) FROM organizations"), 1);
			await house.end();
		});
});
