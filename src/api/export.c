#include <stdio.h>

#include "api/erase.h"

/* The numbers of a chat's messages, oldest first: the chain is followed back, then turned round. */
struct conversation {
	int64_t *numbers;
	size_t count;
};

static enum err follow_chain(struct call *call, const struct export_chat_out *chat, struct conversation *out)
{
	struct counted_message_out message = { .previous = chat->last_message };
	const size_t room = (size_t)chat->message_count;
	enum err err = OK;

	out->count = 0;
	out->numbers = arena_take_many(call->arena, room, sizeof *out->numbers);
	if (out->numbers == NULL)
		return ERR_MEMORY;
	while (err == OK && message.previous != DB_NULL && out->count < room) {
		out->numbers[room - ++out->count] = message.previous;
		err = db_start(call->db, STATEMENT_COUNTED_MESSAGE,
			       &(struct counted_message_in){ .number = message.previous });
		if (err == OK)
			err = db_step(call->db, STATEMENT_COUNTED_MESSAGE, &message);
	}
	db_stop(call->db, STATEMENT_COUNTED_MESSAGE);
	out->numbers += room - out->count;
	return err;
}

static enum err put_messages(struct call *call, const struct export_chat_out *chat)
{
	struct conversation conversation;
	enum err err = follow_chain(call, chat, &conversation);

	json_key(call->out, "messages");
	json_open_array(call->out);
	for (size_t i = 0; err == OK && i < conversation.count; i++)
		err = query_rows(call->db, STATEMENT_EXPORT_MESSAGE,
				 &(struct export_message_in){ .number = conversation.numbers[i] }, call->out);
	json_close_array(call->out);
	return err;
}

/* Each row of a list is found by one statement and given out by another. */
struct list {
	const char *name;
	enum statement_id find;
	const void *in; /* of `find` */
	enum statement_id give;
};

/* All that give take the number first. `but`: rows that are linked to this visitor stand elsewhere; nil: all are given.
 */
static enum err put_rows(struct call *call, enum statement_id find, const void *in, enum statement_id give,
			 const struct uuid *but)
{
	struct export_view_in row = { .visitor_id = *but };
	enum err err = db_start(call->db, find, in);

	while (err == OK && (err = db_step(call->db, find, &row.number)) == OK)
		err = query_rows(call->db, give, &row, call->out);
	db_stop(call->db, find);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err put_list(struct call *call, const struct list *list, const struct uuid *but)
{
	enum err err;

	json_key(call->out, list->name);
	json_open_array(call->out);
	err = put_rows(call, list->find, list->in, list->give, but);
	json_close_array(call->out);
	return err;
}

static enum err put_chat(struct call *call, int64_t number, const struct uuid *visitor)
{
	struct export_chat_out chat = { 0 };
	enum err err = query_one(call->db, STATEMENT_EXPORT_CHAT, &(struct export_chat_in){ .number = number }, &chat,
				 call->arena);
	const struct mentions_of_chat_in in = { .chat_id = chat.chat_id, .limit = INT64_MAX };
	const struct list lists[] = {
		{ "article_mentions", STATEMENT_MENTIONS_OF_CHAT, &in, STATEMENT_EXPORT_MENTION },
		{ "article_views", STATEMENT_VIEWS_OF_CHAT, &in, STATEMENT_EXPORT_VIEW },
		{ "web_mentions", STATEMENT_WEB_MENTIONS_OF_CHAT, &in, STATEMENT_EXPORT_WEB_MENTION },
	};

	if (err != OK)
		return err;
	json_open_object(call->out);
	query_members_behind(STATEMENT_EXPORT_CHAT, 1, &chat, call->out);
	err = put_messages(call, &chat);
	for (size_t i = 0; err == OK && i < sizeof lists / sizeof lists[0]; i++)
		err = put_list(call, &lists[i], visitor);
	json_close_object(call->out);
	return err;
}

static enum err put_found_chats(struct call *call, enum statement_id find, const void *in, const struct uuid *visitor)
{
	int64_t number;
	enum err err = db_start(call->db, find, in);

	while (err == OK && (err = db_step(call->db, find, &number)) == OK)
		err = put_chat(call, number, visitor);
	db_stop(call->db, find);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err put_chats(struct call *call, const struct erase_person *person)
{
	enum err err;

	json_key(call->out, "chats");
	json_open_array(call->out);
	err = put_found_chats(call, STATEMENT_CHATS_OF_VISITOR,
			      &(struct chats_of_visitor_in){ person->visitor_id, INT64_MAX }, &person->visitor_id);
	for (size_t i = 0; err == OK && i < person->session_count; i++)
		err = put_found_chats(call, STATEMENT_CHATS_OF_SESSION,
				      &(struct chats_of_session_in){ person->sessions[i], INT64_MAX },
				      &person->visitor_id);
	json_close_array(call->out);
	return err;
}

/* Linked to the visitor, and of its sessions. */
static enum err put_links(struct call *call, const struct erase_person *person, const char *name,
			  const enum statement_id finds[2], enum statement_id give)
{
	const struct uuid all = { 0 };
	enum err err;

	json_key(call->out, name);
	json_open_array(call->out);
	err = put_rows(call, finds[0], &(struct views_of_visitor_in){ person->visitor_id, INT64_MAX }, give, &all);
	for (size_t i = 0; err == OK && i < person->session_count; i++)
		err = put_rows(call, finds[1], &(struct views_of_session_in){ person->sessions[i], INT64_MAX }, give,
			       &all);
	json_close_array(call->out);
	return err;
}

static enum err put_contact(struct call *call, const struct erase_person *person)
{
	struct export_contact_out contact;
	enum err err;

	json_key(call->out, "user");
	if (uuid_is_nil(&person->contact_id)) {
		json_put_null(call->out);
		return OK;
	}
	err = query_one(call->db, STATEMENT_EXPORT_CONTACT, &(struct export_contact_in){ .id = person->contact_id },
			&contact, call->arena);
	if (err != OK)
		return err;
	json_open_object(call->out);
	query_members(STATEMENT_EXPORT_CONTACT, &contact, call->out);
	json_close_object(call->out);
	return OK;
}

static void name_file(struct call *call, const struct uuid *visitor)
{
	char id[UUID_TEXT_SIZE];
	char name[80];

	uuid_format(visitor, id);
	snprintf(name, sizeof name, "attachment; filename=\"visitor-%s.json\"", id);
	http_reply_header(call->request, "Content-Disposition", text_copy(call->arena, text_of(name)));
}

static enum err put_visitor(struct call *call, const struct uuid *id)
{
	struct export_visitor_out visitor;
	enum err err = query_one(call->db, STATEMENT_EXPORT_VISITOR, &(struct export_visitor_in){ .id = *id }, &visitor,
				 call->arena);

	if (err != OK)
		return err;
	json_key(call->out, "visitor");
	json_open_object(call->out);
	query_members(STATEMENT_EXPORT_VISITOR, &visitor, call->out);
	json_close_object(call->out);
	return OK;
}

enum err export_visitor(struct call *call)
{
	static const enum statement_id views[] = { STATEMENT_VIEWS_OF_VISITOR, STATEMENT_VIEWS_OF_SESSION };
	static const enum statement_id web_mentions[] = { STATEMENT_WEB_MENTIONS_OF_VISITOR,
							  STATEMENT_WEB_MENTIONS_OF_SESSION };
	struct erase_person person;
	struct uuid id;
	enum err err = call_parameter_id(call, 0, &id);

	if (err == OK)
		err = erase_find_person(call->db, call->arena, &id, &person);
	if (err != OK)
		return err;
	call->audit_target = call->parameters[0];
	name_file(call, &id);
	err = put_visitor(call, &id);
	if (err == OK)
		err = put_contact(call, &person);
	if (err == OK)
		err = put_chats(call, &person);
	if (err == OK)
		err = put_links(call, &person, "article_views", views, STATEMENT_EXPORT_VIEW);
	if (err == OK)
		err = put_links(call, &person, "web_mentions", web_mentions, STATEMENT_EXPORT_WEB_MENTION);
	return err;
}
