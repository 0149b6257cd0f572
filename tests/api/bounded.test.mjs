// Lists and searches that have to go past thousands of chats before they find one, or none: each page does a bounded amount of
// work and says where the next one goes on; all pages together are what a walk through everything finds.
import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import { fresh, openHouse, postgres, until } from "./harness.mjs";

// A page walks fewer rows of a remote database, so that fewer are far away there.
const CHATS = postgres ? 1500 : 6000;
const MESSAGES = postgres ? 10 : 20; // of a chat
const LONG = postgres ? 2000 : 20000; // of one chat in the middle
const SEED = Number(process.env.SEED ?? 20261124);

let state = SEED;
function random(limit) {
	state = (Math.imul(state, 1103515245) + 12345) >>> 0;
	return Math.floor(state / 4294967296 * limit);
}

let house;
let organization;
const chats = []; // as they were made: {chatId, status, score, sentiment, contents}

const batch = async (items) => {
	for (let i = 0; i < items.length; i += 1000) {
		const answer = await house.post(organization.api_key, "/api/batch", items.slice(i, i + 1000));
		assert.equal(answer.status, 207);
		assert.deepEqual(answer.json.errors, []);
	}
};

const settled = () => until(async () => /^innkeeper_search_lag_messages 0$/m.test((await house.get("/metrics")).text), "the index has caught up", 120_000);

function events(chat) {
	const { chatId, status, score, sentiment, contents } = chat;
	return [
		{ type: "chat", sessionId: chatId, chatId, status, metadata: score === undefined ? {} : { leadScore: score, sentiment } },
		...contents.map((content, i) => ({ type: "message", chatId, role: i % 2 ? "assistant" : "user", content })),
	];
}

// "rent" and "swim" stand in every chat, and in one message of a few; the rarest of all is in the oldest chats.
function makeChat(i) {
	const rare = i === 3 || random(CHATS / 4) === 0;
	const contents = Array.from({ length: i === CHATS / 2 ? LONG : MESSAGES }, (_, at) => at % 2 ? "swim here" : "rent here");
	if (rare || i === CHATS - 1) contents[random(MESSAGES)] = "rent and swim at once";
	if (i === CHATS / 2) contents[LONG / 2] = "rent and swim at once";
	if (i === 7) contents[5] = "the zeppelin is for rent";
	return { chatId: fresh("chat"), status: rare ? "completed" : "active", ...(rare || i === 11 ? { score: 9, sentiment: "negative" } : {}), contents };
}

before(async () => {
	console.log(`seed ${SEED}`);
	house = await openHouse();
	organization = await house.organization("Bounded");
	organization.browser = await house.member(organization, "Member");
	for (let i = 0; i < CHATS; i++) chats.push(makeChat(i));
	await batch(chats.flatMap(events));
	await settled();
});
after(() => house.end());

// By the naive way, newest first.
const expected = (passes) => chats.filter(passes).map(({ chatId }) => chatId).reverse();
const says = (...words) => ({ contents }) => contents.some((content) => words.every((word) => content.split(" ").some((one) => one.startsWith(word))));

async function pages(path, between = async () => {}) {
	const all = [];
	for (let at = path; at !== undefined; await between(all.length)) {
		const answer = await organization.browser.get(at);
		assert.equal(answer.status, 200, answer.text);
		all.push(answer.json.map(({ chat_id }) => chat_id));
		at = /^<([^>]*)>; rel="next"$/.exec(answer.headers.link ?? "")?.[1];
		assert.ok(all.length < 2000, "the pages end");
	}
	return all;
}

const cases = [
	["two common words that are rarely in one message", "q=rent+swim", says("rent", "swim")],
	["the same, and one is still typed", "q=swim+ren", says("rent", "swim")],
	["common words of rare chats", "q=here&status=completed", (chat) => chat.status === "completed"],
	["common words of chats that are not there", "q=rent+here&status=abandoned", () => false],
	["words that meet in no message", "q=zeppelin+swim", () => false],
	["words that meet in the oldest messages", "q=rent+zeppelin", says("zeppelin")],
	["words and filters that meet nowhere", "q=rent+swim&sentiment=positive", () => false],
	["a rare status", "status=completed", (chat) => chat.status === "completed"],
	["a status that no chat has", "status=abandoned", () => false],
	["a rare score", "min_lead_score=8", (chat) => chat.score === 9],
	["a rare sentiment", "sentiment=negative", (chat) => chat.sentiment === "negative"],
	["a rare score in a range of time", "min_lead_score=8&from=2020-01-01&to=2100-01-01", (chat) => chat.score === 9],
];

for (const [label, query, passes] of cases) {
	test(`all pages of ${label} are what is there, each once`, async () => {
		for (const limit of [2, 1000]) assert.deepEqual((await pages(`/api/chats?${query}&limit=${limit}`)).flat(), expected(passes), `limit ${limit}`);
	});
	test(`a CSV of ${label} is whole`, async () => {
		const { status, text } = await organization.browser.get(`/api/chats?${query}&format=csv`);
		assert.equal(status, 200);
		const [names, ...rows] = text.trimEnd().split("\r\n");
		assert.equal(names.split(",")[1], "chat_id");
		assert.deepEqual(rows.map((row) => row.split(",")[1]), expected(passes));
	});
}

test("what is far away takes several pages, and some of them are empty", async () => {
	// PostgreSQL finds two words at once, and walks through what it has found.
	for (const query of [postgres ? "q=rent+here&status=abandoned" : "q=rent+swim&sentiment=positive", "status=abandoned"]) {
		const all = await pages(`/api/chats?${query}`);
		assert.ok(all.length > 1, `${query}: ${all.length} pages`);
		assert.ok(all.every((page) => page.length === 0), query);
	}
});

test("a rare word is found at once, and so are common ones", async () => {
	assert.deepEqual(await pages("/api/chats?q=zeppelin"), [[chats[7].chatId]]);
	assert.deepEqual(await pages("/api/chats?q=submarine"), [[]]);
	assert.equal((await organization.browser.get("/api/chats?q=rent+here&limit=2")).json.length, 2);
});

// Last, for it adds to what is there.
test("pages hold still while chats arrive", async () => {
	const late = async (count) => {
		if (count > (postgres ? 5 : 20)) return;
		await batch(events({ chatId: fresh("late"), status: ["completed", "abandoned"][count % 2], score: 9, sentiment: ["negative", "positive"][count % 2], contents: ["rent and swim at once", "zeppelin swim rent here"] }));
		await settled();
	};
	for (const [label, query, passes] of cases) {
		const before = new Set((await pages(`/api/chats?${query}`)).flat());
		const seen = (await pages(`/api/chats?${query}&limit=2`, late)).flat();
		assert.equal(new Set(seen).size, seen.length, `${label}: none twice`);
		assert.deepEqual(seen.filter((chatId) => !chatId.startsWith("late")), expected(passes), label);
		assert.deepEqual(seen, [...before], `${label}: what was there, and nothing else`);
	}
});
