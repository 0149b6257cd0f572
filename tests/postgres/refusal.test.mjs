// `serve` on a database whose role could see around the policies, or whose tables are not under them, does not start and says
// which. Each thing that is wrong is made wrong, met, and mended; then the server starts.
import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { ownCluster } from "./cluster.mjs";

let cluster, house, harness, sql;
before(async () => {
	cluster = await ownCluster();
	harness = cluster.harness;
	house = await harness.openHouse();
	await house.organization();
	await house.stop();
	sql = (text) => harness.psql(house.name, text);
});
after(async () => {
	await house?.end();
	await cluster?.end();
});

const serve = (database = house.database) =>
	harness.run(harness.binary, ["serve", "--database", database, "--listen", "127.0.0.1:0", "--control", `${house.file}.control`]);

async function assertRefused(pattern, database) {
	const result = await serve(database);
	assert.deepEqual([result.status, result.signal], [1, null], result.stderr);
	const said = result.stderr.split("\n").filter((line) => line.startsWith("innkeeper: "));
	assert.equal(said.length, 1, result.stderr);
	assert.match(said[0], pattern);
	assert.doesNotMatch(result.stderr, /"message":"ready"/);
}

const POLICY = "organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid";
const newest = "(SELECT max(number) FROM migrations)";

// Name: [what makes it wrong, what is said, what mends it]
const wrongs = {
	"a superuser": ["ALTER ROLE innkeeper_server SUPERUSER", /role innkeeper_server is a superuser/, "ALTER ROLE innkeeper_server NOSUPERUSER"],
	BYPASSRLS: ["ALTER ROLE innkeeper_server BYPASSRLS", /role innkeeper_server has BYPASSRLS/, "ALTER ROLE innkeeper_server NOBYPASSRLS"],
	"BYPASSRLS of the role that it may become": ["ALTER ROLE innkeeper_system BYPASSRLS", /role innkeeper_system has BYPASSRLS/, "ALTER ROLE innkeeper_system NOBYPASSRLS"],
	REPLICATION: ["ALTER ROLE innkeeper_server REPLICATION", /role innkeeper_server has REPLICATION/, "ALTER ROLE innkeeper_server NOREPLICATION"],
	CREATEROLE: ["ALTER ROLE innkeeper_server CREATEROLE", /role innkeeper_server has CREATEROLE/, "ALTER ROLE innkeeper_server NOCREATEROLE"],
	CREATEDB: ["ALTER ROLE innkeeper_server CREATEDB", /role innkeeper_server has CREATEDB/, "ALTER ROLE innkeeper_server NOCREATEDB"],
	"a table's owner": ["ALTER TABLE chats OWNER TO innkeeper_server", /role innkeeper_server owns table chats/, "ALTER TABLE chats OWNER TO innkeeper_owner; GRANT SELECT, INSERT, UPDATE, DELETE ON chats TO innkeeper_server"],
	"a member of the owner": ["GRANT innkeeper_owner TO innkeeper_server", /role innkeeper_server is a member of innkeeper_owner/, "REVOKE innkeeper_owner FROM innkeeper_server"],
	"a member of the owner through another role": ["GRANT innkeeper_owner TO innkeeper_system", /is a member of innkeeper_owner/, "REVOKE innkeeper_owner FROM innkeeper_system"],
	"a member of a role that reads everything": ["GRANT pg_read_all_data TO innkeeper_server", /is a member of pg_read_all_data/, "REVOKE pg_read_all_data FROM innkeeper_server"],
	INHERIT: ["ALTER ROLE innkeeper_server INHERIT", /innkeeper_server inherits the rights of innkeeper_system: it must be NOINHERIT/, "ALTER ROLE innkeeper_server NOINHERIT"],
	TRUNCATE: ["GRANT TRUNCATE ON chats TO innkeeper_server", /role innkeeper_server has TRUNCATE on table chats/, "REVOKE TRUNCATE ON chats FROM innkeeper_server"],
	"TRUNCATE through everybody": ["GRANT TRUNCATE ON messages TO PUBLIC", /has TRUNCATE on table messages/, "REVOKE TRUNCATE ON messages FROM PUBLIC"],
	REFERENCES: ["GRANT REFERENCES ON users TO innkeeper_server", /role innkeeper_server has REFERENCES on table users/, "REVOKE REFERENCES ON users FROM innkeeper_server"],
	TRIGGER: ["GRANT TRIGGER ON visitors TO innkeeper_system", /role innkeeper_system has TRIGGER on table visitors/, "REVOKE TRIGGER ON visitors FROM innkeeper_system"],
	"CREATE on the schema": ["GRANT CREATE ON SCHEMA innkeeper TO innkeeper_server", /role innkeeper_server has CREATE on schema innkeeper/, "REVOKE CREATE ON SCHEMA innkeeper FROM innkeeper_server"],
	"CREATE on another schema": ["GRANT CREATE ON SCHEMA public TO PUBLIC", /has CREATE on schema public/, "REVOKE CREATE ON SCHEMA public FROM PUBLIC"],
	"CREATE on the database": ["GRANT CREATE ON DATABASE :house TO innkeeper_server", /role innkeeper_server has CREATE on the database/, "REVOKE CREATE ON DATABASE :house FROM innkeeper_server"],
	"temporary tables for everybody": ["GRANT TEMPORARY ON DATABASE :house TO PUBLIC", /has TEMP on the database/, "REVOKE TEMPORARY ON DATABASE :house FROM PUBLIC"],
	"a table without ENABLE": ["ALTER TABLE messages DISABLE ROW LEVEL SECURITY", /table messages lacks ENABLE ROW LEVEL SECURITY/, "ALTER TABLE messages ENABLE ROW LEVEL SECURITY"],
	"a table without FORCE": ["ALTER TABLE audit_log NO FORCE ROW LEVEL SECURITY", /table audit_log lacks FORCE ROW LEVEL SECURITY/, "ALTER TABLE audit_log FORCE ROW LEVEL SECURITY"],
	"a policy that shows more": ["ALTER POLICY organization ON chats USING (true)", /the policy of table chats is not this version's/, `ALTER POLICY organization ON chats USING (${POLICY})`],
	"a policy that lets more be written": ["ALTER POLICY organization ON chats WITH CHECK (true)", /the policy of table chats is not this version's/, `ALTER POLICY organization ON chats WITH CHECK (${POLICY})`],
	"a policy for reading alone": [
		"DROP POLICY organization ON users; CREATE POLICY organization ON users FOR SELECT TO innkeeper_server USING (" + POLICY + ")",
		/the policy of table users is not this version's/,
		`DROP POLICY organization ON users; CREATE POLICY organization ON users TO innkeeper_server USING (${POLICY}) WITH CHECK (${POLICY})`,
	],
	"a policy of another role": ["ALTER POLICY organization ON users TO PUBLIC", /the policy of table users is not this version's/, "ALTER POLICY organization ON users TO innkeeper_server"],
	"a second policy, for everybody": ["CREATE POLICY more ON chats USING (true)", /policy more of table chats is for everybody, or for the server's role/, "DROP POLICY more ON chats"],
	"a second policy, for the server": ["CREATE POLICY more ON chats TO innkeeper_server USING (true)", /policy more of table chats is for everybody, or for the server's role/, "DROP POLICY more ON chats"],
	"a table of organizations that this version does not know": ["CREATE TABLE guests (organization_id uuid)", /table guests holds organizations' rows and is unknown to this version/, "DROP TABLE guests"],
	"a view of organizations' rows": ["CREATE VIEW all_chats AS SELECT * FROM chats", /table all_chats holds organizations' rows and is unknown to this version/, "DROP VIEW all_chats"],
	"a missing table": ["ALTER TABLE web_pages SET SCHEMA public", /table web_pages is not there/, "ALTER TABLE public.web_pages SET SCHEMA innkeeper"],
	"a function with its owner's rights": [
		"CREATE FUNCTION peep() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM chats'",
		/function peep runs with its owner's rights/,
		"DROP FUNCTION peep()",
	],
	"a schema that is too old": ["ALTER TABLE migrations RENAME TO kept; CREATE TABLE migrations AS SELECT * FROM kept WHERE number < (SELECT max(number) FROM kept); GRANT SELECT ON migrations TO innkeeper_system",
		/older than this binary: it has \d+ of \d+ migrations\. Run innkeeper migrate/,
		"DROP TABLE migrations; ALTER TABLE kept RENAME TO migrations"],
	"a schema that is too new": [`INSERT INTO migrations SELECT 9999, 'later', 'x', 1`, /newer than this binary: it has migration 9999/, "DELETE FROM migrations WHERE number = 9999"],
	"a migration that was another text": [`UPDATE migrations SET checksum = 'x' || checksum WHERE number = ${newest}`, /was edited after this database applied it/, `UPDATE migrations SET checksum = substr(checksum, 2) WHERE number = ${newest}`],
};

describe("serve refuses", () => {
	for (const [name, [wrong, pattern, mend]] of Object.entries(wrongs))
		test(name, async () => {
			const named = (text) => text.replaceAll(":house", house.name);
			await sql(named(wrong));
			try {
				await assertRefused(pattern);
			} finally {
				await sql(named(mend));
			}
		});

	test("an administrator in the place of the server's role", () => assertRefused(/it is postgres, not innkeeper_server/, harness.postgresUrl(house.name, "postgres")));
	test("the migrator in the place of the server's role", () => assertRefused(/migrator|cannot be read/, harness.postgresUrl(house.name, "innkeeper_migrator")));
	test("a database that is not there", () => assertRefused(/cannot be reached: .*does not exist/, harness.postgresUrl("nowhere", "innkeeper_server")));
	test("a database without a schema", async () => {
		await harness.psql("postgres", "CREATE DATABASE empty_house");
		await assertRefused(/migrations cannot be read|Run innkeeper migrate|not there/, harness.postgresUrl("empty_house", "innkeeper_server"));
	});
});

test("when all is mended, it starts and answers", async () => {
	await house.start();
	assert.equal((await house.get("/readyz")).status, 200);
	await house.stop();
});

test("what becomes wrong while it runs is met by the next connection that may write", async () => {
	await house.start();
	const ours = await house.organization();
	await sql("ALTER ROLE innkeeper_server BYPASSRLS");
	try {
		await sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'innkeeper_server'`);
		const statuses = new Set();
		for (let i = 0; i < 20; i++) statuses.add((await house.post(ours.api_key, "/api/chats/create", { sessionId: "s" })).status);
		assert.ok(!statuses.has(200), `nothing is stored meanwhile: ${[...statuses]}`);
	} finally {
		await sql("ALTER ROLE innkeeper_server NOBYPASSRLS");
	}
	await harness.until(async () => (await house.post(ours.api_key, "/api/chats/create", { sessionId: "s" })).status === 200, "it goes on");
	await house.stop();
});
