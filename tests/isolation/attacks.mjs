// Every attack there is: a route, who asks, which of the victim's ids, and where in the request and how it is written. All
// of it follows from the table of routes; what stands here is how a request may be written.
import { fill } from "./shapes.mjs";

export const percent = (text) => Buffer.from(text).reduce((all, byte) => `${all}%${byte.toString(16).padStart(2, "0")}`, "");
const escaped = (text) => [...text].map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");

// Names by which a request could try to choose an organization or a person, though no route has them.
const CHOSEN = ["organization", "organization_id", "organizationId", "tenant", "slug", "id", "user_id", "visitor_id"];
const HEADERS = ["X-Organization", "X-Organization-Id", "X-Tenant-Id", "X-User-Id", "Idempotency-Key", "Last-Event-ID", "If-None-Match", "From"];

const FORMS = {
	path: ["plain", "upper", "encoded", "twice encoded", "behind its own"],
	query: ["plain", "upper", "encoded", "array", "duplicate"],
	body: ["plain", "upper", "encoded", "array", "duplicate"],
	header: ["plain", "upper", "encoded", "duplicate"],
};

// Where a text can stand in requests of a route: [{place, field}].
function sitesOf(route) {
	const sites = route.parameters.map((field) => ({ place: "path", field }));
	for (const { name } of route.query ?? []) sites.push({ place: "query", field: name });
	const walk = (shape, path) => {
		for (const field of shape ?? []) {
			if (field.items) walk(field.items, [...path, field.name, 0]);
			else sites.push({ place: "body", field: [...path, field.name] });
		}
	};
	walk(route.body, []);
	for (const [i, item] of (route.items ?? []).entries()) walk(item.body, [i]);
	sites.push({ place: "query" }, { place: "header" });
	if (route.method !== "GET") sites.push({ place: "body", field: [] });
	return sites;
}

// Sends its credential where a key or a cookie would stand.
const key = (value) => [["X-Api-Key", value]];
const bearer = (value) => [["Authorization", `Bearer ${value}`]];
const cookie = (value) => [["Cookie", `innkeeper_session=${value}`]];
const swapCase = (text) => [...text].map((one) => (one === one.toLowerCase() ? one.toUpperCase() : one.toLowerCase())).join("");

// Who may ask: `key`, that it is a key of the attacker's; `role`, that it is somebody of theirs who is signed in. `unless`: for
// which routes it would be the victim, who attacks nobody.
function credentialsOf(roles) {
	const wrong = [
		["in the wrong case", swapCase],
		["shortened", (text) => text.slice(0, -1)],
		["without its beginning", (text) => text.slice(1)],
		["lengthened", (text) => `${text}0`],
	];
	return [
		{ name: "own key", key: true, headers: ({ own }) => key(own.key) },
		{ name: "own key as a bearer token", key: true, headers: ({ own }) => bearer(own.key) },
		...roles.map((role) => ({ name: `own ${role}`, role, headers: ({ own }) => cookie(own.session(role)) })),
		...roles.map((role) => ({ name: `own key and ${role}`, key: true, role, headers: ({ own }) => [...key(own.key), ...cookie(own.session(role))] })),
		{ name: "none", headers: () => [] },
		{ name: "malformed", headers: () => [...key("ik_live_'; --"), ...cookie("' OR 1=1 --")] },
		{ name: "victim's revoked key", headers: ({ victim }) => key(victim.revoked) },
		{ name: "victim's expired session", headers: ({ victim }) => cookie(victim.expired) },
		{ name: "victim's session, signed out", headers: ({ victim }) => cookie(victim.signedOut) },
		...wrong.map(([how, change]) => ({ name: `victim's key ${how}`, headers: ({ victim }) => key(change(victim.key)) })),
		...wrong.map(([how, change]) => ({ name: `victim's session ${how}`, headers: ({ victim }) => cookie(change(victim.session("Admin"))) })),
		{ name: "two keys", headers: ({ own, victim }) => [...key(own.key), ...bearer(victim.key)] },
		{ name: "two keys, the other way", headers: ({ own, victim }) => [...key(victim.key), ...bearer(own.key)] },
		{ name: "two keys in one header twice", headers: ({ own, victim }) => [...key(own.key), ...key(victim.key)] },
		{ name: "own key and victim's session", key: true, unless: ["session", "guest"], headers: ({ own, victim }) => [...key(own.key), ...cookie(victim.session("Admin"))] },
		{ name: "own Admin and victim's key", role: "Admin", unless: ["key"], headers: ({ own, victim }) => [...cookie(own.session("Admin")), ...key(victim.key)] },
		{ name: "own Admin and victim's expired session", role: "Admin", headers: ({ own, victim }) => cookie(`${own.session("Admin")}; innkeeper_session=${victim.expired}`) },
		{ name: "victim's expired session and own Admin", headers: ({ own, victim }) => cookie(`${victim.expired}; innkeeper_session=${own.session("Admin")}`) },
		{ name: "own session as a key", headers: ({ own }) => [...key(own.session("Admin")), ...bearer(own.session("Admin"))] },
		{ name: "victim's key as a session", headers: ({ victim }) => cookie(victim.key) },
		{ name: "cron secret", unless: ["cron"], headers: ({ secret }) => bearer(secret) },
	];
}

const operator = { name: "operator of its own organization", operator: true, headers: () => [] };

// Whether the credential lets this route be asked at all; undefined: what it says to this one is open.
export function admits(route, credential, roles) {
	if (route.credential === "key") return credential.key === true;
	if (route.credential === "session") return credential.role !== undefined && roles.indexOf(credential.role) >= roles.indexOf(route.least);
	return credential.operator;
}

// The one who comes furthest at a route.
function strongest(route, credentials) {
	if (route.credential === "tenant") return operator;
	const name = { key: "own key", session: "own Admin", guest: "own Admin" }[route.credential] ?? "own key and Admin";
	return credentials.find((one) => one.name === name);
}

function write(form, value) {
	if (form === "upper") return value.toUpperCase();
	return value;
}

function queryText(name, form, value, own) {
	const text = encodeURIComponent(name);
	if (form === "encoded") return `${text}=${percent(value)}`;
	if (form === "array") return `${text}[]=${encodeURIComponent(value)}&${text}[]=${encodeURIComponent(own)}`;
	const one = `${text}=${encodeURIComponent(write(form, value))}`;
	return form === "duplicate" ? `${text}=${encodeURIComponent(own)}&${one}` : one;
}

// Stands for a value within JSON until the text is written.
const HOLE = "\u0001hole";

function put(members, path, value) {
	const name = path.at(-1);
	let at = members;
	for (const step of path.slice(0, -1)) at = at[step] ??= {};
	at[name] = value;
}

function bodyText(members, path, form, value, own) {
	const body = structuredClone(members);
	for (const one of path.length === 0 ? CHOSEN : [path]) put(body, path.length === 0 ? (Array.isArray(body) ? [0, one] : [one]) : one, HOLE);
	const text = JSON.stringify(body);
	const hole = JSON.stringify(HOLE);
	const plain = JSON.stringify(write(form, value));
	if (form === "encoded") return text.replaceAll(hole, `"${escaped(value)}"`);
	if (form === "array") return text.replaceAll(hole, `[${plain}]`);
	if (form === "duplicate") return text.replaceAll(/"([^"]*)":"\\u0001hole"/g, (_, name) => `"${name}":${JSON.stringify(own)},"${name}":${plain}`);
	return text.replaceAll(hole, plain);
}

function headerLines(form, value, own) {
	const text = form === "encoded" ? percent(value) : write(form, value);
	const lines = HEADERS.map((name) => [name, text]);
	return form === "duplicate" ? [...HEADERS.map((name) => [name, own]), ...lines] : lines;
}

// The segment of a path, as the form writes it.
function segment(form, value, own) {
	if (form === "encoded") return percent(value);
	if (form === "twice encoded") return percent(percent(value));
	if (form === "behind its own") return `${encodeURIComponent(own)}%2F..%2F${encodeURIComponent(value)}`;
	return encodeURIComponent(write(form, value));
}

// The bytes of an attack with a value: {method, target, headers, body}. `cast`: {own, victim, secret, absent, address}; `own`
// is the attacker whose line it is.
export function build({ route, credential, site, form, csv }, value, cast) {
	const { own, absent } = cast;
	const query = [];
	const collection = route.path.slice(0, route.path.indexOf("/{"));
	// What is erased or revoked is not there a second time, so that nothing of one's own is named then.
	const ownId = route.method === "DELETE" ? absent : (own.own?.[collection]?.[0] ?? absent);
	const path = route.path.replace(/\{\w+\}/, site.place === "path" ? segment(form, value, ownId) : encodeURIComponent(ownId));
	const headers = [["Host", "localhost"], ["X-Forwarded-For", cast.address], ...credential.headers(cast)];
	const request = { method: route.method, headers };

	if (credential.operator) query.push(`organization=${own.organization.slug}`);
	for (const field of route.query ?? []) {
		if (field.name === "limit" && site.field !== "limit") query.push("limit=10");
		if (csv && field.choices.includes("csv") && site.field !== field.name && site.field !== "limit") query.push(`${field.name}=csv`);
	}
	if (site.place === "query") {
		for (const name of site.field === undefined ? CHOSEN : [site.field]) {
			// The operator may enter any organization, by this.
			if (!(credential.operator && name === "organization")) query.push(queryText(name, form, value, own.voice.mark));
		}
	}
	if (site.place === "header") headers.push(...headerLines(form, value, own.voice.mark));
	if (route.method !== "GET") {
		const members = route.items ? own.body(route) : fill(route.body, own.voice, route.without);
		headers.push(["Content-Type", "application/json"]);
		request.body = site.place === "body" ? bodyText(members, site.field, form, value, own.voice.mark) : JSON.stringify(members);
	}
	request.target = query.length > 0 ? `${path}?${query.join("&")}` : path;
	return request;
}

// A generator of numbers below `below`, the same ones for the same seed (mulberry32).
export function dice(seed) {
	let state = seed >>> 0;
	return (below) => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * below);
	};
}

// What takes a core for long is tried less often.
const COSTLY = 1 / 40;

const FULL = 20000;

// At least `count` attacks, of fewer than FULL a share of each kind: first whoever comes furthest with every id at every site, then every way to write it, then every
// other credential, and then whatever the dice say.
export function* attacks({ routes, values, roles, count, seed }) {
	const credentials = credentialsOf(roles);
	const roll = dice(seed);
	let made = 0;
	const make = function* (route, credential, site, form, value) {
		if (credential.unless?.includes(route.credential)) return;
		if ((route.costly && roll(1 / COSTLY) > 0) || roll(FULL) >= count) return;
		made++;
		yield { route, credential, site, form, value, csv: roll(4) === 0 };
	};
	const some = (all) => all[roll(all.length)];
	const anyForm = (site) => some(FORMS[site.place]);

	for (const route of routes) {
		// At least one, whatever it costs.
		made++;
		yield { route, credential: strongest(route, credentials), site: sitesOf(route)[0], form: "plain", value: values[0], csv: false };
		for (const site of sitesOf(route)) {
			for (const value of values) yield* make(route, strongest(route, credentials), site, "plain", value);
			for (const form of FORMS[site.place].slice(1)) for (let i = 0; i < values.length / 8; i++) yield* make(route, strongest(route, credentials), site, form, some(values));
		}
		const sites = sitesOf(route);
		for (const credential of credentials) {
			for (let i = 0; i < 3; i++) {
				const site = i === 0 ? sites[0] : some(sites);
				yield* make(route, credential, site, anyForm(site), some(values));
			}
		}
	}
	while (made < count) {
		const route = some(routes);
		const credential = roll(3) === 0 ? strongest(route, credentials) : some(credentials);
		const site = some(sitesOf(route));
		yield* make(route, credential, site, anyForm(site), some(values));
	}
}
