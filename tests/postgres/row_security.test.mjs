// Row level security by itself, without a statement of the house: the server's role in psql, on every tenant's table that the
// catalogue names. Two organizations have three rows in each; the rows are made from the columns, not from a list.
import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { makePostgres, postgresUrl, psql, run } from "../api/harness.mjs";

const ROWS = 3;
const OURS = "aaaaaaaa-aaaa-7aaa-8aaa-aaaaaaaaaaaa";
const THEIRS = "bbbbbbbb-bbbb-7bbb-8bbb-bbbbbbbbbbbb";
const name = `rows_${randomUUID().replaceAll("-", "")}`;
const json = async (sql) => JSON.parse(await psql(name, `SELECT coalesce(json_agg(t), '[]') FROM (${sql}) AS t`));

let tables; // [{name, owner, single, columns: [{name, type}]}]
before(async () => {
	await makePostgres(name);
	tables = await json(`SELECT c.relname AS name, CASE c.relname WHEN 'organizations' THEN 'id' ELSE 'organization_id' END AS owner,
			-- one row an organization
			EXISTS (SELECT FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
			        WHERE i.indrelid = c.oid AND i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL
			          AND a.attname = CASE c.relname WHEN 'organizations' THEN 'id' ELSE 'organization_id' END) AS single,
			(SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum)
			 FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') AS columns
		FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
		WHERE n.nspname = 'innkeeper' AND c.relkind = 'r' AND (c.relname = 'organizations' OR EXISTS (
			SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped))
		ORDER BY 1`);
	// Values follow from types, so what columns say of their values is left out of this copy.
	const checks = await json(`SELECT conrelid::regclass::text AS "table", conname FROM pg_constraint WHERE contype = 'c' AND connamespace = 'innkeeper'::regnamespace`);
	await psql(name, checks.map((check) => `ALTER TABLE ${check.table} DROP CONSTRAINT ${check.conname};`).join("\n"));
	await psql(name, `SET session_replication_role = replica;\n${tables.flatMap((table) => [OURS, THEIRS].flatMap((whose) => Array.from({ length: own(table) }, (_, row) => `${insert(table, whose, row + 1)};`))).join("\n")}`);
});
after(() => psql("postgres", `DROP DATABASE ${name} WITH (FORCE)`));

const letter = (whose) => (whose === OURS ? "ours" : "theirs");
function value({ name: column, type }, table, whose, row) {
	if (column === table.owner) return `'${whose}'`;
	// Of each type one that differs between rows and organizations, so that no key is met by chance.
	const number = row + (whose === OURS ? 1000 : 2000);
	if (type === "bigint") return String(number);
	if (type === "uuid") return `'${String(number).padStart(8, "0")}-0000-7000-8000-000000000000'`;
	if (type === "uuid[]") return `ARRAY['${String(number).padStart(8, "0")}-0000-7000-8000-000000000000']::uuid[]`;
	if (type === "boolean") return "true";
	if (type === "double precision") return String(number);
	assert.equal(type, "text", `a value for ${table.name}.${column}`);
	return `'${letter(whose)} ${number}'`;
}
const names = (table) => table.columns.map((column) => column.name).join(", "); // but for what it makes by itself
const insert = (table, whose, row) =>
	`INSERT INTO ${table.name} (${names(table)}) VALUES (${table.columns.map((column) => value(column, table, whose, row)).join(", ")})`;

// What each statement comes to, in a transaction of its own that is undone: the rows it gave or changed, or its SQLSTATE.
async function attempt(setting, statements, role = "innkeeper_server", before = "") {
	const set = setting === undefined ? "" : `SET LOCAL innkeeper.organization = '${setting}';`;
	const script = statements.map((sql) => `BEGIN; ${before} ${set}\n${sql};\n\\echo :SQLSTATE :ROW_COUNT\nROLLBACK;`).join("\n");
	const result = await run("psql", ["-X", "-q", "-A", "-t", "-o", "/dev/null", postgresUrl(name, role), "-f", "-"], {
		input: script,
		env: { PGOPTIONS: "-c search_path=innkeeper" },
	});
	const lines = result.stdout.trim().split("\n");
	assert.equal(lines.length, statements.length, result.stderr);
	return lines.map((line) => {
		const [state, count] = line.split(" ");
		return state === "00000" ? Number(count) : state;
	});
}
const each = async (setting, make, expected) => {
	const outcomes = await attempt(setting, tables.map(make));
	tables.forEach((table, at) => {
		const wanted = typeof expected === "function" ? expected(table) : expected;
		assert.deepEqual(outcomes[at], wanted, `${make(table)}`);
	});
};
const own = (table) => (table.single ? 1 : ROWS);
const DENIED = "42501"; // insufficient_privilege: a right that is missing, or a policy
const first = (table) => table.columns.find((column) => column.name !== table.owner).name;
const unchanged = async (work) => {
	const all = () => json(tables.map((table) => `SELECT '${table.name}' AS name, (SELECT md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM ${table.name} AS t) AS rows`).join(" UNION ALL "));
	const before = await all();
	await work();
	assert.deepEqual(await all(), before);
};

test("there are the tables that there must be, with rows of two organizations", async () => {
	assert.ok(tables.length >= 20, tables.map((table) => table.name).join(" "));
	for (const table of tables) {
		const [row] = await json(`SELECT count(*) AS rows, count(DISTINCT ${table.owner}) AS organizations FROM ${table.name}`);
		assert.deepEqual(row, { rows: 2 * own(table), organizations: 2 }, table.name);
	}
});

describe("with one organization's setting", () => {
	test("a read sees its rows and nobody else's", async () => {
		await each(OURS, (table) => `SELECT FROM ${table.name}`, own);
		await each(OURS, (table) => `SELECT FROM ${table.name} WHERE ${table.owner} <> '${OURS}'`, 0);
		await each(OURS, (table) => `SELECT FROM ${table.name} WHERE ${table.owner} = '${THEIRS}' OR true`, own);
		await each(OURS, (table) => `SELECT FROM ${table.name} AS t WHERE t::text LIKE '%theirs%' OR t::text LIKE '%${THEIRS}%'`, 0);
	});

	test("a change reaches its rows and nobody else's", async () => {
		await each(OURS, (table) => `UPDATE ${table.name} SET ${first(table)} = ${first(table)}`, own);
		await each(OURS, (table) => `UPDATE ${table.name} SET ${first(table)} = ${first(table)} WHERE ${table.owner} = '${THEIRS}'`, 0);
	});

	test("no row goes to another organization, nor is one taken from it", async () => {
		await each(OURS, (table) => `UPDATE ${table.name} SET ${table.owner} = '${THEIRS}'`, (table) => (table.name === "messages" ? "23503" : DENIED)); // a message stays in its chat, says a trigger before the policy does
		await each(OURS, (table) => `UPDATE ${table.name} SET ${table.owner} = '${OURS}' WHERE ${table.owner} = '${THEIRS}'`, 0);
	});

	test("a deletion reaches its rows and nobody else's", async () => {
		// What hangs on a row keeps it (a foreign key), which is no matter here.
		const outcomes = await attempt(OURS, tables.map((table) => `DELETE FROM ${table.name}`));
		// An organization's own row goes once it leaves, and not before.
		tables.forEach((table, at) => assert.ok(table.name === "organizations" ? outcomes[at] === 0 : [own(table), "23503"].includes(outcomes[at]), `${table.name}: ${outcomes[at]}`));
		await each(OURS, (table) => `DELETE FROM ${table.name} WHERE ${table.owner} = '${THEIRS}'`, 0);
	});

	test("a row for another organization is refused, also in the place of one that is there", async () => {
		await each(OURS, (table) => insert(table, THEIRS, 9), DENIED);
		await each(OURS, (table) => `${insert(table, THEIRS, 1)} ON CONFLICT DO NOTHING`, DENIED);
		await each(OURS, (table) => `INSERT INTO ${table.name} (${names(table)}) SELECT ${names(table)} FROM ${table.name} WHERE ${table.owner} = '${THEIRS}'`, (table) => (table.name === "organizations" ? DENIED : 0));
	});

	test("what is committed in its name leaves every row of the other as it was", () =>
		unchanged(async () => {
			const script = tables.flatMap((table) => [
				`UPDATE ${table.name} SET ${first(table)} = ${first(table)} WHERE ${table.owner} = '${THEIRS}';`,
				`DELETE FROM ${table.name} WHERE ${table.owner} = '${THEIRS}';`,
				`${insert(table, THEIRS, 7)};`,
				`TRUNCATE ${table.name};`,
			]);
			await run("psql", ["-X", "-q", "-c", `SET innkeeper.organization = '${OURS}'`, postgresUrl(name, "innkeeper_server"), "-f", "-"], {
				input: `SET innkeeper.organization = '${OURS}';\n${script.join("\n")}`,
				env: { PGOPTIONS: "-c search_path=innkeeper" },
			});
		}));

	test("an id in capitals is the same, and what is no id fails", async () => {
		assert.deepEqual(await attempt(OURS.toUpperCase(), ["SELECT FROM chats"]), [ROWS]);
		for (const text of ["x", `${OURS}%`, `${OURS} OR true`, "%", "*"]) assert.deepEqual(await attempt(text, ["SELECT FROM chats"]), ["22P02"], text);
	});
});

for (const [name, setting] of [["unset", undefined], ["empty", ""], ["of nobody", "00000000-0000-0000-0000-000000000000"], ["left over from another transaction", "left"]])
	describe(`with a setting that is ${name}`, () => {
		const before = setting === "left" ? `SET LOCAL innkeeper.organization = '${THEIRS}'; COMMIT; BEGIN;` : "";
		const nothing = async (make, expected) => {
			const outcomes = await attempt(setting === "left" ? undefined : setting, tables.map(make), "innkeeper_server", before);
			tables.forEach((table, at) => assert.deepEqual(outcomes[at], typeof expected === "function" ? expected(table) : expected, make(table)));
		};
		test("nothing is seen", () => nothing((table) => `SELECT FROM ${table.name}`, 0));
		test("nothing is changed", () => nothing((table) => `UPDATE ${table.name} SET ${first(table)} = ${first(table)}`, 0));
		test("nothing is deleted", () => nothing((table) => `DELETE FROM ${table.name}`, 0));
		test("nothing is stored", () => nothing((table) => insert(table, OURS, 8), DENIED));
	});

describe("the server's role", () => {
	const refused = async (...statements) => assert.deepEqual(await attempt(OURS, statements), statements.map(() => DENIED), statements.join("; "));

	test("cannot empty, change or lock out a table, nor look around the policies", async () => {
		await each(OURS, (table) => `TRUNCATE ${table.name}`, DENIED);
		await each(OURS, (table) => `ALTER TABLE ${table.name} DISABLE ROW LEVEL SECURITY`, DENIED);
		await each(OURS, (table) => `ALTER TABLE ${table.name} NO FORCE ROW LEVEL SECURITY`, DENIED);
		await each(OURS, (table) => `DROP POLICY organization ON ${table.name}`, DENIED);
		await each(OURS, (table) => `CREATE POLICY more ON ${table.name} USING (true)`, DENIED);
		await each(OURS, (table) => `SET LOCAL row_security = off; SELECT FROM ${table.name}`, DENIED);
		await each(OURS, (table) => `CREATE TRIGGER t BEFORE INSERT ON ${table.name} FOR EACH ROW EXECUTE FUNCTION keep_chat()`, DENIED);
	});

	test("cannot become a role that sees more, nor make one", () =>
		refused("SET ROLE innkeeper_owner", "SET ROLE innkeeper_migrator", "SET ROLE innkeeper_searcher", "SET ROLE postgres", "SET SESSION AUTHORIZATION postgres", "CREATE ROLE other", "ALTER ROLE innkeeper_server BYPASSRLS", "GRANT innkeeper_owner TO innkeeper_server"));

	test("cannot make anything, not even for a moment", () =>
		refused("CREATE TEMPORARY TABLE t (i int)", "CREATE TABLE innkeeper.t (i int)", "CREATE TABLE public.t (i int)", "CREATE SCHEMA s", "CREATE FUNCTION innkeeper.f() RETURNS int LANGUAGE sql AS 'SELECT 1'"));

	test("cannot reach the machine", () => refused("COPY chats TO PROGRAM 'true'", "COPY chats TO '/tmp/chats'", "SELECT pg_read_file('/etc/passwd')", "SELECT lo_import('/etc/passwd')", "SELECT * FROM pg_authid"));

	test("reads none of the tables that belong to nobody", () => refused("SELECT FROM accounts", "SELECT FROM sessions", "SELECT FROM identities", "SELECT FROM secrets", "SELECT FROM migrations", "SELECT FROM leases"));

	test("searches its own documents alone, also by the very words that another's index holds", async () => {
		const hidden = "cccccccc-cccc-cccc-cccc-cccccccccccc";
		await psql(name, `INSERT INTO search (organization_id, document, words) VALUES ('${THEIRS}', 1::bigint << 32, '{${hidden}}')`);
		const search = `SELECT * FROM search_documents('{${hidden}}', 9223372036854775807, 10)`;
		try {
			assert.deepEqual(await attempt(OURS, [search]), [0]);
			assert.deepEqual(await attempt(undefined, [search]), [0]);
			assert.deepEqual(await attempt("", [search]), [0]);
			assert.deepEqual(await attempt(THEIRS, [search]), [1]);
		} finally {
			await psql(name, `DELETE FROM search WHERE organization_id = '${THEIRS}' AND document = 1::bigint << 32`);
		}
	});
});

describe("the system's role, which finds what is not known yet whose it is", () => {
	// Every right that it has on tenants' tables. What is not here, it may not.
	const MAY = {
		organizations: ["SELECT", "INSERT"],
		search_progress: ["SELECT", "UPDATE"],
		api_keys: ["SELECT"],
		users: ["SELECT"],
		invitations: ["SELECT"],
		messages: ["SELECT"],
		erasures: ["SELECT"],
		rollup_states: ["SELECT"],
	};
	test("has the rights that it needs and no more", async () => {
		const rights = await json(`SELECT table_name, array_agg(privilege_type ORDER BY privilege_type) AS rights FROM information_schema.role_table_grants
			WHERE grantee = 'innkeeper_system' AND table_schema = 'innkeeper' GROUP BY table_name`);
		const found = Object.fromEntries(rights.filter((row) => tables.some((table) => table.name === row.table_name)).map((row) => [row.table_name, row.rights]));
		assert.deepEqual(found, Object.fromEntries(Object.entries(MAY).map(([table, list]) => [table, [...list].sort()])));
	});
	test("meets the policies too", async () => {
		const become = "SET LOCAL ROLE innkeeper_system;";
		const outcomes = await attempt(OURS, tables.map((table) => `DELETE FROM ${table.name}`), "innkeeper_server", become);
		tables.forEach((table, at) => assert.equal(outcomes[at], DENIED, table.name));
	});
});
