/* Chats with their summaries, messages. */
#include <math.h>
#include <string.h>

#include "base/json_in.h"
#include "base/json_out.h"
#include "base/json_tree.h"
#include "legacy/record.h"
#include "legacy/value.h"
#include "store/query.h"

#define TOPICS_MOST      3
#define SIGNALS_MOST     100
#define TOPIC_BYTES      200
#define EXTERNAL_ID      "legacy:"
#define EXTERNAL_ID_SIZE (sizeof EXTERNAL_ID - 1)

static const char *const summary_members[] = { "topicSummary", "userScore",         "leadScore",    "sentiment",
					       "topics",       "conversionSignals", "summarizedAt", NULL };

static struct json_tree_view look(const struct json_value *object, const char *name)
{
	return json_tree_look(json_tree_member(object, text_of(name)));
}

/* A whole number within bounds, also as a text; else DB_NULL. */
static int64_t score_of(struct arena *arena, const struct json_value *object, const char *name, int64_t least,
			int64_t most, struct legacy_record *record)
{
	const struct json_tree_view view = look(object, name);
	int64_t score = DB_NULL;

	if (view.kind == JSON_TREE_NULL)
		return DB_NULL;
	if (view.kind == JSON_TREE_INT)
		score = view.number;
	else if (view.kind == JSON_TREE_REAL && view.real >= (double)least && view.real <= (double)most)
		score = lround(view.real);
	else if (view.kind == JSON_TREE_TEXT && text_to_int(text_trim(view.text), &score) != OK)
		score = DB_NULL;
	if (score >= least && score <= most)
		return score;
	legacy_note(record, arena, "%s is no number from %d to %d: left out.", name, (int)least, (int)most);
	return DB_NULL;
}

static struct text sentiment_of(struct arena *arena, const struct json_value *object, struct legacy_record *record)
{
	static const char *const sentiments[] = { "positive", "neutral", "negative" };
	const struct json_tree_view view = look(object, "sentiment");

	for (size_t i = 0; view.kind == JSON_TREE_TEXT && i < sizeof sentiments / sizeof sentiments[0]; i++)
		if (text_equal_ignoring_case(text_trim(view.text), text_of(sentiments[i])))
			return text_of(sentiments[i]);
	if (view.kind != JSON_TREE_NULL)
		legacy_note(record, arena, "sentiment is none of ours: left out.");
	return (struct text){ 0 };
}

/* The texts of a list, as JSON; absent: there is none. */
static struct text texts_of(struct arena *arena, const struct json_value *object, const char *name, size_t most)
{
	const struct json_tree_view view = look(object, name);
	struct buffer buffer;
	struct json_out out;
	struct text text;

	if (view.kind != JSON_TREE_ARRAY)
		return (struct text){ 0 };
	buffer_init(&buffer, LEGACY_JSON_BYTES);
	json_out_init(&out, &buffer);
	json_open_array(&out);
	for (size_t i = 0, put = 0; i < json_tree_count(view.value) && put < most; i++) {
		const struct json_tree_view item = json_tree_look(json_tree_at(view.value, i));

		if (item.kind != JSON_TREE_TEXT || item.text.length == 0)
			continue;
		json_put_text(&out, text_first(item.text, TOPIC_BYTES));
		put++;
	}
	json_close_array(&out);
	text = buffer_copy(&buffer, arena);
	buffer_fini(&buffer);
	return text;
}

/* What the old system wrote when its summarizer had failed. */
static bool is_failure(const struct legacy_summary_create_in *summary)
{
	return summary->user_score == 3 && summary->lead_score == 3 &&
	       text_equal(summary->sentiment, TEXT("neutral")) &&
	       text_equal(summary->topics, TEXT("[\"general inquiry\"]"));
}

static int64_t summarized_at(const struct json_value *object, int64_t otherwise)
{
	const struct json_tree_view view = look(object, "summarizedAt");
	char digits[24];
	int64_t time;

	if (view.kind == JSON_TREE_INT) {
		snprintf(digits, sizeof digits, "%lld", (long long)view.number);
		return legacy_parse_time(text_of(digits), &time) ? time : otherwise;
	}
	return view.kind == JSON_TREE_TEXT && legacy_parse_time(view.text, &time) ? time : otherwise;
}

/* Takes the summary out of the metadata. */
static enum err read_summary(struct arena *arena, const struct json_value *object, int64_t otherwise,
			     struct legacy_record *record)
{
	struct legacy_summary *summary = &record->as.chat.summary;
	struct legacy_summary_create_in *row = &summary->row;
	const struct json_tree_view topic = look(object, "topicSummary");

	*summary = (struct legacy_summary){ 0 };
	for (size_t i = 0; summary_members[i] != NULL; i++)
		summary->there = summary->there || look(object, summary_members[i]).kind != JSON_TREE_NULL;
	if (!summary->there)
		return OK;
	if (topic.kind == JSON_TREE_TEXT && topic.text.length > 0)
		row->topic_summary = text_first(topic.text, LEGACY_NAME_BYTES / 4);
	row->user_score = score_of(arena, object, "userScore", 1, 5, record);
	row->lead_score = score_of(arena, object, "leadScore", 0, 10, record);
	row->sentiment = sentiment_of(arena, object, record);
	row->topics = texts_of(arena, object, "topics", TOPICS_MOST);
	row->conversion_signals = texts_of(arena, object, "conversionSignals", SIGNALS_MOST);
	row->summarized_at = summarized_at(object, otherwise);
	if (is_failure(row)) {
		legacy_note(record, arena, "Its scores are what a failed summarizer wrote: taken as not scored.");
		row->user_score = row->lead_score = DB_NULL;
		row->sentiment = row->topics = (struct text){ 0 };
	}
	return OK;
}

static struct text status_of(struct arena *arena, const struct legacy_row *row, struct legacy_record *record)
{
	static const char *const statuses[] = { "active", "completed", "abandoned" };
	const struct text given = legacy_text(arena, row, LEGACY_STATUS, LEGACY_KEY_BYTES, LEGACY_CUT, record);

	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
		if (text_equal_ignoring_case(given, text_of(statuses[i])))
			return text_of(statuses[i]);
	if (given.at != NULL)
		legacy_note(record, arena, "status is none of ours: taken as completed.");
	return given.at != NULL ? TEXT("completed") : TEXT("active");
}

static enum err read_chat_metadata(struct arena *arena, const struct legacy_row *row, struct legacy_record *record)
{
	const struct json_value *object;
	enum err err = legacy_object(arena, row, LEGACY_METADATA, &object, record);

	if (err == OK && object != NULL)
		err = read_summary(arena, object, record->as.chat.updated_at, record);
	if (err == OK && object != NULL)
		err = json_without(arena, object, summary_members, &record->as.chat.row.metadata);
	return err;
}

enum err legacy_chat_read(struct legacy_reading *reading, const struct legacy_row *row, struct legacy_record *record)
{
	struct arena *arena = reading->arena;
	struct legacy_chat_create_in *chat = &record->as.chat.row;
	enum err err;

	legacy_begin(reading, row, LEGACY_OF_VISITOR, record);
	chat->chat_id = legacy_text(arena, row, LEGACY_CHAT_ID, LEGACY_KEY_BYTES, LEGACY_WHOLE, record);
	if (chat->chat_id.at == NULL && row->values[LEGACY_ID].at != NULL)
		chat->chat_id = record->key;
	if (chat->chat_id.at == NULL)
		legacy_refuse(record, arena, "chat_id is missing.");
	if (record->foreign) {
		err = legacy_add_foreign(reading, LEGACY_CHATS, chat->chat_id);
		return err == OK ? legacy_add_foreign(reading, LEGACY_CHATS, record->key) : err;
	}
	legacy_read_links(reading, row, record);
	chat->session_id = legacy_text(arena, row, LEGACY_SESSION_ID, LEGACY_KEY_BYTES, LEGACY_WHOLE, record);
	if (chat->session_id.at == NULL) {
		legacy_note(record, arena, "session_id is missing: the chat is a session of its own.");
		chat->session_id = chat->chat_id;
	}
	chat->location = legacy_text(arena, row, LEGACY_LOCATION, LEGACY_NAME_BYTES, LEGACY_CUT, record);
	chat->user_agent = legacy_text(arena, row, LEGACY_USER_AGENT, LEGACY_TEXT_BYTES, LEGACY_CUT, record);
	chat->status = status_of(arena, row, record);
	chat->created_at = legacy_time(arena, row, LEGACY_CREATED_AT, record);
	record->as.chat.updated_at = legacy_time(arena, row, LEGACY_UPDATED_AT, record);
	if (chat->created_at == DB_NULL) {
		legacy_note(record, arena, "When it began is not known.");
		chat->created_at = record->as.chat.updated_at != DB_NULL ? record->as.chat.updated_at : reading->now;
	}
	if (record->as.chat.updated_at == DB_NULL)
		record->as.chat.updated_at = chat->created_at;
	return read_chat_metadata(arena, row, record);
}

/* Its old id, unless another chat has it. */
static enum err choose_id(struct legacy_storing *storing, const struct legacy_record *record, struct uuid *out)
{
	struct chat_by_id_out other;
	enum err err = ERR_NOT_FOUND;

	*out = record->id;
	if (!uuid_is_nil(&record->id))
		err = query_one(storing->counting.db, STATEMENT_CHAT_BY_ID, &(struct chat_by_id_in){ .id = record->id },
				&other, storing->counting.arena);
	if (err == OK || uuid_is_nil(&record->id))
		*out = uuid_new_at(record->as.chat.row.created_at);
	return err == ERR_NOT_FOUND ? OK : err;
}

void legacy_chat_foresee(struct legacy_storing *storing, const struct legacy_record *record)
{
	struct db *db = storing->counting.db;

	db_foresee(db, STATEMENT_CHAT_BY_EXTERNAL_ID,
		   &(struct chat_by_external_id_in){ .chat_id = record->as.chat.row.chat_id });
	if (!uuid_is_nil(&record->id))
		db_foresee(db, STATEMENT_CHAT_BY_ID, &(struct chat_by_id_in){ .id = record->id });
	legacy_foresee_links(storing, record);
}

static enum err store_summary(struct legacy_storing *storing, const struct legacy_record *record, int64_t number)
{
	struct legacy_summary_create_in summary = record->as.chat.summary.row;
	enum err err;

	if (!record->as.chat.summary.there)
		return OK;
	summary.chat_number = number;
	err = db_send(storing->counting.db, STATEMENT_LEGACY_SUMMARY_CREATE, &summary);
	return err == OK && summary.topic_summary.at != NULL
		   ? search_change_summary(storing->counting.db, number, (struct text){ 0 }, summary.topic_summary)
		   : err;
}

enum err legacy_chat_store(struct legacy_storing *storing, struct legacy_record *record)
{
	const struct counting *counting = &storing->counting;
	struct legacy_chat_create_in chat = record->as.chat.row;
	struct chat_by_external_id_out there;
	struct counted_chat counted = { .created_at = chat.created_at,
					.session_id = chat.session_id,
					.location = chat.location,
					.user_agent = chat.user_agent };
	enum err err = query_one(counting->db, STATEMENT_CHAT_BY_EXTERNAL_ID,
				 &(struct chat_by_external_id_in){ .chat_id = chat.chat_id }, &there, counting->arena);

	record->there = err == OK;
	if (err != ERR_NOT_FOUND)
		return err;
	err = choose_id(storing, record, &chat.id);
	if (err == OK)
		err = legacy_link_visitor(storing, record, &chat.visitor_id);
	if (err == OK)
		err = legacy_link_user(storing, record, &chat.user_id);
	if (err == OK)
		err = query_run(counting->db, STATEMENT_LEGACY_CHAT_CREATE, &chat, NULL);
	if (err != OK)
		return err;
	counted.number = db_inserted(counting->db);
	err = db_send(counting->db, STATEMENT_CHAT_ACTIVITY_CREATE,
		      &(struct chat_activity_create_in){ .chat_number = counted.number,
							 .updated_at = record->as.chat.updated_at });
	if (err == OK)
		err = counting_chat(counting, &counted, COUNTED);
	return err == OK ? store_summary(storing, record, counted.number) : err;
}

static struct text role_of(struct arena *arena, const struct legacy_row *row, struct legacy_record *record)
{
	static const char *const roles[] = { "user", "assistant", "system" };
	const struct text given = legacy_text(arena, row, LEGACY_ROLE, LEGACY_KEY_BYTES, LEGACY_REQUIRED, record);

	for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
		if (text_equal_ignoring_case(given, text_of(roles[i])))
			return text_of(roles[i]);
	legacy_refuse(record, arena, "role is not user, assistant or system.");
	return given;
}

/* By which a second run knows it again. */
static struct text external_id(struct arena *arena, struct text key)
{
	char *text = arena_take(arena, EXTERNAL_ID_SIZE + key.length);

	if (text == NULL)
		return (struct text){ 0 };
	memcpy(text, EXTERNAL_ID, EXTERNAL_ID_SIZE);
	memcpy(text + EXTERNAL_ID_SIZE, key.at, key.length);
	return (struct text){ text, EXTERNAL_ID_SIZE + key.length };
}

enum err legacy_message_read(struct legacy_reading *reading, const struct legacy_row *row, struct legacy_record *record)
{
	struct arena *arena = reading->arena;
	struct message_create_in *message = &record->as.message.row;
	const struct json_value *object;
	enum err err;

	legacy_begin(reading, row, LEGACY_OF_CHAT, record);
	if (record->foreign)
		return OK;
	record->as.message.chat_id = legacy_text(arena, row, LEGACY_CHAT_ID, LEGACY_KEY_BYTES, LEGACY_REQUIRED, record);
	message->role = role_of(arena, row, record);
	message->content = legacy_content(arena, row, record);
	message->created_at = legacy_time(arena, row, LEGACY_CREATED_AT, record);
	if (message->created_at == DB_NULL)
		message->created_at = legacy_time(arena, row, LEGACY_TIMESTAMP, record);
	message->external_id = external_id(arena, record->key);
	err = legacy_object(arena, row, LEGACY_METADATA, &object, record);
	if (err == OK && object != NULL)
		err = json_compact(arena, object, &message->metadata);
	return err;
}

/* By its own name, or by the id that the old system gave it. */
static enum err ask_for_chat(struct legacy_storing *storing, struct text given, struct legacy_chat_out *out)
{
	struct db *db = storing->counting.db;
	struct arena *arena = storing->counting.arena;
	struct chat_by_id_out by_id;
	struct uuid id;
	enum err err = query_one(db, STATEMENT_LEGACY_CHAT, &(struct legacy_chat_in){ .chat_id = given }, out, arena);

	if (err != ERR_NOT_FOUND || uuid_parse(given, &id) != OK)
		return err;
	err = query_one(db, STATEMENT_CHAT_BY_ID, &(struct chat_by_id_in){ .id = id }, &by_id, arena);
	if (err == OK)
		err = query_one(db, STATEMENT_LEGACY_CHAT, &(struct legacy_chat_in){ .chat_id = by_id.chat_id }, out,
				arena);
	return err;
}

static struct legacy_known *find_known(const struct legacy_storing *storing, struct text name)
{
	struct legacy_known *known = storing->known;

	while (known != NULL && !text_equal(known->name, name))
		known = known->next;
	return known;
}

/* Under each name that a piece uses a chat is asked for once: what it has moved since, it knows. */
static enum err find_chat(struct legacy_storing *storing, struct text name, struct legacy_chat_out **out)
{
	struct arena *arena = storing->counting.arena;
	struct legacy_known *known = find_known(storing, name);
	enum err err;

	*out = known == NULL ? arena_take(arena, sizeof **out) : known->chat;
	if (known != NULL)
		return OK;
	known = arena_take(arena, sizeof *known);
	if (known == NULL || *out == NULL)
		return ERR_MEMORY;
	err = ask_for_chat(storing, name, *out);
	if (err != OK)
		return err;
	for (const struct legacy_known *other = storing->known; other != NULL; other = other->next)
		if (other->chat->number == (*out)->number)
			*out = other->chat;
	*known = (struct legacy_known){ storing->known, name, *out };
	storing->known = known;
	return OK;
}

void legacy_message_foresee(struct legacy_storing *storing, const struct legacy_record *record)
{
	struct db *db = storing->counting.db;

	db_foresee(db, STATEMENT_MESSAGE_BY_EXTERNAL_ID,
		   &(struct message_by_external_id_in){ .external_id = record->as.message.row.external_id });
	db_foresee(db, STATEMENT_LEGACY_CHAT, &(struct legacy_chat_in){ .chat_id = record->as.message.chat_id });
}

/* What a stored message moves. A remote database knows its number by itself. */
static enum err move_on(struct legacy_storing *storing, const struct message_create_in *message,
			struct legacy_chat_out *chat)
{
	const struct counting *counting = &storing->counting;
	const int64_t number = db_inserted(counting->db);
	struct counted_last last = { chat->counted_edition, chat->counted_day };
	struct chat_activity_move_in move = { .chat_number = chat->number,
					      .updated_at = message->created_at,
					      .last_message = number };
	enum err err = search_await(storing->awaits, counting->db, counting->scope);

	if (err == OK && text_equal(message->role, TEXT("user")))
		err = counting_message(
		    counting, &(struct counted_message){ chat->number, chat->session_id, message->created_at }, &last);
	move.counted_edition = last.edition;
	move.counted_day = last.day;
	if (err == OK)
		err = db_send(counting->db, STATEMENT_CHAT_ACTIVITY_MOVE, &move);
	if (err == OK && chat->summarized_at != DB_NULL && message->created_at <= chat->summarized_at)
		err =
		    db_send(counting->db, STATEMENT_LEGACY_SUMMARY_REST_ON,
			    &(struct legacy_summary_rest_on_in){ .chat_number = chat->number, .last_message = number });
	chat->last_message = number;
	chat->counted_edition = last.edition;
	chat->counted_day = last.day;
	return err;
}

enum err legacy_message_store(struct legacy_storing *storing, struct legacy_record *record)
{
	struct db *db = storing->counting.db;
	struct arena *arena = storing->counting.arena;
	struct message_create_in message = record->as.message.row;
	struct message_by_external_id_out there;
	struct legacy_chat_out *chat;
	enum err err =
	    query_one(db, STATEMENT_MESSAGE_BY_EXTERNAL_ID,
		      &(struct message_by_external_id_in){ .external_id = message.external_id }, &there, arena);

	record->there = err == OK;
	if (err != ERR_NOT_FOUND)
		return err;
	err = find_chat(storing, record->as.message.chat_id, &chat);
	if (err == ERR_NOT_FOUND) {
		legacy_refuse(record, arena, "Its chat is not there.");
		return OK;
	}
	if (err != OK)
		return err;
	if (message.created_at == DB_NULL) {
		legacy_note(record, arena, "When it was said is not known: taken as the chat's begin.");
		message.created_at = chat->created_at;
	}
	message.id = uuid_is_nil(&record->id) ? uuid_new_at(message.created_at) : record->id;
	message.chat_number = chat->number;
	message.previous = chat->last_message;
	err = db_send(db, STATEMENT_MESSAGE_CREATE, &message);
	return err == OK ? move_on(storing, &message, chat) : err;
}
