#include "victim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

const char *const victim_seeds[] = {
	"INSERT INTO organizations (number, id, slug, organization_name, location, website_url, created_at, "
	"updated_at) "
	"VALUES (?2, ?1, ?3, ?3, ?3, ?3, ?2, ?2)",
	"INSERT INTO api_keys (number, organization_id, id, name, hash, masked, created_at) "
	"VALUES (?2, ?1, ?1, ?3, ?3, ?3, ?2)",
	"INSERT INTO users (number, organization_id, id, email, name, role, created_at, updated_at) "
	"VALUES (?2, ?1, ?1, ?3, ?3, 'Visitor', ?2, ?2)",
	"INSERT INTO visitors (number, organization_id, id, email, name, metadata, created_at, last_active_at) "
	"VALUES (?2, ?1, ?1, ?3, ?3, ?3, ?2, ?2)",
	"INSERT INTO chats (number, organization_id, id, chat_id, session_id, visitor_id, status, metadata, "
	"created_at) "
	"VALUES (?2, ?1, ?1, ?3, ?3, ?1, 'active', ?3, ?2)",
	"INSERT INTO chat_activity (chat_number, organization_id, updated_at, message_count, last_message) "
	"VALUES (?2, ?1, ?2, 1, ?2)",
	"INSERT INTO messages (number, organization_id, chat_number, id, role, content, metadata, created_at, "
	"external_id, idempotency_key) VALUES (?2, ?1, ?2, ?1, 'user', ?3, ?3, ?2, ?3, ?3)",
	"INSERT INTO article_mentions (number, organization_id, id, article_id, article_name, article_slug, "
	"article_type, chat_id, mentioned_at) VALUES (?2, ?1, ?1, ?3, ?3, ?3, 'Article', ?3, ?2)",
	"INSERT INTO article_views (number, organization_id, id, article_id, article_slug, article_name, "
	"article_type, chat_id, session_id, visitor_id, viewed_at) "
	"VALUES (?2, ?1, ?1, ?3, ?3, ?3, 'Article', ?3, ?3, ?1, ?2)",
	"INSERT INTO web_mentions (number, organization_id, id, article_url, article_title, chat_id, session_id, "
	"visitor_id, search_query, metadata, mentioned_at, created_at) "
	"VALUES (?2, ?1, ?1, ?3, ?3, ?3, ?3, ?1, ?3, ?3, ?2, ?2)",
	"INSERT INTO invitations (number, organization_id, user_id, hash, created_at, expires_at) "
	"VALUES (?2, ?1, ?1, ?3, ?2, ?2)",
	"INSERT INTO audit_log (number, organization_id, id, created_at, actor_kind, actor_id, actor_email, action, "
	"target, detail, address) VALUES (?2, ?1, ?1, ?2, 'user', ?1, ?3, ?3, ?3, ?3, ?3)",
	"INSERT INTO erasures (number, organization_id, chat_number, next_message, session_id, counted_message, "
	"edition) "
	"VALUES (?2, ?1, ?2, ?2, ?3, ?2, ?2)",
	"INSERT INTO chat_summaries (chat_number, organization_id, topic_summary, topics, conversion_signals, "
	"summarized_at) VALUES (?2, ?1, ?3, ?3, ?3, ?2)",
	"INSERT INTO rollup_counts (organization_id, edition, metric, span, start, label, amount) "
	"VALUES (?1, ?2, ?2, ?2, ?2, ?3, ?2)",
	"INSERT INTO rollup_members (organization_id, edition, metric, member, day, amount) "
	"VALUES (?1, ?2, ?2, ?3, ?2, ?2)",
	"INSERT INTO rollup_gaps (organization_id, edition, metric, span, start, before, amount) "
	"VALUES (?1, ?2, ?2, ?2, ?2, ?2, ?2)",
	"INSERT INTO rollup_states (organization_id, edition, zone, newest_edition, build_edition, build_zone) "
	"VALUES (?1, ?2, ?3, ?2, ?2, ?3)",
	"INSERT INTO articles (organization_id, article_id, article_name, article_slug, article_type, seen_at) "
	"VALUES (?1, ?3, ?3, ?3, ?3, ?2)",
	"INSERT INTO imported_rows (organization_id, source, source_key, kept_id) VALUES (?1, ?3, ?3 || ?2, ?1)",
	"INSERT INTO web_pages (number, organization_id, article_url, article_title, mentions, clicks, "
	"last_mentioned) VALUES (?2, ?1, ?3, ?3, ?2, ?2, ?2)",
	NULL,
};

static void seed(sqlite3 *plain, char letter, int64_t number, const char *text)
{
	const struct uuid id = fixture_id(letter);

	for (const char *const *next = victim_seeds; *next != NULL; next++) {
		sqlite3_stmt *insert = NULL;

		if (sqlite3_prepare_v2(plain, *next, -1, &insert, NULL) != SQLITE_OK)
			fail_msg("%s", sqlite3_errmsg(plain));
		sqlite3_bind_blob(insert, 1, id.bytes, sizeof id.bytes, SQLITE_STATIC);
		sqlite3_bind_int64(insert, 2, number);
		if (sqlite3_bind_parameter_count(insert) > 2)
			sqlite3_bind_text(insert, 3, text, -1, SQLITE_STATIC);
		assert_int_equal(sqlite3_step(insert), SQLITE_DONE);
		sqlite3_finalize(insert);
	}
}

void victim_settle(sqlite3 *plain)
{
	fixture_run(plain, "PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE");
	for (size_t i = 0; i < protected_table_count; i++) {
		char *sql = sqlite3_mprintf("DELETE FROM \"%w\"", protected_tables[i].name);

		fixture_run(plain, sql);
		sqlite3_free(sql);
	}
	seed(plain, ATTACKER, ATTACKER_NUMBER, "OWN");
	seed(plain, VICTIM, VICTIM_NUMBER, "CANARY");
	for (size_t i = 0; i < protected_table_count; i++) {
		char *sql = sqlite3_mprintf("SELECT count(*) FROM \"%w\"", protected_tables[i].name);

		if (fixture_number(plain, sql) != 2)
			fail_msg("%s needs a row of the victim in victim.c", protected_tables[i].name);
		sqlite3_free(sql);
	}
	fixture_run(plain, "COMMIT");
}

static void add_table(sqlite3 *plain, sqlite3_str *to, const struct protected_table *table, const struct uuid *id)
{
	sqlite3_stmt *rows = NULL;
	char *sql =
	    sqlite3_mprintf("SELECT * FROM \"%w\" WHERE \"%w\" = ?1 ORDER BY 1", table->name, table->owner_column);

	assert_int_equal(sqlite3_prepare_v2(plain, sql, -1, &rows, NULL), SQLITE_OK);
	sqlite3_bind_blob(rows, 1, id->bytes, sizeof id->bytes, SQLITE_STATIC);
	sqlite3_str_appendf(to, "%s\n", table->name);
	while (sqlite3_step(rows) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(rows); i++)
			sqlite3_str_appendf(to, " %Q", sqlite3_column_text(rows, i));
		sqlite3_str_appendall(to, "\n");
	}
	assert_int_equal(sqlite3_finalize(rows), SQLITE_OK);
	sqlite3_free(sql);
}

char *victim_rows(sqlite3 *plain, char letter)
{
	const struct uuid id = fixture_id(letter);
	sqlite3_str *rows = sqlite3_str_new(plain);
	char *text;

	for (size_t i = 0; i < protected_table_count; i++)
		add_table(plain, rows, &protected_tables[i], &id);
	text = sqlite3_str_finish(rows);
	assert_non_null(text);
	return text;
}

bool victim_shows(sqlite3_stmt *row, char letter)
{
	const struct uuid id = fixture_id(letter);
	const int64_t own_number = letter == VICTIM ? VICTIM_NUMBER : ATTACKER_NUMBER;
	const char *own_text = letter == VICTIM ? "CANARY" : "OWN";

	for (int i = 0; i < sqlite3_column_count(row); i++) {
		const int64_t number = sqlite3_column_int64(row, i);
		const void *bytes = sqlite3_column_blob(row, i);
		const size_t length = (size_t)sqlite3_column_bytes(row, i);

		if (number == own_number || number == VICTIM_NUMBER + ATTACKER_NUMBER)
			return true;
		if (bytes != NULL && (memmem(bytes, length, own_text, strlen(own_text)) != NULL ||
				      memmem(bytes, length, id.bytes, sizeof id.bytes) != NULL))
			return true;
	}
	return false;
}
