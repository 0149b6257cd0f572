// What a verb of the command line says: JSON on standard output, or a sentence on standard error.
import assert from "node:assert/strict";

// Nothing on standard output, a sentence on standard error, and no trace of how it is built.
export function assertSaid(result, status, pattern = /./) {
	assert.equal(result.status, status, result.stdout + result.stderr);
	assert.equal(result.stdout, "");
	assert.match(result.stderr, /^innkeeper: .+\n$/m);
	const sentence = result.stderr.split("\n").find((line) => line.startsWith("innkeeper: "));
	assert.match(sentence, pattern);
	assert.ok(!sentence.includes("{") && !sentence.includes("(null)"), sentence);
}

export function assertPrinted(result) {
	assert.equal(result.status, 0, result.stderr);
	assert.equal(result.stderr, "");
	assert.ok(result.stdout.endsWith("\n"));
	return JSON.parse(result.stdout);
}
