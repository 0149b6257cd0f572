// Bad input of every kind to every route: its 4xx, no memory kept, nothing stored.
import { test, describe, before, after } from "node:test";
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { openHouse, assertError, sanitized } from "./harness.mjs";

const MEBIBYTE = 1024 * 1024;
const texts = { wrong: [5, 1.5, true, {}, [], ["x"]], long: 65536 };
const kinds = {
	text: texts,
	email: { wrong: [...texts.wrong, "no address"], long: 65536 },
	choice: { wrong: [...texts.wrong, "something else"], long: 65536 },
	time: { wrong: [...texts.wrong, "soon", "2026-02-30T00:00:00Z", "2026-01-01T25:00:00Z"], long: 65536 },
	object: { wrong: [5, 1.5, true, [], [{}], "x", "{}", ""] },
	list: { wrong: [5, 1.5, true, {}, "x", "[]", ""] },
	unbounded: { wrong: texts.wrong },
};

// Each route with a body that is good, and the kind of each of its fields; those marked * are required.
const routes = {
	"/api/chats/create": {
		good: { sessionId: "s" },
		fields: { "*sessionId": "text", chatId: "text", userId: "text", externalUserId: "text", location: "text", userAgent: "text", status: "choice", metadata: "object", timestamp: "time" },
		called: { externalUserId: "userId" },
	},
	"/api/chats/message": {
		good: { chatId: "known", role: "user", content: "x" },
		fields: { "*chatId": "text", "*role": "choice", "*content": "unbounded", metadata: "object", timestamp: "time", messageId: "text" },
	},
	"/api/articles/mention": { good: { articles: [{ id: "a", title: "a", slug: "a" }] }, fields: { "*articles": "list", chatId: "text", timestamp: "time" } },
	"/api/articles/view": {
		good: { articleId: "a", articleSlug: "a" },
		fields: { "*articleId": "text", "*articleSlug": "text", articleTitle: "text", articleType: "text", chatId: "text", sessionId: "text", timestamp: "time" },
	},
	"/api/tavily-mentions": {
		good: { sessionId: "s", mentions: [{ url: "u" }] },
		fields: { "*mentions": "list", "*sessionId": "text", chatId: "text", visitorId: "text", searchQuery: "text", timestamp: "time" },
	},
	"/api/tavily-mentions/click": { good: { articleUrl: "u", sessionId: "s" }, fields: { "*articleUrl": "text", chatId: "text", sessionId: "text", timestamp: "time" } },
	"/api/visitors/identify": {
		good: { email: "a@b.example" },
		fields: { "*email": "email", session_id: "text", chat_id: "text", source: "text", visitor_id: "text", name: "text", metadata: "object", timestamp: "time" },
	},
	"/api/users/identify": { good: { email: "a@b.example" }, fields: { "*email": "email", session_id: "text", chat_id: "text", source: "text", name: "text", timestamp: "time" } },
};
routes["/api/article-mentions"] = routes["/api/tavily-mentions"];
routes["/api/article-mentions/click"] = routes["/api/tavily-mentions/click"];

let house, key, counts, calm;
before(async () => {
	house = await openHouse();
	key = (await house.organization()).api_key;
	await house.ok(key, "/api/chats/create", { sessionId: "s", chatId: "known" });
	for (const [path, { good }] of Object.entries(routes)) await house.post(key, path, good);
	await house.post(key, "/api/batch", [{ type: "chat", sessionId: "s" }]);
	counts = await house.counts();
	writeFileSync(`/proc/${house.pid}/clear_refs`, "5"); // the peak begins again from here
	calm = house.resident();
});
after(() => house.end());

const peak = () => Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${house.pid}/status`, "utf8"))[1]) * 1024;
describe("wrong types and sizes", () => {
	for (const [path, { good, fields, called = {} }] of Object.entries(routes))
		for (const [mark, kind] of Object.entries(fields)) {
			const name = mark.replace("*", "");
			test(`of ${name} to ${path} are told by the field's name`, async () => {
				const field = called[name] ?? name;
				for (const wrong of kinds[kind].wrong) {
					const answer = await house.post(key, path, { ...good, [name]: wrong });
					assertError(answer, 400, "invalid_field", field);
				}
				if (kinds[kind].long)
					assertError(await house.post(key, path, { ...good, [name]: "x".repeat(kinds[kind].long) }), 400, "invalid_field", field);
				if (mark.startsWith("*"))
					for (const absent of [undefined, null])
						assertError(await house.post(key, path, { ...good, [name]: absent }), 400, "missing_field", field);
			});
		}

	test("of elements of lists are told by their place", async () => {
		for (const wrong of [5, "x", null, [], true])
			assertError(await house.post(key, "/api/articles/mention", { articles: [{ id: "a", title: "a", slug: "a" }, wrong] }), 400, "invalid_field", "articles[1]");
		for (const [name, long] of [["id", 65536], ["title", 65536], ["slug", 65536], ["type", 65536]])
			for (const wrong of [...texts.wrong, "x".repeat(long)])
				assertError(await house.post(key, "/api/articles/mention", { articles: [{ id: "a", title: "a", slug: "a", [name]: wrong }] }), 400, "invalid_field", `articles[0].${name}`);
		for (const name of ["url", "title", "content", "image"])
			for (const wrong of texts.wrong)
				assertError(await house.post(key, "/api/tavily-mentions", { sessionId: "s", mentions: [{ url: "u", [name]: wrong }] }), 400, "invalid_field", `mentions[0].${name}`);
	});
});

describe("what is not one JSON object", () => {
	const around = (value) => Buffer.concat([Buffer.from('{"sessionId":"s","x":"'), Buffer.from(value), Buffer.from('"}')]);
	const bodies = {
		"nothing": "",
		"blanks": "  \r\n\t ",
		"an array": "[]",
		"an array of objects": '[{"sessionId":"s"}]',
		"a text": '"x"',
		"a number": "5",
		"true": "true",
		"null": "null",
		"half an object": '{"sessionId":"s"',
		"two objects": '{"sessionId":"s"}{"sessionId":"s"}',
		"something behind the object": '{"sessionId":"s"} x',
		"a comma too many": '{"sessionId":"s",}',
		"single quotes": "{'sessionId':'s'}",
		"a comment": '{"sessionId":"s"/* x */}',
		"a byte order mark": '\ufeff{"sessionId":"s"}',
		"a form": "sessionId=s",
		"a key twice": '{"sessionId":"s","sessionId":"s"}',
		"a key twice, once escaped": '{"sessionId":"s","session\\u0049d":"t"}',
		"a key twice deep inside": '{"sessionId":"s","metadata":{"a":[{"b":1,"b":2}]}}',
		"U+0000 as an escape": '{"sessionId":"s\\u0000"}',
		"U+0000 in a key": '{"sessionId":"s","a\\u0000b":1}',
		"a raw NUL in a text": around([0]),
		"a raw NUL behind the object": '{"sessionId":"s"}\0',
		"a raw line end in a text": around([10]),
		"a lone high surrogate": '{"sessionId":"\\ud800"}',
		"a lone low surrogate": '{"sessionId":"\\udc00"}',
		"surrogates the wrong way round": '{"sessionId":"\\udc00\\ud800"}',
		"a surrogate as UTF-8": around([0xed, 0xa0, 0x80]),
		"a byte that is no UTF-8": around([0xff]),
		"half a character": around([0xe2, 0x82]),
		"an overlong slash": around([0xc0, 0xaf]),
		"a character beyond Unicode": around([0xf4, 0x90, 0x80, 0x80]),
		"1e999": '{"sessionId":"s","x":1e999}',
		"-1e999": '{"sessionId":"s","metadata":{"x":-1e999}}',
		"2^53+1": '{"sessionId":"s","x":9007199254740993}',
		"2^64": '{"sessionId":"s","x":18446744073709551617}',
		"a number of 1,000 digits": `{"sessionId":"s","x":${"9".repeat(1000)}}`,
		"NaN": '{"sessionId":"s","x":NaN}',
		"Infinity": '{"sessionId":"s","x":-Infinity}',
		"a hexadecimal number": '{"sessionId":"s","x":0x10}',
		"a leading zero": '{"sessionId":"s","x":01}',
		"33 levels": `{"sessionId":"s","metadata":${"[".repeat(32)}${"]".repeat(32)}}`,
		"33 levels of objects": `{"sessionId":"s","metadata":${'{"a":'.repeat(32)}1${"}".repeat(32)}}`,
		"a hundred thousand levels": `{"sessionId":"s","metadata":${"[".repeat(100000)}`,
		"a hundred thousand levels of objects": '{"a":'.repeat(100000),
	};

	for (const [name, body] of Object.entries(bodies))
		test(`${name} is 400 invalid_json on every route`, async () => {
			for (const path of Object.keys(routes)) {
				const answer = await house.post(key, path, body);
				assertError(answer, 400, "invalid_json");
			}
		});

	test("whatever the content type says, the body is read as JSON", async () => {
		for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"])
			assertError(await house.post(key, "/api/chats/create", "sessionId=s", { "content-type": type }), 400, "invalid_json");
	});

	test("what could be mistaken for it is taken: 32 levels, pairs of surrogates, 2^53, a text of quotes", async () => {
		const levels = `{"sessionId":"s","chatId":"known","metadata":{"a":${"[".repeat(30)}${"]".repeat(30)}}}`;
		for (const body of [levels, '{"sessionId":"\\ud83c\\udfd6","chatId":"known"}', '{"sessionId":"s","chatId":"known","x":9007199254740992}', '{"sessionId":"\\"\\\\","chatId":"known"}'])
			assert.equal((await house.post(key, "/api/chats/create", body)).status, 200, body);
	});
});

// Sends pieces until an answer came or the connection ends, and never past it: what the server no longer reads would
// reset the connection and take the answer along.
async function pourOnce(head, piece, pieces) {
	const socket = connect(house.port, "127.0.0.1");
	let text = "";
	let closed = false;
	socket.setEncoding("latin1");
	socket.on("data", (data) => (text += data));
	socket.on("error", () => {});
	socket.on("close", () => (closed = true));
	socket.write(head);
	for (let i = 0; i < pieces && !closed && text === ""; i++) {
		await new Promise((resolve) => socket.write(piece(i), resolve));
		await sleep(1);
	}
	for (let i = 0; i < 300 && !closed; i++) await sleep(10);
	socket.destroy();
	return text;
}

// A piece that was on its way when the answer came resets the connection all the same; then once more.
async function pour(head, piece, pieces) {
	let text = "";
	for (let i = 0; i < 10 && text === ""; i++) text = await pourOnce(head, piece, pieces);
	assert.match(text, /^HTTP\/1\.1 \d{3} /, "it was answered");
	return Number(text.slice(9, 12));
}

describe("too much", () => {
	const post = (headers) => `POST /api/chats/create HTTP/1.1\r\nHost: a\r\nx-api-key: ${key}\r\n${headers}\r\n`;
	const filler = Buffer.alloc(65536, "x");

	test("a header of 8 MiB is 431", async () => assert.equal(await pour(`${post("").slice(0, -2)}X: `, () => filler, 128), 431));
	test("10,000 headers are 431", async () => {
		const lines = Buffer.from(Array.from({ length: 100 }, (_, i) => `X-${i}: y\r\n`).join(""));
		assert.equal(await pour(post("").slice(0, -2), () => lines, 100), 431);
	});
	test("a body of 1 GiB is 413 as soon as its length is known", async () => {
		assert.equal(await pour(post(`Content-Length: ${1024 * MEBIBYTE}\r\n`), () => filler, 0), 413);
	});
	test("a body of 1 GiB in chunks is 413 as soon as it is too long", async () => {
		const chunk = Buffer.concat([Buffer.from("10000\r\n"), filler, Buffer.from("\r\n")]);
		assert.equal(await pour(post("Transfer-Encoding: chunked\r\n"), () => chunk, 16384), 413);
	});
	test("a body of one byte more than a MiB is 413, told in the contract's shape", async () => {
		const body = `{"sessionId":"${"x".repeat(MEBIBYTE - 15)}"}`;
		assert.equal(Buffer.byteLength(body), MEBIBYTE + 1);
		const answer = await house.post(key, "/api/chats/create", body).catch((error) => error);
		if (answer instanceof Error) assert.equal(await pour(post(`Content-Length: ${body.length}\r\n`), () => "{", 1), 413);
		else assertError(answer, 413, "payload_too_large");
		assertError(await house.post(key, "/api/chats/create", body.replace("xx", "x")), 400, "invalid_field", "sessionId");
	});
	test("an X-Request-Id of 10 KiB is not echoed", async () => {
		const answer = await house.get("/healthz", { "x-request-id": "x".repeat(10240) });
		assert.equal(answer.status, 200);
		assert.ok(answer.headers["x-request-id"].length < 129);
	});
});

test("nothing of all this was stored", async () => assert.deepEqual(await house.counts(), counts));

test("nor kept in memory: at its highest it grew by less than 16 MiB", async () => {
	const grown = peak() - calm;
	if (sanitized) assert.ok(grown > 0, "the sanitizers keep what was freed: only that it was measured");
	else assert.ok(grown < 16 * MEBIBYTE, `${grown} bytes`);
});

test("a body of a quarter of a million values is refused or taken, and its memory given back", async () => {
	const calmer = house.resident();
	for (const [path, length] of [["/api/chats/create", MEBIBYTE - 100], ["/api/batch", 8 * MEBIBYTE - 100]])
		for (const value of ["[],", "{},", '"",', "1,"]) {
			const many = `[${value.repeat(Math.floor(length / value.length) - 10)}1]`;
			const answer = await house.post(key, path, path === "/api/batch" ? many : `{"sessionId":"s","chatId":"known","x":${many}}`);
			assert.ok([200, 413].includes(answer.status), `${answer.status} ${answer.text.slice(0, 200)}`);
		}
	await sleep(100);
	if (!sanitized) assert.ok(house.resident() - calmer < 16 * MEBIBYTE, `${house.resident() - calmer} bytes`);
	assert.deepEqual(await house.counts(), counts);
});
