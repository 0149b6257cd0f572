// What lists and searches cost behind two million messages, and what dashboards cost the ingestion beside them. Called by
// figures.mjs, whose database this is.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';

const SECONDS = 8;   // of ingestion, a measurement
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

async function ingest(port, key, chats) {
	const child = spawn('wrk', ['-t1', `-c${CONNECTIONS}`, `-d${SECONDS}`, '-s', 'bench/message.lua', `http://127.0.0.1:${port}`],
		{ env: { ...process.env, BENCH_KEY: key, BENCH_CHATS: chats, BENCH_ACTIVE: 1000 } });
	let said = '';
	child.stdout.on('data', (text) => { said += text; });
	child.stderr.on('data', (text) => { said += text; });
	await once(child, 'exit');
	const found = /RESULT (\d+) ([\d.]+) ([\d.]+) (\d+)/.exec(said);
	if (!found || found[4] !== '0') throw new Error(said);
	return Number(found[1]);
}

// Eight people's browsers, each loading everything a dashboard shows, and again after a pause.
function dashboards(load, pause) {
	const stopping = new AbortController();
	let reloads = 0;
	const browse = async (at) => {
		await setTimeout(pause * at / DASHBOARDS);
		while (!stopping.signal.aborted) {
			await load();
			reloads++;
			await setTimeout(pause, undefined, { signal: stopping.signal }).catch(() => {});
		}
	};
	const all = Promise.all(Array.from({ length: DASHBOARDS }, (_, at) => browse(at)));
	return async () => {
		stopping.abort();
		await all;
		return reloads;
	};
}

// Alone and beside, twice in turns, for no two moments of a machine are alike.
export async function beside({ port, key, chats, load }) {
	const rows = [['alone'], ['eight dashboards, 5 s between two reloads', PAUSE], ['eight dashboards that never rest', 0]].map(([label, pause]) => ({ label, pause, rates: [], reloads: 0 }));
	for (let turn = 0; turn < 2; turn++) {
		for (const row of rows) {
			const end = row.pause === undefined ? async () => 0 : dashboards(load, row.pause);
			row.rates.push(await ingest(port, key, chats));
			row.reloads += await end();
		}
	}
	console.log(`\n${'messages a second, 64 connections'.padEnd(52)}${'per second'.padStart(14)}${'of alone'.padStart(14)}${'reloads a s'.padStart(14)}`);
	const mean = ({ rates }) => rates.reduce((sum, rate) => sum + rate) / rates.length;
	for (const row of rows)
		console.log(row.label.padEnd(52) + Math.round(mean(row)).toLocaleString('en-US').padStart(14) + `${Math.round(mean(row) / mean(rows[0]) * 100)} %`.padStart(14) + (row.reloads / SECONDS / 2).toFixed(1).padStart(14));
}
