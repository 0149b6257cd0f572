// Access that ends in the middle of something: what began before goes no further.
import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { Browser, assertError, fresh, openHouse } from "./harness.mjs";

const PASSWORD = "correct horse battery";
let house;
let ours;
let admin;
before(async () => {
	house = await openHouse();
	ours = await house.organization();
	admin = await house.member(ours);
});
after(() => house.end());

// A request whose body is held back; `finish` sends it and gives the status and the body of the answer.
async function hold(browser, method, path, body = "") {
	const socket = connect(house.port, "127.0.0.1");
	await once(socket, "connect");
	let text = "";
	socket.setEncoding("utf8");
	socket.on("data", (data) => (text += data));
	socket.on("error", () => {});
	const closed = once(socket, "close");
	const head = `${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nCookie: ${browser.cookie}\r\nContent-Length: ${body.length}\r\n\r\n`;
	await new Promise((resolve) => socket.write(head + body.slice(0, 1), resolve));
	// The server has looked at the head when it has answered what came behind it on another connection.
	for (let i = 0; i < 20; i++) await house.get("/healthz");
	return {
		async finish() {
			socket.write(body.slice(1));
			await closed;
			return { status: Number(text.split(" ")[1]), text };
		},
	};
}

describe("a request whose body comes late", () => {
	const ends = {
		"is demoted": (member) => admin.ok("PATCH", `/api/users/${member.user.id}`, { role: "Member" }),
		"is removed": (member) => admin.ok("DELETE", `/api/users/${member.user.id}`),
		"signs out": (member) => member.ok("POST", "/api/auth/logout", {}),
	};
	for (const [name, end] of Object.entries(ends))
		test(`changes nothing for an Admin who ${name} meanwhile`, async () => {
			const member = await house.member(ours);
			const email = `${fresh("planted")}@staff.example`;
			const held = await hold(member, "POST", "/api/users", JSON.stringify({ email, role: "Admin" }));
			await end(member);
			const answer = await held.finish();
			assert.equal(answer.status, name === "is demoted" ? 403 : 401, answer.text);
			assert.equal(await house.value(`SELECT count(*) FROM users WHERE email = '${email}'`), 0);
		});

	test("shows nothing to a member who is removed meanwhile", async () => {
		const member = await house.member(ours, "Member");
		const held = await hold(member, "GET", "/api/settings", "{}");
		await admin.ok("DELETE", `/api/users/${member.user.id}`);
		const answer = await held.finish();
		assert.equal(answer.status, 401, answer.text);
		assert.ok(!answer.text.includes(ours.slug));
	});
});

test("who signs in with the old password while it is changed is not signed in afterwards", async () => {
	const member = await house.member(ours);
	let password = PASSWORD;
	for (let round = 0; round < 4; round++) {
		const next = `${PASSWORD} ${round}`;
		const thief = new Browser(house, member.email, password);
		const changing = member.post("/api/auth/password", { current_password: password, new_password: next });
		const signingIn = thief.post("/api/auth/login", { email: member.email, password });
		const [changed, signedIn] = await Promise.all([changing, signingIn]);
		assert.equal(changed.status, 200, changed.text);
		assert.ok([200, 401].includes(signedIn.status), signedIn.text);
		assert.deepEqual((await thief.ok("GET", "/api/auth/session")), {});
		password = next;
	}
});

test("a list that is read slowly ends when its reader is removed", async () => {
	const items = Array.from({ length: 15 }, () => ({ type: "chat", sessionId: "s", metadata: { long: "x".repeat(60000) } }));
	for (let i = 0; i < 20; i++) assert.equal((await house.post(ours.api_key, "/api/batch", items)).json.successes.length, 15);
	const member = await house.member(ours, "Member");
	const socket = connect(house.port, "127.0.0.1");
	const path = "/api/chats?format=csv";
	let bytes = 0;
	socket.on("error", () => {});
	socket.on("data", (data) => {
		if (bytes === 0) {
			socket.pause();
			socket.emit("begun");
		}
		bytes += data.length;
	});
	const closed = once(socket, "close");
	const begun = once(socket, "begun");
	socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nCookie: ${member.cookie}\r\n\r\n`);
	await begun;
	await admin.ok("DELETE", `/api/users/${member.user.id}`);
	socket.resume();
	await closed;
	assert.ok(bytes > 0 && bytes < 300 * 60000, `${bytes} bytes`);
	assert.ok((await admin.get(path)).text.length > 300 * 60000, "who may read on gets it all");
});

test("a sign-in sets one cookie, also when the session before it was about to be moved on", async () => {
	const own = await openHouse();
	const member = await own.member(await own.organization());
	const move = async () => {
		await own.stop();
		await own.change("UPDATE sessions SET expires_at = expires_at - 7200000");
		await own.start();
	};
	after(() => own.end());
	for (const [path, body, gone] of [
		["/api/auth/login", { email: member.email, password: PASSWORD }, false],
		["/api/auth/logout", {}, true],
	]) {
		await move();
		const before = member.cookies.get("innkeeper_session");
		const answer = await member.post(path, body);
		assert.equal(answer.status, 200);
		assert.equal(answer.headers["set-cookie"].length, 1, answer.headers["set-cookie"].join());
		assert.equal(/max-age=0$/i.test(answer.headers["set-cookie"][0]), gone);
		assert.ok(!answer.headers["set-cookie"][0].includes(before));
	}
});

test("a refused request keeps the session's cookie as it is", async () => {
	const answer = await admin.post("/api/users", { email: "no e-mail" });
	assertError(answer, 400, "invalid_field", "email");
	assert.equal(answer.headers["set-cookie"], undefined);
});
