// What Citus asks of a schema, looked up in the catalogue of a plain PostgreSQL: every tenant's table can be distributed by its
// organization (docs/scale.md). And what every table of the house must have.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { binary, makePostgres, postgresUrl, psql, run } from "../api/harness.mjs";

const name = `catalogue_${randomUUID().replaceAll("-", "")}`;
const rows = async (sql, database = name) => JSON.parse(await psql(database, `SELECT coalesce(json_agg(t), '[]') FROM (${sql}) AS t`));
// Small, and the same on every node: what may be pointed to from everywhere.
const REFERENCES = ["accounts", "identities", "organizations", "sessions"];
// Of the coordinator alone, which the server talks to: nothing points to them.
const LOCAL = ["leases", "migrations", "secrets"];

let tables, tenants;
before(async () => {
	await makePostgres(name);
	tables = await rows(`SELECT c.oid::int8 AS oid, c.relname AS name, c.relrowsecurity AND c.relforcerowsecurity AS secured, pg_get_userbyid(c.relowner) AS owner,
			EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped AND a.attnotnull) AS tenant
		FROM pg_class AS c WHERE c.relnamespace = 'innkeeper'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 2`);
	tenants = tables.filter((table) => table.tenant).map((table) => table.name);
});
after(() => psql("postgres", `DROP DATABASE ${name} WITH (FORCE)`));

test("every table is a tenant's, a reference or the coordinator's own", () => {
	assert.deepEqual(tables.filter((table) => !table.tenant).map((table) => table.name), [...REFERENCES, ...LOCAL].sort());
	assert.ok(tenants.length >= 20, tenants.join(" "));
});

test("every tenant's table is under forced row level security, and so is organizations; nobody who can log in owns one", async () => {
	for (const table of tables) {
		assert.equal(table.secured, table.tenant || table.name === "organizations", table.name);
		assert.equal(table.owner, "innkeeper_owner", table.name);
	}
	assert.deepEqual(await rows("SELECT rolname FROM pg_roles WHERE rolname = 'innkeeper_owner' AND rolcanlogin"), []);
});

test("a row's organization is never absent", async () => {
	const absent = await rows(`SELECT attrelid::regclass::text AS name FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
		WHERE c.relnamespace = 'innkeeper'::regnamespace AND c.relkind = 'r' AND a.attname = 'organization_id' AND NOT a.attnotnull`);
	assert.deepEqual(absent, []);
});

test("every primary key and unique index of a tenant's table contains its organization, first", async () => {
	const keys = await rows(`SELECT c.relname AS "table", i.indexrelid::regclass::text AS name, array_agg(a.attname ORDER BY k.place) AS columns
		FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid
		CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
		LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.number
		WHERE c.relnamespace = 'innkeeper'::regnamespace AND c.relkind = 'r' AND (i.indisunique OR i.indisexclusion) GROUP BY 1, 2`);
	const with_key = new Set(keys.map((key) => key.table));
	for (const table of tenants) assert.ok(with_key.has(table), `${table} has a key`);
	for (const key of keys.filter((key) => tenants.includes(key.table))) assert.equal(key.columns[0], "organization_id", `${key.table}: ${key.name} (${key.columns})`);
});

// Bytes, at most, of the texts that are part of a key: as the API, the importer and OpenID Connect let them in.
const MOST = {
	article_id: 200, chat_id: 200, email: 254, external_id: 200, hash: 64, idempotency_key: 200, issuer: 200, label: 400, member: 200, name: 100, page_hash: 32, session_id: 200, slug: 63,
	source: 100, source_key: 200, subject: 255, user_id: 200,
};

test("no row can be too long for an index, which takes 2,704 bytes", async () => {
	const keys = await rows(`SELECT i.indexrelid::regclass::text AS name, array_agg(a.attname) AS columns, array_agg(a.attlen) AS lengths
		FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid JOIN pg_class AS x ON x.oid = i.indexrelid JOIN pg_am AS m ON m.oid = x.relam
		JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey::int2[])
		WHERE c.relnamespace = 'innkeeper'::regnamespace AND c.relkind = 'r' AND m.amname = 'btree' GROUP BY 1`);
	assert.ok(keys.length > 40);
	for (const { name: key, columns, lengths } of keys) {
		// Each with its own length of 4 bytes and a gap of 8, behind a head of 16.
		const bytes = columns.reduce((sum, column, at) => sum + 12 + (lengths[at] > 0 ? lengths[at] : MOST[column]), 16);
		assert.ok(bytes < 2704, `${key} (${columns}) takes ${bytes}`);
	}
});

test("every foreign key of a tenant's table contains its organization, or points to a reference table", async () => {
	const keys = await rows(`SELECT c.relname AS "table", r.relname AS to_table, k.conname AS name, k.confdeltype AS deletes,
			(SELECT array_agg(a.attname ORDER BY u.place) FROM unnest(k.conkey) WITH ORDINALITY AS u (number, place)
			 JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = u.number) AS columns,
			(SELECT array_agg(a.attname ORDER BY u.place) FROM unnest(k.confkey) WITH ORDINALITY AS u (number, place)
			 JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum = u.number) AS to_columns
		FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_class AS r ON r.oid = k.confrelid
		WHERE k.contype = 'f' AND k.connamespace = 'innkeeper'::regnamespace`);
	assert.ok(keys.length > 10);
	for (const key of keys) {
		const what = `${key.table}: ${key.name} (${key.columns}) to ${key.to_table}`;
		if (!tenants.includes(key.table)) {
			// A reference table lies on every node, a tenant's rows on one.
			assert.ok(REFERENCES.includes(key.table) && REFERENCES.includes(key.to_table), what);
		} else if (!REFERENCES.includes(key.to_table)) {
			const at = key.columns.indexOf("organization_id");
			assert.ok(tenants.includes(key.to_table) && at >= 0, what);
			assert.equal(key.to_columns[at], "organization_id", what);
			assert.ok(!["n", "d"].includes(key.deletes), `${what}: Citus sets no column of a key to null`);
		}
	}
});

test("no table inherits, is partitioned or has a rule; triggers, which go when tables are distributed, are those of messages alone", async () => {
	assert.deepEqual(await rows("SELECT inhrelid::regclass::text AS name FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid WHERE c.relnamespace = 'innkeeper'::regnamespace AND c.relkind = 'r'"), []);
	assert.deepEqual(await rows("SELECT rulename FROM pg_rules WHERE schemaname = 'innkeeper'"), []);
	const triggers = await rows("SELECT tgrelid::regclass::text AS \"table\", tgname AS name FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid WHERE c.relnamespace = 'innkeeper'::regnamespace AND NOT tgisinternal ORDER BY 2");
	assert.deepEqual([...new Set(triggers.map((trigger) => trigger.table.replace(/^.*\./, "")))], ["messages"]);
});

test("what numbers rows is an identity of 64 bits, which every node can give", async () => {
	const columns = await rows(`SELECT attrelid::regclass::text || '.' || attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute AS a
		JOIN pg_class AS c ON c.oid = a.attrelid WHERE c.relnamespace = 'innkeeper'::regnamespace AND a.attidentity <> ''`);
	for (const column of columns) assert.equal(column.type, "bigint", column.name);
	assert.deepEqual(await rows("SELECT adrelid::regclass::text AS name FROM pg_attrdef AS d JOIN pg_class AS c ON c.oid = d.adrelid WHERE c.relnamespace = 'innkeeper'::regnamespace AND pg_get_expr(d.adbin, d.adrelid) LIKE '%nextval%'"), []);
});

// Stands for Citus, with its rules that matter here: no foreign key at a table while it is distributed but to a reference
// table that is one already, no trigger, and a key that contains the column.
const CITUS = `
SET allow_system_table_mods = on;
INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion) VALUES (999999, 'citus', 10, 11, false, '13.0');

CREATE SCHEMA stand_in;
CREATE TABLE stand_in.done (number serial, kind text, name text, beside text);
CREATE FUNCTION pg_catalog.create_reference_table(t regclass) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
	IF EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND (conrelid = t OR confrelid = t)) THEN RAISE 'a foreign key of %', t; END IF;
	INSERT INTO stand_in.done (kind, name) VALUES ('reference', t::text); END $$;
CREATE FUNCTION pg_catalog.create_distributed_table(t regclass, c text, colocate_with text DEFAULT 'default') RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
	IF EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND (conrelid = t OR confrelid = t)) THEN RAISE 'a foreign key of %', t; END IF;
	IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = t AND NOT tgisinternal) THEN RAISE 'a trigger of %', t; END IF;
	IF c <> 'organization_id' THEN RAISE 'by %', c; END IF;
	INSERT INTO stand_in.done (kind, name, beside) VALUES ('distributed', t::text, colocate_with); END $$;`;

const foreign_keys = () => rows(`SELECT conrelid::regclass::text AS "table", conname, pg_get_constraintdef(oid) AS definition, convalidated FROM pg_constraint WHERE contype = 'f' AND connamespace = 'innkeeper'::regnamespace ORDER BY 1, 2`);
const distribute = () => run(binary, ["migrate", "--distribute", "--database", postgresUrl(name, "postgres")]);

test("migrate --distribute says so when Citus is not there, and changes nothing", async () => {
	const before = await foreign_keys();
	const result = await distribute();
	assert.deepEqual([result.status, result.stdout], [1, ""], result.stdout + result.stderr);
	assert.match(result.stderr, /^innkeeper: The extension citus is not there: .*docs\/scale\.md/m);
	assert.deepEqual(await foreign_keys(), before);
});

test("migrate --distribute of a file is refused", async () => {
	const result = await run(binary, ["migrate", "--distribute", "--database", "sqlite:/tmp/never-made.db"]);
	assert.deepEqual([result.status, result.stdout], [1, ""]);
	assert.match(result.stderr, /^innkeeper: .*PostgreSQL/m);
});

test("migrate --distribute hands every table to Citus in an order that it takes, and makes every foreign key again", async () => {
	const before = await foreign_keys();
	await psql(name, CITUS);
	const result = await distribute();
	assert.equal(result.status, 0, result.stderr);
	assert.deepEqual(JSON.parse(result.stdout).distributed, tenants.length);
	const done = await rows("SELECT kind, name, beside FROM stand_in.done ORDER BY number");
	const named = (kind) => done.filter((step) => step.kind === kind).map((step) => step.name).sort();
	assert.deepEqual(named("reference"), REFERENCES);
	assert.deepEqual(named("distributed"), tenants);
	const [first, ...rest] = done.filter((step) => step.kind === "distributed");
	assert.equal(first.beside, "none");
	for (const step of rest) assert.equal(step.beside.replace(/^innkeeper\./, ""), first.name, `${step.name} lies beside the others`);
	assert.deepEqual(await foreign_keys(), before);
	const triggers = await rows("SELECT tgname FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid WHERE c.relnamespace = 'innkeeper'::regnamespace AND NOT tgisinternal");
	assert.deepEqual(triggers, []);
});
