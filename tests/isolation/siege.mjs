// Runs attacks, many at a time, and judges every answer: each attack is sent with an id of the victim and with one that
// nobody has, and both must read the same; nothing of the victim may stand in either.
import { setTimeout as sleep } from "node:timers/promises";
import { admits, build, percent } from "./attacks.mjs";
import { Line } from "./wire.mjs";
import { ROLES } from "./world.mjs";

const UUIDS = /[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}/g;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const ENOUGH = 40; // findings, to see what they have in common
const PATIENCE = 500; // answers of "busy", 20 ms apart

// The same shape as a value of the victim, and nobody's: another one for each attacker, since what one of them has written down
// would else be somebody's for the next.
export function absentOf(value, victim, number) {
	const digits = number.toString(16).padStart(2, "0");
	if (value.includes(victim.prefix)) return value.replaceAll(victim.prefix, `zq${[...victim.prefix.slice(2, -2)].reverse().join("")}${digits}`);
	const at = value.length - 8;
	const other = (one) => (/[0-9]/.test(one) ? String((Number(one) + 1) % 10) : "bcdefa"["abcdef".indexOf(one)] ?? one);
	const changed = value.slice(0, at) + [...value.slice(at)].map(other).join("");
	return UUID.test(value) ? changed.slice(0, -2) + digits : changed;
}

export class Siege {
	constructor({ victim, attackers, secret, control }) {
		Object.assign(this, { victim, attackers, secret, control });
		this.findings = [];
		this.settled = 0; // twins that differed once, and not when they were asked again
		this.asked = 0; // requests
		this.number = 0; // attacks
		this.counts = { route: new Map(), credential: new Map(), place: new Map(), kind: new Map(), status: new Map() };
		this.token = new RegExp(`${victim.prefix}[a-z0-9]*`, "g");
		// What lets somebody in is looked for without what every key begins with.
		this.secrets = [...victim.secrets].map((text) => text.replace(/^ik_live_/, "").toLowerCase());
		for (const [i, attacker] of attackers.entries()) {
			attacker.number = i;
			attacker.said = new Set(); // what of the victim's it has itself written into its organization
			attacker.lines = { tcp: attacker.line, control: new Line({ path: control }) };
		}
	}

	finding(what, attack, answer, more = "") {
		const { route, credential, site, form, value } = attack;
		this.findings.push({
			what, route: route.name, credential: credential.name, place: `${site.place} ${[site.field ?? ""].flat().join(".")}`.trim(), form,
			kind: value.kind, request: attack.sent, answer: answer && `${answer.head}\n\n${answer.body}`.slice(0, 1500), more,
		});
	}

	// What of the victim stands in a text; `known`: what the asker has said itself.
	toldIn(text, known) {
		const lower = text.toLowerCase();
		const told = [];
		if (lower.includes(this.victim.prefix)) for (const [token] of lower.matchAll(this.token)) if (!known.some((one) => one.includes(token))) told.push(token);
		for (const [id] of lower.matchAll(UUIDS)) {
			const plain = id.length === 36 ? id : id.replaceAll("-", "").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
			if (this.victim.ids.has(plain) && !known.includes(plain)) told.push(plain);
		}
		for (const secret of this.secrets) if (lower.includes(secret)) told.push(secret);
		return told;
	}

	async send(attack, value, attacker) {
		// From an address of its own, so that nobody waits for what another one guessed.
		const address = `10.${(attack.number >> 16) & 255}.${(attack.number >> 8) & 255}.${attack.number & 255}`;
		const cast = { own: attacker, victim: this.victim, secret: this.secret, address, absent: "01a20cd2-bf50-7db5-a5ad-3a426db0193c" };
		const line = attack.credential.operator ? attacker.lines.control : attacker.lines.tcp;
		for (let tries = 0; ; tries++) {
			const request = build(attack, value, cast);
			const answer = await line.ask(request);
			attack.sent = request;
			this.asked++;
			if ((answer.status === 503 || (answer.status === 429 && !attack.route.costly)) && tries < PATIENCE) {
				await sleep(20);
				continue;
			}
			// A credential of its own that was replaced by what it did before is made anew.
			if (answer.status === 401 && tries < 2 && admits(attack.route, attack.credential, ROLES)) {
				if (attack.route.credential === "key") await attacker.renewKey();
				else await attacker.refresh(attack.credential.role);
				continue;
			}
			return answer;
		}
	}

	// An answer without what differs between any two of the same sense: "named" stands for both ids, since what was sent
	// before may show the other one.
	masked(answer, ...named) {
		const counts = /^content-type: text\/plain/im.test(answer.head); // of everybody, all the time
		const head = answer.head.split("\r\n").filter((line) => !(counts ? /^(date|x-request-id|content-length):/i : /^(date|x-request-id):/i).test(line));
		let text = `${head.sort().join("\n")}\n\n${answer.body}`.toLowerCase();
		for (const value of named) for (const one of new Set([value, encodeURIComponent(value), percent(value)])) text = text.replaceAll(one.toLowerCase(), "<named>");
		text = text.replaceAll(/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\d{4}-\d\d-\d\dt[\d:.]+z|[\w-]{38,}|\b10\.\d+\.\d+\.\d+/g, "<any>");
		return counts ? text.replaceAll(/[\d.e+-]+$/gm, "<count>") : text;
	}

	judge(attack, answer, attacker) {
		const { route, credential } = attack;
		const told = this.toldIn(`${answer.head}\n${answer.body}`, [...attacker.said]);
		if (told.length > 0) this.finding("told", attack, answer, told.join(" "));
		if (answer.status >= 500) this.finding("failed", attack, answer);
		const admitted = admits(route, credential, ROLES);
		// A path of more segments is that of no route.
		const refused = attack.site.place === "path" && (attack.form === "behind its own" || attack.value.value.includes("/")) ? [400, 401, 403, 404] : [400, 401, 403];
		if (admitted === false && !refused.includes(answer.status)) this.finding("let in", attack, answer);
		if (admitted === true && answer.status === 401) this.finding("kept out", attack, answer);
		if (["control", "tenant"].includes(route.credential) && !credential.operator && ![400, 404].includes(answer.status)) this.finding("let in", attack, answer);
	}

	async one(attack, attacker) {
		const foreign = attack.value.value;
		const absent = absentOf(foreign, this.victim, attacker.number);
		const answers = [];
		attack.number = this.number++;
		const lower = foreign.toLowerCase();
		const wasSaid = attacker.said.has(lower);
		attacker.said.add(lower);
		for (const value of [foreign, absent]) {
			const answer = await this.send(attack, value, attacker);
			this.judge(attack, answer, attacker);
			answers.push(answer);
		}
		// Who has to wait is told so; and a list of what was done shows that it was itself written to a file.
		const another = answers.some(({ status }) => status === 429) || (attack.csv && attack.route.path.endsWith("/audit"));
		const masked = answers.map((answer) => this.masked(answer, foreign, absent));
		for (let again = 0; !another && masked[0] !== masked[1]; again++) {
			if (again === 3) {
				if (await this.ownTellThem?.(attacker, foreign.toLowerCase(), absent.toLowerCase())) break;
				this.finding("told apart", attack, answers[0], `and of an absent one:\n${answers[1].head}\n\n${answers[1].body}`.slice(0, 1500));
				break;
			}
			this.settled += again === 0;
			// The other way round, so that neither is always the second.
			for (const i of again % 2 === 0 ? [1, 0] : [0, 1]) {
				answers[i] = await this.send(attack, [foreign, absent][i], attacker);
				masked[i] = this.masked(answers[i], foreign, absent);
			}
		}
		// What was only asked for is not the attacker's own text afterwards.
		if (!wasSaid && attack.route.method === "GET") attacker.said.delete(lower);
		if (attack.route.costly && attack.credential.role) await attacker.refresh(attack.credential.role);
		this.count(attack, answers[0]);
	}

	count({ route, credential, site, form, value }, { status }) {
		const add = (map, key) => map.set(key, (map.get(key) ?? 0) + 1);
		add(this.counts.route, route.name);
		add(this.counts.credential, credential.name);
		add(this.counts.place, `${site.place}, ${form}`);
		add(this.counts.kind, value.kind);
		add(this.counts.status, String(status));
	}

	get attacked() {
		return [...this.counts.route.values()].reduce((sum, one) => sum + one, 0);
	}

	// All of them, each attacker one after the other; what is costly is the first one's, so that it waits for itself alone.
	async run(attacks) {
		const all = [];
		for (const attack of attacks) all.push(attack);
		const costly = all.filter(({ route }) => route.costly).reverse();
		const rest = all.filter(({ route }) => !route.costly).reverse();
		await Promise.all(
			this.attackers.map(async (attacker, i) => {
				for (let attack; this.findings.length < ENOUGH && (attack = (i === 0 ? costly.pop() : undefined) ?? rest.pop()) !== undefined; ) await this.one(attack, attacker);
			}),
		);
	}
}
