// Requests made from the binary's own table of routes: what a route takes, filled with the words of somebody.
import assert from "node:assert/strict";
import { binary, run } from "../api/harness.mjs";

async function table(name) {
	const { status, stdout, stderr } = await run(binary, [name, "--json"]);
	assert.equal(status, 0, stderr);
	return JSON.parse(stdout);
}

export async function routeTable() {
	const routes = await table("routes");
	for (const route of routes) route.name = `${route.method} ${route.path}`;
	for (const route of routes) if (route.parts) route.items = routes.filter(({ batch }) => batch !== null);
	return routes;
}

export const statementTable = () => table("statements");

// chatId, chat_id and chatID are one name of one thing.
export const plain = (name) => name.replaceAll(/[^a-zA-Z0-9]/g, "").toLowerCase();

// What another one could know or guess of somebody and send: a name of a thing, not what is said of it.
const NAMES = /(id|key|email|session|url|slug|query|token)$/;
export const isName = (field) => field.kind === "email" || NAMES.test(plain(field.name));

// A value of a field, of somebody: `who.name(plain)` gives names (undefined: it has none yet), `who.words()` all other texts.
function valueOf(field, who) {
	switch (field.kind) {
		case "email":
			return who.name("email");
		case "text":
			return isName(field) ? who.name(plain(field.name)) : who.words(field.name);
		case "choice":
			return field.choices[0];
		case "int":
		case "number":
			return Math.max(1, field.min);
		case "flag":
			return true;
		case "object":
			return { words: who.words(field.name), season: who.words("season"), preferences: [who.words("preferences")] };
		case "list":
			return [Object.fromEntries(field.items.map((item) => [item.name, valueOf(item, who)]))];
		default:
			return undefined;
	}
}

// What a request need not hold: numbers, flags and choices would narrow what it finds.
const NARROWS = ["choice", "int", "number", "flag", "time"];

// The members of a body or the parameters of a query. `without`: names that the route was found to refuse.
export function fill(shape, who, without = new Set()) {
	const members = {};
	for (const field of shape ?? []) {
		if (without.has(field.name) || (!field.required && NARROWS.includes(field.kind))) continue;
		const value = valueOf(field, who);
		if (value !== undefined) members[field.name] = value;
	}
	return members;
}

export const fillItems = (route, who) => route.items.map((item) => ({ type: item.batch, ...fill(item.body, who, item.without) }));
