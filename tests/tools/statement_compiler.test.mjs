// The statement compiler as make runs it: a folder of SQL in, C or one sentence out.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const compiler = resolve(process.env.STATEMENT_COMPILER ?? 'build/tools/statement_compiler');

const schema = `-- The tables of the tests.
CREATE TABLE organizations (number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, name TEXT NOT NULL) STRICT;
CREATE TABLE accounts (id BLOB PRIMARY KEY, email TEXT NOT NULL CHECK (email <> '')) STRICT;
CREATE TABLE chats (number INTEGER PRIMARY KEY, -- internal; never shown
  organization_id BLOB NOT NULL REFERENCES organizations (id), id BLOB NOT NULL, "status" TEXT, count INTEGER,
  UNIQUE (organization_id, id), CHECK (status IN ('a', 'b;c'))) STRICT;
CREATE INDEX chats_by_id ON chats (organization_id, id);
CREATE VIRTUAL TABLE search USING fts5 (words, content = '', detail = none);
CREATE TABLE messages (number INTEGER PRIMARY KEY, organization_id BLOB NOT NULL, id BLOB NOT NULL, chat_id BLOB, content TEXT,
  CONSTRAINT owner FOREIGN KEY (organization_id, chat_id) REFERENCES chats (organization_id, id)) STRICT;
`;

function compile(t, statements, { migrations = { '0001_first.sql': schema }, files } = {}) {
	const folder = mkdtempSync(join(tmpdir(), 'statements-'));
	t.after(() => rmSync(folder, { recursive: true }));
	const sql = join(folder, 'sql'), out = join(folder, 'out');
	mkdirSync(join(sql, 'schema'), { recursive: true });
	for (const [name, text] of Object.entries(migrations)) writeFileSync(join(sql, 'schema', name), text);
	for (const [name, text] of Object.entries(files ?? { 'a.sql': statements })) writeFileSync(join(sql, name), text);
	const run = () => spawnSync(compiler, [sql, out], { encoding: 'utf8' });
	const result = run();
	const read = (name) => readFileSync(join(out, name), 'utf8');
	return { ...result, out, run, read };
}

function texts(t, statements, options) {
	const result = compile(t, statements, options);
	assert.equal(result.stderr, '');
	assert.equal(result.status, 0);
	const found = {};
	const pattern = /static const char (\w+)_(sqlite|postgres)\[\] =\n((?:\t".*"\n?)+);/g;
	for (const [, name, engine, body] of result.read('statements.c').matchAll(pattern))
		(found[name] ??= {})[engine] = [...body.matchAll(/^\t"(.*)"/gm)].map((line) => line[1]).join('')
			.replace(/\\(["\\?])/g, '$1').replaceAll('\\n', '\n');
	return found;
}

const named = (text, { kind = 'tenant', takes = '', gives = 'id uuid' } = {}) =>
	`-- name: tried :${kind}\n${takes && `-- in: ${takes}\n`}${gives && `-- out: ${gives}\n`}${text}`;

const tenant = (text, takes = '', gives = 'id uuid') => named(text, { takes, gives });
const write = (text, takes = '') => named(text, { takes, gives: '' });
const system = (text, takes = '', gives = 'id uuid') => named(text, { kind: 'system', takes, gives });
const own = 'organization_id = :organization';

const refused = [
	['an unknown kind', named('SELECT 1;', { kind: 'admin' }), /:1: ':admin' is not a kind/],
	['a third word behind the kind', '-- name: a :tenant :write\nSELECT 1;', /nothing but :many or :rows may follow/],
	['rows that are read', '-- name: a :tenant :rows\n-- in: x int\n-- out: id uuid\nSELECT id FROM chats WHERE organization_id = :organization AND count = :x;', /:rows is a :tenant's, writes/],
	['rows without values', '-- name: a :tenant :rows\nDELETE FROM chats WHERE organization_id = :organization;', /:rows is a :tenant's, writes/],
	['rows of nobody', '-- name: a :system :rows\n-- in: x int\nDELETE FROM chats WHERE count = :x;', /:rows is a :tenant's, writes/],
	['an unknown type', tenant(`SELECT id FROM chats WHERE ${own};`, '', 'id guid'), /:2: 'guid' is not a type/],
	['a name that is not C', '-- name: Chats-1 :tenant\nSELECT 1;', /is not a name/],
	['a name that the enum needs itself', '-- name: count :system\n-- out: a int\nSELECT 1;', /cannot be named 'count'/],
	['a duplicate statement name', '-- name: a :system\n-- out: a int\nSELECT 1;\n-- name: a :system\nSELECT 1;', /:4: statement a is there already/],
	['a duplicate parameter', tenant(`SELECT id FROM chats WHERE ${own} AND id = :a;`, 'a uuid, a uuid'), /'a' stands here twice/],
	['a parameter without an annotation', tenant(`SELECT id FROM chats WHERE ${own} AND id = :id;`), /:3: :id is not among/],
	['a parameter not used', tenant(`SELECT id FROM chats WHERE ${own};`, 'x int'), /:2: parameter x is not used/],
	['a parameter used within a string alone', tenant(`SELECT id FROM chats WHERE ${own} AND status = ':x';`, 'x int'), /x is not used/],
	['organization among the parameters', tenant(`SELECT id FROM chats WHERE ${own};`, 'organization uuid'), /comes from the scope/],
	['organization in a system statement', system(`SELECT id FROM chats WHERE ${own};`), /has no :organization/],
	['a tenant statement without organization', tenant('SELECT 1 AS id;'), /says :organization at least once/],
	['an unknown table', tenant(`SELECT id FROM chat WHERE ${own};`), /'chat' is not a table/],
	['an unknown table behind a comma', tenant(`SELECT id FROM chats, nowhere WHERE ${own};`), /'nowhere' is not a table/],
	['a table with its schema', system('SELECT id FROM main.chats;'), /without a schema/],
	['a string for a table', system("SELECT id FROM 'chats';"), /a table's name is expected/],
	['a bracketed name', system('SELECT id FROM [chats];'), /'\[' is refused/],
	['a numbered parameter', system('SELECT id FROM chats WHERE id = ?1;'), /'\?' is refused/],
	['a dollar parameter', system('SELECT id FROM chats WHERE id = $1;'), /'\$' is refused/],
	['IN with a table', tenant(`SELECT id FROM chats WHERE ${own} AND id IN messages;`), /parenthesis is expected behind in/],
	['the TABLE query', tenant(`SELECT id FROM chats WHERE ${own} AND id IN (TABLE messages);`), /TABLE is refused/],
	['SELECT INTO', system('SELECT id INTO copy FROM chats;'), /INTO is refused/],
	['another verb', system('DROP TABLE chats;'), /begins with SELECT/],
	['a WITH that hides a table', tenant(`WITH chats AS (SELECT 1 AS id) SELECT id FROM chats WHERE ${own};`), /WITH chats hides the table/],
	['WITH before a write', write(`WITH x AS (SELECT 1) DELETE FROM chats WHERE ${own};`), /WITH before a write/],
	['a write within WITH', system('WITH x AS (DELETE FROM chats RETURNING id) SELECT id FROM x;'), /WITH before a write/],
	['a table without its organization', tenant('SELECT id FROM chats WHERE id = :organization;'), /table chats needs chats\.organization_id/],
	['a second table without its organization', tenant('SELECT c.id FROM chats AS c JOIN messages m ON m.chat_id = c.id WHERE c.organization_id = :organization;'), /table messages needs m\./],
	['an unqualified comparison for two tables', tenant(`SELECT c.id FROM chats c, messages m WHERE ${own};`), /table chats needs c\./],
	['the table name where an alias hides it', tenant('SELECT c.id FROM chats c WHERE chats.organization_id = :organization;'), /table chats needs c\./],
	['a comparison beside OR', tenant(`SELECT id FROM chats WHERE ${own} OR 1 = 1;`), /table chats needs/],
	['a comparison behind OR and AND', tenant(`SELECT id FROM chats WHERE 1 = 1 OR 1 = 1 AND ${own};`), /table chats needs/],
	['a comparison under NOT', tenant(`SELECT id FROM chats WHERE NOT ${own};`), /table chats needs/],
	['a comparison that goes on', tenant(`SELECT id FROM chats WHERE ${own} IS NULL;`), /table chats needs/],
	['a comparison within BETWEEN', tenant(`SELECT id FROM chats WHERE 1 BETWEEN 0 AND ${own};`), /table chats needs/],
	['a comparison within CASE', tenant(`SELECT id FROM chats WHERE CASE WHEN 1 AND ${own} AND 1 THEN 1 ELSE 1 END;`), /table chats needs/],
	['a comparison within FILTER', tenant(`SELECT count(*) FILTER (WHERE ${own}) FROM chats;`, '', 'n int'), /table chats needs/],
	['a comparison in HAVING', tenant(`SELECT id FROM chats GROUP BY id HAVING ${own};`), /table chats needs/],
	['a comparison in a comment', tenant(`SELECT id, :organization FROM chats -- WHERE ${own}\n;`, '', 'id uuid, o uuid'), /table chats needs/],
	['a comparison in another query', tenant(`SELECT id FROM chats AS c WHERE EXISTS (SELECT 1 FROM messages AS c WHERE c.${own});`), /table chats needs/],
	['a UNION whose second half has none', tenant(`SELECT c.id FROM chats c WHERE c.${own} UNION SELECT c.id FROM chats c;`), /table chats needs/],
	['an outer join that keeps the left side', tenant(`SELECT c.id FROM chats c LEFT JOIN messages m ON c.${own} AND m.${own};`), /table chats needs c\./],
	['one alias for two tables', tenant(`SELECT c.id FROM chats c, messages c WHERE c.${own};`), /'c' names two tables/],
	['organizations without its id', tenant(`SELECT name FROM organizations WHERE ${own};`), /needs organizations\.id/],
	['a global table in a tenant statement', tenant('SELECT id FROM accounts WHERE id = :organization;'), /accounts is global/],
	['an INSERT without the column', write('INSERT INTO chats (id) VALUES (:organization);'), /lists organization_id/],
	['an INSERT without columns', write('INSERT INTO chats VALUES (:organization);'), /lists its columns/],
	['an INSERT of another value', write('INSERT INTO chats (id, organization_id) VALUES (:organization, :id);', 'id uuid'), /the value :organization/],
	['an INSERT whose second row strays', write('INSERT INTO chats (organization_id, id) VALUES (:organization, 1), (:id, 1);', 'id uuid'), /the value :organization/],
	['an INSERT SELECT of another value', write(`INSERT INTO chats (organization_id, id) SELECT m.id, m.id FROM messages AS m WHERE m.${own};`), /the value :organization/],
	['an INSERT SELECT from a table without its organization', write('INSERT INTO chats (organization_id, id) SELECT :organization, m.id FROM messages AS m;'), /table messages needs/],
	['an INSERT SELECT guarded only by its DO UPDATE', write(`INSERT INTO chats (organization_id, id) SELECT :organization, m.id FROM messages AS m WHERE true ON CONFLICT (organization_id, id) DO UPDATE SET status = 'a' WHERE m.${own};`), /table messages needs/],
	['a DO UPDATE by a key without the organization', write("INSERT INTO chats (organization_id, id) VALUES (:organization, 1) ON CONFLICT (id) DO UPDATE SET status = 'a';"), /names a key with organization_id/],
	['INSERT OR REPLACE', write('INSERT OR REPLACE INTO chats (organization_id) VALUES (:organization);'), /write ON CONFLICT/],
	['an UPDATE without the organization', write("UPDATE chats SET status = 'a' WHERE id = :organization;"), /table chats needs/],
	['a DELETE without the organization', write('DELETE FROM chats WHERE id = :organization;'), /table chats needs/],
	['an UPDATE of the organization', write(`UPDATE chats SET status = 'a', "organization_id" = :x WHERE ${own};`, 'x uuid'), /organization_id may not be set/],
	['an UPDATE of the organization in a row', write(`UPDATE chats SET (status, organization_id) = ('a', :x) WHERE ${own};`, 'x uuid'), /organization_id may not be set/],
	['a DO UPDATE of the organization', write('INSERT INTO chats (organization_id, id) VALUES (:organization, 1) ON CONFLICT (organization_id, id) DO UPDATE SET organization_id = :x;', 'x uuid'), /may not be set/],
	['an UPDATE with a SELECT', write(`UPDATE chats SET count = (SELECT count(*) FROM messages AS m WHERE m.${own}) WHERE chats.${own};`), /holds no SELECT/],
	['a system DELETE with a SELECT', named('DELETE FROM chats WHERE id IN (SELECT 1);', { kind: 'system', gives: '' }), /holds no SELECT/],
	['a write that names its table twice', write(`INSERT INTO chats (organization_id, id) SELECT :organization, c.id FROM chats AS c WHERE c.${own};`), /names its table chats once/],
	['DELETE USING', named('DELETE FROM chats USING messages WHERE true;', { kind: 'system', gives: '' }), /parenthesis is expected behind using/],
	['too few columns', tenant(`SELECT id, status FROM chats WHERE ${own};`), /gives 2 columns, its annotation \(out\) 1/],
	['too many RETURNING columns', write(`DELETE FROM chats WHERE ${own} RETURNING id;`), /gives 1 columns, its annotation \(out\) 0/],
	['a star', tenant(`SELECT * FROM chats WHERE ${own};`), /\* is refused/],
	['a qualified star', tenant(`SELECT c.* FROM chats c WHERE c.${own};`), /\* is refused/],
	['a text without an end', tenant(`SELECT id FROM chats WHERE ${own}`), /does not end with ;/],
	['a text that runs into the next name', tenant(`SELECT id FROM chats WHERE ${own}\n-- name: b :system\nSELECT 1;`), /does not end with ;/],
	['a second text', tenant(`SELECT id FROM chats WHERE ${own};\nSELECT 1;`), /has a text for this engine already/],
	['a statement without a text', '-- name: a :tenant\n', /a has no text/],
	['a text for one engine alone', '-- name: a :system\n-- out: a int\n-- sqlite:\nSELECT 1;', /no text for PostgreSQL/],
	['a text before the first name', 'SELECT 1;', /before the first name/],
	['two texts that write different tables', '-- name: a :system\n-- sqlite:\nDELETE FROM chats;\n-- postgres:\nDELETE FROM messages;', /write different tables/],
	['a string that is not closed', system("SELECT 'a FROM chats;"), /not closed/],
	['an escaped string', system("SELECT E'\\'' FROM chats;"), /only plain strings/],
	['a nested comment', system('SELECT 1 /* a /* b */ */;'), /holds another comment/],
	['a NUL byte', 'SELECT\0', /NUL byte/],
	['a search table alone', tenant('SELECT s.rowid AS id FROM search AS s WHERE s.search MATCH :organization;'), /read beside a table of the organization/],
	['a search table in a system statement', system('SELECT s.rowid AS id FROM search AS s;'), /holds words of organizations/],
	['a search table without its organization on PostgreSQL', `-- name: a :tenant\n-- sqlite:\nINSERT INTO search (rowid, words) VALUES (1, 'a');\n-- postgres:\nINSERT INTO search (words) VALUES (:organization);`, /lists organization_id/],
];

for (const [what, statements, sentence] of refused) {
	test(`refuses ${what}`, (t) => {
		const result = compile(t, statements);
		assert.match(result.stderr, /^[^\n]*\/sql\/a\.sql:\d+: [^\n]+\n$/);
		assert.match(result.stderr, sentence);
		assert.equal(result.status, 1);
		assert.ok(!existsSync(result.out), 'nothing is written');
	});
}

const refusedSchemas = [
	['a gap in the numbers', { '0001_a.sql': schema, '0003_c.sql': '' }, /0003_c\.sql:1: migration 0002 is expected/],
	['a number given twice', { '0001_a.sql': schema, '0001_b.sql': '' }, /migration 0002 is expected/],
	['another name', { 'first.sql': schema }, /is named NNNN_name\.sql/],
	['no migration at all', {}, /there is no migration/],
	['a text for PostgreSQL beside nothing', { '0001_a.sql': schema, '0002_b.postgres.sql': '' }, /no 0002_b\.sql beside it/],
	['the same table twice', { '0001_a.sql': `${schema}\nCREATE TABLE chats (id INT);` }, /:\d+: table chats is there already/],
	['a table without a list of columns', { '0001_a.sql': 'CREATE TABLE a AS SELECT 1;' }, /needs a list of columns/],
	['a virtual table that is no full text', { '0001_a.sql': 'CREATE VIRTUAL TABLE a USING rtree (b, c, d);' }, /is one USING fts5/],
	['full text with two columns', { '0001_a.sql': "CREATE VIRTUAL TABLE a USING fts5 (b, c, content = '');" }, /needs one column/],
	['a temporary table', { '0001_a.sql': 'CREATE TEMP TABLE a (b INT);' }, /only plain tables/],
];

for (const [what, migrations, sentence] of refusedSchemas) {
	test(`refuses ${what} in the schema`, (t) => {
		const result = compile(t, '', { migrations });
		assert.match(result.stderr, sentence);
		assert.equal(result.status, 1);
		assert.ok(!existsSync(result.out));
	});
}

test('numbers parameters in the order of the annotation, behind the organization', (t) => {
	const { tried } = texts(t, tenant(`SELECT m.id -- why\n  FROM messages AS m\n WHERE m.${own} AND m.id = :b\n  AND m.content = '  :a '  LIMIT :a;`, 'a int,\n--      b uuid'));
	assert.equal(tried.sqlite, "SELECT m.id FROM messages AS m WHERE m.organization_id = ?1 AND m.id = ?3 AND m.content = '  :a ' LIMIT ?2");
	assert.equal(tried.postgres, "SELECT m.id FROM messages AS m WHERE m.organization_id = $1::uuid AND m.id = $3::uuid AND m.content = '  :a ' LIMIT $2::bigint");
});

test('casts each type for PostgreSQL and numbers a system statement from one', (t) => {
	const { tried } = texts(t, system('SELECT :a, :b, :c, :d, :e, :f, :g;', 'a uuid, b text, c int, d real, e bool, f time, g json', 'a uuid, b text, c int, d real, e bool, f time, g json'));
	assert.equal(tried.postgres, 'SELECT $1::uuid, $2::text, $3::bigint, $4::double precision, $5::boolean, $6::bigint, $7::text');
	assert.equal(tried.sqlite, 'SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7');
});

test('the values of many rows are arrays on PostgreSQL', (t) => {
	const { tried } = texts(t, `-- name: tried :tenant :rows
-- in: id uuid, count int
-- sqlite: none
-- postgres:
UPDATE chats AS c SET count = r.count FROM unnest(:id, :count) AS r (id, count) WHERE c.organization_id = :organization AND c.id = r.id;`);
	assert.equal(tried.sqlite, undefined);
	assert.equal(tried.postgres, 'UPDATE chats AS c SET count = r.count FROM unnest($2::uuid[], $3::bigint[]) AS r (id, count) WHERE c.organization_id = $1::uuid AND c.id = r.id');
});

test('sends writes and system statements past the views', (t) => {
	const found = texts(t, `
-- name: add :tenant
-- in: id uuid
-- out: id uuid
INSERT INTO chats (id, organization_id) VALUES (:id, :organization)
ON CONFLICT (organization_id, id) DO UPDATE SET count = chats.count + 1 RETURNING id;
-- name: change :tenant
UPDATE chats SET status = 'a' WHERE ${own};
-- name: sweep :system
DELETE FROM messages;
-- name: learn :tenant
-- in: at int, words text
-- sqlite:
INSERT INTO search (rowid, words) VALUES (:at, :words);
-- postgres:
INSERT INTO search (organization_id, document, words) VALUES (:organization, :at, :words);
-- name: find :tenant
-- in: words text
-- out: id uuid
-- sqlite:
SELECT c.id FROM chats AS c WHERE c.${own} AND c.number IN (SELECT s.rowid FROM search AS s WHERE s.search MATCH :words);
-- postgres:
SELECT c.id FROM chats AS c JOIN search AS s ON s.${own} AND s.document = c.number WHERE c.${own} AND s.words = :words;
-- name: survey :system
-- out: id uuid, n int
SELECT chats.id, count(*) FROM chats JOIN "messages" AS m ON m.chat_id = chats.id, accounts a GROUP BY chats.id;`);
	assert.match(found.add.sqlite, /^INSERT INTO main\.chats \(id, organization_id\) VALUES \(\?2, \?1\) ON CONFLICT/);
	assert.match(found.add.postgres, /^INSERT INTO chats /);
	assert.equal(found.change.sqlite, "UPDATE main.chats SET status = 'a' WHERE organization_id = ?1");
	assert.equal(found.learn.sqlite, 'INSERT INTO main.search (rowid, words) VALUES (?2, ?3)');
	assert.match(found.learn.postgres, /VALUES \(\$1::uuid, /);
	assert.match(found.find.sqlite, /SELECT s\.rowid FROM search AS s WHERE s\.search MATCH \?2/);
	assert.equal(found.sweep.sqlite, 'DELETE FROM main.messages');
	assert.equal(found.survey.sqlite, 'SELECT chats.id, count(*) FROM main.chats AS chats JOIN main."messages" AS m ON m.chat_id = chats.id, main.accounts a GROUP BY chats.id');
});

test('takes what is safe: WITH, outer joins, sub-selects, UNION, functions, one text an engine', (t) => {
	const found = texts(t, `-- A file about chats.
-- in: what stands before the first name is for readers.

-- name: joined :tenant
-- out: id uuid, n int
-- Explains itself.
WITH RECURSIVE recent (id) AS (SELECT c.id FROM chats AS c WHERE c.${own} AND c.count BETWEEN 1 AND 2 AND c.id IS NOT DISTINCT FROM c.id)
SELECT r.id, (SELECT count(*) FROM messages AS k WHERE k.${own} AND (k.id = r.id OR k.chat_id = r.id))
FROM recent AS r LEFT JOIN messages AS m ON m.${own} AND m.chat_id = r.id, json_each('[1]') AS j
UNION ALL SELECT o.id, 1 FROM organizations AS o WHERE o.id = :organization ORDER BY 1;
-- name: copied :tenant
INSERT INTO chats (organization_id, id) SELECT :organization, m.id FROM messages AS m WHERE m.${own} ON CONFLICT DO NOTHING;
-- name: two :tenant
-- in: a json
-- out: id uuid
-- sqlite:
SELECT id FROM chats WHERE ${own} AND id IN (SELECT value FROM json_each(:a));
-- postgres:
SELECT id FROM chats WHERE ${own} AND (ARRAY[id])[1]::text = :a AND extract(year FROM now()) > 1;`);
	assert.equal(Object.keys(found).length, 3);
	assert.match(found.two.sqlite, /json_each\(\?2\)/);
	assert.match(found.two.postgres, /\(ARRAY\[id\]\)\[1\]::text = \$2::text/);
});

test('follows dropped, renamed and altered tables', (t) => {
	const migrations = { '0001_first.sql': schema, '0001_first.postgres.sql': `CREATE FUNCTION body() RETURNS int LANGUAGE sql AS $$ SELECT 1; SELECT 2 $$; ${schema}`,
		'0002_second.sql': `CREATE TABLE chats_new (organization_id BLOB, id BLOB, kept TEXT);
DROP TABLE chats; ALTER TABLE chats_new RENAME TO chats; ALTER TABLE chats ADD COLUMN added TEXT;
ALTER TABLE chats DROP COLUMN kept; ALTER TABLE chats RENAME COLUMN added TO wide; DROP TABLE accounts;` };
	const result = compile(t, tenant(`SELECT id FROM chats WHERE ${own};`), { migrations });
	assert.equal(result.stderr, '');
	const tables = result.read('statements.c').split('_columns[] = { /* ').slice(1).map((part) => [part.split(' ')[0], part.match(/"(\w+)"/g).slice(0, 3).join()]);
	assert.deepEqual(tables.find(([name]) => name === 'chats'), ['chats', '"organization_id","id","wide"']);
	assert.match(result.read('statements.c'), /protected_table_count = 3;/);
	assert.match(compile(t, system('SELECT id FROM accounts;'), { migrations }).stderr, /'accounts' is not a table/);
});

test('writes C that both compilers take, and nothing anew when nothing changed', (t) => {
	const long = `${schema}-- ${'é"\\??/'.repeat(1500)}\n`;
	const result = compile(t, `-- name: chat :tenant
-- in:  default text, at time, on bool, ratio real
-- out: id uuid, for json
SELECT id, '??/"\\é' FROM chats WHERE ${own} AND status = :default AND count > :at AND count < :ratio AND :on;
-- name: none :system
DELETE FROM accounts;`, { migrations: { '0001_first.sql': long, '0002_second.sql': '-- nothing "yet"??/\n' } });
	assert.equal(result.stderr, '');
	assert.match(result.read('statements.h'), /struct text default_;/);
	assert.match(result.read('migrations.c'), new RegExp(createHash('sha256').update(long).digest('hex')));
	for (const cc of ['gcc', 'clang']) {
		for (const file of ['statements.c', 'migrations.c']) {
			const built = spawnSync(cc, ['-std=c17', '-D_GNU_SOURCE', '-Isrc', '-Wall', '-Wextra', '-Wpedantic', '-Wshadow',
				'-Wconversion', '-Wformat=2', '-Wmissing-prototypes', '-Werror', '-fsyntax-only', join(result.out, file)], { encoding: 'utf8' });
			assert.equal(built.stderr, '');
			assert.equal(built.status, 0);
		}
	}
	// What the arrays hold is what the file held.
	writeFileSync(join(result.out, 'print.c'), '#include <stdio.h>\n#include "store/statement.h"\nint main(void) { for (size_t i = 0; i < migration_count; i++) fputs(migrations[i].sqlite.text, stdout); }\n');
	const built = spawnSync('gcc', ['-std=c17', '-Isrc', join(result.out, 'print.c'), join(result.out, 'migrations.c'), '-o', join(result.out, 'print')], { encoding: 'utf8' });
	assert.equal(built.status, 0, built.stderr);
	assert.equal(spawnSync(join(result.out, 'print'), { encoding: 'utf8' }).stdout, `${long}-- nothing "yet"??/\n`);

	for (const file of ['statements.h', 'statements.c', 'migrations.c']) utimesSync(join(result.out, file), 1000, 1000);
	assert.equal(result.run().status, 0);
	for (const file of ['statements.h', 'statements.c', 'migrations.c']) assert.equal(statSync(join(result.out, file)).mtimeMs, 1000000);
});

test('takes files in the order of their names, and no statement at all', (t) => {
	const one = (name) => `-- name: ${name} :system\nDELETE FROM accounts;`;
	const result = compile(t, '', { files: { 'b.sql': one('second'), 'a.sql': one('first'), 'notes.txt': 'x' } });
	assert.match(result.read('statements.h'), /STATEMENT_FIRST,\n\tSTATEMENT_SECOND,\n\tSTATEMENT_COUNT/);
	assert.equal(compile(t, '-- nothing yet\n').status, 0);
});

test('says how it is used', () => {
	assert.equal(spawnSync(compiler, ['one']).status, 2);
});
