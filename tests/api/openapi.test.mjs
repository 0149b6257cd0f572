// The API's description of itself: valid, complete, and true of what is really answered.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import addFormats from "ajv-formats";
import Ajv2020 from "ajv/dist/2020.js";

import { assertError, fresh, openHouse } from "./harness.mjs";

// The rows of the route table, as it stands: the document must not be its own witness.
const rows = [...readFileSync(new URL("../../src/api/routes.c", import.meta.url), "utf8").matchAll(/^\t\{ "([A-Z]+)", +"([^"]+)", +([A-Z]+),(.*)$/gm)].map(
	([, method, path, credential, rest]) => ({ method, path, credential, rest, name: `${method} ${path}` }),
);
const reachable = rows.filter(({ credential }) => !["CONTROL", "TENANT"].includes(credential));

let house, organization, document, ajv, admin;
const validators = new Map();
const answered = new Set();

before(async () => {
	house = await openHouse();
	organization = await house.organization();
	admin = await house.member(organization);
	document = (await house.get("/openapi.json")).json;
	ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true });
	addFormats(ajv);
	ajv.addSchema({ $id: "openapi", components: document.components, paths: document.paths }, undefined, false, false);
	ajv.addKeyword("components").addKeyword("paths");
});
after(() => house?.end());

const operation = (method, path) => document.paths[path]?.[method.toLowerCase()];

// Schemas are compiled where they stand, so that references lead where they do in the document.
function validator(pointer) {
	if (!validators.has(pointer)) validators.set(pointer, ajv.compile({ $ref: `openapi#${pointer}` }));
	return validators.get(pointer);
}

const escape = (text) => encodeURIComponent(text.replaceAll("~", "~0").replaceAll("/", "~1"));

// Holds an answer against what the document says of its operation.
function assertDescribed(method, path, answer) {
	const { responses } = operation(method, path);
	const status = responses[answer.status] ? String(answer.status) : `${String(answer.status)[0]}XX`;
	let at = `/paths/${escape(path)}/${method.toLowerCase()}/responses/${status}`;
	assert.ok(responses[status], `${method} ${path} answers ${answer.status}: ${answer.text}`);
	const reference = responses[status].$ref;
	if (reference) at = reference.slice(1);
	const response = reference ? document.components.responses[reference.split("/").at(-1)] : responses[status];
	const [type] = answer.headers["content-type"].split(";");
	assert.ok(response.content[type], `${method} ${path} answers ${type}`);
	if (type === "application/json") {
		const validate = validator(`${at}/content/${escape(type)}/schema`);
		assert.ok(validate(answer.json), `${method} ${path}: ${ajv.errorsText(validate.errors)}: ${answer.text}`);
	}
	if (answer.status < 400) answered.add(`${method} ${path}`);
}

describe("the document", () => {
	test("is valid OpenAPI 3.1", async () => {
		const result = await new Validator().validate(structuredClone(document));
		assert.deepEqual(result, { valid: true });
		assert.equal(document.openapi, "3.1.0");
	});
	test("holds every route that a client on the network reaches, and no other", () => {
		assert.ok(reachable.length >= 30);
		const told = Object.entries(document.paths).flatMap(([path, methods]) =>
			Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
		);
		assert.deepEqual(told.sort(), reachable.map(({ name }) => name).sort());
	});
	test("names each operation once", () => {
		const names = Object.values(document.paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
		assert.equal(new Set(names).size, names.length);
	});
	test("says of each who may ask", () => {
		const expected = {
			PUBLIC: [],
			KEY: [{ key: [] }, { bearer: [] }],
			SESSION: [{ session: [] }],
			GUEST: [{}, { session: [] }],
		};
		for (const { method, path, credential } of reachable)
			if (expected[credential]) assert.deepEqual(operation(method, path).security, expected[credential], `${method} ${path}`);
	});
	test("names the role that a route takes", () => {
		assert.equal(operation("POST", "/api/users").description, "Takes the role Admin.");
		assert.equal(operation("GET", "/api/settings").description, undefined);
	});
	test("has schemas that a strict validator compiles", () => {
		for (const { method, path } of reachable) {
			const { requestBody, responses, parameters } = operation(method, path);
			const at = `/paths/${escape(path)}/${method.toLowerCase()}`;
			if (requestBody) validator(`${at}/requestBody/content/${escape("application/json")}/schema`);
			for (const [status, response] of Object.entries(responses))
				for (const type of Object.keys(response.content ?? {})) validator(`${at}/responses/${status}/content/${escape(type)}/schema`);
			for (const index of (parameters ?? []).keys()) validator(`${at}/parameters/${index}/schema`);
		}
	});
	test("is served to anybody, as JSON", async () => {
		const answer = await house.get("/openapi.json");
		assert.equal(answer.status, 200);
		assert.match(answer.headers["content-type"], /^application\/json/);
		assertDescribed("GET", "/openapi.json", answer);
	});
});

// One call that succeeds for each external route. What a call needs was made by one before.
const chatId = fresh("chat");
const sessionId = fresh("session");
const url = "https://example.org/a";
const calls = {
	"POST /api/chats/create": { sessionId, chatId, userId: null, location: "Fort Myers, Florida, US", metadata: { a: 1 } },
	"POST /api/chats/message": { chatId, role: "user", content: "Where is the beach?", timestamp: "2026-01-02T03:04:05Z" },
	"POST /api/articles/mention": { chatId, articles: [{ id: "a", title: "A", slug: "a" }] },
	"POST /api/articles/view": { articleId: "a", articleSlug: "a", sessionId },
	"POST /api/tavily-mentions": { sessionId, chatId, searchQuery: "beach", mentions: [{ url, title: "A", score: 0.5, content: "c" }, { url: `${url}/b` }] },
	"POST /api/article-mentions": { sessionId, mentions: [{ url }] },
	"POST /api/tavily-mentions/click": { chatId, articleUrl: url },
	"POST /api/article-mentions/click": { sessionId, articleUrl: url },
	"POST /api/visitors/identify": { email: "v@example.org", session_id: sessionId, metadata: { season: "winter" } },
	"POST /api/users/identify": { email: "u@example.org", session_id: sessionId },
	"POST /api/batch": [
		{ type: "chat", sessionId },
		{ type: "message", chatId, role: "assistant", content: "There." },
		{ type: "message", chatId: "none", role: "user", content: "?" },
		{ type: "nonsense" },
	],
};

describe("an external route", () => {
	const external = reachable.filter(({ credential }) => credential === "KEY");
	for (const { method, path, name } of external) {
		test(`${name} answers as described`, async () => {
			assert.ok(calls[name], "this test has a call of it");
			assertDescribed(method, path, await house.post(organization.api_key, path, calls[name]));
		});
		test(`${name} refuses as described`, async () => {
			const refusals = [
				await house.post("ik_live_nobody", path, calls[name]),
				await house.post(organization.api_key, path, "not JSON"),
				await house.post(organization.api_key, path, ""),
				await house.request("PATCH", path, { key: organization.api_key }),
			];
			for (const answer of refusals) {
				assert.ok(answer.status >= 400 && answer.status < 500);
				assertDescribed(method, path, answer);
			}
		});
	}
	test("takes what its schema takes", () => {
		for (const { method, path, name } of external.filter(({ path }) => path !== "/api/batch")) {
			const validate = validator(`/paths/${escape(path)}/${method.toLowerCase()}/requestBody/content/${escape("application/json")}/schema`);
			assert.ok(validate(calls[name]), `${name}: ${ajv.errorsText(validate.errors)}`);
		}
	});
	for (const { method, path, name } of external.filter(({ path }) => path !== "/api/batch"))
		test(`${name} refuses what its schema refuses, by the field's name`, async () => {
			const { schema } = operation(method, path).requestBody.content["application/json"];
			const refused = async (change, code, field) =>
				assertError(await house.post(organization.api_key, path, { ...calls[name], ...change }), 400, code, field);
			for (const field of schema.required ?? []) await refused({ [field]: undefined }, "missing_field", field);
			for (const [field, { type, maxLength, enum: choices, deprecated, maxItems }] of Object.entries(schema.properties)) {
				const [kind] = [type].flat();
				if (deprecated) continue;
				await refused({ [field]: kind === "object" ? "text" : { a: 1 } }, "invalid_field", field);
				if (maxLength && maxLength < 900000) await refused({ [field]: "a@b.".padEnd(maxLength + 1, "x") }, "invalid_field", field);
				if (choices) await refused({ [field]: "nonsense" }, "invalid_field", field);
				if (maxItems && maxItems < 10000) await refused({ [field]: Array(maxItems + 1).fill({}) }, "invalid_field", field);
			}
		});
});

describe("another route", () => {
	test("of the process answers as described", async () => {
		for (const path of ["/healthz", "/readyz", "/metrics"]) assertDescribed("GET", path, await house.get(path));
	});

	test("of signing in answers as described", async () => {
		const call = async (browser, method, path, body) => {
			const answer = await browser.request(method, path, { body });
			assertDescribed(method, path, answer);
			return answer.json;
		};
		const email = `${fresh("p")}@staff.example`;
		const { invitation } = await call(admin, "POST", "/api/users", { email });
		const token = new URL(invitation.link, "http://a").searchParams.get("token");
		const guest = await house.member(organization, "Member");
		await call(guest, "POST", "/api/auth/logout");
		assert.equal(guest.cookies.size, 0);
		await call(guest, "GET", "/api/auth/session");
		await call(guest, "POST", "/api/auth/invitation", { token });
		await call(guest, "POST", "/api/auth/join", { token, name: "P", password: "correct horse battery" });
		const { organization: entered } = await call(guest, "GET", "/api/auth/session");
		await call(guest, "POST", "/api/auth/switch", { organizationId: entered.id });
		await call(guest, "POST", "/api/auth/password", { current_password: "correct horse battery", new_password: "another battery" });
		await call(guest, "POST", "/api/auth/login", { email, password: "another battery" });
		await call(guest, "POST", "/api/auth/login", { email, password: "wrong" });
	});

	test("of the staff answers as described", async () => {
		const call = async (method, path, body, parameters = {}) => {
			const filled = path.replace(/\{(\w+)\}/g, (whole, name) => parameters[name]);
			const answer = await admin.request(method, filled, { body });
			assertDescribed(method, path, answer);
			return answer.json;
		};
		const { user } = await call("POST", "/api/users", { email: `${fresh("q")}@staff.example`, name: "Q" });
		await call("PATCH", "/api/users/{id}", { role: "Creator" }, user);
		await call("POST", "/api/users/{id}/invitation", {}, user);
		await call("DELETE", "/api/users/{id}", undefined, user);
		await call("DELETE", "/api/users/{id}", undefined, user);
		await call("GET", "/api/settings");
		await call("PUT", "/api/settings", { location: "Florida", retention_days: 30 });
		await call("POST", "/api/settings", { action: "regenerate_api_key" });
		const key = await call("POST", "/api/keys", { name: "another" });
		await call("DELETE", "/api/keys/{id}", undefined, key);
		await call("GET", "/api/keys");
	});
});

test("every list and figure answers as described", async () => {
	const [visitor] = (await admin.ok("GET", "/api/visitors")).visitors;
	const [user] = (await admin.ok("GET", "/api/users")).users;
	const gets = reachable.filter(({ method, credential, path, rest }) => method === "GET" && credential === "SESSION" && path !== "/api/live" && !rest.includes("PLAIN_TEXT"));
	let lists = 0;
	for (const { path } of gets) {
		const id = path.startsWith("/api/users") ? user.id : visitor.id;
		const filled = path.replace("{id}", id).replace("{chatId}", chatId);
		assertDescribed("GET", path, await admin.get(filled));
		const { parameters = [], responses } = operation("GET", path);
		const csv = await admin.get(`${filled}?format=csv`);
		const isList = parameters.some(({ name }) => name === "format");
		assert.equal(isList, csv.headers["content-type"].startsWith("text/csv"), path);
		assert.equal(isList, "text/csv" in responses[200].content, path);
		assert.equal(isList, responses[200].headers?.Link !== undefined, path);
		assertDescribed("GET", path, csv);
		lists += isList;
	}
	assert.equal(lists, 13);
	for (const [path, name] of [["/api/chats/{chatId}", chatId], ["/api/visitors/{id}", visitor.id]])
		assertDescribed("DELETE", path, await admin.request("DELETE", path.replace(/\{\w+\}/, name)));
});

// Keeps the table of calls above whole: a new route needs one. Redirects are the matter of oidc.test.mjs.
test("every route has been seen to answer as described", () => {
	const missing = reachable.filter(({ name, rest }) => !/REDIRECT|PLAIN_TEXT/.test(rest) && !answered.has(name)).map(({ name }) => name);
	assert.deepEqual(missing, []);
});
