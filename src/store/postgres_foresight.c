#include "store/postgres_foresight.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define KEY_SIZE  1024 /* bytes of values; a longer question is asked when it is wanted */
#define TEXT_SIZE ((size_t)64 * 1024)

struct postgres_foreseen {
	struct postgres_foreseen *next; /* of the place */
	struct postgres_asked *asked;
	size_t number; /* of the question among those asked with it, from 1 on */
	size_t key_size;
	unsigned char key[]; /* the values, as they are sent */
};

/* The bytes that tell two questions of a statement apart; `out` NULL: how many. */
static size_t put_key(const struct postgres_parameters *parameters, unsigned char *out)
{
	size_t size = 0;

	for (int i = 0; i < parameters->count; i++) {
		const int length = parameters->values[i] == NULL ? -1 : parameters->lengths[i];

		if (out != NULL)
			memcpy(out + size, &length, sizeof length);
		size += sizeof length;
		if (out != NULL && length > 0)
			memcpy(out + size, parameters->values[i], (size_t)length);
		size += length > 0 ? (size_t)length : 0;
	}
	return size;
}

/* FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/ */
static size_t place_of(enum statement_id id, const unsigned char *key, size_t size)
{
	uint64_t hash = (UINT64_C(0xcbf29ce484222325) ^ (uint64_t)id) * UINT64_C(0x100000001b3);

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ key[i]) * UINT64_C(0x100000001b3);
	return (size_t)(hash >> 32) & (POSTGRES_FORESIGHT_PLACES - 1);
}

/* Where the pointer to it stands; at the place's end NULL does. */
static struct postgres_foreseen **find(struct postgres_foresight *foresight, enum statement_id id,
				       const unsigned char *key, size_t size)
{
	struct postgres_foreseen **at = &foresight->places[place_of(id, key, size)];

	while (*at != NULL &&
	       !((*at)->asked->id == id && (*at)->key_size == size && memcmp((*at)->key, key, size) == 0))
		at = &(*at)->next;
	return at;
}

static struct postgres_asked *open_asked(struct postgres_foresight *foresight, enum statement_id id,
					 const struct uuid *organization)
{
	struct postgres_asked *asked = foresight->first;

	while (asked != NULL && (asked->id != id || asked->sent || postgres_rows_full(&asked->rows) ||
				 !uuid_equal(&asked->rows.organization, organization)))
		asked = asked->next;
	if (asked != NULL)
		return asked;
	asked = calloc(1, sizeof *asked);
	if (asked == NULL || postgres_rows_begin(&asked->rows, &statements[id], organization) != OK) {
		free(asked);
		return NULL;
	}
	asked->id = id;
	asked->next = foresight->first;
	foresight->first = asked;
	foresight->unsent++;
	return asked;
}

void postgres_foresight_add(struct postgres_foresight *foresight, enum statement_id id, const struct uuid *organization,
			    const struct postgres_parameters *parameters)
{
	unsigned char key[KEY_SIZE];
	const size_t size = put_key(parameters, NULL);
	struct postgres_foreseen *foreseen;
	struct postgres_foreseen **at;
	struct postgres_asked *asked;

	if (size > sizeof key)
		return;
	put_key(parameters, key);
	at = find(foresight, id, key, size);
	if (*at != NULL)
		return;
	foreseen = malloc(sizeof *foreseen + size);
	asked = foreseen == NULL ? NULL : open_asked(foresight, id, organization);
	if (asked == NULL || postgres_rows_add(&asked->rows, parameters) != OK) {
		free(foreseen);
		return;
	}
	*foreseen = (struct postgres_foreseen){ .asked = asked, .number = asked->rows.count, .key_size = size };
	memcpy(foreseen->key, key, size);
	*at = foreseen;
}

struct postgres_asked *postgres_foresight_next(struct postgres_foresight *foresight)
{
	struct postgres_asked *asked = foresight->first;

	if (foresight->unsent == 0)
		return NULL;
	while (asked->sent)
		asked = asked->next;
	asked->sent = true;
	foresight->unsent--;
	return asked;
}

/* The statement's text with the values of `q.v2`, `q.v3`, … in the place of $2, $3, …; $1 is the organization in both.
 */
static void put_inner(struct buffer *out, const char *text)
{
	bool quoted = false;

	for (const char *at = text; *at != '\0';) {
		quoted = quoted != (*at == '\'');
		if (quoted || *at != '$' || !isdigit((unsigned char)at[1]) ||
		    (at[1] == '1' && !isdigit((unsigned char)at[2]))) {
			buffer_add(out, at++, 1);
			continue;
		}
		buffer_string(out, "q.v");
		for (at++; isdigit((unsigned char)*at); at++)
			buffer_add(out, at, 1);
	}
}

/* OFFSET 0 keeps the planner from another way than question by question, as each would have been answered alone. */
char *postgres_foresight_text(const struct statement *statement)
{
	struct buffer text;
	size_t length;

	if (statement->in_count == 0)
		return strdup(statement->postgres);
	buffer_init(&text, TEXT_SIZE);
	buffer_string(&text, "SELECT a.*, q.n FROM unnest(");
	for (size_t i = 0; i < statement->in_count; i++)
		buffer_format(&text, "%s$%zu", i == 0 ? "" : ", ", i + 2);
	buffer_string(&text, ") WITH ORDINALITY AS q (");
	for (size_t i = 0; i < statement->in_count; i++)
		buffer_format(&text, "v%zu, ", i + 2);
	buffer_string(&text, "n) CROSS JOIN LATERAL (");
	put_inner(&text, statement->postgres);
	buffer_string(&text, " OFFSET 0) AS a ORDER BY q.n");
	buffer_add(&text, "", 1);
	return buffer_detach(&text, &length);
}

/* The first row of a question with this number or a later one. */
static int first_row(const PGresult *result, size_t number)
{
	const int column = PQnfields(result) - 1;
	int low = 0;
	int high = PQntuples(result);

	while (low < high) {
		const int middle = low + (high - low) / 2;

		if (postgres_read_number(result, middle, column) < (int64_t)number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A question's own rows out of the answer to all. NULL: out of memory. */
static PGresult *cut_out(const PGresult *all, size_t number)
{
	const int first = first_row(all, number);
	const int behind = first_row(all, number + 1);
	PGresult *own = PQcopyResult(all, PG_COPYRES_ATTRS);
	bool done = own != NULL;

	for (int row = first; done && row < behind; row++)
		for (int column = 0; done && column < PQnfields(all); column++)
			done = PQsetvalue(own, row - first, column, PQgetvalue(all, row, column),
					  PQgetisnull(all, row, column) != 0 ? -1 : PQgetlength(all, row, column)) != 0;
	if (done)
		return own;
	PQclear(own);
	return NULL;
}

static PGresult *answer_of(const struct postgres_foreseen *foreseen)
{
	struct postgres_asked *asked = foreseen->asked;
	PGresult *result = asked->answer.result;

	if (asked->answer.err != OK || result == NULL)
		return NULL;
	if (asked->rows.statement->in_count > 0)
		return cut_out(result, foreseen->number);
	asked->answer.result = NULL; /* nobody else's */
	return result;
}

bool postgres_foresight_take(struct postgres_foresight *foresight, struct postgres_line *line, enum statement_id id,
			     const struct postgres_parameters *parameters, struct postgres_answer *out)
{
	unsigned char key[KEY_SIZE];
	const size_t size = put_key(parameters, NULL);
	struct postgres_foreseen *foreseen;
	struct postgres_foreseen **at;

	if (foresight->first == NULL || size > sizeof key)
		return false;
	put_key(parameters, key);
	at = find(foresight, id, key, size);
	if (*at == NULL || !(*at)->asked->sent)
		return false;
	foreseen = *at;
	*at = foreseen->next;
	postgres_line_wait(line, &foreseen->asked->answer);
	*out = (struct postgres_answer){ .result = answer_of(foreseen), .arrived = true };
	free(foreseen);
	if (out->result != NULL)
		return true;
	*out = (struct postgres_answer){ 0 };
	return false;
}

void postgres_foresight_clear(struct postgres_foresight *foresight, struct postgres_line *line)
{
	for (size_t i = 0; foresight->first != NULL && i < POSTGRES_FORESIGHT_PLACES; i++)
		while (foresight->places[i] != NULL) {
			struct postgres_foreseen *next = foresight->places[i]->next;

			free(foresight->places[i]);
			foresight->places[i] = next;
		}
	while (foresight->first != NULL) {
		struct postgres_asked *next = foresight->first->next;

		postgres_line_give_up(line, &foresight->first->answer);
		PQclear(foresight->first->answer.result);
		postgres_rows_fini(&foresight->first->rows);
		free(foresight->first);
		foresight->first = next;
	}
	foresight->unsent = 0;
}
