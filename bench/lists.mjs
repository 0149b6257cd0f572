// What lists and searches cost behind two million messages, and what dashboards cost the ingestion beside them. Called by
// figures.mjs, whose database this is.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { setTimeout } from 'node:timers/promises';

const SECONDS = 61;  // of ingestion, a measurement: pairs of turns with dashboards and without, and a second to begin
const TURN = 1000;   // ms
const PAUSE = 5000;  // ms between two reloads of a dashboard somebody looks at
const DASHBOARDS = 8;
const CONNECTIONS = 64; // of the ingestion

// Words of a hotel's guests, some oftener than others; `ask` below knows what each message holds.
const syllables = ['ba', 'ce', 'di', 'fo', 'gu', 'la', 'me', 'ni', 'po', 'ru', 'sta', 'the', 'vi', 'wo', 'xu'];
const word = (number) => [number % 15, number / 15 % 15, number / 225 % 15].map((at) => syllables[Math.floor(at)]).join('');
export function saying(chat, message, random) {
	const some = () => word(Math.min(random(3375), random(3375), random(3375)));
	return `Where can we ${message % 2 ? 'swim' : 'rent'} ${some()} ${some()} near the ${some()} beach?${chat % 100 === 0 ? ' At the lighthouse.' : ''}`;
}

const asked = [
	['chats', '/api/chats?limit=50'],
	['visitors', '/api/visitors?limit=50'],
	['search: a word of every message', '/api/chats?limit=50&q=where+'],
	['search: of every hundredth chat', '/api/chats?limit=50&q=lighthouse'],
	['search: of none', '/api/chats?limit=50&q=zeppelin'],
	['search: two of every message', '/api/chats?limit=50&q=beach+where'],
	['search: of every message and of every hundredth', '/api/chats?limit=50&q=where+lighthouse'],
	['search: two beginnings of words', '/api/chats?limit=50&q=lighthouse+whe'],
	['search: a beginning of two letters', '/api/chats?limit=50&q=wh'],
	['search: two of every chat, never of one message', '/api/chats?limit=50&q=rent+swim'],
	['search: of every message, of a status none has', '/api/chats?limit=50&q=where+&status=abandoned'],
	['chats of a status none has', '/api/chats?limit=50&status=abandoned'],
	['chats of a score none has', '/api/chats?limit=50&min_lead_score=10'],
];
// Of these nothing is found: from the first page to the last, as Link leads.
const endless = asked.filter(([label]) => / never | none has/.test(label));

// `measure` gives the server's own milliseconds, sorted; `follow` those of all pages from an address on.
export async function lists(measure, follow) {
	console.log(`\n${'first page of 50, ms at the server'.padEnd(52)}${'median'.padStart(14)}${'p99'.padStart(14)}`);
	for (const [label, path] of asked) {
		const took = await measure(path);
		console.log(label.padEnd(52) + [took[took.length >> 1], took[Math.floor(took.length * 0.99)]].map((ms) => ms.toFixed(3).padStart(14)).join(''));
	}
	console.log(`\n${'from page to page, until nothing is left'.padEnd(52)}${'pages'.padStart(14)}${'median ms'.padStart(14)}${'longest'.padStart(14)}`);
	for (const [label, path] of endless) {
		const took = await follow(path);
		console.log(label.padEnd(52) + String(took.length).padStart(14) + [took[took.length >> 1], took.at(-1)].map((ms) => ms.toFixed(3).padStart(14)).join(''));
	}
}

function ingest(port, key, chats) {
	const child = spawn('wrk', ['-t1', `-c${CONNECTIONS}`, `-d${SECONDS}`, '-s', 'bench/message.lua', `http://127.0.0.1:${port}`],
		{ env: { ...process.env, BENCH_KEY: key, BENCH_CHATS: chats, BENCH_ACTIVE: 1000 } });
	let said = '';
	child.stdout.on('data', (text) => { said += text; });
	child.stderr.on('data', (text) => { said += text; });
	return once(child, 'exit').then(() => {
		const found = /RESULT (\d+) ([\d.]+) ([\d.]+) (\d+)/.exec(said);
		if (!found || found[4] !== '0') throw new Error(said);
	});
}

// Messages that the server has made durable so far. On a connection of its own: the dashboards' are busy.
async function stored(port) {
	const [response] = await once(http.get({ port, path: '/metrics', agent: false }), 'response');
	let text = '';
	for await (const piece of response) text += piece;
	return Number(/^innkeeper_batch_items_sum\S* (\d+)/m.exec(text)[1]);
}

// Eight people's browsers, each loading everything a dashboard shows, and again after a pause; until the function that
// comes back is called. `took` gets the ms of each reload.
function dashboards(load, pause, took) {
	const stopping = new AbortController();
	const rest = (ms) => setTimeout(ms, undefined, { signal: stopping.signal }).catch(() => {});
	const browse = async (at) => {
		await rest(pause * at / DASHBOARDS);
		while (!stopping.signal.aborted) {
			const began = performance.now();
			await load();
			if (!stopping.signal.aborted) took.push(performance.now() - began);
			await rest(pause);
		}
	};
	const all = Promise.all(Array.from({ length: DASHBOARDS }, (_, at) => browse(at)));
	return () => {
		stopping.abort();
		return all;
	};
}

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1] ?? 0;

// Ingestion goes on all the time, and the dashboards come and go every second: a machine's own changes are slower than
// that, and fall upon both alike. A turn with dashboards is compared with those before and behind it.
async function turns({ port, key, chats, load }, pause) {
	const rates = [];
	const took = [];
	const wrk = ingest(port, key, chats);
	const until = performance.now() + (SECONDS - 3) * 1000;
	await setTimeout(1000);
	for (let beside = false; performance.now() < until || beside; beside = !beside) {
		const end = beside ? dashboards(load, pause, took) : async () => {};
		await setTimeout(100); // until what the last turn left is over
		const [before, began] = [await stored(port), performance.now()];
		await setTimeout(TURN);
		rates.push((await stored(port) - before) / (performance.now() - began) * 1000);
		await end();
	}
	await wrk;
	const alone = rates.filter((_, at) => at % 2 === 0);
	const beside = rates.filter((_, at) => at % 2 === 1);
	const shares = beside.slice(0, alone.length - 1).map((rate, at) => rate * 2 / (alone[at] + alone[at + 1]));
	return { alone: median(alone), beside: median(beside), share: median(shares), reloads: took.length / beside.length / (TURN + 100) * 1000, took: median(took) };
}

export async function beside(given) {
	console.log(`\n${'messages a second, 64 connections'.padEnd(44)}${['alone', 'beside', 'of alone', 'reloads a s', 'ms a reload'].map((cell) => cell.padStart(12)).join('')}`);
	for (const [label, pause] of [['eight dashboards, 5 s between two reloads', PAUSE], ['eight dashboards that never rest', 0]]) {
		const { alone, beside, share, reloads, took } = await turns(given, pause);
		const cells = [Math.round(alone).toLocaleString('en-US'), Math.round(beside).toLocaleString('en-US'), `${Math.round(share * 100)} %`, reloads.toFixed(1), took.toFixed(0)];
		console.log(label.padEnd(44) + cells.map((cell) => cell.padStart(12)).join(''));
	}
}
