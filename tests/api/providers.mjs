// Providers of identities for the tests, on ports of this machine: a real one (npm's oidc-provider) with a browser that
// fills in its forms, and one of our own that says whatever a test wants it to say.
import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import Provider from "oidc-provider";

import { send } from "./harness.mjs";

export const CLIENT = "crm";
export const SECRET = "s:e cret/%+";
// Nothing listens there: the browser of the tests knows that it is the house.
export const PUBLIC_URL = "http://127.0.0.1:9";
export const REDIRECT = `${PUBLIC_URL}/api/auth/oidc/callback`;

async function listen(server) {
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	return `http://127.0.0.1:${server.address().port}`;
}

// A real provider. `people` is what it knows: subject to claims; a test may change it.
export class RealProvider {
	constructor() {
		this.people = new Map();
		this.server = http.createServer();
	}

	async open() {
		this.issuer = await listen(this.server);
		const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
		const provider = new Provider(this.issuer, {
			clients: [{ client_id: CLIENT, client_secret: SECRET, redirect_uris: [REDIRECT] }],
			jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), kid: "first", use: "sig", alg: "RS256" }] },
			cookies: { keys: ["for tests"] },
			claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
			findAccount: (context, id) => ({ accountId: id, claims: async () => ({ sub: id, ...this.people.get(id) }) }),
			pkce: { required: () => true, methods: ["S256"] },
		});
		this.server.on("request", provider.callback());
		return this;
	}

	async close() {
		this.server.closeAllConnections();
		this.server.close();
	}

	// A browser of its own that goes to `address` and signs in as `subject`; where it is sent back to.
	async visit(address, subject) {
		const cookies = new Map();
		let form;
		for (let step = 0; step < 20; step++) {
			if (address.startsWith(PUBLIC_URL)) return address;
			const url = new URL(address);
			assert.equal(url.origin, this.issuer, "the browser stays at the provider");
			const headers = { cookie: [...cookies].map((pair) => pair.join("=")).join("; ") };
			if (form) Object.assign(headers, { "content-type": "application/x-www-form-urlencoded", "content-length": Buffer.byteLength(form) });
			const answer = await send({ port: url.port, path: url.pathname + url.search, method: form ? "POST" : "GET", headers }, form);
			for (const line of answer.headers["set-cookie"] ?? []) {
				const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
				cookies.set(name, value);
			}
			form = undefined;
			if (answer.headers.location) {
				address = new URL(answer.headers.location, address).href;
				continue;
			}
			assert.equal(answer.status, 200, answer.text);
			const prompt = /name="prompt" value="(\w+)"/.exec(answer.text)[1];
			address = new URL(/action="([^"]+)"/.exec(answer.text)[1], address).href;
			form = new URLSearchParams(prompt === "login" ? { prompt, login: subject, password: "any" } : { prompt }).toString();
		}
		assert.fail("the provider never sends the browser back");
	}
}

export const encode = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
export const now = () => Math.floor(Date.now() / 1000);

// A key pair to sign with, and what of it is published.
export function makeKey(kid, kind = "RS256") {
	const { publicKey, privateKey } =
		kind === "RS256" ? generateKeyPairSync("rsa", { modulusLength: 2048 }) : generateKeyPairSync("ec", { namedCurve: "P-256" });
	return { kid, alg: kind, privateKey, publicKey, jwk: { ...publicKey.export({ format: "jwk" }), kid, use: "sig" } };
}

export function mint(key, claims, header = {}) {
	const message = `${encode({ alg: key.alg, kid: key.kid, ...header })}.${encode(claims)}`;
	const signature = sign("sha256", message, key.alg === "ES256" ? { key: key.privateKey, dsaEncoding: "ieee-p1363" } : key.privateKey);
	return `${message}.${signature.toString("base64url")}`;
}

export function mintWithSecret(secret, claims, header) {
	const message = `${encode({ alg: "HS256", ...header })}.${encode(claims)}`;
	return `${message}.${createHmac("sha256", secret).update(message).digest("base64url")}`;
}

// A provider that answers as `answers` says: a path to a function of the request's body, which gives what is sent
// (an object is JSON), or [status, headers, body]. It counts what it was asked.
export class FakeProvider {
	constructor() {
		this.asked = new Map();
		this.keys = [makeKey("one"), makeKey("two", "ES256")];
		this.bodies = [];
		this.server = http.createServer(async (request, response) => {
			const chunks = [];
			for await (const chunk of request) chunks.push(chunk);
			const [path] = request.url.split("?");
			const body = Buffer.concat(chunks).toString("utf8");
			this.asked.set(path, (this.asked.get(path) ?? 0) + 1);
			if (body) this.bodies.push({ path, body, headers: request.headers });
			let answer = this.answers[path]?.(body, request) ?? [404, {}, "{}"];
			if (!Array.isArray(answer)) answer = [200, { "content-type": "application/json" }, JSON.stringify(answer)];
			response.writeHead(answer[0], answer[1]);
			response.end(answer[2]);
		});
	}

	async open() {
		this.issuer = await listen(this.server);
		this.metadata = {
			issuer: this.issuer,
			authorization_endpoint: `${this.issuer}/authorize?tenant=a`,
			token_endpoint: `${this.issuer}/token`,
			jwks_uri: `${this.issuer}/keys`,
		};
		this.reset();
		return this;
	}

	reset() {
		this.answers = {
			"/.well-known/openid-configuration": () => this.metadata,
			"/keys": () => ({ keys: this.keys.map(({ jwk }) => jwk) }),
		};
	}

	// The claims of a good token, for the sign-in whose address the house gave.
	claims(nonce, more = {}) {
		return { iss: this.issuer, aud: CLIENT, sub: "s", nonce, iat: now(), exp: now() + 300, ...more };
	}

	async close() {
		this.server.closeAllConnections();
		this.server.close();
	}
}
