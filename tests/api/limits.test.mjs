// How often: of each key, and of failed credentials of each address.
import { test, describe, before, after } from "node:test";
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { openHouse, assertError, UUID7 } from "./harness.mjs";

const create = (house, key, headers) => house.post(key, "/api/chats/create", { sessionId: "s" }, headers);
const burst = (house, key, times, headers) => Promise.all(Array.from({ length: times }, () => create(house, key, headers)));
const tally = (answers) => answers.reduce((sum, { status }) => ({ ...sum, [status]: (sum[status] ?? 0) + 1 }), {});
const numbers = (text, pattern) => pattern.exec(text)?.slice(1).map(Number) ?? assert.fail(`${text} is not as ${pattern}`);

describe("requests of a key", () => {
	let house;
	before(async () => (house = await openHouse()));
	after(() => house.end());

	test("have no limit and no such headers unless the organization has one", async () => {
		const { api_key } = await house.organization();
		const answers = await burst(house, api_key, 200);
		assert.deepEqual(tally(answers), { 200: 200 });
		for (const name of ["ratelimit", "ratelimit-policy", "retry-after"]) assert.equal(answers[0].headers[name], undefined);
	});

	test("beyond the limit are 429 with Retry-After, and store nothing", async () => {
		const { api_key, id } = await house.organization(undefined, "--requests-per-minute", "10");
		const answers = await burst(house, api_key, 30);
		const { 200: good, 429: held } = tally(answers);
		assert.ok(good >= 10 && good <= 12 && good + held === 30, JSON.stringify(tally(answers)));
		const refused = answers.find((answer) => answer.status === 429);
		assertError(refused, 429, "rate_limited");
		const [seconds] = numbers(refused.headers["retry-after"], /^(\d+)$/);
		assert.ok(seconds >= 1 && seconds <= 60, seconds);
		assert.equal(await house.value(`SELECT count(*) FROM chats WHERE hex(organization_id) = upper('${id.replaceAll("-", "")}')`), good);
	});

	test("are told how many are left, and until when", async () => {
		const { api_key } = await house.organization(undefined, "--requests-per-minute", "5");
		const left = [];
		for (let i = 0; i < 6; i++) {
			const { headers } = await create(house, api_key);
			assert.equal(headers["ratelimit-policy"], '"key";q=5;w=60');
			const [remaining, reset] = numbers(headers.ratelimit, /^"key";r=(\d+);t=(\d+)$/);
			assert.ok(reset >= 1 && reset <= 60, headers.ratelimit);
			left.push(remaining);
		}
		assert.deepEqual(left, [4, 3, 2, 1, 0, 0]);
	});

	test("are counted for each key by itself", async () => {
		const owner = await house.organization(undefined, "--requests-per-minute", "5");
		const second = await house.verb("key", "create", "--organization", owner.slug);
		await burst(house, owner.api_key, 10);
		assert.equal((await create(house, owner.api_key)).status, 429);
		assert.equal((await create(house, second.api_key)).status, 200);
	});

	test("come back with time", async () => {
		const { api_key } = await house.organization(undefined, "--requests-per-minute", "120");
		await burst(house, api_key, 150);
		// A slow machine gives a token back meanwhile.
		let refused = await create(house, api_key);
		for (let i = 0; i < 100 && refused.status === 200; i++) refused = await create(house, api_key);
		assert.equal(refused.status, 429);
		await sleep(Number(refused.headers["retry-after"]) * 1000 + 50);
		assert.equal((await create(house, api_key)).status, 200);
	});

	test("are limited or freed by the operator at once", async () => {
		const { api_key, slug } = await house.organization();
		assert.equal((await create(house, api_key)).status, 200);
		await house.verb("organization", "change", "--organization", slug, "--requests-per-minute", "1");
		await create(house, api_key);
		assert.equal((await create(house, api_key)).status, 429);
		await house.verb("organization", "change", "--organization", slug, "--requests-per-minute", "0");
		assert.deepEqual(tally(await burst(house, api_key, 20)), { 200: 20 });
	});

	test("are counted one for a batch, and a 400 counts too", async () => {
		const { api_key } = await house.organization(undefined, "--requests-per-minute", "2");
		assert.equal((await house.post(api_key, "/api/batch", [1, 2, 3])).status, 207);
		assert.equal((await house.post(api_key, "/api/chats/create", {})).status, 400);
		assert.equal((await create(house, api_key)).status, 429);
	});

	test("a limited answer carries CORS headers where the route does", async () => {
		const { api_key } = await house.organization(undefined, "--requests-per-minute", "1");
		await house.post(api_key, "/api/visitors/identify", { email: "a@b.example" });
		const answer = await house.post(api_key, "/api/visitors/identify", { email: "a@b.example" });
		assertError(answer, 429, "rate_limited");
		assert.equal(answer.headers["access-control-allow-origin"], "*");
		assert.match(answer.headers["x-request-id"], UUID7);
	});
});

describe("failed credentials of an address", () => {
	let house, ours;
	before(async () => {
		house = await openHouse(["--auth-failures-per-minute", "5"]);
		ours = await house.organization();
	});
	after(() => house.end());

	test("are 401 five times in a minute, then 429", async () => {
		const statuses = [];
		for (let i = 0; i < 8; i++) statuses.push((await create(house, "wrong")).status);
		assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429, 429, 429]);
		const refused = await create(house, "wrong");
		assertError(refused, 429, "rate_limited");
		assert.match(refused.headers["retry-after"], /^\d+$/);
		assert.equal(refused.headers["ratelimit-policy"], '"failed-credentials";q=5;w=60');
		numbers(refused.headers.ratelimit, /^"failed-credentials";r=(0);t=(\d+)$/);
	});

	test("never hold back a good key from there", async () => {
		await burst(house, "wrong", 20);
		assert.deepEqual(tally(await burst(house, ours.api_key, 50)), { 200: 50 });
		assert.equal((await create(house, "wrong")).status, 429);
	});

	test("cannot be counted elsewhere by an X-Forwarded-For that nobody vouches for", async () => {
		await burst(house, "wrong", 10);
		for (const address of ["192.0.2.1", "2001:db8::1", "127.0.0.2"])
			assert.equal((await create(house, "wrong", { "x-forwarded-for": address })).status, 429);
	});
});

describe("behind a trusted proxy", () => {
	let house;
	before(async () => (house = await openHouse(["--auth-failures-per-minute", "5", "--trusted-proxy", "127.0.0.1"])));
	after(() => house.end());
	const from = (address) => create(house, "wrong", { "x-forwarded-for": address });
	const knock = async (address) => tally(await Promise.all(Array.from({ length: 10 }, () => from(address))));

	test("each client that it reports is counted by itself", async () => {
		assert.deepEqual(await knock("192.0.2.1"), { 401: 5, 429: 5 });
		assert.deepEqual(await knock("192.0.2.2"), { 401: 5, 429: 5 });
	});

	test("the last address that is not a proxy counts, whatever the client wrote before it", async () => {
		await knock("192.0.2.3");
		assert.equal((await from("198.51.100.1, 192.0.2.3")).status, 429);
		assert.equal((await from("198.51.100.2,192.0.2.3, 127.0.0.1")).status, 429);
	});

	test("addresses of one IPv6 network count as one", async () => {
		await knock("2001:db8:1:2::1");
		assert.equal((await from("2001:db8:1:2:ffff::9")).status, 429);
		assert.equal((await from("2001:db8:1:3::1")).status, 401);
	});
});

test("a limit of 0 failed credentials is none", async () => {
	const house = await openHouse(["--auth-failures-per-minute", "0"]);
	assert.deepEqual(tally(await burst(house, "wrong", 150)), { 401: 150 });
	await house.end();
});

test("an address takes so many places where passwords are checked, and leaves the others to the rest", async () => {
	const house = await openHouse(["--trusted-proxy", "127.0.0.1"]);
	const login = (address, i) =>
		house.post(undefined, "/api/auth/login", { email: `nobody${i}@staff.example`, password: "wrong" }, { "x-forwarded-for": address });
	const [crowd, other] = await Promise.all([Promise.all(Array.from({ length: 60 }, (_, i) => login("192.0.2.1", i))), login("192.0.2.2", 60)]);
	assertError(other, 401, "unauthorized");
	const refused = crowd.filter(({ status }) => status === 429);
	assert.equal(refused.length + crowd.filter(({ status }) => status === 401).length, 60);
	const crowded = refused.filter(({ json }) => json.error.startsWith("Too many requests of this address wait"));
	assert.ok(crowded.length > 0, JSON.stringify(tally(crowd)));
	for (const answer of crowded) {
		assertError(answer, 429, "rate_limited");
		assert.equal(answer.headers["retry-after"], "1");
	}
	// The places are free again afterwards.
	assertError(await login("192.0.2.1", 61), 401, "unauthorized");
	await house.end();
});
