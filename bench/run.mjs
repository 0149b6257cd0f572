// The measurements behind `make bench`: messages a second, durable, against the same stack without a database.
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { end, engine, makeDatabase, sizeOf } from './engine.mjs';
import { settle } from './settle.mjs';

const seconds = Number(process.argv[2] ?? 10);
const CHATS = Number(process.env.BENCH_CHATS ?? 100_000);
const MESSAGES = Number(process.env.BENCH_MESSAGES ?? 2_000_000);
const CONNECTIONS = [1, 64, 256];
const innkeeper = 'build/innkeeper';
const folder = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), 'innkeeper-bench-'));
const running = new Set();

// What a server says goes to a file, as it would in production; its first line there tells the port.
async function start(command, args, portOf) {
	const path = join(folder, 'said');
	const said = openSync(path, 'w');
	const child = spawn(command, args, { stdio: ['ignore', said, said] });
	closeSync(said);
	running.add(child);
	child.once('exit', () => running.delete(child));
	while (child.exitCode === null) {
		const line = readFileSync(path, 'utf8').split('\n').slice(0, -1).find(portOf);
		if (line) return { child, port: portOf(line) };
		await setTimeout(1);
	}
	throw new Error(`${command} ${args.join(' ')} ended: ${readFileSync(path, 'utf8')}`);
}

async function stop({ child }) {
	const exited = once(child, 'exit');
	child.kill('SIGTERM');
	const [code] = await exited;
	if (code !== 0) throw new Error(`a server ended with ${code}`);
}

const startStack = (...args) => start('build/bench/stack', args, Number);

const startServer = (database) => start(innkeeper, ['serve', '--database', database, '--listen', '127.0.0.1:0',
	...(process.env.BENCH_OPTIONS ? process.env.BENCH_OPTIONS.split(' ') : [])],
	(line) => JSON.parse(line).message === 'ready' && JSON.parse(line).port);

const verb = (database, ...words) => JSON.parse(execFileSync(innkeeper, [...words, '--database', database]));

async function wrk(script, port, connections, key, active = CHATS) {
	const child = spawn('wrk', ['-t1', `-c${connections}`, `-d${seconds}`, '-s', `bench/${script}.lua`,
		`http://127.0.0.1:${port}`], { env: { ...process.env, BENCH_KEY: key, BENCH_CHATS: CHATS, BENCH_ACTIVE: active } });
	let said = '';
	child.stdout.on('data', (text) => { said += text; });
	child.stderr.on('data', (text) => { said += text; });
	await once(child, 'exit');
	const found = /RESULT (\d+) ([\d.]+) ([\d.]+) (\d+)/.exec(said);
	if (!found) throw new Error(said);
	const [rate, median, p99, errors] = found.slice(1).map(Number);
	if (errors > 0) throw new Error(`${errors} requests failed:\n${said}`);
	return { rate, median, p99 };
}

let seed = 12345;
function random(limit) {
	seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
	return (seed >>> 8) % limit;
}

async function fill(port, key, count, make) {
	let next = 0;
	const post = async () => {
		while (next < count) {
			const from = next;
			next += Math.min(1000, count - from);
			const items = Array.from({ length: next - from }, (_, i) => make(from + i));
			const reply = await fetch(`http://127.0.0.1:${port}/api/batch`,
				{ method: 'POST', headers: { 'x-api-key': key }, body: JSON.stringify(items) });
			const { errors } = await reply.json();
			if (reply.status !== 207 || errors.length > 0) throw new Error(`filling failed: ${JSON.stringify(errors[0])}`);
		}
	};
	const started = performance.now();
	await Promise.all([post(), post(), post(), post()]);
	return Math.round(count / (performance.now() - started) * 1000);
}

const status = (pid, name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
const format = (number) => Math.round(number).toLocaleString('en-US');
const print = (...cells) => console.log(cells.map((cell, i) => i === 0 ? cell.padEnd(44) : String(cell).padStart(12)).join(''));

async function measure(label, port, key, reference, active) {
	for (const connections of CONNECTIONS) {
		const { rate, median, p99 } = await wrk('message', port, connections, key, active);
		const share = reference === undefined ? '' : `${Math.round(rate / reference.get(connections) * 100)} %`;
		print(label, connections, format(rate), median.toFixed(2), p99.toFixed(2), share);
		label = '';
		(measured.get(port) ?? measured.set(port, new Map()).get(port)).set(connections, rate);
	}
	return measured.get(port);
}
const measured = new Map();

async function idle(database) {
	const times = [];
	let memory;
	for (let i = 0; i < 5; i++) {
		const started = performance.now();
		const server = await startServer(database);
		const reply = await fetch(`http://127.0.0.1:${server.port}/readyz`);
		if (reply.status !== 200) throw new Error('not ready');
		times.push(performance.now() - started);
		memory = status(server.child.pid, 'VmRSS');
		await stop(server);
	}
	times.sort((a, b) => a - b);
	console.log(`\nstart to first answer, existing database: ${times[2].toFixed(1)} ms (median of 5); idle memory: ${
		(memory / 1024).toFixed(1)} MiB`);
}

async function main() {
	const model = /model name\s*:\s*(.*)/.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown processor';
	console.log(`${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${model}, ${engine}, ${seconds} s a measurement, 1 wrk thread\n`);
	print('', 'connections', 'per second', 'median ms', 'p99 ms', 'of the sync');
	let stack = await startStack('answer');
	await measure('HTTP and JSON, nothing stored', stack.port, 'none');
	await stop(stack);
	stack = await startStack('sync', join(folder, 'appended'));
	const sync = await measure('write and fdatasync a batch, no database', stack.port, 'none');
	await stop(stack);

	const database = makeDatabase(folder, 'bench');
	const server = await startServer(database);
	const { api_key: key } = verb(database, 'organization', 'create', 'Bench');
	await fill(server.port, key, CHATS, (i) => ({ type: 'chat', sessionId: `session-${i}`, chatId: `bench-${i + 1}` }));
	await measure('messages, durable; database empty', server.port, key, sync);
	const { rate: early } = await wrk('batch', server.port, 4, key);
	print('events in batches of 500; database empty', 4, format(early));
	const text = 'Where can we rent kayaks near the beach? '.repeat(4);
	await fill(server.port, key, MESSAGES,
		() => ({ type: 'message', chatId: `bench-${1 + random(CHATS)}`, role: 'user', content: text }));
	await settle(server.port, database);
	const size = sizeOf(database) ?? statSync(database.slice('sqlite:'.length)).size;
	await measure(`the same; ${format(MESSAGES)} messages in ${format(CHATS)} chats`, server.port, key, sync);
	await measure('the same, to the newest 1,000 chats', server.port, key, sync, 1000);
	const { rate: late } = await wrk('batch', server.port, 4, key);
	print(`events in batches; ${format(MESSAGES)} messages`, 4, format(late));
	const audit = performance.now();
	const { rows } = verb(database, 'verify'); // ends with 1, and this with it, on any difference
	console.log(`\n${format(rows)} rows counted again: every figure was right (${((performance.now() - audit) / 1000).toFixed(1)} s)`);
	await stop(server);
	console.log(`\ndatabase at ${format(MESSAGES)} messages: ${format(size / 1e6)} MB`);
	await idle(database);
}

try {
	await main();
} finally {
	for (const child of running) child.kill('SIGKILL');
	end();
	rmSync(folder, { recursive: true, force: true });
}
