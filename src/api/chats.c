#include "api/chats.h"

#include <string.h>

#include "api/conversations.h"
#include "api/live.h"
#include "base/json_tree.h"

static const char *const statuses[] = { "active", "completed", "abandoned", NULL };
static const char *const roles[] = { "user", "assistant", "system", NULL };

struct chat_input {
	struct text session_id;
	struct text chat_id;
	struct text user_id;
	struct text location;
	struct text user_agent;
	struct text status;
	struct text metadata;
	int64_t timestamp;
};

#define AT(member) .offset = offsetof(struct chat_input, member)
static const struct json_field chat_fields[] = {
	{ .name = "sessionId", .kind = JSON_TEXT, .required = true, AT(session_id), .about = "The visitor's session." },
	{ .name = "chatId",
	  .kind = JSON_TEXT,
	  AT(chat_id),
	  .about = "The concierge's name of the chat; made when missing." },
	{ .name = "userId",
	  .alias = "externalUserId",
	  .kind = JSON_TEXT,
	  AT(user_id),
	  .about = "The concierge's user." },
	{ .name = "location", .kind = JSON_TEXT, AT(location), .max = 1000, .about = "City, State, Country." },
	{ .name = "userAgent", .kind = JSON_TEXT, AT(user_agent), .max = 4096, .about = "The browser's." },
	{ .name = "status", .kind = JSON_CHOICE, AT(status), .choices = statuses, .fallback = "active" },
	{ .name = "metadata", .kind = JSON_OBJECT, AT(metadata), .about = "Anything, kept as it is." },
	{ .name = "timestamp", .kind = JSON_TIME, AT(timestamp), .about = "When it began; now when missing." },
};
#undef AT
const struct json_shape chats_create_body = JSON_SHAPE(chat_input, chat_fields);

static enum err answer_chat(struct call *call, struct text chat_id, int64_t created_at)
{
	json_key(call->out, "success");
	json_put_bool(call->out, true);
	json_key(call->out, "chatId");
	json_put_text(call->out, chat_id);
	json_key(call->out, "createdAt");
	json_put_time(call->out, created_at);
	return OK;
}

static struct text make_chat_id(struct call *call, const struct uuid *id)
{
	char text[sizeof "chat_" + UUID_TEXT_SIZE] = "chat_";

	uuid_format(id, text + 5);
	return text_copy(call->arena, text_of(text));
}

/* A concierge that rates its chats itself says so in the metadata; lists show it, and choose by it. */
static enum err note_given(struct call *call, int64_t number, struct text metadata)
{
	struct chat_note_given_in given = { .number = number, .given_lead_score = DB_NULL };
	const struct json_value *object;
	struct json_tree_view score;
	struct json_tree_view sentiment;
	enum err err;

	if (metadata.at == NULL || (memmem(metadata.at, metadata.length, "leadScore", 9) == NULL &&
				    memmem(metadata.at, metadata.length, "sentiment", 9) == NULL))
		return OK;
	err = json_tree_parse(metadata, call->arena, &object, NULL);
	if (err != OK)
		return err;
	score = json_tree_look(json_tree_member(object, TEXT("leadScore")));
	sentiment = json_tree_look(json_tree_member(object, TEXT("sentiment")));
	if (score.kind == JSON_TREE_INT)
		given.given_lead_score = score.number;
	if (sentiment.kind == JSON_TREE_TEXT)
		given.given_sentiment = sentiment.text;
	if (given.given_lead_score == DB_NULL && given.given_sentiment.at == NULL)
		return OK;
	return query_run(call->db, STATEMENT_CHAT_NOTE_GIVEN, &given, NULL);
}

enum err chats_create(struct call *call)
{
	const struct chat_input *in = call->input;
	const int64_t created_at = in->timestamp == JSON_ABSENT ? call->now : in->timestamp;
	struct chat_create_in chat = { .id = uuid_new_at(created_at),
				       .chat_id = in->chat_id,
				       .session_id = in->session_id,
				       .user_id = in->user_id,
				       .location = in->location,
				       .user_agent = in->user_agent,
				       .status = in->status,
				       .metadata = in->metadata,
				       .created_at = created_at };
	struct chat_by_external_id_out there;
	struct counted_chat counted = { .created_at = created_at,
					.session_id = in->session_id,
					.location = in->location,
					.user_agent = in->user_agent };
	const struct counting counting = call_counting(call);
	enum err err;

	if (chat.chat_id.at == NULL) {
		chat.chat_id = make_chat_id(call, &chat.id);
	} else {
		err = query_one(call->db, STATEMENT_CHAT_BY_EXTERNAL_ID,
				&(struct chat_by_external_id_in){ .chat_id = chat.chat_id }, &there, call->arena);
		if (err != ERR_NOT_FOUND)
			return err == OK ? answer_chat(call, there.chat_id, there.created_at) : err;
	}
	err = query_run(call->db, STATEMENT_CHAT_CREATE, &chat, NULL);
	counted.number = db_inserted(call->db);
	if (err == OK)
		err = query_run(
		    call->db, STATEMENT_CHAT_ACTIVITY_CREATE,
		    &(struct chat_activity_create_in){ .chat_number = counted.number, .updated_at = created_at }, NULL);
	if (err == OK)
		err = counting_chat(&counting, &counted, COUNTED);
	if (err == OK)
		err = note_given(call, counted.number, chat.metadata);
	if (err != OK)
		return err;
	live_note(call, LIVE_CHAT, &chat.id, chat.chat_id, DB_NULL);
	return answer_chat(call, chat.chat_id, created_at);
}

struct message_input {
	struct text chat_id;
	struct text role;
	struct text content;
	struct text metadata;
	struct text message_id;
	int64_t timestamp;
};

#define AT(member) .offset = offsetof(struct message_input, member)
static const struct json_field message_fields[] = {
	{ .name = "chatId", .kind = JSON_TEXT, .required = true, AT(chat_id), .about = "The chat it belongs to." },
	{ .name = "role", .kind = JSON_CHOICE, .required = true, AT(role), .choices = roles, .about = "Who speaks." },
	{ .name = "content",
	  .kind = JSON_TEXT,
	  .required = true,
	  AT(content),
	  .max = ROUTE_BODY,
	  .about = "What is said." },
	{ .name = "metadata", .kind = JSON_OBJECT, AT(metadata), .about = "Anything, kept as it is." },
	{ .name = "timestamp", .kind = JSON_TIME, AT(timestamp), .about = "When it was said; now when missing." },
	{ .name = "messageId",
	  .kind = JSON_TEXT,
	  AT(message_id),
	  .about = "The concierge's name of it: a repeat stores nothing." },
};
#undef AT
const struct json_shape chats_message_body = JSON_SHAPE(message_input, message_fields);

/* A message is known by the name its concierge gave it, else by our id. */
static enum err answer_message(struct call *call, const struct uuid *id, struct text external_id)
{
	json_key(call->out, "success");
	json_put_bool(call->out, true);
	json_key(call->out, "messageId");
	if (external_id.at != NULL)
		json_put_text(call->out, external_id);
	else
		json_put_uuid(call->out, id);
	return OK;
}

/* A name found on a message of a chat that is gone says nothing any more, and may be given again. */
static enum err forget_names(struct call *call, int64_t number)
{
	enum err err = query_run(call->db, STATEMENT_MESSAGE_FORGET_NAMES,
				 &(struct message_forget_names_in){ .number = number }, NULL);

	return err == OK ? ERR_NOT_FOUND : err;
}

/* OK: it was stored before and is answered as then. ERR_NOT_FOUND: it is new. */
static enum err answer_repeat(struct call *call, const struct message_input *in)
{
	struct message_by_external_id_out named;
	struct message_by_idempotency_key_out keyed;
	enum err err = ERR_NOT_FOUND;

	if (in->message_id.at != NULL) {
		err = query_one(call->db, STATEMENT_MESSAGE_BY_EXTERNAL_ID,
				&(struct message_by_external_id_in){ .external_id = in->message_id }, &named,
				call->arena);
		if (err == OK && named.chat_number == DB_NULL)
			err = forget_names(call, named.number);
		else if (err == OK)
			return answer_message(call, &named.id, named.external_id);
	}
	if (err == ERR_NOT_FOUND && call->idempotency_key.at != NULL) {
		err = query_one(call->db, STATEMENT_MESSAGE_BY_IDEMPOTENCY_KEY,
				&(struct message_by_idempotency_key_in){ .idempotency_key = call->idempotency_key },
				&keyed, call->arena);
		if (err == OK && keyed.chat_number == DB_NULL)
			err = forget_names(call, keyed.number);
		else if (err == OK)
			return answer_message(call, &keyed.id, keyed.external_id);
	}
	return err;
}

static int64_t said_at(const struct call *call)
{
	const struct message_input *in = call->input;

	return in->timestamp == JSON_ABSENT ? call->now : in->timestamp;
}

static struct conversations *conversations_of(const struct call *call)
{
	return &call->house->conversations[db_lane(call->db)];
}

static void foresee_named(struct call *call)
{
	const struct message_input *in = call->input;

	counting_foresee(call->db);
	if (in->message_id.at != NULL)
		db_foresee(call->db, STATEMENT_MESSAGE_BY_EXTERNAL_ID,
			   &(struct message_by_external_id_in){ .external_id = in->message_id });
	if (call->idempotency_key.at != NULL)
		db_foresee(call->db, STATEMENT_MESSAGE_BY_IDEMPOTENCY_KEY,
			   &(struct message_by_idempotency_key_in){ .idempotency_key = call->idempotency_key });
	db_foresee(call->db, STATEMENT_CHAT_CONVERSATION, &(struct chat_conversation_in){ .chat_id = in->chat_id });
	conversations_want(conversations_of(call));
}

static enum err read_conversation(struct call *call, struct text chat_id, struct conversation *out)
{
	struct chat_conversation_out row;
	const enum err err = query_one(call->db, STATEMENT_CHAT_CONVERSATION,
				       &(struct chat_conversation_in){ .chat_id = chat_id }, &row, call->arena);

	if (err == OK)
		*out = (struct conversation){ .scope = call->scope,
					      .chat_id = chat_id,
					      .session_id = row.session_id,
					      .number = row.number,
					      .message_count = row.message_count,
					      .last_message = row.last_message,
					      .counted_edition = row.counted_edition,
					      .counted_day = row.counted_day,
					      .updated_at = call->now,
					      .previous = row.last_message };
	return err;
}

/* `*out` is kept by the transaction if it looks ahead, else it is `own`. */
static enum err find_conversation(struct call *call, struct text chat_id, struct conversation *own,
				  struct conversation **out)
{
	struct conversation *known = NULL;
	enum err err;

	if (db_looks_ahead(call->db))
		known = conversations_find(conversations_of(call), call->scope, chat_id);
	*out = known == NULL ? own : known;
	if (known != NULL && known->number != DB_NULL)
		return OK;
	err = read_conversation(call, chat_id, own);
	if (err != OK || !db_looks_ahead(call->db))
		return err;
	if (known == NULL)
		return conversations_add(conversations_of(call), own, out);
	*known = *own; /* made by this transaction */
	return OK;
}

/* The conversation as it was when it was asked for ahead. NULL: it was not there. */
static struct conversation *foreseen_conversation(struct call *call, struct text chat_id)
{
	struct conversations *conversations = conversations_of(call);
	struct conversation *known = conversations_find(conversations, call->scope, chat_id);
	struct conversation own = { .scope = call->scope, .chat_id = chat_id, .number = DB_NULL };

	if (known == NULL) {
		const enum err err = read_conversation(call, chat_id, &own);

		if ((err != OK && err != ERR_NOT_FOUND) || conversations_add(conversations, &own, &known) != OK)
			return NULL;
	}
	return known->number == DB_NULL ? NULL : known;
}

static void foresee_found(struct call *call)
{
	const struct message_input *in = call->input;
	const struct conversation *chat = foreseen_conversation(call, in->chat_id);
	const struct counting counting = call_counting(call);

	if (chat == NULL || !text_equal(in->role, TEXT("user")))
		return;
	counting_message_foresee(&counting, &(struct counted_message){ chat->number, chat->session_id, said_at(call) },
				 &(struct counted_last){ chat->counted_edition, chat->counted_day });
}

void chats_message_foresee(struct call *call, enum foresight round)
{
	if (round == FORESEE_NAMED)
		foresee_named(call);
	else
		foresee_found(call);
}

/* What the chat is moved by is written with that of the others (conversations_flush). */
static enum err write_behind(struct call *call, const struct message_create_in *message, struct conversation *chat)
{
	struct messages_create_in row = { .chat_number = chat->number,
					  .previous = chat->last_message,
					  .id = message->id,
					  .role = message->role,
					  .content = message->content,
					  .metadata = message->metadata,
					  .created_at = message->created_at,
					  .external_id = message->external_id,
					  .idempotency_key = message->idempotency_key };
	enum err err = conversations_number(conversations_of(call), call->db, &row.number);

	if (err == OK)
		err = db_send(call->db, STATEMENT_MESSAGES_CREATE, &row);
	if (err != OK)
		return err;
	chat->last_message = row.number;
	chat->messages++;
	chat->updated_at = chat->updated_at < call->now ? call->now : chat->updated_at;
	return OK;
}

static enum err write_at_once(struct call *call, const struct message_create_in *message,
			      const struct conversation *chat)
{
	enum err err = db_send(call->db, STATEMENT_MESSAGE_CREATE, message);

	if (err != OK)
		return err;
	return db_send(call->db, STATEMENT_CHAT_ACTIVITY_MOVE,
		       &(struct chat_activity_move_in){ .chat_number = chat->number,
							.updated_at = call->now,
							.last_message = db_inserted(call->db),
							.counted_edition = chat->counted_edition,
							.counted_day = chat->counted_day });
}

/* A message and what it moves. */
static enum err store_message(struct call *call, const struct message_create_in *message, struct conversation *chat)
{
	const struct counting counting = call_counting(call);
	struct counted_last last = { chat->counted_edition, chat->counted_day };
	enum err err = search_await(&call->house->awaits[db_lane(call->db)], call->db, call->scope);

	if (err == OK && text_equal(message->role, TEXT("user")))
		err = counting_message(
		    &counting, &(struct counted_message){ chat->number, chat->session_id, message->created_at }, &last);
	chat->counted_edition = last.edition;
	chat->counted_day = last.day;
	chat->message_count++;
	if (err == OK)
		err = db_looks_ahead(call->db) ? write_behind(call, message, chat) : write_at_once(call, message, chat);
	return err;
}

enum err chats_message(struct call *call)
{
	const struct message_input *in = call->input;
	struct message_create_in message = { .id = uuid_new_at(call->now),
					     .role = in->role,
					     .content = in->content,
					     .metadata = in->metadata,
					     .created_at = said_at(call),
					     .external_id = in->message_id,
					     .idempotency_key = call->idempotency_key };
	struct conversation own;
	struct conversation *chat;
	enum err err = answer_repeat(call, in);

	if (err != ERR_NOT_FOUND)
		return err;
	err = find_conversation(call, in->chat_id, &own, &chat);
	if (err == ERR_NOT_FOUND)
		return call_fail(call, err, NULL, "There is no chat with this chatId: create it first.");
	if (err != OK)
		return err;
	message.chat_number = chat->number;
	message.previous = chat->last_message;
	err = store_message(call, &message, chat);
	if (err != OK)
		return err;
	live_note(call, LIVE_MESSAGE, &message.id, in->chat_id, chat->message_count);
	return answer_message(call, &message.id, message.external_id);
}
