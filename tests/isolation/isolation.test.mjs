// Every route, asked by everybody but the victim, with every id of the victim in every place: nothing of it is told, nothing
// of it is changed, and an id that it has reads as one that nobody has.
import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { openHouse, postgres, until } from "../api/harness.mjs";
import { attacks } from "./attacks.mjs";
import { writeReport } from "./report.mjs";
import { routeTable } from "./shapes.mjs";
import { Siege } from "./siege.mjs";
import { ROLES, Tenant, Victim, Voice, canary, learn, rowsOf, tenantTables } from "./world.mjs";

const SEED = Number(process.env.INNKEEPER_ISOLATION_SEED ?? 1);
const COUNT = Number(process.env.INNKEEPER_ISOLATION_ATTACKS ?? 20000);
const ATTACKERS = 10;

// Tables in which nothing of the victim can be recognised, and why; a new one either holds its words or stands here.
const WORDLESS = {
	chat_activity: "numbers and times alone",
	erasures: "there is a row only while a chat is being erased",
	imported_rows: "an operator's import alone writes it, and no route reads it",
	invitations: "the hash of a link",
	rollup_gaps: "numbers alone",
	rollup_states: "numbers, and a time zone",
	// Of PostgreSQL alone.
	...(postgres && { search: "hashes of words, with the organization as their key", search_progress: "numbers alone" }),
};

let house, routes, victim, siege, values, rowsBefore, answersBefore;
const log = { tail: "", told: new Set() };

// The server's log, looked through as it comes, and not kept.
function watchLog() {
	Object.defineProperty(house, "output", {
		get: () => log.tail,
		set: (text) => {
			if (siege) for (const told of siege.toldIn(text, [])) log.told.add(told);
			log.tail = text.slice(-8192);
		},
	});
}

const rowsOfTenant = ({ organization, staff }) => rowsOf(house, organization, Object.values(staff).map(({ email }) => email));
// Its record tells the victim that somebody tried a wrong password for one of its people: that is meant to change.
const isMeant = ({ action }) => action === "session.refuse";
async function victimRows() {
	const rows = await rowsOfTenant(victim);
	return { ...rows, audit_log: rows.audit_log.filter((row) => !isMeant(row)) };
}

// What runs by itself (an index, a recount) comes to its end first.
async function settledRows() {
	let last;
	await until(async () => {
		const rows = JSON.stringify(await victimRows());
		const same = rows === last;
		last = rows;
		return same;
	}, "nothing moves any more", 60000);
	return JSON.parse(last);
}

// The victim's own reading, without what names a moment, and without its record, which is compared by its rows.
async function readings() {
	const all = await victim.readAll(routes.filter(({ audit, path }) => audit === null && path !== "/api/audit"));
	return all.map(([, path, { status, text }]) => [path, status, text]);
}

// An organization that has said everything twice, so that what it says again changes nothing by itself.
async function attackerNamed(name) {
	const attacker = await new Tenant(house, new Voice(name)).found(ROLES);
	for (const round of [0, 1]) await attacker.say(routes);
	attacker.own = await attacker.ownIds(routes);
	return attacker;
}

before(async () => {
	console.log(`# seed ${SEED}`);
	const secret = randomBytes(24).toString("hex");
	house = await openHouse(["--auth-failures-per-minute", "0", "--trusted-proxy", "127.0.0.1"], { env: { INNKEEPER_CRON_SECRET: secret } });
	routes = await routeTable();
	// Hashes a password, or ends the session that asks, so that another one has to be made.
	for (const route of routes) route.costly = route.computes || (route.credential === "guest" && route.method === "POST" && route.body === null);
	const scratch = await new Tenant(house, new Voice("scratch")).found(["Admin"]);
	await learn(scratch, routes);
	victim = await new Victim(house, canary()).settle(routes);
	values = await victim.collect(routes);
	const attackers = await Promise.all(Array.from({ length: ATTACKERS }, (_, i) => attackerNamed(`attacker${i}`)));
	siege = new Siege({ victim, attackers, secret, control: `${house.file}.control` });
	watchLog();
	answersBefore = await readings();
	rowsBefore = await settledRows();
});
after(() => house?.end());

const all = () => [...attacks({ routes, values, roles: ROLES, count: COUNT, seed: SEED })];
const shown = () => siege.findings.slice(0, 5).map((one) => JSON.stringify(one, null, 1)).join("\n");

describe("a victim", () => {
	test("has its words in every table that holds rows of organizations", async () => {
		for (const table of await tenantTables(house)) {
			if (table in WORDLESS) continue;
			assert.ok(JSON.stringify(rowsBefore[table] ?? []).includes(victim.prefix), `${table} is unknown to the suite: no row of the victim's in it holds its words`);
		}
		for (const table of Object.keys(WORDLESS)) assert.ok(table in rowsBefore, `there is no table ${table}`);
	});

	test("has ids of many kinds to be named", () => {
		const kinds = values.map(({ kind }) => kind);
		for (const kind of ["organizations.id", "slug", "keys.id", "users.id", "visitors.id", "audit.id", "email", "chat_id", "session_id", "cursor", "idempotencykey", "live"])
			assert.ok(kinds.includes(kind), `an id of the kind ${kind} among ${kinds.join(", ")}`);
	});
});

describe("an attacker", () => {
	test("who reads is told nothing of the victim", async () => {
		await siege.run(all().filter(({ route }) => route.method === "GET"));
		assert.equal(siege.findings.length, 0, shown());
		assert.deepEqual(await victimRows(), rowsBefore);
	});

	test("who writes is told nothing, and changes nothing of the victim", async () => {
		await siege.run(all().filter(({ route }) => route.method !== "GET"));
		assert.equal(siege.findings.length, 0, shown());
		assert.deepEqual(await victimRows(), rowsBefore);
	});

	test("finds nothing of the victim under the names that it has written down itself", async () => {
		const reading = all().filter(({ route }, i) => route.method === "GET" && i % 8 === 0);
		// Where its own rows hold one of the two names and not the other (the later one took its place), they tell them apart.
		siege.ownTellThem = async (attacker, foreign, absent) => {
			const rows = await rowsOfTenant(attacker);
			return Object.values(rows).some((table) => [foreign, absent].map((name) => JSON.stringify(table).toLowerCase().includes(name)).reduce((a, b) => a !== b));
		};
		await siege.run(reading);
		for (const attacker of siege.attackers.slice(0, 2)) {
			for (const [route, path, { text }] of await attacker.readAll(routes)) assert.deepEqual(siege.toldIn(text, [...attacker.said]), [], `${route.name} ${path}`);
		}
		assert.equal(siege.findings.length, 0, shown());
		assert.deepEqual(await readings(), answersBefore, "and the victim reads what it read before");
	});

	test("hears nothing of the victim in a stream that is open while the victim works", async () => {
		const streams = routes.filter(({ streams }) => streams);
		assert.ok(streams.length > 0);
		const heard = [];
		const ends = streams.flatMap((route) =>
			ROLES.map((role) => {
				const [attacker] = siege.attackers;
				return listen(attacker, route.path, role, heard);
			}),
		);
		await until(() => heard.length >= ends.length, "every stream has begun");
		await victim.say(routes.filter(({ credential }) => credential === "key"), victim.hidden);
		await siege.attackers[0].say(routes, new Voice("listened"));
		await until(() => heard.join("").includes("listenedkchatid"), "its own is heard");
		for (const end of ends) end();
		assert.deepEqual(siege.toldIn(heard.join(""), [...siege.attackers[0].said]), []);
	});
});

// Everything that comes, into `heard`; what is returned ends it.
function listen(attacker, path, role, heard) {
	const line = attacker.lines.tcp;
	const other = new line.constructor(line.place);
	other.open();
	other.socket.removeAllListeners("data");
	other.socket.on("data", (data) => heard.push(data));
	other.socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nCookie: innkeeper_session=${attacker.session(role)}\r\n\r\n`);
	return () => other.close();
}

describe("afterwards", () => {
	test("the log holds nothing of the victim", () => {
		assert.deepEqual([...log.told], []);
	});

	test("every route was attacked, and as often as was asked for", () => {
		for (const { name } of routes) assert.ok(siege.counts.route.get(name) > 0, `${name} was not attacked`);
		assert.ok(siege.attacked >= COUNT, `${siege.attacked} attacks`);
		console.log(`# ${siege.attacked} attacks on ${routes.length} routes, ${siege.asked} requests, ${siege.settled} asked again`);
	});

	test("the victim's key and session work", async () => {
		await house.ok(victim.key, "/api/chats/create", { sessionId: "still there" });
		await victim.staff.Admin.ok("GET", "/api/settings");
	});

	test("a report says what was attacked", () => {
		const file = writeReport({ siege, routes, seed: SEED, engine: postgres ? "PostgreSQL" : "SQLite", told: [...log.told] });
		console.log(`# ${file}`);
	});
});
