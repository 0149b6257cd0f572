// A page of Markdown as its fenced blocks, and answers made comparable.
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z/g;
const DAY = /\b\d{4}-\d{2}-\d{2}\b/g;
const DATE = /"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{1,2}"/g;
const SECRET = /\b(cursor=|token=|innkeeper_session=|ik_live_)[\w-]{20,}/g;
const KEY = /\bik_live_\w{4}\.\.\.\w{4}/g;
const RATE = /;r=\d+;t=\d+/g; // what is left depends on how fast the examples ran

// [{language, text, line}] in order
export function blocks(markdown) {
	const found = [];
	let open = null;
	for (const [index, line] of markdown.split("\n").entries()) {
		if (!line.startsWith("```")) {
			if (open !== null) open.lines.push(line);
		} else if (open === null) {
			open = { language: line.slice(3).trim(), lines: [], line: index + 2 };
		} else {
			found.push({ language: open.language, text: open.lines.join("\n"), line: open.line });
			open = null;
		}
	}
	if (open !== null) throw new Error(`the block of line ${open.line} does not end`);
	return found;
}

// [{line, command, language, answer}]: every sh block and the json or http block behind it, undefined if there is none
export function examples(markdown) {
	const all = blocks(markdown);
	return all.flatMap((block, index) => {
		const next = all[index + 1];
		const answered = next !== undefined && ["json", "http"].includes(next.language);
		return block.language === "sh"
			? [{ line: block.line, command: block.text, language: answered ? next.language : undefined, answer: answered ? next.text : undefined }]
			: [];
	});
}

export const masked = (text) =>
	text.replace(UUID, "<id>").replace(TIME, "<time>").replace(DAY, "<day>").replace(DATE, '"<date>"').replace(SECRET, "$1<secret>").replace(KEY, "<key>").replace(RATE, ";r=<n>;t=<n>");

// Order of members counts: readers compare with their eyes.
export const sameJson = (text) => JSON.stringify(JSON.parse(masked(text)));

// {lines, body} of a whole answer as `curl -i` prints it, or of a block that shows some of its lines
export function http(text) {
	const [head, ...rest] = text.replaceAll("\r\n", "\n").split("\n\n");
	return { lines: masked(head).split("\n").filter((line) => line !== ""), body: masked(rest.join("\n\n")).trim() };
}
