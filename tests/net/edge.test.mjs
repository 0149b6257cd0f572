// The edge, by raw bytes: what the gate refuses, what it lets through, and what a slow or vanished client can do.
// Needs the probe (tests/unit/http_probe.c): INNKEEPER_HTTP_PROBE, or build/tests/http_probe.
import { test, describe, before, after } from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const binary = process.env.INNKEEPER_HTTP_PROBE ?? "build/tests/http_probe";

async function start(...options) {
	const child = spawn(binary, options, { stdio: ["ignore", "pipe", "inherit"] });
	process.once("exit", () => child.kill("SIGKILL"));
	const probe = { child, lines: [], port: 0, exited: once(child, "exit") };
	let rest = "";
	let ready;
	const started = new Promise((resolve) => (ready = resolve));
	child.stdout.on("data", (data) => {
		const lines = (rest + data).split("\n");
		rest = lines.pop();
		for (const line of lines) {
			if (line.startsWith("port ")) ready((probe.port = Number(line.slice(5))));
			else probe.lines.push(line);
		}
	});
	await Promise.race([started, probe.exited.then(([code]) => assert.fail(`the probe ended with ${code}`))]);
	return probe;
}

async function stop(probe) {
	probe.child.kill("SIGTERM");
	const [code, signal] = await probe.exited;
	assert.deepEqual([code, signal], [0, null], "the probe ends by itself, without a sanitizer's word");
}

// A connection that remembers what came; `closed` resolves at its end, with an error or without.
function open(where) {
	const socket = connect(typeof where === "string" ? { path: where } : { port: where, host: "127.0.0.1" });
	const client = { socket, text: "" };
	socket.setEncoding("latin1");
	socket.on("data", (data) => (client.text += data));
	socket.on("error", () => {});
	client.closed = new Promise((resolve) => socket.on("close", resolve));
	client.send = (text) => socket.write(Buffer.from(text, "latin1"));
	return client;
}

async function until(condition, milliseconds = 3000) {
	for (const end = Date.now() + milliseconds; Date.now() < end; await sleep(10)) if (condition()) return;
	assert.fail(`not within ${milliseconds} ms: ${condition}`);
}

async function within(promise, milliseconds, what) {
	const late = Symbol();
	const clock = new AbortController();
	const first = await Promise.race([promise, sleep(milliseconds, late, { signal: clock.signal }).catch(() => late)]);
	clock.abort();
	assert.notEqual(first, late, what);
}

// libmicrohttpd 0.9.75 writes the head of its own refusals of a length and of too many cookies twice, to one body.
const withoutStutter = (text) => text.replace(/^(HTTP[^]*?\r\n\r\n)\1/, "$1");
const statuses = (text) => [...text.matchAll(/HTTP\/1\.[01] (\d{3}) /g)].map((match) => Number(match[1]));
const get = (path, extra = "") => `GET ${path} HTTP/1.1\r\nHost: a.example\r\n${extra}\r\n`;
const post = (path, body, extra = "") =>
	`POST ${path} HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${body.length}\r\n${extra}\r\n${body}`;

const probe = await start();

// Sends it with a request behind it, which must never be seen.
let smuggled = 0;
async function refused(bytes, { house = true } = {}) {
	const path = `/smuggled-${++smuggled}`;
	const seenBefore = probe.lines.filter((line) => line.startsWith("seen")).length;
	const client = open(probe.port);
	client.send(bytes + get(path));
	await within(client.closed, 3000, "the connection is closed");
	const found = statuses(house ? client.text : withoutStutter(client.text));
	assert.equal(found.length, 1, `exactly one reply, not ${JSON.stringify(client.text)}`);
	assert.ok(!probe.lines.some((line) => line.includes(path)), "nothing behind it was processed");
	assert.equal(probe.lines.filter((line) => line.startsWith("seen")).length, seenBefore, "nor was it itself");
	if (house) assert.match(client.text, /\r\n\r\n\{"error":"[^"]+","code":"[a-z_]+"\}$/);
	return found[0];
}

const head = (lines, start = "POST /echo HTTP/1.1") => [start, ...lines, "", ""].join("\r\n");
const host = "Host: a.example";

describe("refused with one 400 in the house's shape, closed, nothing behind it processed", () => {
	const cases = {
		"a length and a transfer-encoding": head([host, "Content-Length: 5", "Transfer-Encoding: chunked"]) + "0\r\n\r\n",
		"a transfer-encoding and a length": head([host, "Transfer-Encoding: chunked", "Content-Length: 5"]) + "0\r\n\r\n",
		"two lengths": head([host, "Content-Length: 5", "Content-Length: 6"]) + "hello",
		"two equal lengths": head([host, "Content-Length: 5", "Content-Length: 5"]) + "hello",
		"a blank before the colon": head([host, "Content-Length : 1"]) + "a",
		"a tab before the colon": head([host, "Content-Length\t: 1"]) + "a",
		"an odd byte in a name": head([host, "X@y: 1"]),
		"a high byte in a name": head([host, "X\xe9: 1"]),
		"an empty name": head([host, ": 1"]),
		"two hosts": head([host, "Host: b.example"]),
		"no host": head(["Accept: */*"], "GET /hello HTTP/1.1"),
		"an empty host": head(["Host:"], "GET /hello HTTP/1.1"),
		"a host with a slash": head(["Host: a/b"], "GET /hello HTTP/1.1"),
		"a host with a user": head(["Host: a@b"], "GET /hello HTTP/1.1"),
		"a host with a blank": head(["Host: a b"], "GET /hello HTTP/1.1"),
		"a host with a bad port": head(["Host: a:8x"], "GET /hello HTTP/1.1"),
		"a host with an open bracket": head(["Host: [::1"], "GET /hello HTTP/1.1"),
		"two x-api-key": head([host, "X-Api-Key: a", "x-api-key: a"]),
		"two authorization": head([host, "Authorization: a", "Authorization: b"]),
		"two idempotency-key": head([host, "Idempotency-Key: a", "Idempotency-Key: b"]),
		"two content-type": head([host, "Content-Type: a/b", "Content-Type: a/c"]),
		"two cookie": head([host, "Cookie: a=1", "Cookie: b=2"]),
		"a control character in a value": head([host, "X: a\x01b"]),
		"a bare CR in a value": head([host, "X: a\rb"]),
		"a DEL in a value": head([host, "X: a\x7fb"]),
		"a NUL in a value": head([host, "X: a\0b"]),
		"a NUL at the end of the last value": head([host, "X: a\0"]),
		"a NUL in a length": head([host, "Content-Length: 0\x005"]) + "hello",
		"a NUL in the target": head([host], "GET /hello\0x HTTP/1.1"),
		"a bare LF behind a header": `GET /hello HTTP/1.1\r\n${host}\r\nX: a\nY: b\r\n\r\n`,
		"a bare LF behind the request line": `GET /hello HTTP/1.1\n${host}\r\n\r\n`,
		"a bare LF as the blank line": `GET /hello HTTP/1.1\r\n${host}\r\n\n`,
		"a folded line": head([host, "X: a", " b"]),
		"a folded length": head([host, "Content-Length:", " 5"]) + "hello",
		"a folded transfer-encoding": head([host, "Transfer-Encoding:", " chunked"]) + "0\r\n\r\n",
		"transfer-encoding gzip": head([host, "Transfer-Encoding: gzip"]),
		"transfer-encoding gzip, chunked": head([host, "Transfer-Encoding: gzip, chunked"]) + "0\r\n\r\n",
		"transfer-encoding chunked with a blank behind it": head([host, "Transfer-Encoding: chunked "]) + "0\r\n\r\n",
		"two transfer-encodings": head([host, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"]) + "0\r\n\r\n",
		"a transfer-encoding on HTTP/1.0": head([host, "Transfer-Encoding: chunked"], "POST /echo HTTP/1.0") + "0\r\n\r\n",
		"a target without a slash": head([host], "GET hello HTTP/1.1"),
		"a star for GET": head([host], "GET * HTTP/1.1"),
		"an absolute target of another host": head([host], "GET http://b.example/hello HTTP/1.1"),
		"an absolute target with a user": head([host], "GET http://u@a.example/hello HTTP/1.1"),
		"an absolute target of another scheme": head([host], "GET ftp://a.example/hello HTTP/1.1"),
		"an authority as target": head([host], "CONNECT a.example:443 HTTP/1.1"),
		"a control character in the target": head([host], "GET /hel\x02lo HTTP/1.1"),
		"a high byte in the target": head([host], "GET /h\xe9 HTTP/1.1"),
		"a fragment in the target": head([host], "GET /hello#x HTTP/1.1"),
		"a blank in the target": head([host], "GET /hello x HTTP/1.1"),
		"two blanks before the target": head([host], "GET  /hello HTTP/1.1"),
		"half a percent in the path": head([host], "GET /hello%4 HTTP/1.1"),
		"a percent without hex in the path": head([host], "GET /hello%zz HTTP/1.1"),
		"%00 in the path": head([host], "GET /hello%00 HTTP/1.1"),
		"a path that is not UTF-8": head([host], "GET /hello%ff HTTP/1.1"),
		"half a percent in the query": head([host], "GET /hello?a=% HTTP/1.1"),
		"%00 in the query": head([host], "GET /hello?a=%00 HTTP/1.1"),
		"a method with an odd byte": head([host], "GE(T /hello HTTP/1.1"),
	};
	for (const [name, bytes] of Object.entries(cases)) test(name, async () => assert.equal(await refused(bytes), 400));
});

describe("a length that is not a number is refused and closed", () => {
	// The library refuses most of these itself, with a page of its own.
	for (const value of ["+2", "-2", "1 2", "0x10", "2,2", "2.0", "a", "", "2;", "18446744073709551616", "9".repeat(40)])
		test(JSON.stringify(value), async () => {
			const status = await refused(head([host, `Content-Length: ${value}`]) + "ab", { house: false });
			assert.ok([400, 413].includes(status), `${status}`);
		});
	test("2^63 bytes", async () => {
		assert.equal(await refused(head([host, "Content-Length: 9223372036854775808"])), 400);
	});
});

describe("other refusals", () => {
	test("HTTP/1.2 is 505", async () => assert.equal(await refused(head([host], "GET /hello HTTP/1.2")), 505));
	for (const version of ["HTTP/2.0", "HTTP/0.9", "HTTP/3.0"])
		test(`${version} is 505`, async () =>
			assert.equal(await refused(head([host], `GET /hello ${version}`), { house: false }), 505));
	for (const version of ["http/1.1", "HTTP/1.10", "HTTP/11", "FTP/1.1"])
		test(`${version} is 400`, async () =>
			assert.equal(await refused(head([host], `GET /hello ${version}`), { house: false }), 400));
	test("no version is refused", async () =>
		assert.equal(await refused(head([host], "GET /hello"), { house: false }), 400));
	test("101 header lines are 431", async () => {
		const lines = Array.from({ length: 100 }, (_, i) => `X-${i}: a`);
		assert.equal(await refused(head([host, ...lines])), 431);
	});
	test("a head of 16 KiB and a byte is 431", async () => {
		const room = 16384 - head([host, "X: "]).length;
		assert.equal(await refused(head([host, "X: " + "a".repeat(room + 1)])), 431);
	});
	test("a target of 16 KiB is 431", async () =>
		assert.equal(await refused(head([host], `GET /${"a".repeat(16384)} HTTP/1.1`)), 431));
	test("a query of eight thousand parts is 431", async () =>
		assert.equal(await refused(head([host], `GET /?${"&a".repeat(8200)} HTTP/1.1`)), 431));
	test("10,000 header lines are refused", async () => {
		const lines = Array.from({ length: 10000 }, (_, i) => `X-${i}: a`);
		assert.equal(await refused(head([host, ...lines]), { house: false }), 431);
	});
	test("a cookie of five thousand parts is refused", async () => {
		const bytes = get("/hello", `Cookie: ${"a;".repeat(5000)}\r\n`);
		assert.equal(await refused(bytes, { house: false }), 431);
	});
	test("a header of 8 MiB is refused", async () => {
		const client = open(probe.port);
		client.send(head([host, "X: " + "a".repeat(8 << 20)]));
		await within(client.closed, 5000, "closed");
		assert.ok(statuses(client.text).length <= 1);
		assert.ok(statuses(client.text).every((status) => status === 431), client.text);
	});
	for (const line of ["no colon here", "\0X: 1"])
		test(`a header line ${JSON.stringify(line)} is refused`, async () =>
			assert.equal(await refused(head([host, line]), { house: false }), 400));
	test("a request line without blanks closes the connection", async () => {
		const client = open(probe.port);
		client.send("HELLO\r\n\r\n");
		await within(client.closed, 3000, "closed");
		assert.ok(statuses(client.text).length <= 1);
	});
	for (const chunk of ["+5\r\nhello", "0x5\r\nhello", " 5\r\nhello", "-1\r\nhello", "g\r\nhello", "5 \r\nhello", "fffffffffffffffff\r\n", "5\r\nhelloX\r\n"])
		test(`a chunk ${JSON.stringify(chunk)} is refused`, async () => {
			const client = open(probe.port);
			client.send(head([host, "Transfer-Encoding: chunked"]) + chunk + "\r\n0\r\n\r\n" + get("/behind-chunk"));
			await within(client.closed, 3000, "closed");
			assert.equal(statuses(client.text).length, 1, client.text);
			assert.ok(statuses(client.text)[0] >= 400);
			assert.ok(!probe.lines.some((line) => line.includes("/behind-chunk")));
		});
});

async function answered(bytes, count = 1) {
	const client = open(probe.port);
	client.send(bytes);
	await until(() => statuses(client.text).length >= count && client.text.includes("\r\n\r\n"));
	await sleep(20);
	client.socket.destroy();
	return client.text;
}

describe("what is right passes", () => {
	test("a request byte by byte", async () => {
		const client = open(probe.port);
		client.socket.setNoDelay(true);
		for (const byte of post("/echo", "hi")) {
			client.send(byte);
			await sleep(1);
		}
		await until(() => client.text.endsWith("\r\n\r\nhi"));
		client.socket.destroy();
	});
	test("a head of exactly 16 KiB", async () => {
		const room = 16384 - head([host, "X: "], "GET /hello HTTP/1.1").length;
		assert.deepEqual(statuses(await answered(head([host, "X: " + "a".repeat(room)], "GET /hello HTTP/1.1"))), [200]);
	});
	test("a query of 16 KiB that is all separators arrives as sent", async () => {
		const text = await answered(get("/target?" + "&a".repeat(7000)));
		assert.ok(text.endsWith("/target " + "&a".repeat(7000)));
	});
	test("100 header lines", async () => {
		const lines = Array.from({ length: 99 }, (_, i) => `X-${i}: a`);
		assert.deepEqual(statuses(await answered(head([host, ...lines], "GET /hello HTTP/1.1"))), [200]);
	});
	test("three requests on one connection", async () => {
		const client = open(probe.port);
		for (let i = 1; i <= 3; i++) {
			client.send(post("/echo", `body ${i}`));
			await until(() => client.text.endsWith(`body ${i}`));
		}
		assert.deepEqual(statuses(client.text), [200, 200, 200]);
		client.socket.destroy();
	});
	test("three pipelined requests in their order, one of them waiting", async () => {
		const client = open(probe.port);
		client.send(post("/echo", "first;") + post("/later", "second;") + post("/echo", "third;"));
		await until(() => client.text.includes("third;"));
		assert.deepEqual(client.text.match(/(first|second|third);/g), ["first;", "second;", "third;"]);
		client.socket.destroy();
	});
	test("a reply that is ready before the application returns, many times", async () => {
		const client = open(probe.port);
		client.send(post("/at-once", "x").repeat(50));
		await until(() => statuses(client.text).length === 50);
		client.socket.destroy();
	});
	test("chunks", async () => {
		const text = await answered(head([host, "Transfer-Encoding: Chunked"]) + "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: r\r\n\r\n");
		assert.ok(text.endsWith("\r\n\r\nabcde"));
	});
	test("Expect: 100-continue", async () => {
		const client = open(probe.port);
		client.send(head([host, "Content-Length: 2", "Expect: 100-continue"]));
		await until(() => client.text.includes("100 Continue"));
		client.send("ok");
		await until(() => client.text.endsWith("\r\n\r\nok"));
		client.socket.destroy();
	});
	test("HEAD has the length and no body", async () => {
		const text = await answered(head([host], "HEAD /hello HTTP/1.1"));
		assert.match(text, /Content-Length: 5\r\n/i);
		assert.ok(text.endsWith("\r\n\r\n"));
	});
	test("GET with a body ignores it", async () => {
		const text = await answered(get("/hello", "Content-Length: 3\r\n") + "abc" + get("/hello"), 2);
		assert.deepEqual(statuses(text), [200, 200]);
	});
	test("HTTP/1.0 without a host, closed behind it", async () => {
		const client = open(probe.port);
		client.send("GET /hello HTTP/1.0\r\n\r\n");
		await within(client.closed, 3000, "closed");
		assert.deepEqual(statuses(client.text), [200]);
	});
	test("an absolute target of the same host", async () => {
		assert.match(await answered(head(["Host: a.example:80"], "GET http://A.example:80/target?a=b HTTP/1.1")), /\r\n\r\n\/target a=b$/);
	});
	test("a path is decoded once, a query not at all", async () => {
		assert.match(await answered(get("/target/%2541%20b+c?d=%41+?")), /\r\n\r\n\/target\/%41 b\+c d=%41\+\?$/);
	});
	test("OPTIONS *", async () => assert.match(await answered(head([host], "OPTIONS * HTTP/1.1")), /\r\n\r\n\* $/));
	test("an IPv6 host with a port", async () => {
		assert.deepEqual(statuses(await answered(head(["Host: [::1]:8080"], "GET /hello HTTP/1.1"))), [200]);
	});
	test("obs-text, tabs and empty values in headers", async () => {
		assert.deepEqual(statuses(await answered(get("/hello", "X: \xe9\tb \r\nY:\r\nZ:   \r\n"))), [200]);
	});
});

describe("too large", () => {
	const limit = 64 * 1024;
	test("a body at the limit passes", async () => {
		const text = await answered(post("/echo", "a".repeat(limit)));
		assert.deepEqual(statuses(text), [200]);
	});
	test("a length over the limit is 413 before the body, without 100", async () => {
		const client = open(probe.port);
		client.send(head([host, `Content-Length: ${limit + 1}`, "Expect: 100-continue"]));
		await within(client.closed, 3000, "closed");
		assert.deepEqual(statuses(client.text), [413]);
		assert.match(client.text, /"code":"payload_too_large"/);
	});
	test("chunks over the limit are 413 as soon as they are seen", async () => {
		const client = open(probe.port);
		client.send(head([host, "Transfer-Encoding: chunked"]) + "10001\r\n" + "a".repeat(limit + 1));
		await within(client.closed, 3000, "closed");
		assert.deepEqual(statuses(client.text), [413]);
		assert.match(client.text, /Connection: close\r\n[^]*\{"error":"[^"]+","code":"payload_too_large"\}$/);
		await until(() => probe.lines.includes("released /echo 1"));
	});
	test("an answer before the body closes the connection", async () => {
		const client = open(probe.port);
		client.send(post("/refused", "a".repeat(10)) + get("/behind-refused"));
		await within(client.closed, 3000, "closed");
		assert.deepEqual(statuses(client.text), [401]);
		assert.ok(!probe.lines.some((line) => line.includes("/behind-refused")));
	});
});

// What an answer's body is made of: its bytes out of their chunks, and whether the last chunk came.
function unchunked(text) {
	let rest = text.slice(text.indexOf("\r\n\r\n") + 4);
	let body = "";
	for (;;) {
		const line = rest.indexOf("\r\n");
		const length = line < 0 ? NaN : parseInt(rest.slice(0, line), 16);
		if (length === 0) return { body, whole: rest.slice(line).startsWith("\r\n\r\n"), behind: rest.slice(line + 4) };
		if (Number.isNaN(length) || rest.length < line + 2 + length + 2) return { body, whole: false, behind: "" };
		body += rest.slice(line + 2, line + 2 + length);
		rest = rest.slice(line + 2 + length + 2);
	}
}
const counted = (length) => "abcdefghijklmnopqrstuvw".repeat(Math.ceil(length / 23)).slice(0, length);

describe("streams", () => {
	test("come in chunks, and the connection is kept for the next request", async () => {
		const client = open(probe.port);
		client.send(get("/count?100000") + get("/hello"));
		await until(() => client.text.endsWith("hello"));
		assert.match(client.text, /^HTTP\/1\.1 200 [^]*?Transfer-Encoding: chunked\r\n/);
		const { body, whole, behind } = unchunked(client.text);
		assert.ok(whole);
		assert.equal(body, counted(100000));
		assert.deepEqual(statuses(behind), [200]);
		client.socket.destroy();
	});
	test("an empty one is whole", async () => {
		const client = open(probe.port);
		client.send(get("/count?0"));
		await until(() => unchunked(client.text).whole);
		client.socket.destroy();
	});
	test("HTTP/1.0 gets the bytes and the end of the connection", async () => {
		const client = open(probe.port);
		client.send("GET /count?100000 HTTP/1.0\r\n\r\n");
		await within(client.closed, 3000, "closed");
		assert.doesNotMatch(client.text, /chunked/i);
		assert.equal(client.text.slice(client.text.indexOf("\r\n\r\n") + 4), counted(100000));
		await until(() => probe.lines.at(-1) === "released /count 1");
	});
	test("HTTP/1.0 waits as well", async () => {
		const client = open(probe.port);
		client.send("GET /ticks?20 HTTP/1.0\r\n\r\n");
		await within(client.closed, 3000, "closed");
		assert.ok(client.text.endsWith("\r\n\r\n" + "t".repeat(20)));
	});
	test("HEAD asks for no piece of it, gets nothing behind the head, and is closed", async () => {
		const client = open(probe.port);
		client.send(get("/half").replace("GET", "HEAD"));
		await within(client.closed, 3000, "closed");
		assert.match(client.text, /^HTTP\/1\.1 200 [^]*Connection: close\r\n[^]*\r\n\r\n$/);
		assert.equal(client.text.indexOf("\r\n\r\n"), client.text.length - 4);
		await until(() => probe.lines.at(-1) === "released /half 1"); // asked, it would have failed
	});
	test("one that fails is cut, so that the client sees it, and released unsent", async () => {
		const seen = probe.lines.length;
		const client = open(probe.port);
		client.send(get("/half") + get("/behind-half"));
		await within(client.closed, 3000, "closed");
		assert.deepEqual({ ...unchunked(client.text) }, { body: "half\n", whole: false, behind: "" });
		await until(() => probe.lines.slice(seen).includes("released /half 0"));
		assert.ok(!probe.lines.some((line) => line.includes("/behind-half")));
	});
	test("one that waits is woken from another thread, however the two meet", async () => {
		const clients = Array.from({ length: 20 }, () => open(probe.port));
		for (const client of clients) client.send(get("/ticks?2000"));
		await until(() => clients.every((client) => unchunked(client.text).whole), 20000);
		for (const client of clients) {
			assert.equal(unchunked(client.text).body, "t".repeat(2000));
			client.socket.destroy();
		}
	});
	test("a client that does not read holds up nobody, and gets all of it in the end", async () => {
		const size = 30_000_000;
		const slow = open(probe.port);
		let bytes = 0;
		slow.socket.removeAllListeners("data");
		slow.socket.pause();
		slow.send(get(`/count?${size}`));
		for (let i = 0; i < 20; i++) assert.deepEqual(statuses(await answered(get("/hello"))), [200]);
		slow.socket.on("data", (data) => (bytes += data.length));
		slow.socket.resume();
		await until(() => bytes > size, 20000);
		slow.socket.destroy();
	});
	test("a client that goes in the middle: released once, unsent", async () => {
		const seen = probe.lines.length;
		const client = open(probe.port);
		client.socket.pause();
		client.send(get("/count?1000000000"));
		await until(() => probe.lines.slice(seen).includes("seen GET /count"));
		await sleep(50);
		client.socket.resetAndDestroy();
		await until(() => probe.lines.slice(seen).includes("released /count 0"));
	});
	test("a client that goes while its stream waits: released once, unsent, when it would go on", async () => {
		const seen = probe.lines.length;
		const client = open(probe.port);
		client.send(get("/wait"));
		await until(() => unchunked(client.text).body === "first\n");
		client.socket.resetAndDestroy();
		await sleep(100);
		for (let i = 0; i < 3; i++) {
			assert.deepEqual(statuses(await answered(post("/wake", ""))), [200]);
			await sleep(20);
		}
		await until(() => probe.lines.slice(seen).includes("released /wait 0"));
		assert.equal(probe.lines.slice(seen).filter((line) => line.startsWith("released /wait")).length, 1);
	});
	test("it waits longer than any other deadline", async () => {
		const patient = await start("header=1", "body=1", "idle=1");
		const client = open(patient.port);
		client.send(get("/wait"));
		await until(() => unchunked(client.text).body === "first\n");
		await sleep(2200);
		const waker = open(patient.port);
		waker.send(post("/wake", ""));
		await until(() => unchunked(client.text).body === "first\nwoken\n");
		client.socket.destroy();
		waker.socket.destroy();
		await stop(patient);
	});
	test("two thousand wait at the same time, all are woken, and a drain ends them all within its time", async () => {
		const large = await start("connections=2100");
		const clients = [];
		for (let i = 0; i < 2000; i++) {
			const client = open(large.port);
			client.send(get("/wait"));
			clients.push(client);
			if (i % 100 === 99) await until(() => clients.every(({ text }) => text.includes("first")), 20000);
		}
		const waker = open(large.port);
		waker.send(post("/wake", ""));
		await until(() => clients.every(({ text }) => unchunked(text).body === "first\nwoken\n"), 20000);
		for (const client of clients.slice(0, 500)) client.socket.destroy();
		const before = Date.now();
		await stop(large);
		assert.ok(Date.now() - before < 1900, `${Date.now() - before}`);
		for (const client of clients.slice(500)) {
			await client.closed;
			assert.deepEqual(unchunked(client.text), { body: "first\nwoken\nbye\n", whole: true, behind: "" });
		}
		await until(() => large.lines.filter((line) => line.startsWith("released /wait")).length === 2000);
	});
	test("a drain cuts one that waits on, and ends early", async () => {
		const draining = await start();
		const client = open(draining.port);
		client.send(get("/stay"));
		await until(() => client.text.includes("first"));
		const before = Date.now();
		await stop(draining);
		assert.ok(Date.now() - before < 1500);
		assert.deepEqual(unchunked(client.text), { body: "first\n", whole: false, behind: "" });
		await until(() => draining.lines.includes("released /stay 0"));
	});
	test("a drain that comes while streams start, wait and are woken leaves none behind", async () => {
		for (let round = 0; round < 10; round++) {
			const draining = await start();
			const clients = Array.from({ length: 30 }, (_, i) => open(draining.port));
			clients.forEach((client, i) => client.send(get(i % 2 ? "/ticks?1000000" : "/wait")));
			await until(() => draining.lines.length > round * 3);
			const before = Date.now();
			await stop(draining);
			assert.ok(Date.now() - before < 1900, "nothing was waited for until the end");
			const count = (word) => draining.lines.filter((line) => line.startsWith(word)).length;
			await until(() => count("released") === count("seen"));
			for (const client of clients) client.socket.destroy();
		}
	});
});

describe("clients that go", () => {
	test("while their request waits: it is released once, unsent, and others are served", async () => {
		const before = probe.lines.length;
		const client = open(probe.port);
		client.send(post("/later", "gone"));
		await until(() => probe.lines.slice(before).includes("seen POST /later"));
		client.socket.resetAndDestroy ? client.socket.resetAndDestroy() : client.socket.destroy();
		assert.deepEqual(statuses(await answered(get("/hello"))), [200]);
		await until(() => probe.lines.slice(before).some((line) => line.startsWith("released /later")));
		await sleep(100);
		assert.deepEqual(probe.lines.slice(before).filter((line) => line.startsWith("released /later")), ["released /later 0"]);
	});
	test("in the middle of a body: released once, unsent", async () => {
		const before = probe.lines.length;
		const client = open(probe.port);
		client.send(head([host, "Content-Length: 100"]) + "half");
		await until(() => probe.lines.slice(before).includes("seen POST /echo"));
		client.socket.destroy();
		await until(() => probe.lines.slice(before).includes("released /echo 0"));
	});
	test("every admitted request was released exactly once", async () => {
		const seen = () => probe.lines.filter((line) => line.startsWith("seen")).length;
		await until(() => probe.lines.filter((line) => line.startsWith("released")).length === seen());
	});
});

describe("deadlines", () => {
	let slow;
	before(async () => (slow = await start("header=1", "body=1", "idle=2", "threads=1")));
	after(() => stop(slow));
	const lasts = async (client) => {
		const start = Date.now();
		await within(client.closed, 5000, "closed by the deadline");
		return Date.now() - start;
	};
	const drip = (client, byte) => {
		const timer = setInterval(() => client.send(byte), 100);
		client.closed.then(() => clearInterval(timer));
	};
	test("a head that drips is cut after its time, not after its last byte", async () => {
		const client = open(slow.port);
		client.send("GET /hello HTTP/1.1\r\nHost: a\r\nX: ");
		drip(client, "a");
		const time = await lasts(client);
		assert.ok(time > 700 && time < 1900, `${time}`);
		assert.equal(client.text, "");
	});
	test("a connection that says nothing is cut", async () => {
		const time = await lasts(open(slow.port));
		assert.ok(time > 700 && time < 1900, `${time}`);
	});
	test("a request line that drips is cut", async () => {
		const client = open(slow.port);
		drip(client, "G");
		const time = await lasts(client);
		assert.ok(time > 700 && time < 1900, `${time}`);
	});
	test("a body that drips is cut, and its request released", async () => {
		const client = open(slow.port);
		client.send(head([host, "Content-Length: 1000"]));
		drip(client, "a");
		const time = await lasts(client);
		assert.ok(time > 700 && time < 1900, `${time}`);
		await until(() => slow.lines.includes("released /echo 0"));
	});
	test("the second head of a connection has its time from its own first line", async () => {
		const client = open(slow.port);
		client.send(get("/hello"));
		await until(() => client.text.endsWith("hello"));
		await sleep(1200);
		client.send("GET /hello HTTP/1.1\r\nHost: a\r\n");
		await sleep(600);
		client.send("\r\n");
		await until(() => statuses(client.text).length === 2);
		client.send("GET /hello HTTP/1.1\r\nX: ");
		drip(client, "a");
		const time = await lasts(client);
		assert.ok(time > 700 && time < 1900, `${time}`);
	});
	test("a silent kept-alive connection is cut after the idle time", async () => {
		const client = open(slow.port);
		client.send(get("/hello"));
		await until(() => client.text.endsWith("hello"));
		const time = await lasts(client);
		assert.ok(time > 1700 && time < 2900, `${time}`);
	});
	test("beyond the deadlines others are served", async () => {
		const client = open(slow.port);
		client.send(post("/later", "fine"));
		await until(() => client.text.endsWith("fine"));
		client.socket.destroy();
	});
});

describe("doors", () => {
	test("one connection too many is closed at once, and there is room again when one goes", async () => {
		const small = await start("connections=3");
		const open3 = [1, 2, 3].map(() => open(small.port));
		for (const client of open3) client.send(get("/hello"));
		await until(() => open3.every((client) => client.text.endsWith("hello")));
		const fourth = open(small.port);
		await within(fourth.closed, 2000, "closed");
		assert.equal(fourth.text, "");
		open3[0].socket.destroy();
		await sleep(100);
		const fifth = open(small.port);
		fifth.send(get("/hello"));
		await until(() => fifth.text.endsWith("hello"));
		await stop(small);
	});
	test("the control socket has mode 0600, takes the place of a dead one, and goes with the server", async () => {
		const folder = mkdtempSync(join(tmpdir(), "innkeeper-"));
		const path = join(folder, "control");
		const first = await start(`control=${path}`);
		assert.equal(statSync(path).mode & 0o777, 0o600);
		const client = open(path);
		client.send(get("/peer", "X-Forwarded-For: 9.9.9.9\r\n"));
		await until(() => client.text.endsWith("0".repeat(32)));
		await assert.rejects(start(`control=${path}`), /ended with 1/, "a living one is not taken away");
		first.child.kill("SIGKILL");
		await first.exited;
		assert.ok(existsSync(path));
		const second = await start(`control=${path}`);
		const again = open(path);
		again.send(get("/hello"));
		await until(() => again.text.endsWith("hello"));
		await stop(second);
		assert.ok(!existsSync(path));
		writeFileSync(path, "a file");
		await assert.rejects(start(`control=${path}`), /ended with 1/, "what is no socket is not removed");
		assert.ok(existsSync(path));
		rmSync(folder, { recursive: true });
	});
	test("an address in use, and what is no address, end the start", async () => {
		await assert.rejects(start(`listen=127.0.0.1:${probe.port}`), /ended with 1/);
		await assert.rejects(start("listen=localhost"), /ended with 1/);
	});
	test("IPv6 is counted by its /64, IPv4 is mapped; a stranger's X-Forwarded-For is not believed", async () => {
		assert.match(await answered(get("/peer", "X-Forwarded-For: 9.9.9.9\r\n")), /\r\n\r\n0{20}ffff7f000001$/);
	});
	test("a trusted proxy's X-Forwarded-For is believed, from the right", async () => {
		const behind = await start("trusted=127.0.0.0/8, 10.0.0.1");
		const client = open(behind.port);
		client.send(get("/peer", "X-Forwarded-For: 6.6.6.6, 2001:db8::1:2:3:4, 10.0.0.1\r\n"));
		await until(() => client.text.endsWith("20010db8000000000000000000000000"));
		client.socket.destroy();
		const tls = async (extra) => {
			const asked = open(behind.port);
			asked.send(get("/tls", extra));
			await until(() => /(tls|plain)$/.test(asked.text));
			asked.socket.destroy();
			return asked.text.endsWith("tls");
		};
		assert.equal(await tls("X-Forwarded-Proto: https\r\n"), true);
		assert.equal(await tls("X-Forwarded-Proto: http, HTTPS \r\n"), true, "what it wrote itself stands last");
		assert.equal(await tls("X-Forwarded-Proto: https, http\r\n"), false);
		assert.equal(await tls("X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n"), false);
		assert.equal(await tls("X-Forwarded-Proto:\r\n"), false);
		assert.equal(await tls(""), false);
		await stop(behind);
		assert.match(await answered(get("/tls", "X-Forwarded-Proto: https\r\n")), /plain$/, "a stranger is not believed");
	});
});

describe("drain", () => {
	test("closes idle connections, answers what waits with Connection: close, accepts nobody, and ends early", async () => {
		const draining = await start();
		const idle = open(draining.port);
		idle.send(get("/hello"));
		await until(() => idle.text.endsWith("hello"));
		const silent = open(draining.port);
		const waiting = open(draining.port);
		waiting.send(post("/later", "answered"));
		await until(() => draining.lines.includes("seen POST /later"));
		const start0 = Date.now();
		draining.child.kill("SIGTERM");
		await within(idle.closed, 1000, "the idle one is closed at once");
		await within(silent.closed, 1000, "the silent one too");
		const late = open(draining.port);
		await within(late.closed, 1000, "a new one is refused");
		assert.equal(late.text, "");
		await within(waiting.closed, 1500, "the waiting one is answered");
		assert.match(waiting.text, /Connection: close\r\n[^]*answered$/i);
		assert.deepEqual((await draining.exited)[0], 0);
		assert.ok(Date.now() - start0 < 1500, "before the two seconds are over");
	});
	test("ends when its time is over although a client drips", async () => {
		const draining = await start("body=60");
		const client = open(draining.port);
		client.send(head([host, "Content-Length: 1000"]) + "a");
		await until(() => draining.lines.includes("seen POST /echo"));
		const start0 = Date.now();
		await stop(draining);
		const time = Date.now() - start0;
		assert.ok(time > 1800 && time < 3500, `${time}`);
		await until(() => draining.lines.includes("released /echo 0"));
	});
});

test("the probe of all these tests ends cleanly", () => stop(probe));
