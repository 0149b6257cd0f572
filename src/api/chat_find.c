#include "api/chat_find.h"

enum err chat_find(struct call *call, struct text either_id, struct chat_by_external_id_out *out)
{
	struct chat_by_id_out chat;
	struct uuid id;
	enum err err = query_one(call->db, STATEMENT_CHAT_BY_EXTERNAL_ID,
				 &(struct chat_by_external_id_in){ .chat_id = either_id }, out, call->arena);

	if (err != ERR_NOT_FOUND || uuid_parse(either_id, &id) != OK)
		return err;
	err = query_one(call->db, STATEMENT_CHAT_BY_ID, &(struct chat_by_id_in){ .id = id }, &chat, call->arena);
	if (err == OK)
		*out = (struct chat_by_external_id_out){ chat.number, chat.chat_id, chat.visitor_id, chat.created_at };
	return err;
}
