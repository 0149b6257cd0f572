#include "api/conversations.h"

#include <stdlib.h>
#include <string.h>

#include "store/query.h"

#define FIRST_ROOM 256

/* FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/ */
static size_t hash_of(const struct uuid *organization, struct text chat_id)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < sizeof organization->bytes; i++)
		hash = (hash ^ organization->bytes[i]) * UINT64_C(0x100000001b3);
	for (size_t i = 0; i < chat_id.length; i++)
		hash = (hash ^ (unsigned char)chat_id.at[i]) * UINT64_C(0x100000001b3);
	return (size_t)(hash >> 32);
}

/* Where the conversation stands or would stand. There is always a free place. */
static uint32_t *place_of(const struct conversations *conversations, const struct scope *scope, struct text chat_id)
{
	const struct uuid *organization = scope_organization(scope);
	const size_t mask = conversations->room * 2 - 1;
	size_t at = hash_of(organization, chat_id) & mask;

	while (conversations->places[at] != 0) {
		const struct conversation *other = &conversations->list[conversations->places[at] - 1];

		if (text_equal(other->chat_id, chat_id) && uuid_equal(scope_organization(other->scope), organization))
			break;
		at = (at + 1) & mask;
	}
	return &conversations->places[at];
}

struct conversation *conversations_find(struct conversations *conversations, const struct scope *scope,
					struct text chat_id)
{
	const uint32_t place = conversations->count == 0 ? 0 : *place_of(conversations, scope, chat_id);

	return place == 0 ? NULL : &conversations->list[place - 1];
}

static enum err grow(struct conversations *conversations)
{
	const size_t room = conversations->room == 0 ? FIRST_ROOM : conversations->room * 2;
	struct conversation *list = realloc(conversations->list, room * sizeof *list);
	uint32_t *places;

	if (list == NULL)
		return ERR_MEMORY;
	conversations->list = list;
	places = calloc(room * 2, sizeof *places);
	if (places == NULL)
		return ERR_MEMORY;
	free(conversations->places);
	conversations->places = places;
	conversations->room = room;
	for (size_t i = 0; i < conversations->count; i++)
		*place_of(conversations, list[i].scope, list[i].chat_id) = (uint32_t)i + 1;
	return OK;
}

enum err conversations_add(struct conversations *conversations, const struct conversation *read,
			   struct conversation **out)
{
	enum err err = conversations->count < conversations->room ? OK : grow(conversations);

	if (err != OK)
		return err;
	*place_of(conversations, read->scope, read->chat_id) = (uint32_t)conversations->count + 1;
	*out = &conversations->list[conversations->count++];
	**out = *read;
	return OK;
}

void conversations_want(struct conversations *conversations)
{
	conversations->wanted++;
}

void conversations_foresee(const struct conversations *conversations, struct db *db)
{
	if (conversations->wanted > 0)
		db_foresee(db, STATEMENT_MESSAGE_NUMBERS,
			   &(struct message_numbers_in){ .count = (int64_t)conversations->wanted });
}

static enum err make_room(struct conversations *conversations, size_t numbers)
{
	int64_t *larger;

	if (numbers <= conversations->number_room)
		return OK;
	larger = realloc(conversations->numbers, numbers * sizeof *larger);
	if (larger == NULL)
		return ERR_MEMORY;
	conversations->numbers = larger;
	conversations->number_room = numbers;
	return OK;
}

static enum err draw(struct conversations *conversations, struct db *db)
{
	const struct message_numbers_in in = { .count =
						   conversations->wanted == 0 ? 1 : (int64_t)conversations->wanted };
	enum err err = make_room(conversations, (size_t)in.count);
	struct message_numbers_out out;

	conversations->wanted = 0;
	conversations->given = 0;
	conversations->drawn = 0;
	conversations->drawn_for = *scope_organization(db_scope(db));
	if (err == OK)
		err = db_start(db, STATEMENT_MESSAGE_NUMBERS, &in);
	while (err == OK && conversations->drawn < (size_t)in.count) {
		err = db_step(db, STATEMENT_MESSAGE_NUMBERS, &out);
		if (err == OK)
			conversations->numbers[conversations->drawn++] = out.number;
	}
	db_stop(db, STATEMENT_MESSAGE_NUMBERS);
	return err == ERR_NOT_FOUND ? ERR_UNAVAILABLE : err;
}

enum err conversations_number(struct conversations *conversations, struct db *db, int64_t *out)
{
	const bool left = conversations->given < conversations->drawn &&
			  uuid_equal(&conversations->drawn_for, scope_organization(db_scope(db)));
	const enum err err = left ? OK : draw(conversations, db);

	if (err == OK)
		*out = conversations->numbers[conversations->given++];
	return err;
}

static enum err move_chat(struct conversation *chat, struct db *db)
{
	const struct chat_activities_move_in move = { .chat_number = chat->number,
						      .messages = chat->messages,
						      .message_count = chat->message_count,
						      .previous = chat->previous,
						      .last_message = chat->last_message,
						      .updated_at = chat->updated_at,
						      .counted_edition = chat->counted_edition,
						      .counted_day = chat->counted_day };
	enum err err = db_enter(db, chat->scope);
	enum err left;

	if (err != OK)
		return err;
	err = db_send(db, STATEMENT_CHAT_ACTIVITIES_MOVE, &move);
	left = db_leave(db, err == OK);
	chat->previous = chat->last_message;
	chat->messages = 0;
	return err == OK ? left : err;
}

enum err conversations_flush(struct conversations *conversations, struct db *db)
{
	enum err err = OK;

	for (size_t i = 0; err == OK && i < conversations->count; i++)
		if (conversations->list[i].messages > 0)
			err = move_chat(&conversations->list[i], db);
	return err;
}

void conversations_clear(struct conversations *conversations)
{
	if (conversations->count > 0)
		memset(conversations->places, 0, conversations->room * 2 * sizeof *conversations->places);
	conversations->count = 0;
	conversations->wanted = 0;
	conversations->given = 0;
	conversations->drawn = 0;
}

void conversations_fini(struct conversations *conversations)
{
	free(conversations->list);
	free(conversations->places);
	free(conversations->numbers);
	*conversations = (struct conversations){ 0 };
}
