// The dashboard's figures, on what the test sent and counts by itself: in zones of every kind, around a change of clocks,
// with events that come late and in any order, and while the time zone changes. After each, `verify` finds nothing.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertError, fresh, openHouse, sanitized, until } from "./harness.mjs";

const DAY = 86400000;
const SEED = Number(process.env.INNKEEPER_SEED ?? Date.now() % 2 ** 31);
let house;

before(async () => {
	house = await openHouse();
});
after(() => house.end());

// mulberry32, https://github.com/cprosche/mulberry32
function seeded(seed) {
	let state = seed >>> 0;
	return (below) => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * below);
	};
}

const known = new Map(); // by zone: how it writes a day, and the days it has written
function dayIn(zone, time) {
	if (!known.has(zone)) known.set(zone, { format: new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }), days: new Map() });
	const { format, days } = known.get(zone);
	if (!days.has(time)) days.set(time, format.format(time));
	return days.get(time);
}
const plus = (day, days) => new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY).toISOString().slice(0, 10);
const distinct = (list) => new Set(list).size;
const percent = (part, whole) => (whole === 0 ? 0 : Math.floor((part * 1000) / whole + 0.5) / 10);

// A hotel of its own: what it was told, and a browser that asks.
class Guest {
	static async open() {
		const guest = new Guest();
		guest.organization = await house.organization();
		guest.key = guest.organization.api_key;
		guest.browser = await house.member(guest.organization, "Admin");
		guest.zone = "UTC";
		Object.assign(guest, { chats: [], messages: [], mentions: [], views: [], clicks: [], visitors: [] });
		return guest;
	}

	async changeZone(zone) {
		await this.browser.ok("PUT", "/api/settings", { time_zone: zone });
		await until(async () => (await this.browser.ok("GET", "/api/settings")).figures_being_counted === null);
		this.zone = zone;
	}

	async send(items) {
		for (let from = 0; from < items.length; from += 500) {
			const answer = await house.post(this.key, "/api/batch", items.slice(from, from + 500));
			assert.equal(answer.status, 207, answer.text);
			assert.deepEqual(answer.json.errors, []);
		}
	}

	// Events about `middle`, in any order; each remembered as it will have to be counted.
	events(random, count, middle) {
		const items = [];
		const time = () => middle + (random(60) - 30) * DAY + random(DAY);
		const stamp = (at) => new Date(at).toISOString();
		for (let i = 0; i < count; i++) {
			const at = time();
			const session = `s${random(25)}`;
			const kind = random(12);
			if (kind < 3 || this.chats.length === 0) {
				const chat = { id: fresh("chat"), session, at, ...places[random(places.length)], ...devices[random(devices.length)] };
				this.chats.push(chat);
				items.push({ type: "chat", chatId: chat.id, sessionId: session, location: chat.location, userAgent: chat.userAgent, timestamp: stamp(at) });
			} else if (kind < 8) {
				const chat = this.chats[random(this.chats.length)];
				const role = random(3) ? "user" : "assistant";
				if (role === "user") this.messages.push({ chat, at });
				items.push({ type: "message", chatId: chat.id, role, content: "Hello", timestamp: stamp(at) });
			} else if (kind === 8) {
				const article = `a${random(9)}`;
				this.mentions.push({ article, at });
				items.push({ type: "article_mention", articles: [{ id: article, title: `Title ${article}`, slug: article }], timestamp: stamp(at) });
			} else if (kind === 9) {
				const article = `a${random(9)}`;
				const known = random(4) > 0;
				this.views.push({ article, at, session: known ? session : undefined });
				items.push({ type: "article_view", articleId: article, articleSlug: article, articleTitle: `Title ${article}`, sessionId: known ? session : undefined, timestamp: stamp(at) });
			} else if (kind === 10) {
				const url = `https://example.com/${fresh("page")}`;
				const chatId = random(3) ? `c${random(12)}` : undefined;
				items.push({ type: "web_mentions", sessionId: session, chatId, mentions: [{ url }], timestamp: stamp(time()) });
				if (random(3) === 0) continue;
				this.clicks.push({ session, chat: chatId, at });
				items.push({ type: "web_click", articleUrl: url, sessionId: session, timestamp: stamp(at) });
				items.push({ type: "web_click", articleUrl: url, sessionId: session, timestamp: stamp(time()) }); // counts no more
			} else {
				const visitor = { at, ...tastes[random(tastes.length)] };
				this.visitors.push(visitor);
				items.push({ type: "visitor", email: `${fresh("guest")}@example.com`, metadata: visitor.metadata, timestamp: stamp(at) });
			}
		}
		return items;
	}

	within(list, range) {
		if (range === undefined) return list;
		return list.filter(({ at }) => dayIn(this.zone, at) >= range.from && dayIn(this.zone, at) <= range.to);
	}

	figures(range) {
		const [chats, messages, mentions, views, clicks, visitors] = [this.chats, this.messages, this.mentions, this.views, this.clicks, this.visitors].map((list) => this.within(list, range));
		return {
			chats, messages, mentions, views, clicks, visitors,
			sessions: distinct(chats.map(({ session }) => session)),
			engaged: distinct(messages.map(({ chat }) => chat.id)),
			sent: distinct(messages.map(({ chat }) => chat.session)),
			places: distinct([...mentions, ...views].map(({ article }) => article)),
			sessionsViewed: distinct(views.map(({ session }) => session).filter(Boolean)),
			sessionsClicked: distinct(clicks.map(({ session }) => session)),
			chatsClicked: distinct(clicks.map(({ chat }) => chat).filter(Boolean)),
		};
	}

	summary(range) {
		const of = this.figures(range);
		return {
			totalChats: of.chats.length, totalMessages: of.messages.length, totalVisitors: of.visitors.length,
			totalArticleClicks: of.clicks.length, totalArticleViews: of.views.length, totalPlacesTracked: of.places,
			engagedChats: of.engaged, uniqueSessions: of.sessions,
		};
	}

	series(range, value) {
		const rows = [];
		for (let day = range.from; day <= range.to; day = plus(day, 1)) {
			const date = new Date(`${day}T00:00:00Z`).toLocaleDateString("en-US", { month: "short", day: "numeric", timeZone: "UTC" });
			rows.push({ date, day, value: value(this.figures({ from: day, to: day })) });
		}
		return rows;
	}

	activity(range) {
		return {
			uniqueUsers: this.series(range, (of) => of.sessions),
			chatMessages: this.series(range, (of) => of.sent),
			registrations: this.series(range, (of) => of.visitors.length),
		};
	}

	totals(range) {
		return {
			chatMessages: this.series(range, (of) => of.messages.length),
			articleClicks: this.series(range, (of) => of.clicks.length),
			articleViews: this.series(range, (of) => of.views.length),
		};
	}

	conversion(range) {
		const of = this.figures(range);
		const pair = (first, from, second, to) => ({ stages: [{ label: first, value: from }, { label: second, value: to }], conversionRate: percent(to, from) });
		return {
			sessionToEngagement: pair("Sessions Started", of.chats.length, "Sent Message", of.engaged),
			sessionToRegistration: pair("Sessions Started", of.sessions, "Registered (Newsletter)", of.visitors.length),
			sessionToClick: pair("Sessions Started", of.sessions, "Clicked Article", of.sessionsClicked),
			sessionToView: pair("Sessions Started", of.sessions, "Viewed Article Details", of.sessionsViewed),
			engagedToRegistration: pair("Engaged Users", of.engaged, "Registered (Newsletter)", of.visitors.length),
			engagedToClick: pair("Engaged Users", of.engaged, "Clicked Article", of.chatsClicked),
		};
	}

	facet(list, namesOf, whole, most = Infinity, rest = false) {
		const counts = new Map();
		for (const one of list) for (const name of new Set(namesOf(one))) counts.set(name, (counts.get(name) ?? 0) + 1);
		const sorted = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
		const other = sorted.slice(most).reduce((sum, [, value]) => sum + value, 0);
		const shown = sorted.slice(0, most);
		if (rest && other > 0) shown.push(["Other", other]);
		return shown.map(([name, value]) => ({ name, value, percentage: percent(value, whole).toFixed(1) }));
	}

	composition(range) {
		const { chats } = this.figures(range);
		return {
			totalChats: chats.length,
			devices: this.facet(chats, ({ device }) => [device], chats.length),
			cities: this.facet(chats, ({ city }) => (city ? [city] : []), chats.length, 15, true),
			countries: this.facet(chats, ({ country }) => (country ? [country] : []), chats.length),
		};
	}

	interests(range) {
		const interested = this.figures(range).visitors.filter(({ counts }) => counts);
		const facet = (name, most) => this.facet(interested, ({ counts }) => counts[name] ?? [], interested.length, most);
		return { totalVisitors: interested.length, seasons: facet("seasons"), travelerTypes: facet("types"), preferences: facet("preferences", 15), vibes: facet("vibes", 15) };
	}

	async check(random, ranges) {
		for (let i = 0; i < ranges; i++) {
			const middle = dayIn(this.zone, this.middle);
			const [from, to] = [plus(middle, random(70) - 35), plus(middle, random(70) - 35)].sort();
			const range = { from, to };
			const query = `?from=${from}&to=${to}`;
			const length = (Date.parse(to) - Date.parse(from)) / DAY + 1;
			const earlier = { from: plus(from, -length), to: plus(from, -1) };
			for (const [name, counted] of routes) {
				const wanted = counted(this, range);
				assert.deepEqual(await this.browser.ok("GET", `/api/analytics/${name}${query}`), wanted, `${name} ${query} in ${this.zone} (INNKEEPER_SEED=${SEED})`);
				const beside = await this.browser.ok("GET", `/api/analytics/${name}${query}&compare=previous`);
				assert.deepEqual(beside, { ...wanted, previous: counted(this, earlier) }, `${name} ${query} beside the days before`);
			}
		}
		for (const [name, counted, usual] of routes) {
			if (usual) continue;
			const wanted = counted(this, undefined);
			assert.deepEqual(await this.browser.ok("GET", `/api/analytics/${name}`), wanted, `${name} of all time`);
			assert.deepEqual((await this.browser.ok("GET", `/api/analytics/${name}?compare=previous`)).previous, null);
		}
		const audit = await house.verb("verify", "--organization", this.organization.slug);
		assert.deepEqual([audit.result, audit.organizations], ["exact", 1]);
	}
}

const routes = [
	["summary-metrics", (guest, range) => guest.summary(range), 0],
	["user-activity", (guest, range) => guest.activity(range), 90],
	["event-totals", (guest, range) => guest.totals(range), 90],
	["conversion-rates", (guest, range) => guest.conversion(range), 0],
	["user-composition", (guest, range) => guest.composition(range), 0],
	["interests", (guest, range) => guest.interests(range), 0],
];

const places = [
	{ location: "Fort Myers, Florida, US", city: "Fort Myers", country: "United States" },
	{ location: "Naples, Florida, usa", city: "Naples", country: "United States" },
	{ location: "London, England, UK", city: "London", country: "United Kingdom" },
	{ location: "Leeds, England, Great Britain", city: "Leeds", country: "United Kingdom" },
	{ location: " München , Bayern,Germany ", city: "München", country: "Germany" },
	{ location: "unknown" }, { location: "N/A" }, { location: "192.0.2.7" }, { location: "2001:db8::7" }, {},
	...Array.from({ length: 17 }, (_, i) => ({ location: `Town ${i}, Ohio, United States of America`, city: `Town ${i}`, country: "United States" })),
];
const devices = [
	{ userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148", device: "Mobile" },
	{ userAgent: "Mozilla/5.0 (iPad; CPU OS 16_0 like Mac OS X)", device: "Mobile" },
	{ userAgent: "Mozilla/5.0 (Linux; Android 14; SM-X200)", device: "Mobile" },
	{ userAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64)", device: "Desktop" },
	{ device: "Unknown" },
];
const tastes = [
	{},
	{ metadata: { other: 1, season: "", preferences: [], vibes: [7, null] } },
	{ metadata: { season: "Winter" }, counts: { seasons: ["Winter"] } },
	{ metadata: { season: { label: "Summer" }, travelerType: { name: "Family" } }, counts: { seasons: ["Summer"], types: ["Family"] } },
	{ metadata: { travelerType: "Solo", preferences: ["Beach", "Kayak", "Beach"] }, counts: { types: ["Solo"], preferences: ["Beach", "Kayak"] } },
	{ metadata: { travelerType: { value: "Couple" }, vibes: ["Calm", " Wild "] }, counts: { types: ["Couple"], vibes: ["Calm", "Wild"] } },
	...Array.from({ length: 18 }, (_, i) => ({ metadata: { preferences: [`P${i}`], vibes: [`V${i}`] }, counts: { preferences: [`P${i}`], vibes: [`V${i}`] } })),
];

// The middle of the events: both changes of New York's clocks, and ordinary days.
for (const [zone, middle] of [
	["UTC", "2026-06-01T00:00:00Z"],
	["America/New_York", "2026-03-08T07:00:00Z"],
	["America/New_York", "2025-11-02T06:00:00Z"],
	["Asia/Kathmandu", "2026-01-01T00:00:00Z"],
	["America/St_Johns", "2026-03-08T05:30:00Z"],
])
	test(`every figure is what was sent, in ${zone} about ${middle.slice(0, 10)}`, async () => {
		const random = seeded(SEED ^ Date.parse(middle));
		const guest = await Guest.open();
		guest.middle = Date.parse(middle);
		if (zone !== "UTC") await guest.changeZone(zone);
		await guest.send(guest.events(random, sanitized ? 300 : 600, guest.middle));
		await guest.check(random, 2);
		// The past, told late.
		await guest.send(guest.events(random, 100, guest.middle - 9 * DAY));
		await guest.check(random, 2);
	});

test("a change of the time zone counts anew, while events come, and old figures stand meanwhile", async () => {
	const random = seeded(SEED + 1);
	const guest = await Guest.open();
	guest.middle = Date.parse("2026-03-08T07:00:00Z");
	await guest.send(guest.events(random, 800, guest.middle));
	for (const zone of ["Asia/Kathmandu", "America/St_Johns", "UTC"]) {
		const settings = await guest.browser.ok("PUT", "/api/settings", { time_zone: zone });
		assert.equal(settings.time_zone, zone);
		await guest.send(guest.events(random, 200, guest.middle));
		await until(async () => (await guest.browser.ok("GET", "/api/settings")).figures_being_counted === null);
		guest.zone = zone;
		await guest.check(random, 1);
	}
	const nonsense = await guest.browser.request("PUT", "/api/settings", { body: { time_zone: "Mars/Olympus" } });
	assertError(nonsense, 400, "invalid_field", "time_zone");
	assert.equal((await guest.browser.ok("GET", "/api/settings")).time_zone, "UTC");
});

test("without days the series are the ninety that end today", async () => {
	const guest = await Guest.open();
	await guest.changeZone("Pacific/Kiritimati");
	const now = Date.now();
	await house.ok(guest.key, "/api/chats/create", { sessionId: "s", chatId: "c" });
	await house.ok(guest.key, "/api/chats/message", { chatId: "c", role: "user", content: "Hello" });
	const { uniqueUsers, chatMessages } = await guest.browser.ok("GET", "/api/analytics/user-activity");
	assert.equal(uniqueUsers.length, 90);
	assert.ok([dayIn(guest.zone, now), dayIn(guest.zone, Date.now())].includes(uniqueUsers.at(-1).day));
	assert.deepEqual([uniqueUsers.at(-1).value, chatMessages.at(-1).value], [1, 1]);
	const today = await guest.browser.ok("GET", "/api/analytics/summary-metrics?days=1");
	assert.deepEqual([today.totalChats, today.totalMessages, today.engagedChats], [1, 1, 1]);
	assert.equal((await guest.browser.ok("GET", "/api/analytics/event-totals?days=7")).chatMessages.length, 7);
});

test("what is said twice, refused, or merged is counted once", async () => {
	const guest = await Guest.open();
	const email = `${fresh("one")}@example.com`;
	const other = `${fresh("two")}@example.com`;
	await house.ok(guest.key, "/api/chats/create", { sessionId: "s", chatId: "c", location: "Rome, Lazio, Italy" });
	await house.ok(guest.key, "/api/chats/create", { sessionId: "t", chatId: "c", location: "Oslo, Oslo, Norway" });
	for (let i = 0; i < 2; i++) await house.ok(guest.key, "/api/chats/message", { chatId: "c", role: "user", content: "Hi", messageId: "m" });
	await house.ok(guest.key, "/api/visitors/identify", { email, metadata: { season: "Winter", preferences: ["Golf"] } });
	const { visitor_id } = await house.ok(guest.key, "/api/visitors/identify", { email: other, session_id: "s", metadata: { season: "Spring", vibes: ["Calm"] } });
	await house.ok(guest.key, "/api/visitors/identify", { email, visitor_id });
	const answer = await house.post(guest.key, "/api/batch", [
		{ type: "chat", sessionId: "u", chatId: "d" },
		{ type: "message", chatId: "nowhere", role: "user", content: "Hi" },
		{ type: "article_mention", articles: [{ id: "a", title: "A", slug: "a" }, { id: "a", title: "A", slug: "a" }] },
	]);
	assert.equal(answer.json.errors.length, 1);
	const summary = await guest.browser.ok("GET", "/api/analytics/summary-metrics");
	assert.deepEqual(summary, { totalChats: 2, totalMessages: 1, totalVisitors: 1, totalArticleClicks: 0, totalArticleViews: 0, totalPlacesTracked: 1, engagedChats: 1, uniqueSessions: 2 });
	const interests = await guest.browser.ok("GET", "/api/analytics/interests");
	assert.deepEqual(interests.seasons.map(({ name, value }) => [name, value]), [["Winter", 1]]);
	assert.deepEqual(interests.vibes, [{ name: "Calm", value: 1, percentage: "100.0" }]);
	assert.equal((await house.verb("verify", "--organization", guest.organization.slug)).result, "exact");
});

test("an organization sees its own figures alone, and who is not signed in none", async () => {
	const [one, two] = [await Guest.open(), await Guest.open()];
	await house.ok(one.key, "/api/chats/create", { sessionId: "s", chatId: "c" });
	assert.equal((await one.browser.ok("GET", "/api/analytics/summary-metrics")).totalChats, 1);
	assert.equal((await two.browser.ok("GET", "/api/analytics/summary-metrics")).totalChats, 0);
	for (const [name] of routes) {
		assertError(await house.get(`/api/analytics/${name}`), 401, "unauthorized");
		assertError(await house.request("GET", `/api/analytics/${name}`, { key: one.key }), 401, "unauthorized");
	}
});

test("days that make no sense are refused by name, and what is unknown is ignored", async () => {
	const guest = await Guest.open();
	for (const [name] of routes) {
		for (const [query, field] of [
			["days=abc", "days"], ["days=0", "days"], ["days=-3", "days"], ["days=1.5", "days"], ["days=99999999999999999999", "days"], ["days=7306", "days"],
			["from=2026-02-30&to=2026-03-01", "from"], ["from=2026-3-1&to=2026-03-02", "from"], ["from=2026-03-02&to=2026-03-01", "from"],
			["from=2026-03-01&to=tomorrow", "to"], ["from=9999-01-01", "from"], ["from=1970-01-01&to=1999-01-01", "from"], ["from=1969-12-31&to=1970-01-02", "from"],
			["days=3&compare=next", "compare"],
		])
			assertError(await guest.browser.get(`/api/analytics/${name}?${query}`), 400, "invalid_field", field);
		await guest.browser.ok("GET", `/api/analytics/${name}?days=3&limit=zero&x=%25&compare=previous`);
		await guest.browser.ok("GET", `/api/analytics/${name}?from=1970-01-01&to=1970-01-05&compare=previous`);
		await guest.browser.ok("GET", `/api/analytics/${name}?from=9999-12-01&to=9999-12-31`);
	}
});
