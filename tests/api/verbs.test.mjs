// The verbs of the command line, beside a running server and without one, on either engine.
import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { fresh, openHouse, postgres, TIME, UUID7 } from "./harness.mjs";
import { assertPrinted, assertSaid } from "./words.mjs";

for (const beside of [true, false])
	describe(`verbs ${beside ? "beside a running server" : "without a server"}`, () => {
		let house;
		before(async () => {
			house = await openHouse();
			if (!beside) await house.stop();
		});
		after(() => house.end());
		const say = (...words) => house.run(words);
		const printed = async (...words) => assertPrinted(await say(...words));

		test("organization create prints id, slug, name and the key, this once", async () => {
			const made = await printed("organization", "create", "Visit Fort Myers!", "--location", "Fort Myers, FL", "--website=https://a.example");
			assert.deepEqual(Object.keys(made), ["id", "slug", "organization_name", "api_key"]);
			assert.match(made.id, UUID7);
			assert.deepEqual([made.slug, made.organization_name], ["visit-fort-myers", "Visit Fort Myers!"]);
			const list = await printed("organization", "list");
			assert.ok(!JSON.stringify(list).includes("ik_live_"));
			const { created_at, updated_at, ...rest } = list[0];
			assert.match(created_at, TIME);
			assert.equal(updated_at, created_at);
			assert.deepEqual(rest, {
				id: made.id, slug: "visit-fort-myers", organization_name: "Visit Fort Myers!", location: "Fort Myers, FL",
				website_url: "https://a.example", status: "active", time_zone: "UTC", requests_per_minute: 0,
			});
		});

		test("a slug that is taken, malformed or cannot be made is exit code 1 and a sentence", async () => {
			await printed("organization", "create", "Taken", "--slug", "taken");
			assertSaid(await say("organization", "create", "Other", "--slug", "taken"), 1, /slug/);
			for (const slug of ["A", "a b", "-a", "a--b", "ä", "x".repeat(64)]) assertSaid(await say("organization", "create", "Other", "--slug", slug), 1, /slug/);
			assertSaid(await say("organization", "create", "東京"), 1, /slug/);
			assert.equal((await printed("organization", "create", "東京", "--slug", "tokyo")).organization_name, "東京");
		});

		test("organization change changes what is given and leaves the rest", async () => {
			const { slug } = await printed("organization", "create", fresh("Change"), "--location", "here");
			const changed = await printed("organization", "change", "--organization", slug, "--name", "New name", "--requests-per-minute", "7");
			assert.deepEqual([changed.organization_name, changed.location, changed.requests_per_minute, changed.status], ["New name", "here", 7, "active"]);
			assertSaid(await say("organization", "change", "--organization", slug, "--status", "gone"), 1, /status/);
			assert.equal((await printed("organization", "change", "--organization", slug, "--time-zone", "Asia/Kathmandu")).time_zone, "Asia/Kathmandu");
			assertSaid(await say("organization", "change", "--organization", slug, "--time-zone", "Mars/Olympus"), 1, /time_zone/);
			assert.equal((await printed("organization", "change", "--organization", slug, "--location", "there")).time_zone, "Asia/Kathmandu");
		});

		test("an organization that is not there is exit code 1 and a sentence, on every verb that names one", async () => {
			for (const words of [["organization", "change"], ["key", "create"], ["key", "list"], ["user", "list"], ["user", "create", "--email", "a@b.example"], ["key", "revoke", "01890000-0000-7000-8000-000000000000"]])
				assertSaid(await say(...words, "--organization", "no&such=%00slug"), 1, /organization/);
		});

		test("user create adds a member who can sign in; the password is never printed or stored in clear", async () => {
			const { slug } = await printed("organization", "create", fresh("Users"));
			const password = "correct horse battery";
			const result = await house.run(["user", "create", "--organization", slug, "--email", " Ada@A.example", "--role", "Admin", "--name", "Ada", "--password-stdin"], { input: `${password}\n` });
			const { id, ...rest } = assertPrinted(result);
			assert.match(id, UUID7);
			assert.deepEqual(rest, { email: "ada@a.example", name: "Ada", role: "Admin" });
			const [listed] = await printed("user", "list", "--organization", slug);
			assert.deepEqual([listed.id, listed.email, listed.role], [id, "ada@a.example", "Admin"]);
			assert.match(await house.value("SELECT password_hash FROM accounts WHERE email = 'ada@a.example'"), /^\$argon2id\$/);
		});

		test("user create refuses a member twice, a role of its own, a bad e-mail and a short password", async () => {
			const { slug } = await printed("organization", "create", fresh("Refused"));
			const create = (email, ...more) => house.run(["user", "create", "--organization", slug, "--email", email, ...more], { input: "short\n" });
			assertPrinted(await create("bo@a.example"));
			assertSaid(await create("BO@a.example"), 1, /member/);
			assertSaid(await create("cy@a.example", "--role", "Visitor"), 1, /role/);
			assertSaid(await create("no address"), 1, /e-mail/);
			assertSaid(await create("di@a.example", "--password-stdin"), 1, /password/);
			assert.equal((await printed("user", "list", "--organization", slug)).length, 1);
		});

		test("a member without a password gets a link, and another one instead on request", async () => {
			const email = `${fresh("two")}@a.example`;
			const { slug } = await printed("organization", "create", fresh("One"));
			const first = await printed("user", "create", "--organization", slug, "--email", email);
			assert.match(first.invitation.link, /^\/join\?token=[\w-]{43}$/);
			assert.equal(await house.value(`SELECT count(*) FROM accounts WHERE email = '${email}'`), 0, "nobody has proven to be them");
			const second = await printed("user", "invite", "--organization", slug, "--email", email);
			assert.notEqual(second.invitation.link, first.invitation.link);
			assert.equal(await house.value(`SELECT count(*) FROM invitations AS i JOIN users AS u ON u.id = i.user_id WHERE u.email = '${email}'`), 1);
			assertSaid(await house.run(["user", "invite", "--organization", slug, "--email", "nobody@a.example"]), 1, /no such member/);
			assertSaid(await house.run(["user", "password", "--organization", slug, "--email", email, "--password-stdin"], { input: "long enough\n" }), 1, /not accepted/);
		});

		test("key create, list and revoke: a key is printed once and shown masked, and a revoked one is told apart", async () => {
			const { slug, api_key } = await printed("organization", "create", fresh("Keys"));
			const made = await printed("key", "create", "--organization", slug, "--name", "second");
			assert.match(made.api_key, /^ik_live_/);
			const list = await printed("key", "list", "--organization", slug);
			assert.equal(list.length, 2);
			assert.ok(!JSON.stringify(list).includes(api_key) && !JSON.stringify(list).includes(made.api_key));
			await printed("key", "revoke", made.id, "--organization", slug);
			assert.deepEqual((await printed("key", "list", "--organization", slug)).map((key) => key.revoked_at !== null).sort(), [false, true]);
			if (beside) assert.equal((await house.post(made.api_key, "/api/chats/create", { sessionId: "s" })).status, 401);
		});

		test("retention counts and erases, verify finds nothing", async () => {
			const { slug } = await printed("organization", "create", fresh("Old"));
			const counted = await printed("retention", "--organization", slug, "--days", "30", "--dry-run");
			assert.deepEqual([...new Set(Object.values(counted.would_erase))], [0], JSON.stringify(counted));
			await printed("retention", "--organization", slug, "--days", "30");
			assert.equal((await printed("verify", "--organization", slug)).result, "exact");
			assert.equal((await printed("verify", "--repair")).result, "exact");
		});

		if (postgres)
			test("what is about a file says what to use instead", async () => {
				assertSaid(await say("backup", "/tmp/never-made"), 1, /pg_dump/);
				assertSaid(await say("restore", "/tmp/never-made"), 1, /pg_dump.*pg_restore/);
				assertSaid(await say("demo"), 1, /sqlite:PATH/);
			});

		test("a visitor whom the operator makes a member keeps the id", async () => {
			if (!beside) return assert.equal(house.child, null, "nobody identifies without a server");
			const owner = await printed("organization", "create", fresh("Promote"));
			const email = `${fresh("p")}@a.example`;
			const { user_id } = await house.ok(owner.api_key, "/api/users/identify", { email });
			assert.deepEqual(await printed("user", "list", "--organization", owner.slug), []);
			assert.equal((await printed("user", "create", "--organization", owner.slug, "--email", email, "--role", "Member")).id, user_id);
		});
	});

