// The staff's door: sessions, roles, invitations, what is remembered of it, and what a stranger gets.
import { test, before, after, describe } from "node:test";
import assert from "node:assert/strict";
import { Browser, assertError, fresh, hexOf, masked, openHouse } from "./harness.mjs";

const PASSWORD = "correct horse battery";
let house;
let ours;
let theirs;
before(async () => {
	house = await openHouse();
	ours = await house.organization("Ours");
	theirs = await house.organization("Theirs");
});
after(() => house.end());

const login = (email, password, headers) => new Browser(house).post("/api/auth/login", { email, password }, headers);
const token = (answer) => /token=([\w-]+)/.exec(answer.invitation.link)[1];
const audit = (organization) =>
	house.rows(`SELECT action, actor_kind, actor_email, target, address FROM audit_log WHERE hex(organization_id) = upper('${hexOf(organization.id)}') ORDER BY number`);

describe("signing in", () => {
	test("sets a cookie that scripts cannot read, and the session says who and where", async () => {
		const admin = await house.member(ours, "Admin");
		const answer = await login(` ${admin.email.toUpperCase()} `, PASSWORD);
		assert.equal(answer.status, 200);
		assert.match(answer.headers["set-cookie"][0], /^innkeeper_session=[\w-]{43}; HttpOnly; SameSite=Lax; Path=\/; Max-Age=2592000$/);
		const session = await admin.ok("GET", "/api/auth/session");
		assert.deepEqual(session.user, { id: admin.user.id, name: null, email: admin.email, image: null, role: "Admin", organizationId: ours.id });
		assert.deepEqual(session.organization, { id: ours.id, slug: ours.slug, name: "Ours" });
		assert.deepEqual(session.organizations, [{ id: ours.id, slug: ours.slug, name: "Ours", role: "Admin" }]);
		const days = (Date.parse(session.expires) - Date.now()) / 86400000;
		assert.ok(days > 29.9 && days <= 30);
	});

	test("a wrong password, an unknown e-mail and a contact read the same", async () => {
		const admin = await house.staff(ours);
		const contact = `${fresh("contact")}@guest.example`;
		await house.ok(ours.api_key, "/api/users/identify", { email: contact });
		const wrong = await login(admin.email, "not the password");
		assertError(wrong, 401, "unauthorized");
		for (const email of ["nobody@nowhere.example", contact]) assert.equal(masked(await login(email, "not the password")), masked(wrong));
	});

	test("an e-mail that is not known takes as long as one that is", async () => {
		const admin = await house.member(ours);
		const times = { known: [], unknown: [] };
		for (let i = 0; i < 5; i++)
			for (const [kind, email] of [["known", admin.email], ["unknown", `${fresh("nobody")}@staff.example`]]) {
				const began = performance.now();
				await login(email, `wrong ${i}`);
				times[kind].push(performance.now() - began);
			}
		// A look-up takes a thousandth of what a password's check does; a busy machine may take some times as long.
		const least = (list) => Math.min(...list);
		assert.ok(least(times.unknown) > least(times.known) / 10, JSON.stringify(times));
	});

	test("the token is kept as its hash alone, and no log has it", async () => {
		const admin = await house.staff(ours);
		const cookie = admin.cookies.get("innkeeper_session");
		assert.equal(await house.value(`SELECT count(*) FROM sessions WHERE hash = '${cookie}'`), 0);
		assert.ok(!house.output.includes(cookie));
		assert.ok(!house.output.includes(PASSWORD));
	});

	test("signing in again gives another token and ends the one before it", async () => {
		const admin = await house.member(ours);
		const old = new Browser(house);
		old.cookies = new Map(admin.cookies);
		await admin.signIn();
		assert.notEqual(admin.cookie, old.cookie);
		assertError(await old.get("/api/settings"), 401, "unauthorized");
	});

	test("signing out ends the session on the server", async () => {
		const admin = await house.member(ours);
		const stolen = admin.cookie;
		await admin.ok("POST", "/api/auth/logout", {});
		assert.equal(admin.cookies.size, 0);
		assert.deepEqual((await house.get("/api/auth/session", { cookie: stolen })).json, {});
		assertError(await house.get("/api/settings", { cookie: stolen }), 401, "unauthorized");
		assert.equal((await admin.post("/api/auth/logout")).status, 200, "twice does no harm");
	});

	test("another password ends every other session, and the old one is worth nothing", async () => {
		const admin = await house.member(ours);
		const other = await new Browser(house, admin.email, PASSWORD).signIn();
		const before = admin.cookie;
		assertError(await admin.post("/api/auth/password", { current_password: "wrong", new_password: "another password" }), 400, "invalid_field", "current_password");
		assertError(await admin.post("/api/auth/password", { current_password: PASSWORD, new_password: "short" }), 400, "invalid_field", "new_password");
		await admin.ok("POST", "/api/auth/password", { current_password: PASSWORD, new_password: "another password" });
		assert.notEqual(admin.cookie, before);
		await admin.ok("GET", "/api/settings");
		assertError(await other.get("/api/settings"), 401, "unauthorized");
		assertError(await login(admin.email, PASSWORD), 401, "unauthorized");
		assert.equal((await login(admin.email, "another password")).status, 200);
	});

	test("a session ends after thirty days without use, and moves on with it", async () => {
		const own = await openHouse();
		const organization = await own.organization();
		const admin = await own.member(organization);
		const move = async (by) => {
			await own.stop();
			await own.change(`UPDATE sessions SET expires_at = expires_at - ${by}`);
			await own.start();
		};
		await move(2 * 3600 * 1000);
		const answer = await admin.get("/api/settings");
		assert.equal(answer.status, 200);
		assert.match(answer.headers["set-cookie"][0], /^innkeeper_session=/, "the browser keeps it as long");
		assert.ok(Date.parse((await admin.ok("GET", "/api/auth/session")).expires) > Date.now() + 29.99 * 86400000);
		await move(31 * 86400000);
		assertError(await admin.get("/api/settings"), 401, "unauthorized");
		await own.end();
	});

	test("guessing makes the next attempt wait, longer each time, for the account and not for its owner's other sessions", async () => {
		const own = await openHouse();
		const organization = await own.organization();
		const admin = await own.member(organization);
		const attempt = (password) => new Browser(own).post("/api/auth/login", { email: admin.email, password });
		let refused;
		for (let i = 0; i < 40 && refused === undefined; i++) {
			const answer = await attempt(`guess ${i}`);
			if (answer.status === 429) refused = answer;
			else assert.equal(answer.status, 401);
		}
		assertError(refused, 429, "rate_limited");
		assert.ok(Number(refused.headers["retry-after"]) >= 1);
		assertError(await attempt(PASSWORD), 429, "rate_limited", undefined);
		await admin.ok("GET", "/api/settings");
		await own.end();
	});
});

describe("a request of a browser", () => {
	test("of another site changes nothing", async () => {
		const admin = await house.staff(ours);
		const change = (headers, body = { organization_name: "Taken" }) => admin.request("PUT", "/api/settings", { headers, body });
		assertError(await change({ origin: "https://evil.example" }), 403, "forbidden");
		assertError(await change({ origin: "null" }), 403, "forbidden");
		assertError(await change({ origin: `http://127.0.0.1:${house.port}.evil.example` }), 403, "forbidden");
		assertError(await change({ "sec-fetch-site": "cross-site" }), 403, "forbidden");
		assertError(await change({ "sec-fetch-site": "same-site" }), 403, "forbidden");
		for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp"])
			assertError(await change({ "content-type": type }), 403, "forbidden");
		assertError(await login(admin.email, PASSWORD, { origin: "https://evil.example" }), 403, "forbidden");
		assert.equal((await admin.ok("GET", "/api/settings")).organization_name, "Ours");
		assert.equal((await change({ origin: `http://127.0.0.1:${house.port}` }, { location: "Here" })).status, 200);
	});

	test("a cookie opens nothing for the concierge, a key nothing for the staff", async () => {
		const admin = await house.staff(ours);
		assertError(await admin.post("/api/chats/create", { sessionId: "s" }), 401, "unauthorized");
		assertError(await house.request("GET", "/api/settings", { key: ours.api_key }), 401, "unauthorized");
		assertError(await house.get("/api/settings", { authorization: `Bearer ${ours.api_key}` }), 401, "unauthorized");
		assertError(await house.get("/api/settings", { authorization: `Bearer ${admin.cookies.get("innkeeper_session")}` }), 401, "unauthorized");
	});

	test("with a cookie that is none of ours is not signed in", async () => {
		for (const value of ["", "x", "A".repeat(43), "A".repeat(5000), "%00", "' OR 1=1 --"]) {
			assertError(await house.get("/api/settings", { cookie: `innkeeper_session=${value}` }), 401, "unauthorized");
			assert.deepEqual((await house.get("/api/auth/session", { cookie: `a=b; innkeeper_session=${value}; c=d` })).json, {});
		}
	});
});

describe("roles", () => {
	const routes = [
		["POST", "/api/users", { email: "x@y.example" }],
		["PATCH", "/api/users/01a20cd2-bf50-7db5-a5ad-3a426db0193c", { role: "Admin" }],
		["DELETE", "/api/users/01a20cd2-bf50-7db5-a5ad-3a426db0193c"],
		["PUT", "/api/settings", { location: "There" }],
		["POST", "/api/settings", { action: "regenerate_api_key" }],
		["GET", "/api/keys"],
		["POST", "/api/keys", { name: "mine" }],
		["DELETE", "/api/keys/01a20cd2-bf50-7db5-a5ad-3a426db0193c"],
	];

	for (const role of ["Member", "Creator"])
		test(`a ${role} reads, and changes neither users nor keys nor settings`, async () => {
			const browser = await house.staff(ours, role);
			for (const [method, path, body] of routes) assertError(await browser.request(method, path, { body }), 403, "forbidden");
			for (const path of ["/api/settings", "/api/users", `/api/users/${browser.user.id}`, "/api/chats", "/api/visitors", "/api/analytics/summary-metrics"])
				await browser.ok("GET", path);
			assertError(await browser.get("/api/audit"), 403, "forbidden");
		});

	test("a change of role holds from the next request, and so does a removal", async () => {
		const admin = await house.member(ours);
		const member = await house.member(ours, "Member");
		assertError(await member.get("/api/keys"), 403, "forbidden");
		assert.equal((await admin.ok("PATCH", `/api/users/${member.user.id}`, { role: "Admin" })).user.role, "Admin");
		await member.ok("GET", "/api/keys");
		await admin.ok("PATCH", `/api/users/${member.user.id}`, { role: "Member", name: "Mia" });
		assertError(await member.get("/api/keys"), 403, "forbidden");
		assert.deepEqual(await admin.ok("DELETE", `/api/users/${member.user.id}`), { success: true });
		assertError(await member.get("/api/settings"), 401, "unauthorized");
		assertError(await login(member.email, PASSWORD), 401, "unauthorized");
		assert.equal(await house.value(`SELECT count(*) FROM accounts WHERE email = '${member.email}'`), 0, "the account belonged nowhere else");
	});

	test("the last Admin can be neither demoted nor removed", async () => {
		const alone = await house.organization();
		const admin = await house.member(alone);
		const invited = await admin.ok("POST", "/api/users", { email: `${fresh("late")}@staff.example`, role: "Admin" });
		for (const body of [{ role: "Member" }, { role: "Creator" }]) assertError(await admin.request("PATCH", `/api/users/${admin.user.id}`, { body }), 409, "conflict", "role");
		assertError(await admin.request("DELETE", `/api/users/${admin.user.id}`), 409, "conflict", "role");
		await admin.ok("DELETE", `/api/users/${invited.user.id}`);
		const second = await house.member(alone);
		await admin.ok("PATCH", `/api/users/${admin.user.id}`, { role: "Member" });
		assertError(await second.request("DELETE", `/api/users/${second.user.id}`), 409, "conflict", "role");
	});

	test("of two Admins who demote each other at once, one stays", async () => {
		const pair = await house.organization();
		const [a, b] = await Promise.all([house.member(pair), house.member(pair)]);
		for (let round = 0; round < 5; round++) {
			const answers = await Promise.all([
				a.request("PATCH", `/api/users/${b.user.id}`, { body: { role: "Member" } }),
				b.request("PATCH", `/api/users/${a.user.id}`, { body: { role: "Member" } }),
			]);
			assert.equal(answers.filter(({ status }) => status === 200).length, 1, answers.map(({ status }) => status).join());
			assert.equal(await house.value(`SELECT count(*) FROM users WHERE role = 'Admin' AND hex(organization_id) = upper('${hexOf(pair.id)}')`), 1);
			const [left, demoted] = answers[0].status === 200 ? [a, b] : [b, a];
			await left.ok("PATCH", `/api/users/${demoted.user.id}`, { role: "Admin" });
		}
	});
});

describe("invitations", () => {
	test("a link makes a member once, who chooses name and password", async () => {
		const admin = await house.staff(ours);
		const email = `${fresh("new")}@staff.example`;
		const made = await admin.ok("POST", "/api/users", { email, role: "Creator" });
		assert.deepEqual([made.user.email, made.user.role, made.user.name], [email, "Creator", null]);
		assertError(await admin.post("/api/users", { email: email.toUpperCase() }), 409, "conflict", "email");

		const guest = new Browser(house, email, "my own password");
		const shown = await guest.ok("POST", "/api/auth/invitation", { token: token(made) });
		assert.deepEqual([shown.organization_name, shown.email, shown.role], ["Ours", email, "Creator"]);
		assertError(await guest.post("/api/auth/join", { token: token(made) }), 400, "missing_field", "password");
		assertError(await guest.post("/api/auth/join", { token: token(made), password: "short" }), 400, "invalid_field", "password");
		await guest.ok("POST", "/api/auth/join", { token: token(made), name: "Nia", password: "my own password" });
		assert.equal((await guest.ok("GET", "/api/auth/session")).user.name, "Nia");
		assertError(await new Browser(house).post("/api/auth/join", { token: token(made), password: "another one!" }), 404, "not_found");
		await guest.signIn();
		assert.equal(await house.value(`SELECT count(*) FROM invitations WHERE hash = '${token(made)}'`), 0);
	});

	test("two who use the same link at once do not both come in", async () => {
		const admin = await house.staff(ours);
		const made = await admin.ok("POST", "/api/users", { email: `${fresh("race")}@staff.example` });
		const answers = await Promise.all(["first password", "second password"].map((password) => new Browser(house).post("/api/auth/join", { token: token(made), password })));
		assert.equal(answers.filter(({ status }) => status === 200).length, 1);
	});

	test("a newer link puts the older one out of use, and a week does too", async () => {
		const own = await openHouse();
		const organization = await own.organization();
		const admin = await own.member(organization);
		const made = await admin.ok("POST", "/api/users", { email: "late@staff.example" });
		const again = await admin.ok("POST", `/api/users/${made.user.id}/invitation`, {});
		const join = (answer) => new Browser(own).post("/api/auth/join", { token: token(answer), password: "long enough" });
		assertError(await join(made), 404, "not_found");
		await own.stop();
		await own.change("UPDATE invitations SET expires_at = expires_at - 7 * 86400000 - 1000");
		await own.start();
		assertError(await join(again), 404, "not_found");
		await own.end();
	});

	test("an account is not another organization's to open: its password is needed, and stays", async () => {
		const victim = await house.member(theirs, "Admin");
		const admin = await house.member(ours);
		const made = await admin.ok("POST", "/api/users", { email: victim.email, role: "Admin" });
		assertError(await new Browser(house).post("/api/auth/join", { token: token(made), password: "chosen by an attacker" }), 401, "unauthorized");
		assertError(await login(victim.email, "chosen by an attacker"), 401, "unauthorized");
		// Nor does the invitation alone show the person anything, or the organization the person.
		assert.equal((await victim.ok("GET", "/api/auth/session")).organizations.length, 1);

		await victim.ok("POST", "/api/auth/join", { token: token(made), password: PASSWORD });
		const session = await victim.ok("GET", "/api/auth/session");
		assert.deepEqual(session.organizations.map(({ slug }) => slug).sort(), [ours.slug, theirs.slug]);
	});

	test("who set a password for a stranger's e-mail does not come in where the stranger is invited", async () => {
		const email = `${fresh("bob")}@guest.example`;
		const [mallory, victim] = [await house.staff(ours), await house.staff(theirs)];
		const hers = await mallory.ok("POST", "/api/users", { email });
		const imposter = new Browser(house, email, "mallory's password");
		await imposter.ok("POST", "/api/auth/join", { token: token(hers), password: "mallory's password" });
		const invited = await victim.ok("POST", "/api/users", { email, role: "Admin" });
		assert.deepEqual((await imposter.ok("GET", "/api/auth/session")).organizations.map(({ slug }) => slug), [ours.slug]);
		assertError(await imposter.post("/api/auth/switch", { organizationId: theirs.id }), 404, "not_found");
		assert.ok(invited.invitation.link);
	});

	test("identify gives nobody power, and moves no member's e-mail", async () => {
		const admin = await house.staff(ours);
		const { user_id } = await house.ok(ours.api_key, "/api/users/identify", { email: admin.email, name: "Somebody", role: "Admin" });
		assert.equal(user_id, admin.user.id);
		const contact = (await house.ok(ours.api_key, "/api/users/identify", { email: `${fresh("c")}@guest.example`, role: "Admin" })).user_id;
		assertError(await admin.request("PATCH", `/api/users/${contact}`, { body: { role: "Admin" } }), 409, "conflict", "role");
		assert.equal((await admin.ok("GET", "/api/auth/session")).user.email, admin.email);
	});
});

describe("several organizations", () => {
	test("a person goes over to another one of theirs and to no other", async () => {
		const person = await house.member(ours, "Admin");
		const host = await house.member(theirs, "Admin");
		assertError(await person.post("/api/auth/switch", { organizationId: theirs.id }), 404, "not_found");
		const absent = await person.post("/api/auth/switch", { organizationId: "01a20cd2-bf50-7db5-a5ad-3a426db0193c" });
		assert.equal(masked(await person.post("/api/auth/switch", { organizationId: theirs.id })), masked(absent));
		const made = await host.ok("POST", "/api/users", { email: person.email });
		await person.ok("POST", "/api/auth/join", { token: token(made) });
		assert.equal((await person.ok("GET", "/api/auth/session")).organization.id, theirs.id);
		assertError(await person.get("/api/keys"), 403, "forbidden");
		await person.ok("POST", "/api/auth/switch", { organizationId: ours.id });
		await person.ok("GET", "/api/keys");
		await person.ok("POST", "/api/auth/switch", { organizationId: theirs.id });
		await host.ok("DELETE", `/api/users/${made.user.id}`);
		assertError(await person.get("/api/settings"), 401, "unauthorized");
		await person.signIn();
		assert.equal((await person.ok("GET", "/api/auth/session")).organization.id, ours.id);
	});

	test("an id of another organization is answered like one that does not exist", async () => {
		const admin = await house.staff(ours);
		const other = await house.staff(theirs);
		const absent = "01a20cd2-bf50-7db5-a5ad-3a426db0193c";
		const key = (await other.ok("GET", "/api/keys"))[0];
		for (const [method, path, foreign, body] of [
			["PATCH", "/api/users/", other.user.id, { name: "Mine" }],
			["DELETE", "/api/users/", other.user.id],
			["DELETE", "/api/keys/", key.id],
		]) {
			const unknown = await admin.request(method, path + absent, { body });
			assertError(unknown, 404, "not_found");
			assert.equal(masked(await admin.request(method, path + foreign, { body })), masked(unknown), path);
			assert.equal(masked(await admin.request(method, `${path}no-uuid`, { body })), masked(unknown), path);
		}
		await other.ok("GET", "/api/settings");
	});

	test("a suspended organization lets nobody in, and the sessions there open nothing", async () => {
		const closed = await house.organization();
		const admin = await house.member(closed);
		await house.verb("organization", "change", "--organization", closed.slug, "--status", "suspended");
		assertError(await admin.get("/api/settings"), 401, "unauthorized");
		assertError(await login(admin.email, PASSWORD), 401, "unauthorized");
		await house.verb("organization", "change", "--organization", closed.slug, "--status", "active");
		await admin.ok("GET", "/api/settings");
	});
});

describe("settings and keys", () => {
	test("the key is masked, a new one is shown once and the old one stops at once", async () => {
		const own = await house.organization("Key House");
		const admin = await house.member(own);
		const shown = await admin.ok("GET", "/api/settings");
		assert.deepEqual(Object.keys(shown).sort(), ["api_key", "created_at", "figures_being_counted", "id", "location", "organization_name", "retention_days", "slug", "status", "time_zone", "updated_at", "website_url"]);
		assert.equal(shown.api_key, `${own.api_key.slice(0, 12)}...${own.api_key.slice(-4)}`);
		const create = (key) => house.post(key, "/api/chats/create", { sessionId: "s" });
		assert.equal((await create(own.api_key)).status, 200);
		const renewed = await admin.ok("POST", "/api/settings", { action: "regenerate_api_key" });
		assert.match(renewed.api_key, /^ik_live_[0-9A-Za-z]{38}$/);
		assertError(await create(own.api_key), 401, "unauthorized");
		assert.equal((await create(renewed.api_key)).status, 200);
		assertError(await admin.post("/api/settings", { action: "explode" }), 400, "invalid_field", "action");

		const second = await admin.ok("POST", "/api/keys", { name: "second" });
		assert.equal((await create(second.api_key)).status, 200);
		await admin.ok("DELETE", `/api/keys/${second.id}`);
		assertError(await create(second.api_key), 401, "unauthorized");
		assert.equal((await create(renewed.api_key)).status, 200);
	});

	test("what an Admin may change is changed, and nothing else", async () => {
		const own = await house.organization("Old Name");
		const admin = await house.member(own);
		const changed = await admin.ok("PUT", "/api/settings", { organization_name: "New Name", website_url: "https://new.example", slug: "stolen", status: "suspended", requests_per_minute: 1, retention_days: 400 });
		assert.deepEqual([changed.organization_name, changed.website_url, changed.slug, changed.status, changed.retention_days], ["New Name", "https://new.example", own.slug, "active", 400]);
		assert.equal((await admin.ok("PUT", "/api/settings", { retention_days: 0 })).retention_days, null);
		assertError(await admin.request("PUT", "/api/settings", { body: { retention_days: -1 } }), 400, "invalid_field", "retention_days");
	});

	test("what is not given stays, and null or an empty text takes away what may be missing", async () => {
		const own = await house.organization("Named");
		const admin = await house.member(own);
		const put = async (body) => {
			const { organization_name, location, website_url } = await admin.ok("PUT", "/api/settings", body);
			return [organization_name, location, website_url];
		};
		const [there, page] = ["There", "https://there.example"];
		assert.deepEqual(await put({ location: there, website_url: page }), ["Named", there, page]);
		assert.deepEqual(await put({}), ["Named", there, page]);
		assert.deepEqual(await put({ organization_name: null, location: null }), ["Named", null, page]);
		assert.deepEqual(await put({ organization_name: "", website_url: "" }), ["Named", null, null]);
		assert.deepEqual(await put({ location: there, website_url: null }), ["Named", there, null]);
		for (const wrong of [0, false, [], {}]) assertError(await admin.request("PUT", "/api/settings", { body: { location: wrong } }), 400, "invalid_field", "location");
		// A page that sends back what it was shown changes nothing.
		const shown = await admin.ok("GET", "/api/settings");
		const { updated_at, ...same } = await admin.ok("PUT", "/api/settings", shown);
		assert.deepEqual({ ...same, updated_at: shown.updated_at }, shown);
		const changed = await house.verb("organization", "change", "--organization", own.slug, "--location", "");
		assert.equal(changed.location, null);
	});
});

test("who did what, when and from where is on record, without a secret in it", async () => {
	const own = await house.organization();
	const admin = await house.member(own);
	await login(admin.email, "wrong");
	await login(`${fresh("unknown")}@staff.example`, "wrong");
	const made = await admin.ok("POST", "/api/users", { email: `${fresh("m")}@staff.example` });
	await admin.ok("PATCH", `/api/users/${made.user.id}`, { role: "Creator" });
	await admin.ok("DELETE", `/api/users/${made.user.id}`);
	const renewed = await admin.ok("POST", "/api/settings", { action: "regenerate_api_key" });
	await admin.ok("PUT", "/api/settings", { location: "Here" });
	const log = await audit(own);
	assert.deepEqual(log.map(({ action, actor_kind }) => `${actor_kind} ${action}`), [
		"operator user.create", "user invitation.accept", "nobody session.refuse", "user user.create", "user user.change", "user user.delete", "user key.regenerate", "user settings.change",
	]);
	assert.ok(log.slice(1).every(({ actor_email, address }) => actor_email === admin.email && address === "127.0.0.1"));
	assert.equal(log[3].target, made.user.id);
	const all = JSON.stringify(log);
	for (const secret of [PASSWORD, renewed.api_key, token(made)]) assert.ok(!all.includes(secret));
	const refused = await admin.request("PATCH", `/api/users/${admin.user.id}`, { body: { role: "Member" } });
	assert.equal(refused.status, 409);
	assert.equal((await audit(own)).length, log.length, "what was refused did not happen");
});

const actions = async (organization, email) =>
	(await audit(organization)).filter(({ actor_email }) => actor_email === email).map(({ action, actor_kind, address }) => `${actor_kind} ${action} ${address}`);

test("who leaves is on record, where they left and nowhere else", async () => {
	const [first, second] = [await house.organization(), await house.organization()];
	const host = await house.member(second);
	const person = await house.member(first);
	const made = await host.ok("POST", "/api/users", { email: person.email });
	await person.ok("POST", "/api/auth/join", { token: token(made) });
	await person.ok("POST", "/api/auth/switch", { organizationId: first.id });
	await person.ok("POST", "/api/auth/switch", { organizationId: first.id });
	const stolen = person.cookie;
	const answers = await Promise.all([1, 2].map(() => house.request("POST", "/api/auth/logout", { headers: { cookie: stolen, "content-type": "application/json" } })));
	assert.deepEqual(answers.map(({ status }) => status), [200, 200]);
	await person.post("/api/auth/logout");
	const where = "127.0.0.1";
	assert.deepEqual(await actions(first, person.email), ["invitation.accept", "session.switch", "session.switch", "session.end"].map((action) => `user ${action} ${where}`));
	assert.deepEqual(await actions(second, person.email), ["invitation.accept", "session.end"].map((action) => `user ${action} ${where}`));
});

test("another password is told to every organization of the person", async () => {
	const [first, second] = [await house.organization(), await house.organization()];
	const host = await house.member(second);
	const person = await house.member(first);
	const made = await host.ok("POST", "/api/users", { email: person.email });
	await person.ok("POST", "/api/auth/join", { token: token(made) });
	await person.ok("POST", "/api/auth/password", { current_password: PASSWORD, new_password: "another password" });
	for (const organization of [first, second]) {
		const entries = await actions(organization, person.email);
		assert.deepEqual(entries.slice(-1), ["user password.change 127.0.0.1"]);
		assert.equal(entries.filter((entry) => entry.includes("password.change")).length, 1);
	}
	const ids = await house.rows(`SELECT count(*) AS n FROM audit_log AS a JOIN users AS u ON u.organization_id = a.organization_id AND u.id = a.actor_id WHERE a.action = 'password.change' AND u.email = '${person.email}'`);
	assert.equal(ids[0].n, 2, "by its membership there");
});

test("who signs out of a suspended organization is out when it comes back", async () => {
	const own = await house.organization();
	const admin = await house.member(own);
	const { cookie } = admin;
	await house.verb("organization", "change", "--organization", own.slug, "--status", "suspended");
	await admin.ok("POST", "/api/auth/logout", {});
	await house.verb("organization", "change", "--organization", own.slug, "--status", "active");
	assertError(await house.get("/api/settings", { cookie }), 401, "unauthorized");
});
