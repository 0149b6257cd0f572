// What it costs to move an organization as a whole: out of a house, into another of each engine, out of that and away; and what
// its neighbor notices while it comes in. Asked of the running server. One run measures both engines, since figures of two runs do
// not compare.
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import http from 'node:http';
import { once } from 'node:events';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const MESSAGES = Number(process.env.BENCH_MOVED ?? 200_000);
const A_DAY = 2_000;
const CHATS = Math.ceil(MESSAGES / 20);
const innkeeper = 'build/innkeeper';
const folder = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), 'innkeeper-move-'));
const number = (value) => Math.round(value).toLocaleString('en-US');

let seed = 12345;
function random(limit) {
	seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
	return Math.floor(seed / 4294967296 * limit);
}

async function start(database, name) {
	const said = join(folder, `${name}.said`);
	const control = join(folder, `${name}.control`);
	const to = openSync(said, 'w');
	const child = spawn(innkeeper, ['serve', '--database', database, '--listen', '127.0.0.1:0', '--control', control], { stdio: ['ignore', to, to] });
	closeSync(to);
	while (child.exitCode === null) {
		const line = readFileSync(said, 'utf8').split('\n').slice(0, -1).find((text) => JSON.parse(text).message === 'ready');
		if (line) return { child, control, port: JSON.parse(line).port };
		await setTimeout(5);
	}
	throw new Error(readFileSync(said, 'utf8'));
}

async function stop({ child }) {
	const exited = once(child, 'exit');
	child.kill('SIGTERM');
	const [code] = await exited;
	if (code !== 0) throw new Error(`a server ended with ${code}`);
}

const agent = new http.Agent({ keepAlive: true });
function ask(to, path, body, headers = {}) {
	const text = JSON.stringify(body);
	return new Promise((resolve, reject) => {
		const request = http.request({ ...to, path, method: 'POST', headers: { host: 'localhost', 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers } }, (response) => {
			const chunks = [];
			response.on('data', (chunk) => chunks.push(chunk));
			response.on('end', () => {
				const json = JSON.parse(Buffer.concat(chunks).toString());
				if (response.statusCode >= 300) reject(new Error(`${path}: ${JSON.stringify(json)}`));
				else resolve(json);
			});
		});
		request.on('error', reject);
		request.end(text);
	});
}
const order = (house, path, body) => ask({ socketPath: house.control }, `/control/organizations${path}`, body);
const exportOf = (house, slug, path) => order(house, `/export?organization=${slug}`, { path });
const post = (house, key, path, body) => ask({ port: house.port, agent }, path, body, { 'x-api-key': key });

// Twenty messages a chat, in the order of their time: those of fifty chats between each other, as they come to a server that lives.
function* events() {
	for (let i = 0, chats = 0; i < MESSAGES; i++) {
		const at = new Date(Date.now() - (MESSAGES - i) / A_DAY * 86_400_000);
		if (i % 20 === 0) yield { type: 'chat', chatId: `c${chats++}`, sessionId: `s${Math.floor(chats / 2)}`, location: 'Fort Myers, Florida, US', userAgent: 'iPhone Mobile', timestamp: at.toISOString() };
		const which = chats - 1 - random(Math.min(50, chats));
		yield { type: 'message', chatId: `c${which}`, role: i % 2 ? 'assistant' : 'user', content: `The beach of ${i} is open until sunset, and there is ${'sun and sea '.repeat(random(12))}`, messageId: `m${i}`, timestamp: at.toISOString() };
		if (i % 60 === 2) yield { type: 'article_view', articleId: `a${random(400)}`, articleSlug: 'a', sessionId: `s${Math.floor(which / 2)}`, timestamp: at.toISOString() };
		if (i % 100 === 4) yield { type: 'visitor', email: `v${i}@example.com`, metadata: { season: 'Winter' }, timestamp: at.toISOString() };
	}
}

async function fill(house, key) {
	const source = events();
	for (let items = []; ; items = []) {
		for (let next; items.length < 1000 && !(next = source.next()).done;) items.push(next.value);
		if (items.length === 0) return;
		const { errors } = await post(house, key, '/api/batch', items);
		if (errors.length > 0) throw new Error(`filling failed: ${JSON.stringify(errors[0])}`);
	}
}

// One message after the other, as long as something else goes on: milliseconds each, sorted.
async function neighbor(house, key, work) {
	const times = [];
	let done = false;
	const finished = work.finally(() => { done = true; });
	while (!done) {
		const from = performance.now();
		await post(house, key, '/api/chats/message', { chatId: 'neighbor', role: 'user', content: 'hello' });
		times.push(performance.now() - from);
	}
	await finished;
	return times.sort((a, b) => a - b);
}
const at = (times, share) => times[Math.floor(share * (times.length - 1))].toFixed(1);

function say(engine, what, rows, milliseconds, bytes) {
	console.log(`${engine.padEnd(12)}${what.padEnd(44)}${number(rows).padStart(10)}${(milliseconds / 1000).toFixed(2).padStart(10)}${number(rows / milliseconds * 1000).padStart(12)}${bytes ? `${(bytes / 1e6).toFixed(0)} MB`.padStart(10) : ''}`);
}
async function timed(work) {
	const from = performance.now();
	const answer = await work();
	return { answer, milliseconds: performance.now() - from };
}

// Out of a house and into another of the engine, out of that, and away.
async function measure(engine, makeDatabase, file) {
	const database = makeDatabase(folder, 'moved');
	const house = await start(database, 'moved');
	const { api_key: key } = await order(house, '', { organization_name: 'Neighbor' });
	await post(house, key, '/api/chats/create', { sessionId: 's', chatId: 'neighbor' });
	const alone = await neighbor(house, key, setTimeout(3000));
	const coming = timed(() => order(house, '/import', { path: file }));
	const beside = await neighbor(house, key, coming);
	const { answer, milliseconds } = await coming;
	say(engine, 'import', answer.rows, milliseconds);
	const out = join(folder, `${engine}.organization`);
	const exported = await timed(() => exportOf(house, answer.slug, out));
	say(engine, 'export', exported.answer.rows, exported.milliseconds, statSync(out).size);
	const going = timed(() => order(house, '/delete', { slug: answer.slug, confirm: answer.slug }));
	const meanwhile = await neighbor(house, key, going);
	const gone = await going;
	const rows = Object.values(gone.answer.erased).reduce((sum, count) => sum + count, 0);
	say(engine, 'delete', rows, gone.milliseconds);
	console.log(`${engine.padEnd(12)}a neighbor's message, ms (median, p99, most)   alone ${at(alone, 0.5)} ${at(alone, 0.99)} ${at(alone, 1)}   import ${at(beside, 0.5)} ${at(beside, 0.99)} ${at(beside, 1)}   delete ${at(meanwhile, 0.5)} ${at(meanwhile, 0.99)} ${at(meanwhile, 1)}`);
	await stop(house);
	rmSync(out);
}

try {
	// The engine is chosen by the environment where that is read: once for each.
	const engines = [];
	for (const name of ['', 'postgres']) {
		process.env.BENCH_ENGINE = name;
		engines.push(await import(`./engine.mjs?${name}`));
	}
	const database = engines[0].makeDatabase(folder, 'source');
	const house = await start(database, 'source');
	const made = await order(house, '', { organization_name: 'Moving' });
	await fill(house, made.api_key);
	console.log(`${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${cpus()[0].model.trim()}, ${number(MESSAGES)} messages in ${number(CHATS)} chats\n`);
	console.log(`${''.padEnd(56)}${'rows'.padStart(10)}${'seconds'.padStart(10)}${'rows a s'.padStart(12)}`);
	const file = join(folder, 'file.organization');
	await exportOf(house, made.slug, file);
	await stop(house);
	try {
		for (const { engine, makeDatabase } of engines) await measure(engine, makeDatabase, file);
	} finally {
		for (const { end } of engines) end();
	}
} finally {
	rmSync(folder, { recursive: true, force: true });
}
