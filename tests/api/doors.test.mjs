// Every door that a session opens, tried with everything that must not open it. The routes are those of the API's own
// description, so that a new one is tried without anybody writing a test for it.
import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import http from "node:http";
import { assertError, fresh, hexOf, masked, openHouse, postgres, until } from "./harness.mjs";

const CANARY = fresh("CANARY");
const ABSENT = "01a20cd2-bf50-7db5-a5ad-3a426db0193c";
// What a Member may do although it changes something: it is their own session and password.
const OWN = ["POST /api/auth/switch", "POST /api/auth/password"];

let house, ours, theirs, document, routes, victim, ids, asItWas;
const staff = {};

// Events of an organization, its texts marked.
async function fill({ api_key: key }, mark) {
	const send = async (path, body) => (await house.ok(key, path, body));
	for (const i of [0, 1]) {
		const sessionId = `${mark}-session-${i}`;
		const { chatId } = await send("/api/chats/create", { sessionId, chatId: `chat-${mark.slice(-12)}-${i}`, userAgent: mark, metadata: { mark } });
		for (const role of ["user", "assistant"]) await send("/api/chats/message", { chatId, role, content: `${mark} says`, messageId: `${mark}-${role}-${i}` });
		await send("/api/articles/mention", { chatId, articles: [{ id: `${mark}-a${i}`, title: mark, slug: mark }] });
		await send("/api/articles/view", { articleId: `${mark}-a${i}`, articleSlug: mark, articleTitle: mark, sessionId });
		await send("/api/tavily-mentions", { sessionId, chatId, mentions: [{ url: `https://page.example/${mark}/${i}`, title: mark }], searchQuery: mark });
		await send("/api/visitors/identify", { email: `${mark}${i}@guest.example`, session_id: sessionId, chat_id: chatId, name: mark, metadata: { season: mark } });
		await send("/api/users/identify", { email: `${mark}${i}@user.example`, session_id: sessionId, name: mark });
	}
}

// Everything that belongs to the victim, as the database has it.
async function state() {
	const tables = await house.rows(postgres ? "SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relnamespace = 'innkeeper'::regnamespace AND c.relkind = 'r' AND a.attname = 'organization_id' ORDER BY 1" : "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c ON c.name = 'organization_id' WHERE m.type = 'table' ORDER BY m.name");
	const all = { organizations: await house.rows(`SELECT * FROM organizations WHERE id = X'${hexOf(theirs.id)}'`) };
	for (const { name } of tables) all[name] = (await house.rows(`SELECT * FROM ${name} WHERE organization_id = X'${hexOf(theirs.id)}'`)).map((row) => JSON.stringify(row)).sort();
	all.sessions = await house.rows(`SELECT * FROM sessions WHERE entered_organization_id = X'${hexOf(theirs.id)}'`);
	all.accounts = await house.rows(`SELECT * FROM accounts WHERE email = '${victim.email}'`);
	return JSON.stringify(all);
}

// As house.request, but of a stream only what comes first.
function ask(method, path, { headers = {}, body } = {}) {
	const all = { ...headers };
	if (body !== undefined) Object.assign(all, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
	return new Promise((resolve, reject) => {
		const request = http.request({ host: "127.0.0.1", port: house.port, method, path, headers: all, agent: house.agent }, (response) => {
			let text = "";
			const end = () => {
				let json;
				try {
					json = JSON.parse(text);
				} catch {
					json = undefined;
				}
				resolve({ status: response.statusCode, headers: response.headers, text, json });
			};
			response.setEncoding("utf8");
			response.on("data", (data) => {
				text += data;
				if (response.headers["content-type"] !== "text/event-stream") return;
				end();
				request.destroy();
			});
			response.on("end", end);
			response.on("error", () => {});
		});
		request.on("error", reject);
		request.end(body);
	});
}

const resolve = (schema) => (schema?.$ref ? schema.$ref.slice(2).split("/").reduce((at, name) => at[name], document) : schema);

// A body that the route's description takes, with `value` wherever a text may be.
function bodyOf(schema, value) {
	const { type, enum: choices, properties = {}, format } = resolve(schema) ?? {};
	if (choices) return choices[0];
	const kind = Array.isArray(type) ? type[0] : type;
	if (kind === "object") return Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, bodyOf(one, value)]));
	if (kind === "array") return [];
	if (kind === "integer" || kind === "number") return 1;
	if (kind === "boolean") return true;
	return format === "email" ? victim.email : value;
}

const named = (value) => ({ organization_id: value, organizationId: value, organization: value, "x-organization": value, "x-organization-id": value, "x-organization-slug": value });

function request(route, { cookie, headers = {}, id = ABSENT, value = ABSENT, more = {} }) {
	const query = new URLSearchParams(more);
	for (const name of route.query) if (!["limit", "format", "cursor", "dateRange", "days", "from", "to", "compare"].includes(name)) query.set(name, value);
	if (value !== ABSENT) for (const [name, one] of Object.entries(named(value))) query.set(name, one);
	const path = route.path.replaceAll(/\{\w+\}/g, encodeURIComponent(id));
	const body = route.method === "GET" ? undefined : JSON.stringify({ ...(value === ABSENT ? {} : named(value)), ...bodyOf(route.schema ?? { type: "object" }, value) });
	const all = { ...headers, ...(cookie && { cookie }), ...(value === ABSENT ? {} : { "x-organization": value, "x-organization-id": value, "last-event-id": value }) };
	return ask(route.method, `${path}?${query}`, { headers: all, body });
}

function assertNothingOf(answer, sent, name) {
	const bytes = JSON.stringify(answer.headers) + answer.text;
	assert.ok(!bytes.includes(CANARY), `${name}: ${bytes.slice(0, 2000)}`);
	for (const id of ids.own) assert.ok(sent === id || sent.has?.(id) || !bytes.includes(id), `${name} tells ${id}: ${bytes.slice(0, 2000)}`);
	assert.ok(answer.status < 500, `${name}: ${answer.status} ${answer.text}`);
}

before(async () => {
	house = await openHouse(["--auth-failures-per-minute", "0"]);
	ours = await house.organization("Ours");
	theirs = await house.organization(`Theirs ${CANARY}`);
	victim = await house.member(theirs);
	for (const role of ["Member", "Creator", "Admin"]) staff[role] = await house.staff(ours, role);
	await fill(ours, fresh("own"));
	await fill(theirs, CANARY);
	await victim.ok("POST", "/api/keys", { name: CANARY });
	await until(async () => (await victim.ok("GET", `/api/chats?q=${CANARY}`)).length === 2, "the index has followed");
	document = (await house.get("/openapi.json")).json;
	routes = Object.entries(document.paths).flatMap(([path, operations]) =>
		Object.entries(operations)
			.filter(([, { security }]) => security?.length > 0 && security.every((one) => "session" in one))
			.map(([method, { parameters = [], requestBody, description = "" }]) => ({
				name: `${method.toUpperCase()} ${path}`,
				method: method.toUpperCase(),
				path,
				query: parameters.map(resolve).filter((one) => one.in === "query").map((one) => one.name),
				schema: requestBody?.content["application/json"].schema,
				least: /Takes the role (\w+)\./.exec(description)?.[1] ?? "Member",
			})),
	);
	const chats = await victim.ok("GET", "/api/chats");
	const { visitors } = await victim.ok("GET", "/api/visitors");
	const { users } = await victim.ok("GET", "/api/users");
	const [key] = await victim.ok("GET", "/api/keys");
	const { entries } = await victim.ok("GET", "/api/audit");
	const messages = await victim.ok("GET", `/api/chats/${chats[0].id}/messages`);
	const all = { chat: chats[0].id, external: chats[0].chat_id ?? chats[0].chatId, visitor: visitors[0].id, user: users[0].id, member: victim.user.id, key: key.id, entry: entries[0].id, message: messages[0].id, organization: theirs.id, slug: theirs.slug, email: victim.email };
	for (const [kind, id] of Object.entries(all)) assert.ok(typeof id === "string", `an id of a ${kind}`);
	ids = { all: Object.values(all), own: Object.values(all).filter((id) => id !== all.slug && id !== all.email) };
	asItWas = await state();
});
after(() => house?.end());

describe("every route of the staff", () => {
	test("is found in the description, with ids in its paths and roles", () => {
		assert.ok(routes.length >= 36, routes.map(({ name }) => name).join(", "));
		assert.ok(routes.filter(({ path }) => path.includes("{")).length >= 10);
		assert.ok(routes.filter(({ least }) => least === "Admin").length >= 10);
	});

	test("that changes something is closed to a Member, but for what is their own", () => {
		assert.deepEqual(routes.filter(({ method, least }) => method !== "GET" && least === "Member").map(({ name }) => name).sort(), [...OWN].sort());
	});

	test("is closed without a cookie, and to every API key", async () => {
		const bearer = (key) => ({ headers: { authorization: `Bearer ${key}` } });
		for (const route of routes)
			for (const options of [{}, { cookie: "innkeeper_session=" }, { headers: { "x-api-key": ours.api_key } }, { headers: { "x-api-key": theirs.api_key } }, bearer(theirs.api_key), bearer(staff.Admin.cookies.get("innkeeper_session"))])
				assertError(await request(route, { ...options, id: ids.all[0], value: ids.all[0] }), 401, "unauthorized");
	});

	test("is closed to a lesser role, whatever is asked for", async () => {
		const order = ["Member", "Creator", "Admin"];
		for (const route of routes)
			for (const role of order.slice(0, order.indexOf(route.least)))
				for (const id of [ABSENT, ids.all[0]]) assertError(await request(route, { cookie: staff[role].cookie, id, value: id }), 403, "forbidden");
	});

	test("tells an Admin of another organization nothing by an id in its path, not even that it exists", async () => {
		for (const route of routes.filter(({ path }) => path.includes("{"))) {
			const absent = await request(route, { cookie: staff.Admin.cookie });
			assertError(absent, 404, "not_found");
			for (const id of ids.all) {
				const answer = await request(route, { cookie: staff.Admin.cookie, id });
				assertNothingOf(answer, id, route.name);
				assert.equal(masked(answer), masked(absent), `${route.name} of ${id}`);
				assertNothingOf(await request(route, { cookie: staff.Admin.cookie, id, value: id }), id, route.name);
			}
		}
	});

	test("shows and changes nothing by an id in its query, its body or a header", async () => {
		// What is written below is the attacker's own text from then on: readings come first.
		const planted = new Set();
		const flat = routes.filter(({ path }) => !path.includes("{")).sort((a, b) => (a.method !== "GET") - (b.method !== "GET"));
		for (const route of flat)
			for (const id of route.name === "POST /api/auth/password" ? [theirs.id] : ids.all) {
				const answer = await request(route, { cookie: staff.Admin.cookie, value: id });
				if (route.method !== "GET") planted.add(id);
				assertNothingOf(answer, planted.size > 0 ? planted : id, route.name);
				if (route.name === "POST /api/auth/switch") assertError(answer, 404, "not_found");
			}
		const { organization } = await staff.Admin.ok("GET", "/api/auth/session");
		assert.equal(organization.id, ours.id);
	});

	test("takes no cursor of another organization", async () => {
		let tried = 0;
		for (const route of routes.filter(({ path, query }) => query.includes("cursor") && !path.includes("{"))) {
			const { headers } = await victim.get(`${route.path}?limit=1`);
			const cursor = /[?&]cursor=([\w-]+)/.exec(headers.link ?? "")?.[1];
			assert.ok(cursor, `${route.name} goes on`);
			for (const format of ["json", "csv"]) {
				const answer = await request(route, { cookie: staff.Admin.cookie, value: "", more: { cursor, format } });
				assert.equal(answer.status, 400, `${route.name}: ${answer.text}`);
				assertNothingOf(answer, "", route.name);
			}
			tried++;
		}
		assert.ok(tried >= 4);
	});

	test("leaves every row of the other organization as it was", async () => {
		assert.equal(await state(), asItWas);
		await victim.ok("GET", "/api/settings");
		await house.ok(theirs.api_key, "/api/chats/create", { sessionId: "s" });
	});
});
