#include <stdio.h>

#include "api/erase.h"

/* The numbers of a chat's messages, oldest first: the chain is followed back, then turned round. */
struct conversation {
	int64_t *numbers;
	size_t count;
};

static enum err follow_chain(struct call *call, const struct export_chats_out *chat, struct conversation *out)
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

static enum err put_messages(struct call *call, const struct export_chats_out *chat)
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

static enum err put_list(struct call *call, const char *name, enum statement_id id, const void *in)
{
	enum err err;

	json_key(call->out, name);
	json_open_array(call->out);
	err = query_rows(call->db, id, in, call->out);
	json_close_array(call->out);
	return err;
}

static enum err put_chat(struct call *call, const struct export_chats_out *chat, const struct uuid *visitor)
{
	enum err err;

	json_open_object(call->out);
	query_members_behind(STATEMENT_EXPORT_CHATS, 2, chat, call->out);
	err = put_messages(call, chat);
	if (err == OK)
		err = put_list(call, "article_mentions", STATEMENT_EXPORT_MENTIONS_OF_CHAT,
			       &(struct export_mentions_of_chat_in){ .chat_id = chat->chat_id });
	if (err == OK)
		err = put_list(call, "article_views", STATEMENT_EXPORT_VIEWS_OF_CHAT,
			       &(struct export_views_of_chat_in){ .chat_id = chat->chat_id, .visitor_id = *visitor });
	if (err == OK)
		err = put_list(
		    call, "web_mentions", STATEMENT_EXPORT_WEB_MENTIONS_OF_CHAT,
		    &(struct export_web_mentions_of_chat_in){ .chat_id = chat->chat_id, .visitor_id = *visitor });
	json_close_object(call->out);
	return err;
}

static enum err put_chats(struct call *call, const struct uuid *visitor)
{
	struct export_chats_in in = { .visitor_id = *visitor };
	struct export_chats_out chat;
	enum err err = OK;

	json_key(call->out, "chats");
	json_open_array(call->out);
	while (err == OK) {
		err = query_one(call->db, STATEMENT_EXPORT_CHATS, &in, &chat, call->arena);
		if (err == OK)
			err = put_chat(call, &chat, visitor);
		in.after = chat.number;
	}
	json_close_array(call->out);
	return err == ERR_NOT_FOUND ? OK : err;
}

static void name_file(struct call *call, const struct uuid *visitor)
{
	char id[UUID_TEXT_SIZE];
	char name[80];

	uuid_format(visitor, id);
	snprintf(name, sizeof name, "attachment; filename=\"visitor-%s.json\"", id);
	http_reply_header(call->request, "Content-Disposition", text_copy(call->arena, text_of(name)));
}

enum err export_visitor(struct call *call)
{
	struct export_visitor_out visitor;
	struct uuid id;
	enum err err = call_parameter_id(call, 0, &id);

	if (err == OK)
		err = query_one(call->db, STATEMENT_EXPORT_VISITOR, &(struct export_visitor_in){ .id = id }, &visitor,
				call->arena);
	if (err != OK)
		return err;
	call->audit_target = call->parameters[0];
	name_file(call, &id);
	json_key(call->out, "visitor");
	json_open_object(call->out);
	query_members(STATEMENT_EXPORT_VISITOR, &visitor, call->out);
	json_close_object(call->out);
	err = put_chats(call, &id);
	if (err == OK)
		err = put_list(call, "article_views", STATEMENT_EXPORT_VIEWS_OF_VISITOR,
			       &(struct export_views_of_visitor_in){ .visitor_id = id });
	if (err == OK)
		err = put_list(call, "web_mentions", STATEMENT_EXPORT_WEB_MENTIONS_OF_VISITOR,
			       &(struct export_web_mentions_of_visitor_in){ .visitor_id = id });
	return err;
}
