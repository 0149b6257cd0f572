// HTTP as bytes, over a connection that is kept: a request is sent as it was built, of the answer nothing is lost.
import { connect } from "node:net";

const HEAD_END = "\r\n\r\n";

export const bytesOf = ({ method, target, headers, body }) => {
	const lines = [`${method} ${target} HTTP/1.1`, ...headers.map(([name, value]) => `${name}: ${value}`)];
	if (body !== undefined) lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
	return `${lines.join("\r\n")}${HEAD_END}${body ?? ""}`;
};

// The body behind a head, or undefined while there is not enough: {body, rest}. Latin1 throughout: a character a byte.
function bodyOf(head, text, method) {
	if (method === "HEAD" || /^HTTP\/1\.1 (204|304)/.test(head)) return { body: "", rest: text };
	if (/\r\ncontent-type: text\/event-stream/i.test(head)) return text.includes("\n\n\r\n") ? { body: text, streams: true } : undefined;
	if (/\r\ntransfer-encoding: chunked/i.test(head)) {
		for (let at = 0, body = ""; ; ) {
			const line = text.indexOf("\r\n", at);
			if (line < 0) return undefined;
			const size = Number.parseInt(text.slice(at, line), 16);
			if (text.length < line + 4 + size) return undefined;
			body += text.slice(line + 2, line + 2 + size);
			at = line + 4 + size;
			if (size === 0) return { body, rest: text.slice(at) };
		}
	}
	const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
	return text.length < length ? undefined : { body: text.slice(0, length), rest: text.slice(length) };
}

export class Line {
	constructor(place) {
		this.place = place; // {port, host} or {path}
	}

	open() {
		const socket = connect(this.place);
		socket.setEncoding("latin1");
		socket.setNoDelay(true);
		socket.setTimeout(60000, () => socket.destroy(new Error("no answer within 60 s")));
		socket.on("data", (data) => this.socket === socket && this.take(data));
		socket.on("error", (error) => this.socket === socket && this.lost(error));
		socket.on("close", () => this.socket === socket && this.lost(new Error("closed")));
		Object.assign(this, { socket, text: "", head: undefined });
	}

	close() {
		this.socket?.destroy();
		this.socket = undefined;
	}

	lost(error) {
		const { waiting } = this;
		this.waiting = undefined;
		this.close();
		waiting?.reject(error);
	}

	take(data) {
		this.text += data;
		if (this.head === undefined) {
			const end = this.text.indexOf(HEAD_END);
			if (end < 0) return;
			this.head = this.text.slice(0, end);
			this.text = this.text.slice(end + HEAD_END.length);
		}
		const got = this.waiting && bodyOf(this.head, this.text, this.waiting.method);
		if (!got) return;
		const { resolve } = this.waiting;
		const answer = { status: Number(this.head.slice(9, 12)), head: this.head, body: got.body };
		this.waiting = undefined;
		this.text = got.rest ?? "";
		this.head = undefined;
		if (got.streams || /\r\nconnection: close/i.test(answer.head)) this.close();
		resolve(answer);
	}

	// {status, head, body}. A kept connection that the server had ended meanwhile is opened again, once.
	async ask(request) {
		const kept = this.socket !== undefined;
		if (!kept) this.open();
		try {
			return await new Promise((resolve, reject) => {
				this.waiting = { resolve, reject, method: request.method };
				this.socket.write(bytesOf(request));
			});
		} catch (error) {
			if (!kept || this.text !== "" || this.head !== undefined) throw error;
			this.open();
			return new Promise((resolve, reject) => {
				this.waiting = { resolve, reject, method: request.method };
				this.socket.write(bytesOf(request));
			});
		}
	}
}
