// Who is let in, what everybody else is told, and what lies beyond the routes.
import { test, describe, before, after } from "node:test";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { openHouse, assertError, fresh, hexOf, masked, sendRaw, TIME, UUID7 } from "./harness.mjs";

let house, ours;
before(async () => {
	house = await openHouse(["--auth-failures-per-minute", "0"]);
	ours = await house.organization();
});
after(() => house.end());

const create = (headers, path = "/api/chats/create") =>
	house.request("POST", path, { headers: { "content-type": "application/json", ...headers }, body: '{"sessionId":"s"}' });

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// As the contract has it: 32 characters, then 6 of the CRC-32 of all before.
function withCheck(beginning) {
	let crc = 0xffffffff;
	for (const byte of Buffer.from(beginning)) {
		crc ^= byte;
		for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
	}
	let rest = (crc ^ 0xffffffff) >>> 0;
	let check = "";
	for (let i = 0; i < 6; i++, rest = Math.floor(rest / 62)) check = DIGITS[rest % 62] + check;
	return beginning + check;
}

test("a key is ik_live_, 32 base62 characters and 6 of their CRC-32", () => {
	assert.match(ours.api_key, /^ik_live_[0-9A-Za-z]{38}$/);
	assert.equal(withCheck(ours.api_key.slice(0, -6)), ours.api_key);
});

describe("a credential is", () => {
	test("x-api-key", async () => assert.equal((await create({ "x-api-key": ours.api_key })).status, 200));
	test("Authorization: Bearer", async () => assert.equal((await create({ authorization: `Bearer ${ours.api_key}` })).status, 200));
	test("bearer in any case", async () => assert.equal((await create({ authorization: `bEARER   ${ours.api_key}` })).status, 200));
	test("both, when they are the same key", async () =>
		assert.equal((await create({ "x-api-key": ours.api_key, authorization: `Bearer ${ours.api_key}` })).status, 200));
});

describe("no credential is", () => {
	const flipped = (at) => (key) => key.slice(0, at) + (key.at(at) === "A" ? "B" : "A") + (at === -1 ? "" : key.slice(at + 1));
	const kinds = {
		"none": () => ({}),
		"an empty one": () => ({ "x-api-key": "" }),
		"a malformed one": () => ({ "x-api-key": "let me in" }),
		"one with wrong check digits": () => ({ "x-api-key": flipped(-1)(ours.api_key) }),
		"one with a typing error": () => ({ "x-api-key": flipped(12)(ours.api_key) }),
		"a well-formed one that nobody made": () => ({ "x-api-key": withCheck(`ik_live_${"0".repeat(32)}`) }),
		"one in upper case": () => ({ "x-api-key": ours.api_key.toUpperCase() }),
		"one in lower case": () => ({ "x-api-key": ours.api_key.toLowerCase() }),
		"one shortened by a character": () => ({ "x-api-key": ours.api_key.slice(0, -1) }),
		"one shortened with check digits that are right": () => ({ "x-api-key": withCheck(ours.api_key.slice(0, -7)) }),
		"one lengthened by a character": () => ({ "x-api-key": `${ours.api_key}0` }),
		"one lengthened with check digits that are right": () => ({ "x-api-key": withCheck(`${ours.api_key.slice(0, -6)}0`) }),
		"its SHA-256": () => ({ "x-api-key": createHash("sha256").update(ours.api_key).digest("hex") }),
		"its mask": () => ({ "x-api-key": `${ours.api_key.slice(0, 12)}...${ours.api_key.slice(-4)}` }),
		"the prefix alone": () => ({ "x-api-key": "ik_live_" }),
		"an unknown one of the older system": () => ({ "x-api-key": `hmz_${"a".repeat(32)}` }),
		"Basic authorization": () => ({ authorization: `Basic ${Buffer.from(`:${ours.api_key}`).toString("base64")}` }),
		"a bearer without a key": () => ({ authorization: "Bearer " }),
		"a key without the word Bearer": () => ({ authorization: ours.api_key }),
		"a cookie": () => ({ cookie: `innkeeper_session=${ours.api_key}` }),
	};

	for (const [name, headers] of Object.entries(kinds))
		test(`${name}: the same 401 as for every other`, async () => {
			const before = await house.counts();
			const answer = await create(headers());
			assertError(answer, 401, "unauthorized");
			assert.equal(answer.headers["www-authenticate"], "Bearer");
			assert.equal(masked(answer), masked(await create({})));
			assert.deepEqual(await house.counts(), before);
		});

	test("two different keys at once, though both are good", async () => {
		const other = await house.organization();
		assertError(await create({ "x-api-key": ours.api_key, authorization: `Bearer ${other.api_key}` }), 401, "unauthorized");
		assertError(await create({ "x-api-key": ours.api_key, authorization: "Bearer x" }), 401, "unauthorized");
	});

	test("a key in the query or in the body", async () => {
		for (const name of ["x-api-key", "api_key", "key", "access_token"])
			assertError(await create({}, `/api/chats/create?${name}=${ours.api_key}`), 401, "unauthorized");
		assertError(await house.post(undefined, "/api/chats/create", { sessionId: "s", api_key: ours.api_key }), 401, "unauthorized");
	});

	test("looked at before the body is read", async () => {
		assertError(await house.post(undefined, "/api/chats/create", "{ not json"), 401, "unauthorized");
	});
});

test("a key of the older system is accepted as it is, once its hash is there", async () => {
	const key = "hmz_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF";
	const hash = createHash("sha256").update(key).digest("hex");
	assertError(await create({ "x-api-key": key }), 401, "unauthorized");
	await house.stop();
	await house.change(`INSERT INTO api_keys (organization_id, id, name, hash, masked, created_at)
		VALUES (x'${hexOf(ours.id)}', x'01890000000070008000000000000001', 'older', '${hash}', 'hmz_aB3d...C0eF', 1)`);
	await house.start();
	assert.equal((await create({ "x-api-key": key })).status, 200);
	assertError(await create({ "x-api-key": key.toLowerCase() }), 401, "unauthorized");
	assertError(await create({ "x-api-key": `${key}x` }), 401, "unauthorized");
});

describe("keys of an organization", () => {
	test("are several, each good by itself, listed masked and never whole", async () => {
		const owner = await house.organization();
		const second = await house.verb("key", "create", "--organization", owner.slug, "--name", "website");
		assert.deepEqual(Object.keys(second), ["id", "name", "api_key"]);
		assert.match(second.id, UUID7);
		for (const key of [owner.api_key, second.api_key]) assert.equal((await create({ "x-api-key": key })).status, 200);
		const list = await house.verb("key", "list", "--organization", owner.slug);
		assert.deepEqual(list.map((key) => key.name), ["first", "website"]);
		assert.deepEqual(
			list.map((key) => key.masked),
			[owner.api_key, second.api_key].map((key) => `${key.slice(0, 12)}...${key.slice(-4)}`),
		);
		assert.match(list[1].created_at, TIME);
		assert.equal(list[1].revoked_at, null);
		assert.ok(!JSON.stringify(list).includes(owner.api_key) && !JSON.stringify(list).includes(second.api_key));
	});

	test("a revoked one stops at once, the others go on", async () => {
		const owner = await house.organization();
		const second = await house.verb("key", "create", "--organization", owner.slug);
		assert.equal((await create({ "x-api-key": second.api_key })).status, 200);
		const revoked = await house.verb("key", "revoke", second.id, "--organization", owner.slug);
		assert.match(revoked.revoked_at, TIME);
		const refused = await create({ "x-api-key": second.api_key });
		assertError(refused, 401, "unauthorized");
		assert.equal(masked(refused), masked(await create({})), "as if it had never been");
		assert.equal((await create({ "x-api-key": owner.api_key })).status, 200);
		const again = await house.run(["key", "revoke", second.id, "--organization", owner.slug]);
		assert.deepEqual([again.status, again.stdout], [1, ""]);
	});

	test("an organization cannot revoke the key of another", async () => {
		const [owner, other] = [await house.organization(), await house.organization()];
		const [key] = await house.verb("key", "list", "--organization", owner.slug);
		assert.equal((await house.run(["key", "revoke", key.id, "--organization", other.slug])).status, 1);
		assert.equal((await create({ "x-api-key": owner.api_key })).status, 200);
	});

	test("while requests pour in, none that began after the revocation succeeds", async () => {
		const owner = await house.organization();
		const [key] = await house.verb("key", "list", "--organization", owner.slug);
		let done = false;
		let revokedAt = Infinity;
		const late = [];
		let before = 0;
		const hammer = async () => {
			while (!done) {
				const began = performance.now();
				const { status } = await create({ "x-api-key": owner.api_key }).catch(() => ({ status: 0 }));
				if (began > revokedAt) late.push(status);
				else if (status === 200) before++;
			}
		};
		const hammers = Array.from({ length: 16 }, hammer);
		while (before < 100) await new Promise((resolve) => setTimeout(resolve, 5));
		await house.verb("key", "revoke", key.id, "--organization", owner.slug);
		revokedAt = performance.now();
		while (late.length < 100) await new Promise((resolve) => setTimeout(resolve, 5));
		done = true;
		await Promise.all(hammers);
		assert.deepEqual([...new Set(late)].filter((status) => status !== 0), [401]);
	});

	test("of a suspended organization are refused at once, and good again when it is active", async () => {
		const owner = await house.organization();
		assert.equal((await create({ "x-api-key": owner.api_key })).status, 200);
		await house.verb("organization", "change", "--organization", owner.slug, "--status", "suspended");
		assertError(await create({ "x-api-key": owner.api_key }), 401, "unauthorized");
		await house.verb("organization", "change", "--organization", owner.slug, "--status", "active");
		assert.equal((await create({ "x-api-key": owner.api_key })).status, 200);
	});

	test("remember when they were used last, at the latest when the server stops", async () => {
		const owner = await house.organization();
		const used = await house.verb("key", "create", "--organization", owner.slug, "--name", "used");
		await house.verb("key", "create", "--organization", owner.slug, "--name", "unused");
		const before = Date.now();
		assert.equal((await create({ "x-api-key": used.api_key })).status, 200);
		await house.restart();
		const list = await house.verb("key", "list", "--organization", owner.slug);
		const at = Object.fromEntries(list.map((key) => [key.name, key.last_used_at]));
		assert.ok(Date.parse(at.used) >= before && Date.parse(at.used) <= Date.now(), at.used);
		assert.deepEqual([at.unused, at.first], [null, null]);
	});

	test("remember their last use also when another key of the organization is revoked", async () => {
		const owner = await house.organization();
		const second = await house.verb("key", "create", "--organization", owner.slug, "--name", "second");
		assert.equal((await create({ "x-api-key": owner.api_key })).status, 200);
		await house.verb("key", "revoke", second.id, "--organization", owner.slug);
		await house.restart();
		const [first] = await house.verb("key", "list", "--organization", owner.slug);
		assert.match(String(first.last_used_at), TIME);
	});

	test("stand whole nowhere in what is stored and in no log", async () => {
		const owner = await house.organization();
		const second = await house.verb("key", "create", "--organization", owner.slug, "--name", "canary");
		for (const key of [owner.api_key, second.api_key]) {
			await create({ "x-api-key": key });
			await create({ "x-api-key": `${key}x` });
			await create({}, `/api/chats/create?key=${key}`);
			await create({ "x-request-id": key });
		}
		const search = async () => {
			const kept = Object.entries(await house.kept());
			assert.ok(kept.some(([, bytes]) => bytes.includes(second.api_key.slice(0, 12))), "where their masks stand");
			for (const key of [owner.api_key, second.api_key])
				for (const [what, bytes] of kept) assert.ok(!bytes.includes(key), `${what} holds a key`);
		};
		await search();
		await house.restart();
		await search();
		for (const key of [owner.api_key, second.api_key]) assert.ok(!house.output.includes(key), "the log holds a key");
		assert.ok(!house.printed.includes(owner.api_key));
	});
});

describe("beyond the routes", () => {
	for (const path of ["/nowhere", "/api", "/api/", "/api/chats/create/", "/API/chats/create", "/api//chats/create", "/api/chats/create%2f", "/../etc/passwd", "/api/chats/../chats/create"])
		for (const method of ["GET", "POST"])
			test(`${method} ${path} is 404, with a key and without`, async () => {
				assertError(await house.request(method, path), 404, "not_found");
				assertError(await house.request(method, path, { key: ours.api_key }), 404, "not_found");
			});

	test("the operator's routes do not exist on the network", async () => {
		for (const [method, path] of [["POST", "/control/organizations"], ["GET", "/control/organizations"], ["GET", `/control/keys?organization=${ours.slug}`], ["POST", "/control/backup"]])
			assertError(await house.request(method, path, { key: ours.api_key }), 404, "not_found");
	});

	for (const [path, allow] of [
		["/api/chats/create", "POST, OPTIONS"],
		["/api/tavily-mentions/click", "POST, OPTIONS"],
		["/api/batch", "POST, OPTIONS"],
		["/healthz", "GET, HEAD, OPTIONS"],
		["/metrics", "GET, HEAD, OPTIONS"],
	])
		for (const method of ["PUT", "DELETE", "PATCH", "FROB", path.startsWith("/api") ? "GET" : "POST"])
			test(`${method} ${path} is 405 and says ${allow}`, async () => {
				const answer = await house.request(method, path);
				assertError(answer, 405, "method_not_allowed");
				assert.equal(answer.headers.allow, allow);
			});

	test("OPTIONS says what is allowed, elsewhere it is 404", async () => {
		const answer = await house.request("OPTIONS", "/api/chats/create");
		assert.deepEqual([answer.status, answer.headers.allow, answer.text], [200, "POST, OPTIONS", ""]);
		assertError(await house.request("OPTIONS", "/nowhere"), 404, "not_found");
	});

	test("HEAD is GET without the body", async () => {
		const [head, get] = [await house.request("HEAD", "/healthz"), await house.get("/healthz")];
		assert.deepEqual([head.status, head.text, head.headers["content-length"]], [200, "", String(get.text.length)]);
		assert.equal((await house.request("HEAD", "/nowhere")).status, 404);
		assert.equal((await house.request("HEAD", "/api/chats/create")).status, 405);
	});

	test("methods are case-sensitive", async () => {
		assert.match(await sendRaw(house.port, "get /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), /^HTTP\/1.1 405 /);
	});
});
