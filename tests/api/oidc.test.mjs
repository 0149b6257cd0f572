// Signing in through an OpenID Connect provider: with a real one the whole way, and with one that lies.
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync } from "node:crypto";
import { after, before, describe, test } from "node:test";

import { Browser, assertError, fresh, openHouse, run, binary, until } from "./harness.mjs";
import { CLIENT, FakeProvider, PUBLIC_URL, REDIRECT, RealProvider, SECRET, encode, makeKey, mint, mintWithSecret, now } from "./providers.mjs";

const options = (provider, ...more) => [
	...["--oidc-issuer", provider.issuer, "--oidc-client-id", CLIENT, "--oidc-client-secret", SECRET, "--public-url", PUBLIC_URL],
	...["--auth-failures-per-minute", "0"],
	...more,
];

const PENDING = "innkeeper_sign_in";

// The first half: to the provider. Returns what the house asks it.
async function start(browser, path = "/api/auth/oidc/start") {
	const answer = await browser.get(path, { "sec-fetch-site": "none" });
	assert.equal(answer.status, 302, answer.text);
	const address = answer.headers.location;
	return { answer, address, query: new URL(address, PUBLIC_URL).searchParams };
}

// The second half: back from there, as a navigation that another site began.
async function comeBack(browser, address) {
	assert.ok(address.startsWith(REDIRECT), address);
	const answer = await browser.get(address.slice(PUBLIC_URL.length), { "sec-fetch-site": "cross-site" });
	assert.equal(answer.status, 302, answer.text);
	assert.equal(answer.text, "");
	return answer;
}

const callback = (query) => `${REDIRECT}?${new URLSearchParams(query)}`;

// A sign-in from one end to the other; where the browser ends up.
async function signIn(house, provider, subject, browser = new Browser(house), path) {
	const { address } = await start(browser, path);
	const answer = await comeBack(browser, await provider.visit(address, subject));
	assert.equal(browser.cookies.has(PENDING), false, "what was pending is forgotten");
	const signedIn = browser.cookies.has("innkeeper_session");
	const reason = /^\/\?sign_in=(\w+)$/.exec(answer.headers.location)?.[1];
	assert.equal(signedIn, reason === undefined, `a session and no reason, or the reverse: ${answer.headers.location}`);
	return { browser, to: answer.headers.location, reason };
}

const invite = (house, organization, email, role = "Member") =>
	house.control(`/control/users?organization=${organization.slug}`, { email, role });

// Who did what, in whose record: [slug, action].
const record = async (house, email) =>
	(await house.rows(`SELECT o.slug, a.action FROM audit_log AS a JOIN organizations AS o ON o.id = a.organization_id JOIN users AS u ON u.id = a.actor_id AND u.organization_id = o.id
		WHERE a.actor_email = '${email}' AND a.actor_kind = 'user' AND a.address = '127.0.0.1' ORDER BY a.number`)).map(({ slug, action }) => [slug, action]);

const session = async (browser) => (await browser.ok("GET", "/api/auth/session"));

describe("a real provider", () => {
	let house, provider;
	before(async () => {
		provider = await new RealProvider().open();
		house = await openHouse(options(provider));
	});
	after(async () => {
		await house?.end();
		await provider?.close();
	});

	// Somebody whom the provider knows, and nobody else.
	function person(more = {}) {
		const subject = fresh("subject");
		const email = `${fresh("person")}@staff.example`;
		provider.people.set(subject, { email, email_verified: true, name: "Anna Ärmel", ...more });
		return { subject, email };
	}

	test("is asked for a code, with a state, a nonce and a challenge", async () => {
		const { answer, address, query } = await start(new Browser(house), "/api/auth/oidc/start?return=%2Fchats");
		assert.ok(address.startsWith(`${provider.issuer}/auth?`));
		assert.equal(query.get("response_type"), "code");
		assert.equal(query.get("client_id"), CLIENT);
		assert.equal(query.get("redirect_uri"), REDIRECT);
		assert.equal(query.get("code_challenge_method"), "S256");
		assert.deepEqual(query.get("scope").split(" ").sort(), ["email", "openid", "profile"]);
		for (const name of ["state", "nonce", "code_challenge"]) assert.match(query.get(name), /^[\w-]{43}$/, name);
		const [cookie] = answer.headers["set-cookie"];
		assert.match(cookie, /^innkeeper_sign_in=[\w-]+; HttpOnly; SameSite=Lax; Path=\/api\/auth\/oidc; Max-Age=600$/);
		for (const name of ["state", "nonce"]) assert.ok(!cookie.includes(query.get(name)), "it is sealed");
	});

	test("lets an invited member in, who is asked for nothing else", async () => {
		const organization = await house.organization();
		const { subject, email } = person();
		await invite(house, organization, email, "Creator");
		const { browser, to } = await signIn(house, provider, subject, undefined, "/api/auth/oidc/start?return=%2Fchats%3Fq%3D1");
		assert.equal(to, "/chats?q=1");
		const { user, organization: entered } = await session(browser);
		assert.equal(user.email, email);
		assert.equal(user.role, "Creator");
		assert.equal(user.name, "Anna Ärmel");
		assert.equal(entered.slug, organization.slug);
		assert.equal(await house.value(`SELECT count(*) FROM invitations AS i JOIN users AS u ON u.id = i.user_id WHERE u.email = '${email}'`), 0);
		assert.deepEqual(await record(house, email), [[organization.slug, "invitation.accept"], [organization.slug, "identity.link"]]);
	});

	test("refuses who is not invited, and makes nothing of them", async () => {
		const { subject, email } = person();
		assert.equal((await signIn(house, provider, subject)).reason, "not_invited");
		assert.equal(await house.value(`SELECT count(*) FROM accounts WHERE email = '${email}'`), 0);
		assert.equal(await house.value(`SELECT count(*) FROM identities WHERE subject = '${subject}'`), 0);
	});

	test("recognises who is linked by their subject, whatever e-mail they have now", async () => {
		const organization = await house.organization();
		const { subject, email } = person();
		await invite(house, organization, email);
		await signIn(house, provider, subject);
		for (const claims of [{ email: "married@staff.example", email_verified: true }, { email, email_verified: false }, {}]) {
			provider.people.set(subject, claims);
			const { browser } = await signIn(house, provider, subject);
			assert.equal((await session(browser)).user.email, email);
		}
		assert.equal(await house.value(`SELECT count(*) FROM identities WHERE subject = '${subject}'`), 1);
	});

	test("another subject with the same e-mail is somebody else", async () => {
		const organization = await house.organization();
		const first = person();
		await invite(house, organization, first.email);
		await signIn(house, provider, first.subject);
		const second = person({ email: first.email });
		assert.equal((await signIn(house, provider, second.subject)).reason, "not_invited");
		await until(
			async () => (await house.value(`SELECT count(*) FROM audit_log WHERE action = 'session.refuse' AND organization_id = X'${organization.id.replaceAll("-", "")}'`)) === 1,
			"the organization is told",
		);
		assert.equal((await signIn(house, provider, first.subject)).reason, undefined);
	});

	test("whoever set a password before for this e-mail is out", async () => {
		const organization = await house.organization();
		const { subject, email } = person();
		const squatter = await house.member(organization, "Member", email);
		assert.equal((await session(squatter)).user.email, email);
		const { browser } = await signIn(house, provider, subject);
		assert.equal((await session(browser)).user.email, email);
		assert.deepEqual(await session(squatter), {}, "its session is over");
		const again = await new Browser(house).post("/api/auth/login", { email, password: squatter.password });
		assertError(again, 401, "unauthorized");
	});

	test("refuses an e-mail that is not verified", async () => {
		const organization = await house.organization();
		for (const claims of [{ email_verified: false }, { email_verified: undefined }, { email_verified: "true" }, { email: undefined }, { email: "nobody" }]) {
			const { subject, email } = person(claims);
			await invite(house, organization, email);
			assert.equal((await signIn(house, provider, subject)).reason, "email_not_verified", JSON.stringify(claims));
			assert.equal(await house.value(`SELECT count(*) FROM users WHERE email = '${email}' AND account_id IS NOT NULL`), 0);
		}
	});

	test("an e-mail is compared without case", async () => {
		const organization = await house.organization();
		const { subject, email } = person();
		provider.people.get(subject).email = ` ${email.toUpperCase()} `;
		await invite(house, organization, email);
		assert.equal((await signIn(house, provider, subject)).reason, undefined);
	});

	test("a contact stays one", async () => {
		const organization = await house.organization();
		const { subject, email } = person();
		await house.ok(organization.api_key, "/api/users/identify", { email });
		assert.equal((await signIn(house, provider, subject)).reason, "not_invited");
		assert.equal(await house.value(`SELECT role FROM users WHERE email = '${email}'`), "Visitor");
	});

	const slugs = async (browser) => (await session(browser)).organizations.map(({ slug }) => slug).sort();
	const token = (made) => /token=([\w-]+)/.exec(made.invitation.link)[1];

	test("every organization that waits for the person gets them when they come first", async () => {
		const organizations = [await house.organization(), await house.organization()];
		const { subject, email } = person();
		await invite(house, organizations[0], email);
		await invite(house, organizations[1], email, "Admin");
		const { browser } = await signIn(house, provider, subject);
		assert.deepEqual(await slugs(browser), organizations.map(({ slug }) => slug).sort());
		const entries = await record(house, email);
		for (const action of ["invitation.accept", "identity.link"])
			assert.deepEqual(entries.filter((entry) => entry[1] === action).map(([slug]) => slug).sort(), organizations.map(({ slug }) => slug).sort(), action);
	});

	test("later an e-mail opens nothing: who is known opens the link while signed in", async () => {
		const [first, second] = [await house.organization(), await house.organization()];
		const { subject, email } = person();
		await invite(house, first, email);
		await signIn(house, provider, subject);
		const made = await invite(house, second, email);
		const { browser } = await signIn(house, provider, subject);
		assert.deepEqual(await slugs(browser), [first.slug]);
		await browser.ok("POST", "/api/auth/join", { token: token(made) });
		assert.deepEqual(await slugs(browser), [first.slug, second.slug].sort());
		assert.equal((await session(browser)).organization.slug, second.slug);
	});

	test("an e-mail that the provider gives to somebody who is known opens no invitation of its old owner", async () => {
		const [ours, theirs] = [await house.organization(), await house.organization()];
		const known = person();
		await invite(house, ours, known.email);
		await signIn(house, provider, known.subject);
		const victim = person();
		await invite(house, theirs, victim.email, "Admin");
		provider.people.set(known.subject, { email: victim.email, email_verified: true });
		const { browser } = await signIn(house, provider, known.subject);
		assert.deepEqual(await slugs(browser), [ours.slug]);
		const rightful = await signIn(house, provider, victim.subject);
		assert.deepEqual(await slugs(rightful.browser), [theirs.slug]);
	});

	test("an invitation that has expired, or is a suspended organization's, opens nothing", async () => {
		const organization = await house.organization();
		const suspended = await house.organization();
		const late = person();
		const barred = person();
		await invite(house, organization, late.email);
		await invite(house, suspended, barred.email);
		await house.verb("organization", "change", "--organization", suspended.slug, "--status", "suspended");
		await house.stop();
		await house.change(`UPDATE invitations SET expires_at = 1 WHERE organization_id = X'${organization.id.replaceAll("-", "")}'`);
		await house.start();
		for (const { subject } of [late, barred]) assert.equal((await signIn(house, provider, subject)).reason, "not_invited");
		await house.verb("organization", "change", "--organization", suspended.slug, "--status", "active");
		const { browser } = await signIn(house, provider, barred.subject);
		await house.verb("organization", "change", "--organization", suspended.slug, "--status", "suspended");
		assert.deepEqual(await session(browser), {});
		assert.equal((await signIn(house, provider, barred.subject)).reason, "not_invited");
	});

	test("a code is worth nothing the second time", async () => {
		const organization = await house.organization();
		const { subject, email } = person();
		await invite(house, organization, email);
		const browser = new Browser(house);
		const { address } = await start(browser);
		const back = await provider.visit(address, subject);
		const kept = new Map(browser.cookies);
		assert.equal((await comeBack(browser, back)).headers.location, "/");
		const replay = new Browser(house);
		replay.cookies = kept;
		assert.equal((await comeBack(replay, back)).headers.location, "/?sign_in=refused");
		assert.equal(replay.cookies.has("innkeeper_session"), false);
	});

	test("a code is worth nothing to another sign-in", async () => {
		const organization = await house.organization();
		const { subject, email } = person();
		await invite(house, organization, email);
		const victim = new Browser(house);
		const attacker = new Browser(house);
		const theirs = await start(victim);
		const stolen = new URL(await provider.visit(theirs.address, subject)).searchParams.get("code");
		const { query } = await start(attacker);
		// With the state and the cookie of the attacker's own: PKCE is what is left.
		const answer = await comeBack(attacker, callback({ code: stolen, state: query.get("state"), iss: provider.issuer }));
		assert.equal(answer.headers.location, "/?sign_in=refused");
	});

	test("who was signed in with this browser is so no longer", async () => {
		const organization = await house.organization();
		const { subject, email } = person();
		const other = await house.member(organization);
		const before = other.cookies.get("innkeeper_session");
		await invite(house, organization, email);
		await signIn(house, provider, subject, other);
		assert.notEqual(other.cookies.get("innkeeper_session"), before);
		const old = new Browser(house);
		old.cookies.set("innkeeper_session", before);
		assert.deepEqual(await session(old), {});
	});
});

describe("whoever comes, with --signup open,", () => {
	let house, provider;
	before(async () => {
		provider = await new RealProvider().open();
		house = await openHouse(options(provider, "--signup", "open"));
	});
	after(async () => {
		await house?.end();
		await provider?.close();
	});

	test("founds an organization, and is its Admin", async () => {
		const slugs = [];
		for (const name of ["Visit Ärmel", "Visit Ärmel", undefined, "日本"]) {
			const subject = fresh("subject");
			provider.people.set(subject, { email: `${fresh("p")}@beach.example`, email_verified: true, name });
			const { browser, to } = await signIn(house, provider, subject);
			assert.equal(to, "/");
			const { user, organization } = await session(browser);
			assert.equal(user.role, "Admin");
			assert.equal(organization.name, name ?? "beach.example");
			slugs.push(organization.slug);
			const settings = await browser.ok("GET", "/api/settings");
			assert.match(settings.api_key, /^ik_live_.{4}\.\.\..{4}$/);
			const { api_key: key } = await browser.ok("POST", "/api/settings", { action: "regenerate_api_key" });
			await house.ok(key, "/api/chats/create", { sessionId: "s" });
			// The second time it is theirs already.
			assert.equal((await session((await signIn(house, provider, subject)).browser)).organization.slug, organization.slug);
		}
		assert.deepEqual(slugs, ["visit-rmel", "visit-rmel-2", "beach-example", "organization"]);
	});

	test("still needs a verified e-mail", async () => {
		const subject = fresh("subject");
		provider.people.set(subject, { email: `${subject}@beach.example`, email_verified: false });
		assert.equal((await signIn(house, provider, subject)).reason, "email_not_verified");
	});

	test("goes to who invited them, if somebody did", async () => {
		const organization = await house.organization();
		const subject = fresh("subject");
		const email = `${subject}@beach.example`;
		await invite(house, organization, email);
		provider.people.set(subject, { email, email_verified: true });
		const { browser } = await signIn(house, provider, subject);
		assert.deepEqual((await session(browser)).organizations.map(({ slug }) => slug), [organization.slug]);
	});
});

describe("a provider that lies", () => {
	let house, provider;
	before(async () => {
		provider = await new FakeProvider().open();
		house = await openHouse(options(provider));
	});
	after(async () => {
		await house?.end();
		await provider?.close();
	});

	// A sign-in at whose end the provider gives out what `token` makes of the nonce; the reason of its refusal.
	async function attempt(token, query = {}, browser = new Browser(house)) {
		const begun = await start(browser);
		provider.answers["/token"] = () => {
			const made = token(begun.query.get("nonce"));
			return made !== null && typeof made === "object" ? made : { id_token: made, access_token: "a", token_type: "Bearer" };
		};
		const answer = await comeBack(browser, callback({ code: "c", state: begun.query.get("state"), ...query }));
		return answer.headers.location;
	}

	const member = async () => {
		const email = `${fresh("p")}@staff.example`;
		await invite(house, await house.organization(), email);
		return { sub: fresh("s"), email, email_verified: true };
	};

	test("is believed while it does not", async () => {
		for (const key of provider.keys) {
			const claims = await member();
			assert.equal(await attempt((nonce) => mint(key, provider.claims(nonce, claims))), "/");
			assert.equal(await attempt((nonce) => mint(key, provider.claims(nonce, { sub: claims.sub }))), "/");
		}
	});

	test("is told the code, the verifier and who asks", async () => {
		const browser = new Browser(house);
		const begun = await start(browser);
		provider.bodies.length = 0;
		provider.answers["/token"] = () => [400, {}, "{}"];
		await comeBack(browser, callback({ code: "a code+&", state: begun.query.get("state") }));
		const [{ body, headers }] = provider.bodies;
		const form = new URLSearchParams(body);
		assert.equal(form.get("grant_type"), "authorization_code");
		assert.equal(form.get("code"), "a code+&");
		assert.equal(form.get("redirect_uri"), REDIRECT);
		assert.equal(createHash("sha256").update(form.get("code_verifier")).digest("base64url"), begun.query.get("code_challenge"));
		const [id, secret] = Buffer.from(headers.authorization.slice("Basic ".length), "base64").toString().split(":");
		assert.equal(decodeURIComponent(id), CLIENT);
		assert.equal(decodeURIComponent(secret), SECRET);
		assert.equal(form.get("client_secret"), null);
		assert.ok(begun.address.startsWith(`${provider.issuer}/authorize?tenant=a&response_type=code&`));
	});

	describe("with a token", () => {
		const other = makeKey("one");
		let claims;
		before(async () => (claims = await member()));
		const pem = (key) => key.publicKey.export({ type: "spki", format: "pem" });
		const short = generateKeyPairSync("rsa", { modulusLength: 1024 });
		const lies = {
			"of another nonce": (n, p) => mint(p.keys[0], p.claims(`${n}x`, claims)),
			"without a nonce": (n, p) => mint(p.keys[0], p.claims(undefined, claims)),
			"for another audience": (n, p) => mint(p.keys[0], p.claims(n, { ...claims, aud: "other" })),
			"for several, and no party": (n, p) => mint(p.keys[0], p.claims(n, { ...claims, aud: [CLIENT, "other"] })),
			"for another party": (n, p) => mint(p.keys[0], p.claims(n, { ...claims, azp: "other" })),
			"of another issuer": (n, p) => mint(p.keys[0], p.claims(n, { ...claims, iss: `${p.issuer}/` })),
			"that has expired": (n, p) => mint(p.keys[0], p.claims(n, { ...claims, exp: now() - 61 })),
			"from the future": (n, p) => mint(p.keys[0], p.claims(n, { ...claims, iat: now() + 120 })),
			"without a subject": (n, p) => mint(p.keys[0], p.claims(n, { ...claims, sub: undefined })),
			"with an empty subject": (n, p) => mint(p.keys[0], p.claims(n, { ...claims, sub: "" })),
			"with a subject of 256 bytes": (n, p) => mint(p.keys[0], p.claims(n, { ...claims, sub: "s".repeat(256) })),
			"with U+0000 in its subject": (n, p) => mint(p.keys[0], p.claims(n, { ...claims, sub: "a\0b" })),
			"signed with a key of its name that is not its": (n, p) => mint(other, p.claims(n, claims)),
			"that says alg none": (n, p) => `${encode({ alg: "none" })}.${encode(p.claims(n, claims))}.`,
			"that says alg none and is signed": (n, p) => mint(p.keys[0], p.claims(n, claims), { alg: "none" }),
			"whose signature was cut off": (n, p) => mint(p.keys[0], p.claims(n, claims)).replace(/[^.]*$/, ""),
			"signed with the public key, as PEM, for a secret": (n, p) => mintWithSecret(pem(p.keys[0]), p.claims(n, claims), { kid: "one" }),
			"signed with the public key, as n, for a secret": (n, p) => mintWithSecret(p.keys[0].jwk.n, p.claims(n, claims), { kid: "one" }),
			"signed with the client's secret": (n, p) => mintWithSecret(SECRET, p.claims(n, claims), {}),
			"that brings its own key": (n, p) => mint(other, p.claims(n, claims), { jwk: other.jwk, kid: "own" }),
			"whose key would be too short": (n, p) => mint({ ...p.keys[0], privateKey: short.privateKey }, p.claims(n, claims)),
			"that asks for an extension": (n, p) => mint(p.keys[0], p.claims(n, claims), { crit: ["x"], x: 1 }),
			"whose claims are no object": (n, p) => mint(p.keys[0], [p.claims(n, claims)]),
			"that is encrypted": () => `${encode({ alg: "RSA-OAEP", enc: "A256GCM" })}.a.b.c.d`,
			"of 100 KiB": (n, p) => mint(p.keys[0], p.claims(n, { ...claims, more: "x".repeat(100 * 1024) })),
			"that is none": () => "no token",
			"that is no text": () => ({ id_token: { a: 1 } }),
			"that is missing": () => ({ access_token: "a" }),
		};
		for (const [name, lie] of Object.entries(lies))
			test(`${name} is not believed`, async () => {
				assert.equal(await attempt((nonce) => lie(nonce, provider)), "/?sign_in=refused");
				assert.equal(await house.value(`SELECT count(*) FROM accounts WHERE email = '${claims.email}'`), 0);
			});
		test("that says an e-mail is verified in words is not believed", async () => {
			const words = { ...claims, email_verified: "true" };
			assert.equal(await attempt((nonce) => mint(provider.keys[0], provider.claims(nonce, words))), "/?sign_in=email_not_verified");
		});
		test("that is good lets the same person in after all that", async () => {
			assert.equal(await attempt((nonce) => mint(provider.keys[0], provider.claims(nonce, claims))), "/");
		});
	});

	test("its user information is believed about the same subject alone", async () => {
		const claims = await member();
		provider.metadata.userinfo_endpoint = `${provider.issuer}/me`;
		await house.restart();
		const token = (nonce) => mint(provider.keys[0], provider.claims(nonce, { sub: claims.sub }));
		provider.answers["/me"] = () => ({ ...claims, sub: "another" });
		assert.equal(await attempt(token), "/?sign_in=refused");
		provider.answers["/me"] = (body, request) => (request.headers.authorization === "Bearer a" ? claims : [401, {}, "{}"]);
		assert.equal(await attempt(token), "/");
		delete provider.metadata.userinfo_endpoint;
		await house.restart();
	});

	test("its new keys are fetched when one of them is met, but not as often as somebody likes", async () => {
		const claims = await member();
		await attempt((nonce) => mint(provider.keys[0], provider.claims(nonce, claims)));
		const key = makeKey("three");
		provider.keys.push(key);
		assert.equal(await attempt((nonce) => mint(key, provider.claims(nonce, { sub: claims.sub }))), "/");
		const asked = provider.asked.get("/keys");
		for (let i = 0; i < 12; i++)
			assert.equal(await attempt((nonce) => mint(makeKey(`unknown ${i}`, "ES256"), provider.claims(nonce, claims))), "/?sign_in=refused");
		assert.ok(provider.asked.get("/keys") - asked <= 6, `${provider.asked.get("/keys") - asked} times`);
	});

	describe("of what the browser brings back,", () => {
		const good = (claims) => (nonce) => mint(provider.keys[0], provider.claims(nonce, claims));
		let claims;
		before(async () => (claims = await member()));
		test("another state is refused", async () => {
			for (const state of ["", "x", "A".repeat(43)]) assert.equal(await attempt(good(claims), { state }), "/?sign_in=refused");
		});
		test("another issuer is refused: the answer of one provider is no answer of another", async () => {
			assert.equal(await attempt(good(claims), { iss: "https://evil.example" }), "/?sign_in=refused");
			assert.equal(await attempt(good(claims), { iss: `${provider.issuer}/` }), "/?sign_in=refused");
		});
		test("an error of the provider is a refusal, whatever it says", async () => {
			assert.equal(await attempt(good(claims), { error: "access_denied\r\nX: y" }), "/?sign_in=refused");
		});
		test("no code is a refusal", async () => {
			assert.equal(await attempt(good(claims), { code: "" }), "/?sign_in=refused");
		});
		test("no cookie, a changed one and that of another sign-in are refused", async () => {
			const browser = new Browser(house);
			const { query } = await start(browser);
			const sealed = browser.cookies.get(PENDING);
			const back = callback({ code: "c", state: query.get("state") });
			assert.equal((await comeBack(new Browser(house), back)).headers.location, "/?sign_in=expired");
			for (const value of ["", "x", sealed.slice(0, -1), `${sealed}A`, sealed.replace(/^./, (first) => (first === "A" ? "B" : "A"))]) {
				browser.cookies.set(PENDING, value);
				assert.equal((await comeBack(browser, back)).headers.location, "/?sign_in=expired", value);
			}
			const another = new Browser(house);
			await start(another);
			assert.equal((await comeBack(another, back)).headers.location, "/?sign_in=refused");
		});
		test("too long a query is said, not followed", async () => {
			const answer = await new Browser(house).get(`/api/auth/oidc/callback?code=${"c".repeat(5000)}`);
			assertError(answer, 400, "invalid_field", "code");
		});
		test("nothing of all this made a session", async () => {
			assert.equal(await house.value(`SELECT count(*) FROM accounts WHERE email = '${claims.email}'`), 0);
		});
	});
});

describe("a provider that does not answer as it should", () => {
	let house, provider;
	before(async () => (provider = await new FakeProvider().open()));
	after(async () => provider?.close());

	const discovery = "/.well-known/openid-configuration";
	const broken = {
		"whose document is another issuer's": (p) => (p.metadata = { ...p.metadata, issuer: `${p.issuer}/` }),
		"whose document lacks an address": (p) => delete p.metadata.token_endpoint,
		"whose document names a host in plain HTTP": (p) => (p.metadata.token_endpoint = "http://example.org/token"),
		"whose document names a file": (p) => (p.metadata.jwks_uri = "file:///etc/passwd"),
		"whose document is no JSON": (p) => (p.answers[discovery] = () => [200, {}, "<html>"]),
		"whose document is an array": (p) => (p.answers[discovery] = () => [200, {}, "[]"]),
		"whose document is too long": (p) => (p.answers[discovery] = () => ({ ...p.metadata, more: "x".repeat(1024 * 1024) })),
		"that sends on": (p) => (p.answers[discovery] = (body, request) => (request.url.includes("?again") ? p.metadata : [302, { location: `${discovery}?again` }, ""])),
		"that fails": (p) => (p.answers[discovery] = () => [500, {}, "{}"]),
	};
	for (const [name, breakIt] of Object.entries(broken))
		test(`${name} is unavailable`, async () => {
			const metadata = { ...provider.metadata };
			house = await openHouse(options(provider));
			try {
				breakIt(provider);
				const { answer, address } = await start(new Browser(house));
				assert.equal(address, "/?sign_in=provider_unavailable");
				assert.equal(answer.headers["set-cookie"], undefined);
				const asked = provider.asked.get(discovery);
				await start(new Browser(house));
				assert.equal(provider.asked.get(discovery), asked, "and is left alone for a moment");
				provider.metadata = metadata;
				provider.reset();
				await until(async () => (await start(new Browser(house))).address.startsWith(provider.issuer), "it is asked again");
			} finally {
				provider.metadata = metadata;
				provider.reset();
				await house.end();
			}
		});

	test("and one that breaks in between sends people back to sign in", async () => {
		house = await openHouse(options(provider));
		try {
			for (const [answer, reason] of [
				[[500, {}, "{}"], "provider_unavailable"],
				[[302, { location: "/keys" }, ""], "provider_unavailable"],
				[[200, {}, "no JSON"], "provider_unavailable"],
				[[400, {}, '{"error":"invalid_grant"}'], "refused"],
				[[200, {}, JSON.stringify({ id_token: "x".repeat(1024 * 1024) })], "provider_unavailable"],
			]) {
				const browser = new Browser(house);
				const { query } = await start(browser);
				provider.answers["/token"] = () => answer;
				const back = await comeBack(browser, callback({ code: "c", state: query.get("state") }));
				assert.equal(back.headers.location, `/?sign_in=${reason}`, JSON.stringify(answer).slice(0, 80));
			}
			const lines = house.log().filter(({ message }) => message === "a sign-in through the provider failed");
			assert.ok(lines.length >= 5);
			assert.ok(lines.every(({ reason }) => reason.length > 0));
			assert.ok(!house.output.includes(SECRET));
		} finally {
			await house.end();
		}
	});

	test("does not hold up the end of the server", async () => {
		house = await openHouse(options(provider));
		const browser = new Browser(house);
		const { query } = await start(browser);
		let asked;
		const waiting = new Promise((resolve) => (asked = resolve));
		provider.server.prependOnceListener("request", (request, response) => {
			response.writeHead = () => response;
			response.end = () => {};
			asked();
		});
		const answer = comeBack(browser, callback({ code: "c", state: query.get("state") })).catch(() => {});
		await waiting;
		await house.end(); // fails when it takes longer than ten seconds
		await answer;
	});
});

describe("without a provider", () => {
	let house;
	before(async () => (house = await openHouse()));
	after(() => house?.end());
	test("there is nothing to sign in through", async () => {
		for (const path of ["/api/auth/oidc/start", "/api/auth/oidc/callback", "/api/auth/oidc/callback?code=a&state=b"])
			assertError(await house.get(path), 404, "not_found");
	});
});

test("an address starts and ends so many sign-ins a minute, and what is beyond asks no provider", async () => {
	const provider = await new FakeProvider().open();
	const house = await openHouse(options(provider, "--auth-failures-per-minute", "5", "--trusted-proxy", "127.0.0.1"));
	const ask = (path, address = "192.0.2.1") => house.get(`/api/auth/oidc/${path}`, { "x-forwarded-for": address });
	try {
		for (let i = 0; i < 5; i++) assert.equal((await ask(i % 2 ? "start" : "callback?code=c&state=s")).status, 302);
		for (const path of ["start", "callback?code=c&state=s"]) {
			const refused = await ask(path);
			assertError(refused, 429, "rate_limited");
			assert.match(refused.headers["retry-after"], /^\d+$/);
			assert.equal(refused.headers["set-cookie"], undefined);
		}
		assert.equal((await ask("start", "192.0.2.2")).status, 302);
		// Nor does it keep anybody from signing in by password there.
		const answer = await house.post(undefined, "/api/auth/login", { email: "a@b.example", password: "x" }, { "x-forwarded-for": "192.0.2.1" });
		assertError(answer, 401, "unauthorized");
	} finally {
		await house.end();
		await provider.close();
	}
});

test("a browser is sent to a path of this server afterwards, and to nothing else", async () => {
	const provider = await new FakeProvider().open();
	const house = await openHouse(options(provider));
	try {
		for (const path of ["https://evil.example", "//evil.example", "/\\evil.example", "/a//b", "/\r\nX: y", "/\t/a", "chats", "/ä", `/${"a".repeat(1024)}`])
			assertError(await house.get(`/api/auth/oidc/start?return=${encodeURIComponent(path)}`), 400, "invalid_field", "return");
		assert.equal((await house.get("/api/auth/oidc/start?return=")).status, 302);
	} finally {
		await house.end();
		await provider.close();
	}
});

test("behind TLS the pending cookie goes over TLS alone", async () => {
	const provider = await new FakeProvider().open();
	const house = await openHouse(options(provider, "--public-url", "https://crm.example"));
	try {
		const { answer, query } = await start(new Browser(house));
		assert.match(answer.headers["set-cookie"][0], /; Secure$/);
		assert.equal(query.get("redirect_uri"), "https://crm.example/api/auth/oidc/callback");
	} finally {
		await house.end();
		await provider.close();
	}
});

describe("the server does not start", () => {
	const good = { "--oidc-issuer": "https://id.example", "--oidc-client-id": "a", "--public-url": "https://crm.example" };
	const wrong = {
		"without a client id": { "--oidc-client-id": undefined },
		"without its own address": { "--public-url": undefined },
		"with an address that ends in a slash": { "--public-url": "https://crm.example/" },
		"with an address without TLS": { "--public-url": "http://crm.example" },
		"with an issuer without TLS": { "--oidc-issuer": "http://id.example" },
		"with an issuer that has a query": { "--oidc-issuer": "https://id.example/?a" },
		"with an issuer that is no address": { "--oidc-issuer": "id.example" },
		"with an issuer that has a password": { "--oidc-issuer": "https://a:b@id.example" },
	};
	for (const [name, change] of Object.entries(wrong))
		test(name, async () => {
			const words = Object.entries({ ...good, ...change }).filter(([, value]) => value !== undefined).flat();
			const result = await run(binary, ["serve", "--database", "sqlite:/tmp/innkeeper-never.db", "--listen", "127.0.0.1:0", ...words]);
			assert.equal(result.status, 1, result.stderr);
			assert.match(result.stderr, new RegExp(Object.keys(change)[0]));
		});
});
