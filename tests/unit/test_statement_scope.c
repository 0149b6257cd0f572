#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "auth/tenant.h"
#include "stage.h"
#include "store/statement.h"

#define IN_MAX       1024 /* bytes of a statement's struct */
#define OUT_MAX      2048
#define ROWS_AT_MOST 100

/* What a statement is given: the victim's values, and where it asks for a range (before, after, limit) only what it is
 * bound by, or all there is. */
enum given { EXACTLY, WIDELY, GIVEN_COUNT };

struct probe {
	struct stage stage;
	struct db *db;
	const struct scope *attacker;
	const struct scope *victim;
	struct buffer hidden; /* the victim's word, as PostgreSQL has it */
	struct text words;
};

static int open_probe(void **state)
{
	struct probe *probe = test_calloc(1, sizeof *probe);
	const struct uuid attacker = fixture_id(ATTACKER);
	const struct uuid victim = fixture_id(VICTIM);
	struct fault fault = { 0 };

	stage_open(&probe->stage);
	stage_settle(&probe->stage, true);
	if (db_open(&probe->db, probe->stage.url, DB_WRITE, &probe->stage.fixture.log, &fault) != OK)
		fail_msg("%s", fault.sentence);
	probe->attacker = tenant_scope(&probe->stage.fixture.arena, &attacker);
	probe->victim = tenant_scope(&probe->stage.fixture.arena, &victim);
	probe->words = TEXT("\"=CANARY\"");
	if (probe->stage.postgres != NULL)
		probe->words = stage_words(VICTIM, "CANARY", &probe->hidden);
	*state = probe;
	return 0;
}

static int close_probe(void **state)
{
	struct probe *probe = *state;

	db_close(probe->db);
	buffer_fini(&probe->hidden);
	stage_close(&probe->stage);
	test_free(probe);
	return 0;
}

static bool begins(const char *name, const char *with)
{
	return strncmp(name, with, strlen(with)) == 0;
}

static int64_t number_for(const struct column *column, enum given given)
{
	static const char *const high[] = { "before", "limit", "last", "most", "to_" };
	static const char *const low[] = { "after", "first", "from", "since", "mark", "way" };

	if (given == EXACTLY)
		return VICTIM_NUMBER;
	for (size_t i = 0; i < sizeof high / sizeof high[0]; i++)
		if (begins(column->name, high[i]))
			return strcmp(column->name, "limit") == 0 || strcmp(column->name, "most") == 0 ? ROWS_AT_MOST
												       : INT64_MAX;
	for (size_t i = 0; i < sizeof low / sizeof low[0]; i++)
		if (begins(column->name, low[i]))
			return strcmp(column->name, "way") == 0 ? INT64_MAX : 0;
	/* A filter that is optional is not given. */
	return begins(column->name, "min_") ? DB_NULL : VICTIM_NUMBER;
}

static struct text text_for(const struct probe *probe, const struct column *column, enum given given)
{
	/* Nobody guesses the hash of a secret of 190 bits; that it is there already would tell. */
	if (strcmp(column->name, "hash") == 0)
		return TEXT("a hash of its own");
	if (strcmp(column->name, "words") == 0)
		return probe->words;
	if (given == WIDELY && (strcmp(column->name, "status") == 0 || strcmp(column->name, "sentiment") == 0))
		return (struct text){ 0 };
	if (strcmp(column->name, "status") == 0)
		return TEXT("active");
	return column->type == COLUMN_JSON ? TEXT("\"CANARY\"") : TEXT("CANARY");
}

static void fill(const struct probe *probe, const struct statement *statement, enum given given, char *in)
{
	const struct uuid id = fixture_id(VICTIM);

	memset(in, 0, IN_MAX);
	for (size_t i = 0; i < statement->in_count; i++) {
		const struct column *column = &statement->in[i];
		void *to = in + column->offset;

		assert_true(column->offset + sizeof(struct text) <= IN_MAX);
		switch (column->type) {
		case COLUMN_UUID:
			*(struct uuid *)to = id;
			break;
		case COLUMN_TEXT:
		case COLUMN_JSON:
			*(struct text *)to = text_for(probe, column, given);
			break;
		case COLUMN_INT:
		case COLUMN_TIME:
			*(int64_t *)to = number_for(column, given);
			break;
		case COLUMN_REAL:
			*(double *)to = (double)VICTIM_NUMBER;
			break;
		case COLUMN_BOOL:
			*(bool *)to = given == WIDELY;
			break;
		}
	}
}

static void put_row(const struct statement *statement, const char *row, struct buffer *said)
{
	for (size_t i = 0; i < statement->out_count; i++) {
		const struct column *column = &statement->out[i];
		const void *value = row + column->offset;
		char id[UUID_TEXT_SIZE];

		switch (column->type) {
		case COLUMN_UUID:
			uuid_format(value, id);
			buffer_format(said, " %s", id);
			break;
		case COLUMN_TEXT:
		case COLUMN_JSON:
			buffer_string(said, " ");
			buffer_text(said, *(const struct text *)value);
			break;
		case COLUMN_INT:
		case COLUMN_TIME:
			buffer_format(said, " %lld", (long long)*(const int64_t *)value);
			break;
		case COLUMN_REAL:
			buffer_format(said, " %g", *(const double *)value);
			break;
		case COLUMN_BOOL:
			buffer_string(said, *(const bool *)value ? " true" : " false");
			break;
		}
	}
	buffer_string(said, "\n");
}

/* Runs it in a scope and writes down what it says, to the last word of how it ended. Whether it is kept. */
static void say(struct probe *probe, const struct scope *scope, enum statement_id id, enum given given, bool keep,
		struct buffer *said)
{
	const struct statement *statement = &statements[id];
	char in[IN_MAX] __attribute__((aligned(16)));
	char out[OUT_MAX] __attribute__((aligned(16)));
	enum err err;
	int rows = 0;

	fill(probe, statement, given, in);
	assert_int_equal(db_begin(probe->db), OK);
	assert_int_equal(db_enter(probe->db, scope), OK);
	err = db_start(probe->db, id, in);
	while (err == OK && rows++ < ROWS_AT_MOST) {
		memset(out, 0, sizeof out);
		err = db_step(probe->db, id, out);
		if (err == OK)
			put_row(statement, out, said);
	}
	db_stop(probe->db, id);
	buffer_format(said, "ended with %d, changed %lld\n", (int)err,
		      statement->write_target == NULL ? 0LL : (long long)db_changed(probe->db));
	keep = keep && err == ERR_NOT_FOUND;
	assert_int_equal(db_leave(probe->db, keep), OK);
	assert_int_equal(db_end(probe->db, keep), OK);
}

/* But for numbers drawn from a sequence, which are another one each time and name no row. */
static bool is_ours(struct probe *probe, const struct statement *statement)
{
	return statement->kind == STATEMENT_TENANT && strstr(statement->name, "_numbers") == NULL &&
	       (probe->stage.postgres != NULL ? statement->postgres : statement->sqlite) != NULL;
}

static bool shows_the_victim(const struct buffer *said)
{
	return said->length > 0 && (memmem(said->at, said->length, "CANARY", 6) != NULL ||
				    memmem(said->at, said->length, "7000007", 7) != NULL ||
				    memmem(said->at, said->length, "76767676", 8) != NULL);
}

static void every_statement_says_what_it_says_when_there_is_no_victim(void **state)
{
	struct probe *probe = *state;
	struct buffer(*with)[GIVEN_COUNT] = test_calloc(statement_count, sizeof *with);
	size_t tried = 0;

	for (int victim = 1; victim >= 0; victim--) {
		stage_settle(&probe->stage, victim == 1);
		for (size_t i = 0; i < statement_count; i++) {
			for (int given = 0; is_ours(probe, &statements[i]) && given < GIVEN_COUNT; given++) {
				struct buffer said;

				buffer_init(&said, (size_t)1 << 20);
				say(probe, probe->attacker, (enum statement_id)i, (enum given)given, false, &said);
				assert_false(said.failed);
				tried++;
				if (victim == 1) {
					with[i][given] = said;
					continue;
				}
				if (said.length != with[i][given].length ||
				    memcmp(said.at, with[i][given].at, said.length) != 0)
					fail_msg(
					    "%s, given the victim's values, says\n%.*s\nand without a victim\n%.*s",
					    statements[i].name, (int)with[i][given].length, with[i][given].at,
					    (int)said.length, said.at);
				/* What a write returns may be what it was given. */
				if (statements[i].write_target == NULL && shows_the_victim(&said))
					fail_msg("%s shows the victim: %.*s", statements[i].name, (int)said.length,
						 said.at);
				buffer_fini(&said);
				buffer_fini(&with[i][given]);
			}
		}
	}
	test_free(with);
	assert_true(tried > 600);
}

static void no_statement_changes_a_row_of_the_victim(void **state)
{
	struct probe *probe = *state;
	char *before = stage_rows(&probe->stage, VICTIM);
	size_t tried = 0;

	for (size_t i = 0; i < statement_count; i++) {
		if (!is_ours(probe, &statements[i]) || statements[i].write_target == NULL)
			continue;
		tried++;
		for (int given = 0; given < GIVEN_COUNT; given++) {
			struct buffer said;
			char *after;

			buffer_init(&said, (size_t)1 << 20);
			say(probe, probe->attacker, (enum statement_id)i, (enum given)given, true, &said);
			buffer_fini(&said);
			after = stage_rows(&probe->stage, VICTIM);
			if (strcmp(after, before) != 0)
				fail_msg("%s changed a row of the victim", statements[i].name);
			free(after);
		}
		stage_settle(&probe->stage, true);
	}
	free(before);
	assert_true(tried > 60);
}

/* What nobody finds, nobody misses: the same values, in the victim's own scope, do find and change its rows. */
static void the_same_values_reach_the_victims_rows_in_its_own_scope(void **state)
{
	struct probe *probe = *state;
	size_t reads = 0, shown = 0, writes = 0, changed = 0;

	for (size_t i = 0; i < statement_count; i++) {
		bool reached = false;

		for (int given = 0; is_ours(probe, &statements[i]) && given < GIVEN_COUNT; given++) {
			static const char nothing[] = "changed 0\n";
			struct buffer said;

			buffer_init(&said, (size_t)1 << 20);
			say(probe, probe->victim, (enum statement_id)i, (enum given)given, false, &said);
			if (statements[i].write_target == NULL)
				reached = reached || shows_the_victim(&said);
			else
				reached = reached || memmem(said.at, said.length, nothing, sizeof nothing - 1) == NULL;
			buffer_fini(&said);
		}
		if (!is_ours(probe, &statements[i]))
			continue;
		reads += statements[i].write_target == NULL;
		shown += statements[i].write_target == NULL && reached;
		writes += statements[i].write_target != NULL;
		changed += statements[i].write_target != NULL && reached;
	}
	print_message("# %zu of %zu reads show the victim to itself, %zu of %zu writes change it\n", shown, reads,
		      changed, writes);
	assert_true(shown * 3 >= reads * 2);
	assert_true(changed * 3 >= writes * 2);
}

#define PROBE(test) cmocka_unit_test_setup_teardown(test, open_probe, close_probe)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROBE(every_statement_says_what_it_says_when_there_is_no_victim),
		PROBE(no_statement_changes_a_row_of_the_victim),
		PROBE(the_same_values_reach_the_victims_rows_in_its_own_scope),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
