// What the pages show is what happens: their examples are run, in their order, against a real server.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { read, start } from "./house.mjs";
import { examples, http, masked, sameJson } from "./page.mjs";

let house;
let key;
const folder = mkdtempSync(join(tmpdir(), "innkeeper-examples-")); // where a reader's cookies lie
before(async () => {
	house = await start();
	key = house.verb("organization", "create", "Visit Example", "--requests-per-minute", "600").api_key;
	house.verbIn("correct horse battery\n", "user", "create", "--organization", "visit-example", "--email", "ann@example.com", "--name", "Ann", "--role", "Admin", "--password-stdin");
});
after(async () => {
	await house.stop();
	rmSync(folder, { recursive: true });
});

// The reader puts an address and a key in; so does this.
function filled(command) {
	return command.replaceAll("http://127.0.0.1:8080", house.url).replaceAll("ik_live_...", key);
}

function bash(script) {
	const { status, stdout, stderr } = spawnSync("bash", ["-eu", "-o", "pipefail", "-c", script], { encoding: "utf8", cwd: folder });
	assert.equal(status, 0, `${script}\n${stderr}`);
	assert.equal(stderr, "", script);
	return stdout;
}

function compare(example, output) {
	if (example.language === "json") {
		assert.equal(sameJson(output), sameJson(example.answer));
		return;
	}
	const shown = http(example.answer);
	const came = http(output);
	assert.equal(came.lines[0], shown.lines[0]);
	for (const line of shown.lines) assert.ok(came.lines.includes(line), `${line} is not among\n${came.lines.join("\n")}`);
	if (shown.body !== "") assert.equal(came.body, shown.body);
}

function walk(page, least) {
	const [variables, ...rest] = examples(read(page));
	test(`${page}: the first block sets what the others need`, () => {
		assert.match(variables.command, /KEY=ik_live_\.\.\./);
		assert.equal(variables.answer, undefined);
		assert.ok(rest.length >= least, `${rest.length} examples`);
	});
	for (const example of rest)
		test(`${page}:${example.line} answers as shown`, () => {
			assert.notEqual(example.answer, undefined, "an example shows its answer");
			compare(example, bash(`${filled(variables.command)}\n${filled(example.command)}`));
		});
}

walk("docs/api.md", 40);

test("README.md: the first request answers as shown when it is pasted", () => {
	const [variables, first, ...rest] = examples(read("README.md"));
	assert.deepEqual(rest, []);
	assert.match(variables.command, /^KEY=ik_live_\.\.\.$/);
	compare(first, bash(`${filled(variables.command)}\n${filled(first.command)}`));
});

test("an example that answered otherwise would be noticed", () => {
	const shown = { language: "json", answer: '{"success": true, "chatId": "a"}' };
	compare(shown, '{"success":true,"chatId":"a"}');
	assert.throws(() => compare(shown, '{"success":true,"chatId":"b"}'));
	assert.throws(() => compare(shown, '{"success":true}'));
	const head = { language: "http", answer: "HTTP/1.1 200 OK\nAllow: POST\n\nbody" };
	compare(head, "HTTP/1.1 200 OK\r\nDate: now\r\nAllow: POST\r\n\r\nbody");
	assert.throws(() => compare(head, "HTTP/1.1 200 OK\r\n\r\nbody"));
	assert.throws(() => compare(head, "HTTP/1.1 200 OK\r\nAllow: POST\r\n\r\nother"));
	assert.notEqual(masked('"cursor=short" "Nov 3rd" "ik_live_..."'), masked('"cursor=other" "Nov 4th" "ik_live_,,,"'));
	assert.equal(masked("01a20ac7-e98e-790c-b03c-23a9f75232eb 2026-11-23T15:04:05.678Z"), "<id> <time>");
});
