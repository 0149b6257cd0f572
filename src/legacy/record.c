#include "legacy/record.h"

#include <ctype.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "legacy/value.h"
#include "store/query.h"

#define WORDS_BYTES 240

static __attribute__((format(printf, 2, 0))) struct text words_of(struct arena *arena, const char *format,
								  va_list arguments)
{
	char words[WORDS_BYTES];

	vsnprintf(words, sizeof words, format, arguments);
	return text_copy(arena, text_of(words));
}

void legacy_refuse(struct legacy_record *record, struct arena *arena, const char *format, ...)
{
	va_list arguments;

	if (record->reason.at != NULL)
		return;
	va_start(arguments, format);
	record->reason = words_of(arena, format, arguments);
	va_end(arguments);
}

void legacy_note(struct legacy_record *record, struct arena *arena, const char *format, ...)
{
	struct legacy_note *note = arena_take(arena, sizeof *note);
	va_list arguments;

	if (note == NULL)
		return; /* the arena remembers it */
	va_start(arguments, format);
	note->words = words_of(arena, format, arguments);
	va_end(arguments);
	note->next = record->notes;
	record->notes = note;
}

static struct text lower(struct arena *arena, struct text text)
{
	char *copy = arena_copy(arena, text.at, text.length);

	for (size_t i = 0; copy != NULL && i < text.length; i++)
		copy[i] = (char)tolower((unsigned char)copy[i]);
	return (struct text){ copy, copy == NULL ? 0 : text.length };
}

/* A row without an id is known again by all that stands in it. */
static struct text hash_row(struct arena *arena, const struct legacy_row *row)
{
	crypto_hash_sha256_state state;
	uint8_t hash[crypto_hash_sha256_BYTES];
	char hex[2 * sizeof hash + 1];

	crypto_hash_sha256_init(&state);
	for (size_t i = 0; i < LEGACY_COLUMNS; i++) {
		const struct text value = row->values[i];
		const uint64_t frame[2] = { i, value.length };

		if (value.at == NULL)
			continue;
		crypto_hash_sha256_update(&state, (const unsigned char *)frame, sizeof frame);
		crypto_hash_sha256_update(&state, (const unsigned char *)value.at, value.length);
	}
	crypto_hash_sha256_final(&state, hash);
	text_hex(hash, sizeof hash, hex);
	return text_copy(arena, text_of(hex));
}

bool legacy_is_foreign(const struct legacy_reading *reading, enum legacy_kind kind, struct text id)
{
	return id.at != NULL && key_set_has(reading->foreign, (char)kind, lower(reading->arena, id));
}

enum err legacy_add_foreign(struct legacy_reading *reading, enum legacy_kind kind, struct text id)
{
	return id.at == NULL ? OK : key_set_add(reading->foreign, (char)kind, lower(reading->arena, id));
}

static void belongs_elsewhere(struct legacy_reading *reading, struct legacy_record *record, struct text organization)
{
	record->foreign = true;
	legacy_refuse(record, reading->arena, "It belongs to the organization %.*s%s.", (int)organization.length,
		      organization.at, reading->source.at == NULL ? ": --source-organization says which is meant" : "");
}

static void find_owner(struct legacy_reading *reading, const struct legacy_row *row, enum legacy_parents parents,
		       struct legacy_record *record)
{
	struct legacy_record silent = { 0 };
	const struct text own =
	    legacy_text(reading->arena, row, LEGACY_ORGANIZATION_ID, LEGACY_KEY_BYTES, LEGACY_WHOLE, record);
	const struct text chat = parents == LEGACY_OF_CHAT ? legacy_text(reading->arena, row, LEGACY_CHAT_ID,
									 LEGACY_KEY_BYTES, LEGACY_WHOLE, &silent)
							   : (struct text){ 0 };
	const struct text visitor =
	    legacy_text(reading->arena, row, LEGACY_VISITOR_ID, LEGACY_KEY_BYTES, LEGACY_WHOLE, &silent);

	if (own.at != NULL) {
		if (!text_equal_ignoring_case(own, reading->source))
			belongs_elsewhere(reading, record, own);
	} else if (legacy_is_foreign(reading, LEGACY_CHATS, chat)) {
		record->foreign = true;
		legacy_refuse(record, reading->arena, "Its chat belongs to another organization.");
	} else if (parents != LEGACY_ALONE && chat.at == NULL && legacy_is_foreign(reading, LEGACY_VISITORS, visitor)) {
		record->foreign = true;
		legacy_refuse(record, reading->arena, "Its visitor belongs to another organization.");
	}
}

void legacy_begin(struct legacy_reading *reading, const struct legacy_row *row, enum legacy_parents parents,
		  struct legacy_record *record)
{
	const struct text id = legacy_text(reading->arena, row, LEGACY_ID, LEGACY_KEY_BYTES, LEGACY_WHOLE, record);

	record->id = (struct uuid){ 0 };
	if (id.at == NULL)
		record->key = hash_row(reading->arena, row);
	else if (uuid_parse(id, &record->id) == OK)
		record->key = lower(reading->arena, id);
	else
		record->key = id;
	if (record->key.at == NULL)
		return; /* the arena remembers it */
	find_owner(reading, row, parents, record);
}

void legacy_read_links(struct legacy_reading *reading, const struct legacy_row *row, struct legacy_record *record)
{
	record->visitor = legacy_text(reading->arena, row, LEGACY_VISITOR_ID, LEGACY_KEY_BYTES, LEGACY_CUT, record);
	record->user = legacy_text(reading->arena, row, LEGACY_USER_ID, LEGACY_KEY_BYTES, LEGACY_CUT, record);
	if (legacy_is_foreign(reading, LEGACY_VISITORS, record->visitor)) {
		legacy_note(record, reading->arena, "Its visitor belongs to another organization: the link is cut.");
		record->visitor = (struct text){ 0 };
	}
	if (legacy_is_foreign(reading, LEGACY_USERS, record->user)) {
		legacy_note(record, reading->arena, "Its user belongs to another organization: the link is cut.");
		record->user = (struct text){ 0 };
	}
	if (record->user.at == NULL)
		record->user =
		    legacy_text(reading->arena, row, LEGACY_EXTERNAL_USER_ID, LEGACY_KEY_BYTES, LEGACY_CUT, record);
}

enum err legacy_find(struct legacy_storing *storing, const char *source, struct text key, struct uuid *out)
{
	struct imported_row_out row;
	enum err err = query_one(storing->counting.db, STATEMENT_IMPORTED_ROW,
				 &(struct imported_row_in){ .source = text_of(source), .source_key = key }, &row,
				 storing->counting.arena);

	*out = err == OK ? row.kept_id : (struct uuid){ 0 };
	return err;
}

enum err legacy_remember(struct legacy_storing *storing, const char *source, struct text key, const struct uuid *kept)
{
	struct imported_row_create_in row = { .source = text_of(source), .source_key = key };

	if (kept != NULL)
		row.kept_id = *kept;
	return db_send(storing->counting.db, STATEMENT_IMPORTED_ROW_CREATE, &row);
}

void legacy_foresee_find(struct legacy_storing *storing, const char *source, struct text key)
{
	db_foresee(storing->counting.db, STATEMENT_IMPORTED_ROW,
		   &(struct imported_row_in){ .source = text_of(source), .source_key = key });
}

void legacy_foresee_links(struct legacy_storing *storing, const struct legacy_record *record)
{
	struct uuid id;

	if (record->visitor.at != NULL && uuid_parse(record->visitor, &id) == OK)
		db_foresee(storing->counting.db, STATEMENT_VISITOR_BY_ID, &(struct visitor_by_id_in){ .id = id });
	else if (record->visitor.at != NULL)
		legacy_foresee_find(storing, "visitors", record->visitor);
	if (record->user.at == NULL)
		return;
	legacy_foresee_find(storing, "users",
			    uuid_parse(record->user, &id) == OK ? lower(storing->counting.arena, record->user)
								: record->user);
}

enum err legacy_link_visitor(struct legacy_storing *storing, struct legacy_record *record, struct uuid *out)
{
	struct arena *arena = storing->counting.arena;
	struct visitor_by_id_out visitor;
	struct text key = record->visitor;
	enum err err = ERR_NOT_FOUND;

	*out = (struct uuid){ 0 };
	if (key.at == NULL)
		return OK;
	if (uuid_parse(key, out) == OK) {
		key = lower(arena, key);
		err = query_one(storing->counting.db, STATEMENT_VISITOR_BY_ID, &(struct visitor_by_id_in){ .id = *out },
				&visitor, arena);
	}
	if (err == ERR_NOT_FOUND)
		err = legacy_find(storing, "visitors", key, out);
	if (err == ERR_NOT_FOUND) {
		legacy_note(record, arena, "Its visitor is not there: the link is cut.");
		return OK;
	}
	return err;
}

enum err legacy_link_user(struct legacy_storing *storing, struct legacy_record *record, struct text *out)
{
	struct arena *arena = storing->counting.arena;
	char text[UUID_TEXT_SIZE];
	struct text key = record->user;
	struct uuid id;
	enum err err;

	*out = key;
	if (key.at == NULL)
		return OK;
	if (uuid_parse(key, &id) == OK)
		*out = key = lower(arena, key);
	err = legacy_find(storing, "users", key, &id);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	uuid_format(&id, text);
	*out = text_copy(arena, text_of(text));
	return out->at == NULL ? ERR_MEMORY : OK;
}
