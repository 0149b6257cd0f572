// What the dashboard's figures cost: the same routes at ten thousand messages and at two million, and five years of days
// against five; then lists, searches, and ingestion beside dashboards (lists.mjs). Times are the server's own, from its log.
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { end, engine, makeDatabase } from './engine.mjs';
import { settle } from './settle.mjs';
import { beside, lists, saying } from './lists.mjs';

const FEW = Number(process.env.BENCH_FEW ?? 10_000);
const MESSAGES = Number(process.env.BENCH_MESSAGES ?? 2_000_000);
const ASKED = 2000; // times each: what is left between two medians are a few parts of a hundred
const YEARS = 5 * 365.25 * 86_400_000;
const SEASON = 90 * 86_400_000; // of the ten thousand: on each day that a range by default has, something happens
const innkeeper = 'build/innkeeper';
const folder = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), 'innkeeper-figures-'));
const password = 'correct horse battery';

let seed = 12345;
function random(limit) {
	seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
	return Math.floor(seed / 4294967296 * limit);
}

// A server with a database of its own, an organization in it and somebody who has signed in.
async function start(name) {
	const database = makeDatabase(folder, name);
	const said = join(folder, `${name}.log`);
	const to = openSync(said, 'w');
	const child = spawn(innkeeper, ['serve', '--database', database, '--listen', '127.0.0.1:0'], { stdio: ['ignore', to, to] });
	closeSync(to);
	const lines = () => readFileSync(said, 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line));
	const verb = (words, input) => JSON.parse(execFileSync(innkeeper, [...words, '--database', database], { input }));
	let ready;
	while (child.exitCode === null && !(ready = lines().find(({ message }) => message === 'ready'))) await setTimeout(5);
	if (!ready) throw new Error(readFileSync(said, 'utf8'));
	const { port } = ready;
	const { api_key: key, slug } = verb(['organization', 'create', 'Bench']);
	verb(['user', 'create', '--organization', slug, '--email', 'bench@example.com', '--role', 'Member', '--password-stdin'], `${password}\n`);
	const login = await ask(port, 'POST', '/api/auth/login', { 'content-type': 'application/json' }, JSON.stringify({ email: 'bench@example.com', password }));
	return { child, port, database, key, cookie: login.headers['set-cookie'][0].split(';')[0], lines, verb };
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
function ask(port, method, path, headers, body) {
	return new Promise((resolve, reject) => {
		const request = http.request({ port, method, path, headers, agent }, (response) => {
			const chunks = [];
			response.on('data', (chunk) => chunks.push(chunk));
			response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text: Buffer.concat(chunks).toString() }));
		});
		request.on('error', reject);
		request.end(body);
	});
}

// A hotel's five years: of twenty messages one begins a chat, a few mention, view, click or register.
const cities = ['Fort Myers, Florida, US', 'Berlin, Berlin, Germany', 'London, England, UK', 'Naples, Florida, USA', 'unknown'];
const now = Date.now();
const times = [];
function chat(ago) {
	times.push(Math.round(now - ago));
	return { type: 'chat', chatId: `bench-${times.length}`, sessionId: `s${times.length - random(3)}`, location: cities[random(cities.length)],
		userAgent: random(2) ? 'iPhone Mobile' : 'X11; Linux', timestamp: new Date(times.at(-1)).toISOString() };
}

// In the order of their time, as they come to a server that lives five years; the later ones beside the first.
function* events(count, span) {
	for (let i = 0; i < count; i++) {
		if (i % 20 === 0) yield chat((1 - i / count) * span);
		const which = times.length - 1 - random(Math.min(50, times.length));
		const timestamp = new Date(times[which] + random(3_600_000)).toISOString();
		yield { type: 'message', chatId: `bench-${which + 1}`, role: i % 2 ? 'assistant' : 'user', content: saying(which, i, random), timestamp };
		const article = { id: `a${random(400)}`, title: 'An article', slug: 'an-article' };
		const url = `https://example.com/${random(2000)}`;
		if (i % 40 === 1) yield { type: 'article_mention', articles: [article], chatId: `bench-${which + 1}`, timestamp };
		if (i % 60 === 2) yield { type: 'article_view', articleId: article.id, articleSlug: article.slug, sessionId: `s${which}`, timestamp };
		if (i % 80 === 3) yield { type: 'web_mentions', mentions: [{ url }], sessionId: `s${which}`, chatId: `bench-${which + 1}`, timestamp };
		if (i % 160 === 3) yield { type: 'web_click', articleUrl: url, sessionId: `s${which}`, timestamp };
		if (i % 200 === 4) yield { type: 'visitor', email: `v${i}-${which}@example.com`, metadata: { season: ['Winter', 'Spring'][random(2)], preferences: [`P${random(30)}`] }, timestamp };
	}
}

async function fill(port, key, count, span) {
	const source = events(count, span);
	const started = performance.now();
	let sent = 0;
	for (let items = []; ; items = []) {
		for (let next; items.length < 1000 && !(next = source.next()).done;) items.push(next.value);
		if (items.length === 0) break;
		sent += items.length;
		const answer = await ask(port, 'POST', '/api/batch', { 'x-api-key': key }, JSON.stringify(items));
		const { errors } = JSON.parse(answer.text);
		if (answer.status !== 207 || errors.length > 0) throw new Error(`filling failed: ${answer.text.slice(0, 500)}`);
	}
	return Math.round(sent / (performance.now() - started) * 1000);
}

const routes = ['summary-metrics', 'user-activity', 'event-totals', 'conversion-rates', 'user-composition', 'interests'];

async function get({ port, cookie }, path) {
	const answer = await ask(port, 'GET', path, { cookie });
	if (answer.status !== 200) throw new Error(`${path}: ${answer.text}`);
	return answer;
}

// The servers' own milliseconds for one address, sorted, of each server. They take turns, so that whatever else the machine
// does falls upon all alike.
async function measure(servers, path) {
	const route = path.split('?')[0];
	const before = servers.map(({ lines }) => lines().filter((line) => line.route === route).length);
	for (let i = 0; i < ASKED; i++) for (const server of servers) await get(server, path);
	return Promise.all(servers.map((server, at) => logged(server, route, before[at], ASKED)));
}

// The same of one page after the other.
async function follow(server, path) {
	const route = path.split('?')[0];
	const before = server.lines().filter((line) => line.route === route).length;
	let pages = 0;
	for (let at = path; at !== undefined; pages++)
		at = /^<([^>]*)>; rel="next"$/.exec((await get(server, at)).headers.link ?? '')?.[1];
	return logged(server, route, before, pages);
}

async function logged({ lines }, route, before, count) {
	let took;
	do {
		await setTimeout(20); // the log gathers lines
		took = lines().filter((line) => line.route === route).slice(before).map(({ milliseconds }) => milliseconds);
	} while (took.length < count);
	return took.sort((a, b) => a - b);
}

const print = (...cells) => console.log(cells.map((cell, i) => i === 0 ? cell.padEnd(52) : String(cell).padStart(14)).join(''));

async function stop({ child }) {
	child.kill('SIGTERM');
	if (child.exitCode === null) await once(child, 'exit');
}

async function main() {
	const servers = [];
	try {
		for (const name of ['few', 'many']) servers.push(await start(name));
		const [few, many] = servers;
		const paths = [...routes.map((name) => `/api/analytics/${name}`), ...['summary-metrics', 'conversion-rates', 'user-composition'].flatMap((name) => [5, 1826].map((days) => `/api/analytics/${name}?days=${days}`)),
			'/api/articles/stats'];
		await fill(few.port, few.key, FEW, SEASON);
		times.length = 0;
		const rate = await fill(many.port, many.key, MESSAGES, YEARS);
		await settle(few.port, few.database);
		const index = await settle(many.port, many.database);
		print(`median ms at the server, ${engine}`, FEW.toLocaleString('en-US'), MESSAGES.toLocaleString('en-US'), 'times');
		for (const path of paths) {
			const [small, large] = (await measure(servers, path)).map((took) => took[ASKED >> 1]);
			print(path, small.toFixed(3), large.toFixed(3), (large / small).toFixed(2));
		}
		await stop(few);
		console.log(`\nfilled with ${rate.toLocaleString('en-US')} events a second in batches; then ${index.behind.toLocaleString('en-US')} messages were indexed, ${index.rate.toLocaleString('en-US')} a second`);
		await lists(async (path) => (await measure([many], path))[0], (path) => follow(many, path));
		const reload = [...routes.map((name) => `/api/analytics/${name}`), '/api/articles/stats', '/api/chats?limit=50', '/api/visitors?limit=50'];
		const load = () => Promise.all(reload.map((path) => get(many, path)));
		await beside({ port: many.port, key: many.key, chats: times.length, load });
		const began = performance.now();
		const { rows, result } = many.verb(['verify']);
		console.log(`${rows.toLocaleString('en-US')} rows counted again in ${((performance.now() - began) / 1000).toFixed(1)} s: ${result}`);
	} finally {
		for (const server of servers) await stop(server);
		agent.destroy();
	}
}

try {
	await main();
} finally {
	end();
	rmSync(folder, { recursive: true, force: true });
}
