// Who lives in the house while it is attacked: a victim whose every text can be recognised, and attackers, an organization
// for each line that attacks, so that what one of them did is known to the attack behind it.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { hexOf, postgres, until } from "../api/harness.mjs";
import { fill, fillItems } from "./shapes.mjs";
import { Line } from "./wire.mjs";

export const ROLES = ["Member", "Creator", "Admin"];
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

// The words of somebody. Names are made of `mark`, "k" and what they name, all other texts of `mark` and "s".
export class Voice {
	constructor(mark, ids = {}) {
		Object.assign(this, { mark, ids });
	}

	name(kind) {
		if (kind in this.ids) return this.ids[kind];
		const name = `${this.mark}k${kind}`;
		if (kind.includes("email")) return `${name}@guest.example`;
		if (kind.includes("url")) return `https://${this.mark}kurl.example/page`;
		return kind === "visitorid" || kind === "organizationid" ? undefined : name;
	}

	// Its own: who knew another one's would be let in by it.
	get password() {
		return `correct horse ${this.mark}`;
	}

	words(field) {
		return /password/.test(field) ? this.password : `${this.mark}s${field.replaceAll("_", "")}`;
	}
}

// Everything an answer holds: (name of the member, text) for each text in it.
function* texts(value, name = "") {
	if (typeof value === "string") yield [name, value];
	else if (Array.isArray(value)) for (const one of value) yield* texts(one, name);
	else if (value !== null && typeof value === "object") for (const [key, one] of Object.entries(value)) yield* texts(one, key);
}

// An organization with a key and somebody of each role, and what it sends.
export class Tenant {
	constructor(house, voice) {
		Object.assign(this, { house, voice, staff: {}, joined: 0, line: new Line({ port: house.port, host: "127.0.0.1" }) });
	}

	async found(roles, name = this.voice.words("name")) {
		this.organization = await this.house.control("/control/organizations", {
			organization_name: name, location: this.voice.words("place"), website_url: `https://${this.voice.words("site")}.example`, slug: `${this.voice.mark}kslug`,
		});
		this.voice.ids.organizationid = this.organization.id;
		this.firstKey = this.organization.api_key;
		await this.renewKey();
		for (const role of roles) {
			this.staff[role] = await this.house.member(this.organization, role, `${this.voice.mark}kmember${role.toLowerCase()}@staff.example`, this.voice.password);
		}
		return this;
	}

	async renewKey() {
		this.key = (await this.house.control(`/control/keys?organization=${this.organization.slug}`, { name: this.voice.words("keyname") })).api_key;
	}

	session(role) {
		return this.staff[role].cookies.get("innkeeper_session");
	}

	// After something that may have ended it: when a session is gone, somebody else of the role signs in, by a link, for
	// what is done here may have changed a password too.
	async refresh(role) {
		const answer = await this.staff[role].get("/api/auth/session");
		if (answer.json.organization?.id === this.organization.id) return;
		this.staff[role] = await this.house.member(this.organization, role, `${this.voice.mark}kmember${role.toLowerCase()}${++this.joined}@staff.example`, this.voice.password);
	}

	// As the route wants it, by the Admin or the key; {status, headers, text, json}.
	async ask(route, { path = route.path, query = {}, body, headers = {} }) {
		const target = `${path}${Object.keys(query).length > 0 ? `?${new URLSearchParams(query)}` : ""}`;
		const text = route.method === "GET" || body === undefined ? undefined : JSON.stringify(body);
		if (route.credential === "key") {
			const answer = await this.house.post(this.key, target, text ?? "{}", headers);
			if (answer.status !== 401) return answer;
			await this.renewKey(); // it was the one that the settings show, and was replaced
			return this.house.post(this.key, target, text ?? "{}", headers);
		}
		return this.staff.Admin.request(route.method, target, { body: text, headers });
	}

	body(route, voice = this.voice) {
		if (route.items) return fillItems(route, voice);
		return route.body === null ? {} : fill(route.body, voice, route.without);
	}

	// Everything that a concierge and a member can say, once: the answers, by the names of their routes.
	async say(routes, voice = this.voice) {
		const told = (route) => ["key", "session"].includes(route.credential) && ["POST", "PUT"].includes(route.method);

		const answers = [];
		for (const route of routes.filter((one) => told(one) && !one.computes && one.parameters.length === 0)) {
			const answer = await this.ask(route, { body: this.body(route, voice), headers: { "idempotency-key": voice.name("idempotencykey") } });
			answers.push([route, answer]);
			for (const [name, text] of texts(answer.json)) if (name === "visitor_id" && UUID.test(text)) voice.ids.visitorid ??= text;
		}
		return answers;
	}

	// The own ids that stand for a path's parameter, by its collection: "/api/visitors" has [id, …].
	async ownIds(routes) {
		const ids = {};
		for (const { path } of routes.filter(({ path, credential }) => path.includes("/{") && credential === "session")) {
			const collection = path.slice(0, path.indexOf("/{"));
			const lists = routes.find((one) => one.method === "GET" && one.path === collection);
			if (!lists || ids[collection]) continue;
			const { json } = await this.ask(lists, {});
			const rows = Array.isArray(json) ? json : Object.values(json).find(Array.isArray);
			ids[collection] = rows.map(({ id }) => id);
			// Somebody who is no member comes first: their row may be changed without locking anybody out.
			ids[collection].sort((a, b) => Object.values(this.staff).some(({ user }) => user?.id === a) - Object.values(this.staff).some(({ user }) => user?.id === b));
		}
		return ids;
	}

	// Every answer that reading as the Admin gives: [[route, path, answer], …].
	async readAll(routes) {
		const ids = await this.ownIds(routes);
		const answers = [];
		for (const route of routes.filter(({ method, credential, streams }) => method === "GET" && credential === "session" && !streams)) {
			const collection = route.path.slice(0, route.path.indexOf("/{"));
			for (const id of route.parameters.length > 0 ? ids[collection] : [""]) {
				const path = route.path.replace(/\{\w+\}/, id);
				answers.push([route, path, await this.ask(route, { path })]);
			}
		}
		return answers;
	}
}

// What a route refuses of a body that is filled with words is left out of it from then on: its own answer says which field.
export async function learn(tenant, routes) {
	for (const route of routes) {
		route.without = new Set();
		if (!["key", "session"].includes(route.credential) || route.body === null || route.parameters.length > 0) continue;
		for (let tries = 0; tries <= route.body.length; tries++) {
			const answer = await tenant.ask(route, { body: tenant.body(route) });
			route.taken = answer.status;
			const field = answer.status === 400 && route.body.find(({ name, required }) => name === answer.json.field && !required);
			if (!field) break;
			route.without.add(field.name);
		}
		await tenant.refresh("Admin");
	}
}

const digest = (token) => createHash("sha256").update(token).digest("hex");

// Rows that no route makes yet: as another part of the house will write them.
const UNTOLD = {
	chat_summaries: (mark) => `INSERT INTO chat_summaries (chat_number, organization_id, topic_summary, topics, conversion_signals, summarized_at)
		SELECT number, organization_id, '${mark}stopic', '["${mark}stopics"]', '["${mark}ssignal"]', 1 FROM chats WHERE chat_id LIKE '${mark}%'`,
};

export class Victim extends Tenant {
	constructor(house, seed) {
		super(house, new Voice(`${seed}1`));
		this.prefix = seed;
		this.hidden = new Voice(`${seed}2`); // a second guest, whom no attack names
		this.secrets = new Set(); // keys, tokens, passwords: never shown to anybody
	}

	async settle(routes) {
		await this.found(["Admin", "Creator", "Member"]);
		this.secrets.add(this.firstKey).add(this.key).add(this.voice.password);
		for (const voice of [this.voice, this.hidden]) {
			voice.ids.organizationid = this.organization.id;
			for (const round of [0, 1]) {
				for (const [, answer] of await this.say(routes, voice)) {
					for (const [name, text] of texts(answer.json)) if (/key$|token|link/.test(name) && text.length > 20) this.secrets.add(/token=([\w-]+)/.exec(text)?.[1] ?? text);
				}
				if (round === 0) await this.refresh("Admin");
			}
		}
		await this.house.control(`/control/organizations/change?organization=${this.organization.slug}`, { time_zone: "America/New_York" });
		await this.renewKey();
		this.secrets.add(this.key);
		this.revoked = (await this.house.control(`/control/keys?organization=${this.organization.slug}`, { name: this.voice.words("revoked") })).api_key;
		const keys = await this.staff.Admin.ok("GET", "/api/keys");
		await this.staff.Admin.ok("DELETE", `/api/keys/${keys.find(({ masked }) => this.revoked.endsWith(masked.slice(-4))).id}`);
		await this.until("the index has followed", async () => (await this.staff.Admin.ok("GET", `/api/chats?q=${this.voice.words("content")}`)).length > 0);
		this.signedOut = this.session("Creator");
		await this.staff.Creator.ok("POST", "/api/auth/logout", {});
		this.expired = this.session("Member");
		await this.house.stop();
		await this.house.change(`UPDATE sessions SET expires_at = 1 WHERE hash = '${digest(this.expired)}'`);
		for (const insert of Object.values(UNTOLD)) await this.house.change(insert(this.prefix));
		await this.house.start();
		this.line = new Line({ port: this.house.port, host: "127.0.0.1" });
		for (const token of [this.session("Admin"), this.signedOut, this.expired, this.revoked]) this.secrets.add(token);
		return this;
	}

	until(what, condition) {
		return until(condition, what, 60000);
	}

	// What an attacker could have got hold of: [{kind, value}], each value once; and in `ids` every id there is of the victim.
	async collect(routes) {
		const kinds = new Map();
		this.ids = new Set();
		const take = (kind, value) => !kinds.has(value) && kinds.set(value, kind);
		take("organizations.id", this.organization.id);
		for (const [route, path, answer] of await this.readAll(routes)) {
			assert.equal(answer.status, 200, `${route.name}: ${answer.text}`);
			for (const [name, value] of texts(answer.json)) {
				if (UUID.test(value)) {
					this.ids.add(value);
					take(`${route.path.split("/")[2]}.${name}`, value);
				} else if (value.includes(`${this.voice.mark}k`)) take(name, value);
			}
			await this.collectCursor(route, path, take);
		}
		for (const { user } of Object.values(this.staff)) take("users.member", user.id);
		for (const kind of ["idempotencykey", "messageid", "chatid", "sessionid", "email", "userid"]) take(kind, this.voice.name(kind));
		take("live", await this.liveId());
		// The newest and the oldest of each kind.
		const some = new Map();
		for (const [value, kind] of kinds) some.set(kind, [some.get(kind)?.[0] ?? value, value]);
		return [...some].flatMap(([kind, values]) => [...new Set(values)].map((value) => ({ kind, value })));
	}

	async collectCursor(route, path, take) {
		if (!route.query?.some(({ name }) => name === "cursor")) return;
		const { headers } = await this.ask(route, { path, query: { limit: 1 } });
		const cursor = /[?&]cursor=([\w-]+)/.exec(headers.link ?? "")?.[1];
		if (cursor) take("cursor", cursor);
	}

	// The id of an event of the victim's own stream.
	async liveId() {
		const headers = [["Host", "x"], ["Cookie", `innkeeper_session=${this.session("Admin")}`]];
		const { body } = await this.line.ask({ method: "GET", target: "/api/live", headers });
		return /\bid: (\S+)/.exec(body)?.[1] ?? "0";
	}
}

// The tables that hold rows of organizations, by the database's own catalogue.
export async function tenantTables(house) {
	const rows = await house.rows(
		postgres
			? `SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
				WHERE c.relnamespace = 'innkeeper'::regnamespace AND c.relkind IN ('r', 'p') AND a.attname = 'organization_id' ORDER BY 1`
			: "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c ON c.name = 'organization_id' WHERE m.type = 'table' ORDER BY m.name",
	);
	return rows.map(({ name }) => name);
}

// Everything that is an organization's, as the database has it: {table: rows}.
export async function rowsOf(house, organization, emails) {
	const id = `X'${hexOf(organization.id)}'`;
	const asked = {
		...Object.fromEntries((await tenantTables(house)).map((name) => [name, `SELECT * FROM ${name} WHERE organization_id = ${id} ORDER BY 1, 2, 3`])),
		organizations: `SELECT * FROM organizations WHERE id = ${id}`,
		sessions: `SELECT * FROM sessions WHERE entered_organization_id = ${id} ORDER BY 1`,
		accounts: `SELECT * FROM accounts WHERE email IN (${emails.map((email) => `'${email}'`).join(", ")}) ORDER BY 1`,
	};
	if (postgres) {
		// At once, since each question is a program started.
		const columns = Object.entries(asked).map(([name, sql]) => `(SELECT coalesce(json_agg(t ORDER BY t::text), '[]') FROM (${sql}) AS t) AS ${name}`);
		return (await house.rows(`SELECT ${columns.join(", ")}`))[0];
	}
	const all = {};
	for (const [name, sql] of Object.entries(asked)) all[name] = await house.rows(sql);
	return all;
}

export const canary = () => `zq${randomBytes(5).toString("hex")}`;
