// Twenty organizations that share every external id, every session and every e-mail, all speaking at the same time: each is
// told what is its own, and its counts are those of what it said.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { hexOf, openHouse, postgres } from "../api/harness.mjs";
import { dice } from "./attacks.mjs";
import { routeTable } from "./shapes.mjs";
import { Tenant, Voice, learn, tenantTables } from "./world.mjs";

const ORGANIZATIONS = 20;
const GUESTS = 3;
const SEED = Number(process.env.INNKEEPER_ISOLATION_SEED ?? 1);

// Shares its names with everybody, and has words of its own.
class Sharing extends Voice {
	constructor(number, guest, ids) {
		super(`own${String(number).padStart(2, "0")}z`, ids);
		this.guest = guest;
	}

	name(kind) {
		if (kind in this.ids) return this.ids[kind];
		return new Voice(`shared${this.guest}`).name(kind);
	}
}

let house, routes, tenants;
before(async () => {
	console.log(`# seed ${SEED}`);
	house = await openHouse(["--auth-failures-per-minute", "0"]);
	routes = await routeTable();
	await learn(await new Tenant(house, new Voice("scratch")).found(["Admin"]), routes);
	tenants = [];
	for (let i = 0; i < ORGANIZATIONS; i++) {
		const tenant = new Tenant(house, new Voice(`own${String(i).padStart(2, "0")}z`));
		await tenant.found(["Admin"]);
		tenant.guests = Array.from({ length: GUESTS }, (_, guest) => new Sharing(i, guest, { organizationid: tenant.organization.id }));
		tenants.push(tenant);
	}
});
after(() => house?.end());

// What stands in a text of the words of anybody, and of ids that the server made for others.
const foreign = (text, tenant) => [...new Set(text.match(/own\d\dz/g))].filter((mark) => mark !== tenant.voice.mark);
const idsIn = (text) => text.match(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g) ?? [];

test("each is told its own, whatever the others say under the same names", async () => {
	const roll = dice(SEED);
	const events = routes.filter(({ credential, items }) => credential === "key" && !items);
	const said = tenants.flatMap((tenant) =>
		tenant.guests.map(async (voice) => {
			// In the order of the table, so that what is named is there; which organization comes first is left to chance.
			for (const route of events) {
				for (let pause = roll(4); pause > 0; pause--) await new Promise(setImmediate);
				const answer = await tenant.ask(route, { body: tenant.body(route, voice), headers: { "idempotency-key": voice.name("idempotencykey") } });
				assert.equal(answer.status, 200, `${route.name}: ${answer.text}`);
				assert.deepEqual(foreign(answer.text, tenant), [], route.name);
				tenant.made ??= new Set();
				for (const id of idsIn(answer.text)) tenant.made.add(id);
			}
		}),
	);
	await Promise.all(said);
	const owner = new Map();
	for (const tenant of tenants) {
		for (const id of tenant.made) {
			assert.ok(!owner.has(id), `${id} was told to two`);
			owner.set(id, tenant);
		}
	}
});

test("each reads its own, all of them reading at once", async () => {
	await Promise.all(
		tenants.map(async (tenant) => {
			for (const [route, path, answer] of await tenant.readAll(routes)) {
				assert.equal(answer.status, 200, `${path}: ${answer.text}`);
				assert.deepEqual(foreign(answer.text, tenant), [], `${route.name} ${path}`);
				for (const other of tenants) if (other !== tenant) for (const id of idsIn(answer.text)) assert.ok(!other.made.has(id), `${path} tells ${id}`);
			}
		}),
	);
});

test("the counts of each are those of what it said, in answers and in every table", async () => {
	const rows = {};
	for (const table of await tenantTables(house)) {
		for (const { id, rows: count } of await house.rows(`SELECT lower(hex(organization_id)) AS id, count(*) AS rows FROM ${table} GROUP BY organization_id`)) (rows[id] ??= {})[table] = Number(count);
	}
	const [first] = tenants;
	const expected = rows[hexOf(first.organization.id)];
	for (const table of ["chats", "messages", "visitors", "users", "article_views", "article_mentions", "web_mentions"]) assert.ok(expected[table] >= GUESTS, table);
	// Whoever merely reads is recorded, so the record may differ.
	for (const tenant of tenants) assert.deepEqual({ ...rows[hexOf(tenant.organization.id)], audit_log: 0 }, { ...expected, audit_log: 0 }, tenant.voice.mark);
	for (const tenant of tenants) {
		const totals = await tenant.staff.Admin.ok("GET", "/api/analytics/summary-metrics");
		assert.deepEqual([totals.totalChats, totals.totalMessages, totals.totalVisitors, totals.uniqueSessions, totals.totalArticleViews], [GUESTS, GUESTS, GUESTS, GUESTS, GUESTS]);
	}
});

test("children hang on parents of their own organization", async () => {
	const joins = [
		["messages", "chats", "p.number = c.chat_number"],
		["chat_activity", "chats", "p.number = c.chat_number"],
		["chats", "visitors", "p.id = c.visitor_id"],
		["article_views", "visitors", "p.id = c.visitor_id"],
	];
	for (const [child, parent, on] of joins) {
		const count = (more) => house.value(`SELECT count(*) AS n FROM ${child} c JOIN ${parent} p ON ${on} ${more}`);
		assert.ok(Number(await count("")) >= GUESTS * ORGANIZATIONS, `${child} have ${parent}`);
		assert.equal(Number(await count("WHERE p.organization_id <> c.organization_id")), 0, child);
	}
	if (!postgres) assert.deepEqual(await house.rows("PRAGMA foreign_key_check"), []);
});
