// `innkeeper verify`: finds what is wrong, changes nothing unless it is told to, and mends it beside a running server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openHouse } from "./harness.mjs";

let house;
let organizations;

before(async () => {
	house = await openHouse();
	organizations = [await house.organization("First"), await house.organization("Second")];
	for (const { api_key: key } of organizations) {
		await house.ok(key, "/api/chats/create", { sessionId: "s", chatId: "c", location: "Rome, Lazio, Italy" });
		await house.ok(key, "/api/chats/message", { chatId: "c", role: "user", content: "Hello" });
		await house.ok(key, "/api/articles/mention", { articles: [{ id: "a", title: "A", slug: "a" }] });
		await house.ok(key, "/api/tavily-mentions", { mentions: [{ url: "https://a.example/" }], sessionId: "s" });
		await house.ok(key, "/api/tavily-mentions/click", { articleUrl: "https://a.example/", sessionId: "s" });
		await house.ok(key, "/api/visitors/identify", { email: "a@example.com", metadata: { season: "Winter" } });
	}
});
after(() => house.end());

const verify = async (...options) => {
	const result = await house.run(["verify", ...options]);
	return { status: result.status, ...(result.stdout === "" ? { stderr: result.stderr } : JSON.parse(result.stdout)) };
};

test("it finds nothing where nothing is wrong, beside a server and without one", async () => {
	const nothing = { status: 0, differences: [], organizations: 2, rows: 10, count: 0, result: "exact" };
	assert.deepEqual(await verify(), nothing);
	await house.stop();
	assert.deepEqual(await verify(), nothing);
	await house.start();
});

test("it tells each difference with its key, and whose it is", async () => {
	await house.stop();
	await house.change("UPDATE rollup_counts SET amount = 7 WHERE metric = 1 AND span = 2 AND organization_id = (SELECT id FROM organizations WHERE slug = 'second')");
	await house.start();
	const found = await verify();
	assert.deepEqual(found.differences, [{ organization: "second", table: "rollup_counts", key: { metric: 1, span: 2, start: 0, label: "" }, stored: 7, counted: 1 }]);
	assert.deepEqual([found.status, found.count, found.result], [1, 1, "different"]);
	assert.equal((await verify("--organization", "first")).status, 0);
	assert.equal((await verify("--organization", "second")).status, 1);
	assert.equal((await verify()).count, 1, "it changed nothing");
});

test("it mends what is wrong, whatever it is", async () => {
	await house.stop();
	await house.change(`
		DELETE FROM rollup_gaps WHERE metric = 33; UPDATE rollup_members SET day = day + 1; DELETE FROM rollup_counts WHERE metric = 10;
		UPDATE web_pages SET clicks = 9, article_title = 'x'; DELETE FROM articles; UPDATE chat_activity SET message_count = 3, counted_day = 4;
		INSERT INTO articles (organization_id, article_id, article_name, article_slug, article_type, seen_at) SELECT id, 'ghost', 'g', 'g', 'g', 1 FROM organizations;
		INSERT INTO web_pages (organization_id, article_url, article_title, mentions, clicks, last_mentioned) SELECT id, 'ghost', 'g', 1, 0, 1 FROM organizations`);
	await house.start();
	assert.equal((await verify()).result, "different");
	assert.deepEqual([(await verify("--repair")).result, (await verify()).result], ["exact", "exact"]);
	const [{ api_key: key }] = organizations;
	await house.ok(key, "/api/chats/message", { chatId: "c", role: "user", content: "Again" });
	assert.equal((await verify()).result, "exact");
});

test("figures of a database from before there were any are counted once the server runs", async () => {
	await house.stop();
	await house.change(`
		DELETE FROM rollup_counts; DELETE FROM rollup_members; DELETE FROM rollup_gaps;
		DELETE FROM rollup_states; INSERT INTO rollup_states (organization_id, edition, zone, newest_edition, build_edition, build_zone, has_work) SELECT id, NULL, time_zone, 1, 1, time_zone, 1 FROM organizations;
		UPDATE chat_activity SET counted_edition = NULL, counted_day = NULL`);
	await house.start();
	const [{ api_key: key }] = organizations;
	await house.ok(key, "/api/chats/message", { chatId: "c", role: "user", content: "Meanwhile" });
	for (let i = 0; (await house.value("SELECT count(*) FROM rollup_states WHERE has_work = 1")) > 0; i++) assert.ok(i < 500, "it ends");
	assert.equal((await verify()).result, "exact");
	assert.equal(await house.value("SELECT count(*) FROM rollup_counts WHERE edition = 1 AND metric = 2 AND span = 2"), 2);
});

test("an organization that is not there is told so", async () => {
	const answer = await verify("--organization", "nowhere");
	assert.equal(answer.status, 1);
	assert.match(answer.stderr, /no organization/);
});
