#include "api/bulletin.h"

#include <stdlib.h>
#include <string.h>

#include "api/live_hub.h"
#include "move/moves.h"

/* A line of words is `k ORGANIZATION` (its keys changed), `l ORGANIZATION KIND ID COUNT CHAT`, the chat in hex, `-` for
 * what is absent, or `a PROCESS ACCOUNT RIGHT SUBJECT`, two flags and the subject in hex. */
#define LINE_MAX ((size_t)640)
#define WORDS_MAX                                                                                                      \
	((size_t)7900) /* NOTIFY takes less than 8000 bytes: https://www.postgresql.org/docs/15/sql-notify.html */
#define LIMIT ((size_t)16 * 1024 * 1024)

struct bulletin {
	struct buffer lines;
	size_t kept; /* bytes of them, of items that have ended */
};

enum err bulletin_new(struct bulletin **out)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return ERR_MEMORY;
	buffer_init(&(*out)->lines, LIMIT);
	return OK;
}

void bulletin_free(struct bulletin *bulletin)
{
	if (bulletin == NULL)
		return;
	buffer_fini(&bulletin->lines);
	free(bulletin);
}

static void put_hex(struct buffer *to, struct text text)
{
	char digits[2 * LIVE_CHAT_ID + 1];

	if (text.at == NULL || text.length == 0 || text.length > LIVE_CHAT_ID) {
		buffer_string(to, "-");
		return;
	}
	text_hex((const uint8_t *)text.at, text.length, digits);
	buffer_string(to, digits);
}

static void put_note(struct buffer *to, const char *organization, const struct live_note *note)
{
	char id[UUID_TEXT_SIZE];

	uuid_format(&note->id, id);
	buffer_format(to, "l %s %d %s %lld ", organization, (int)note->kind, id, (long long)note->count);
	put_hex(to, note->chat_id);
	buffer_string(to, "\n");
}

void bulletin_note(struct bulletin *bulletin, const struct call *call)
{
	const struct uuid *whose = scope_organization(call->scope);
	char organization[UUID_TEXT_SIZE];

	if (whose == NULL)
		return;
	uuid_format(whose, organization);
	if (call->route->stored != NULL)
		buffer_format(&bulletin->lines, "k %s\n", organization);
	for (const struct live_note *note = call->first_note; note != NULL; note = note->next)
		put_note(&bulletin->lines, organization, note);
}

void bulletin_keys(struct bulletin *bulletin, const struct uuid *organization)
{
	char id[UUID_TEXT_SIZE];

	uuid_format(organization, id);
	buffer_format(&bulletin->lines, "k %s\n", id);
}

void bulletin_attempt(struct bulletin *bulletin, const struct uuid *process, const struct attempt_subject *subject,
		      bool right)
{
	char digits[2 * sizeof subject->bytes + 1];
	char id[UUID_TEXT_SIZE];

	uuid_format(process, id);
	text_hex(subject->bytes, sizeof subject->bytes, digits);
	buffer_format(&bulletin->lines, "a %s %d %d %s\n", id, subject->account, right, digits);
}

/* As many whole lines as one NOTIFY takes. */
static size_t first_words(struct text lines)
{
	size_t length = lines.length;

	if (length > WORDS_MAX) {
		const char *end = memrchr(lines.at, '\n', WORDS_MAX);

		length = end == NULL ? 0 : (size_t)(end + 1 - lines.at);
	}
	return length;
}

void bulletin_end_item(struct bulletin *bulletin, bool kept)
{
	if (kept)
		bulletin->kept = bulletin->lines.length;
	else
		buffer_cut(&bulletin->lines, bulletin->kept);
}

enum err bulletin_send(struct bulletin *bulletin, struct db *db)
{
	struct text left = { bulletin->lines.at, bulletin->lines.length };
	enum err err = bulletin->lines.failed ? ERR_MEMORY : OK;

	while (err == OK && left.length > 0) {
		const size_t length = first_words(left);

		err = length == 0 ? ERR_TOO_LARGE : db_notify(db, (struct text){ left.at, length });
		left.at += length;
		left.length -= length;
	}
	bulletin_forget(bulletin);
	return err;
}

void bulletin_forget(struct bulletin *bulletin)
{
	buffer_fini(&bulletin->lines);
	buffer_init(&bulletin->lines, LIMIT);
	bulletin->kept = 0;
}

/* The next of some fields with a blank between. */
static struct text next_field(struct text *line)
{
	const char *blank = line->length == 0 ? NULL : memchr(line->at, ' ', line->length);
	const size_t length = blank == NULL ? line->length : (size_t)(blank - line->at);
	const struct text field = { line->at, length };

	line->at += length + (blank != NULL);
	line->length -= length + (blank != NULL);
	return field;
}

static bool read_number(struct text field, int64_t *out)
{
	char digits[24];

	if (field.length == 0 || field.length >= sizeof digits)
		return false;
	memcpy(digits, field.at, field.length);
	digits[field.length] = '\0';
	*out = strtoll(digits, NULL, 10);
	return true;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static struct text read_hex(struct text field, char out[LIVE_CHAT_ID])
{
	const size_t length = field.length / 2;

	if (field.length % 2 != 0 || length > LIVE_CHAT_ID)
		return (struct text){ 0 };
	for (size_t i = 0; i < length; i++) {
		const int high = digit_of(field.at[2 * i]);
		const int low = digit_of(field.at[2 * i + 1]);

		if (high < 0 || low < 0)
			return (struct text){ 0 };
		out[i] = (char)(high * 16 + low);
	}
	if (length == 0)
		return (struct text){ 0 };
	return (struct text){ out, length };
}

static void hear_event(const struct house *house, const struct uuid *organization, struct text fields)
{
	struct live_note note = { 0 };
	char chat[LIVE_CHAT_ID];
	int64_t kind;

	if (!read_number(next_field(&fields), &kind) || kind < LIVE_CHAT || kind > LIVE_CLICK ||
	    uuid_parse(next_field(&fields), &note.id) != OK || !read_number(next_field(&fields), &note.count))
		return;
	note.kind = (enum live_kind)kind;
	note.chat_id = read_hex(next_field(&fields), chat);
	live_publish(house->live, organization, &note);
}

static void hear_attempt(const struct house *house, const struct uuid *process, struct text fields)
{
	struct attempt_subject subject = { 0 };
	char bytes[LIVE_CHAT_ID];
	struct text read;
	int64_t account;
	int64_t right;

	if (uuid_equal(process, moves_process(house->moves)) || !read_number(next_field(&fields), &account) ||
	    !read_number(next_field(&fields), &right))
		return;
	read = read_hex(next_field(&fields), bytes);
	if (read.length != sizeof subject.bytes)
		return;
	memcpy(subject.bytes, read.at, sizeof subject.bytes);
	subject.account = account != 0;
	if (right != 0)
		(void)attempts_right(house->attempts, &subject);
	else
		attempts_wrong(house->attempts, &subject);
}

/* What is no line of ours is another version's, and passed over. */
static void hear_line(const struct house *house, struct text line)
{
	const struct text kind = next_field(&line);
	struct uuid whose;

	if (uuid_parse(next_field(&line), &whose) != OK)
		return;
	if (text_equal(kind, TEXT("k")))
		api_keys_forget(house->keys, &whose);
	else if (text_equal(kind, TEXT("l")))
		hear_event(house, &whose, line);
	else if (text_equal(kind, TEXT("a")))
		hear_attempt(house, &whose, line);
}

void bulletin_heard(void *given, struct text words)
{
	const struct house *house = given;

	if (words.at == NULL) {
		api_keys_forget(house->keys, NULL);
		live_interrupt(house->live);
		return;
	}
	while (words.length > 0) {
		const char *end = memchr(words.at, '\n', words.length);
		const size_t length = end == NULL ? words.length : (size_t)(end - words.at);

		hear_line(house, (struct text){ words.at, length });
		words.at += length + (end != NULL);
		words.length -= length + (end != NULL);
	}
}
