// Where a measurement's database lies: a file, or with BENCH_ENGINE=postgres a database of a PostgreSQL that is started for it,
// which syncs each commit as it would in production.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const postgres = process.env.BENCH_ENGINE === 'postgres';
export const engine = postgres ? 'PostgreSQL' : 'SQLite';

const innkeeper = 'build/innkeeper';
const script = (words, env) => execFileSync('tests/postgres.sh', words, { env: { ...process.env, ...env } }).toString().trim();
let cluster; // a folder of its own: PostgreSQL is another user's where this runs as root
let administrator;

// The URL of a new database; `folder` is the measurement's own.
export function makeDatabase(folder, name) {
	if (!postgres) return `sqlite:${join(folder, `${name}.db`)}`;
	cluster ??= mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), 'innkeeper-postgres-'));
	administrator ??= script(['start', cluster], { PGSYNC: 'on', PGMORE: '-c max_wal_size=4GB' });
	const url = (role) => administrator.replace('//postgres@', `//${role}@`).replace('/postgres?', `/${name}?`);
	execFileSync('psql', ['-q', administrator, '-c', `CREATE DATABASE ${name}`]);
	execFileSync(innkeeper, ['migrate', '--database', url('postgres')], { stdio: ['ignore', 'ignore', 'ignore'] });
	return url('innkeeper_server');
}

// Bytes on disk.
export function sizeOf(url) {
	if (!postgres) return undefined;
	return Number(execFileSync('psql', ['-qAt', administratorOf(url), '-c', 'SELECT pg_database_size(current_database())']));
}

const administratorOf = (url) => administrator.replace('/postgres?', `/${/\/([^/?]*)\?/.exec(url)[1]}?`);

// What PostgreSQL does by itself within minutes of a filling, and beside measurements that would come sooner.
export function tidy(url) {
	if (postgres) execFileSync('psql', ['-q', administratorOf(url), '-c', 'VACUUM (ANALYZE)', '-c', 'CHECKPOINT']);
}

export function end() {
	if (administrator) script(['stop', cluster]);
	if (cluster) rmSync(cluster, { recursive: true, force: true });
	administrator = cluster = undefined;
}
