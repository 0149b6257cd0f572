// What was attacked, how often and with what result, as a page for people: build/isolation-report.html.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = join(dirname(fileURLToPath(import.meta.url)), "../../build");

const html = (text) => String(text).replace(/[&<>"]/g, (one) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[one]);
const number = (value) => value.toLocaleString("en-US");
const row = (cells, tag = "td") => `<tr>${cells.map((cell) => `<${tag}${typeof cell === "number" ? ' class="number"' : ""}>${typeof cell === "number" ? number(cell) : html(cell)}</${tag}>`).join("")}</tr>`;
const table = (head, rows) => `<table><thead>${row(head, "th")}</thead><tbody>${rows.map((one) => row(one)).join("\n")}</tbody></table>`;
const counted = (map) => [...map].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#1d2433;background:#fff}
h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2.2rem}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #e3e6ec}.number{text-align:right;font-variant-numeric:tabular-nums}
.verdict{padding:.8rem 1rem;border-radius:.4rem;font-weight:600}.none{background:#e4f5e9}.some{background:#fde3e1}
pre{white-space:pre-wrap;background:#f5f6f9;padding:.8rem;overflow-wrap:anywhere}
@media(prefers-color-scheme:dark){body{color:#dfe3ec;background:#14171f}th,td{border-color:#2b3040}.none{background:#173c26}.some{background:#51201d}pre{background:#1d212c}}`;

// The path of the file that was written.
export function writeReport({ siege, routes, seed, engine, told }) {
	const { counts, findings } = siege;
	const leaks = findings.length + told.length;
	const page = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Isolation: ${number(siege.attacked)} attacks, ${leaks} leaks</title><style>${STYLE}</style>
<h1>Isolation</h1>
<p>${engine}, ${new Date().toISOString()}, seed ${seed}. Each attack names something of a victim organization; it is sent once so, and
once with an id that nobody has. Both must be answered alike, nothing of the victim may stand in any answer or in the log, and
every row of the victim must be as it was.</p>
<p class="verdict ${leaks === 0 ? "none" : "some"}">${number(siege.attacked)} attacks on ${routes.length} routes
(${number(siege.asked)} requests): ${leaks === 0 ? "no leak" : `${leaks} findings`}.</p>
${findings.map((one) => `<h2>${html(one.what)}: ${html(one.route)}</h2><p>${html(one.credential)}; ${html(one.place)}, ${html(one.form)}; ${html(one.kind)}</p>
<pre>${html(JSON.stringify(one.request, null, 1))}\n\n${html(one.answer)}\n\n${html(one.more)}</pre>`).join("\n")}
${told.length > 0 ? `<h2>Told in the log</h2><pre>${html(told.join("\n"))}</pre>` : ""}
<h2>Routes</h2>${table(["Route", "Credential", "Least role", "Attacks"], routes.map((one) => [one.name, one.credential, one.least ?? "", counts.route.get(one.name) ?? 0]))}
<h2>Who asked</h2>${table(["Credential", "Attacks"], counted(counts.credential))}
<h2>Where, and how it was written</h2>${table(["Place", "Attacks"], counted(counts.place))}
<h2>What of the victim was named</h2>${table(["Kind", "Attacks"], counted(counts.kind))}
<h2>What was answered</h2>${table(["Status", "Attacks"], counted(counts.status))}
</html>\n`;
	const file = join(folder, engine === "SQLite" ? "isolation-report.html" : `isolation-report-${engine.toLowerCase()}.html`);
	mkdirSync(folder, { recursive: true });
	writeFileSync(file, page);
	return file;
}
