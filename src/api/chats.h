/* Chats and their messages, as a concierge reports them.
 * Owner: handlers; see call.h. On the writer's thread.
 * The same chatId again is the same chat; the same messageId or Idempotency-Key again is the same message.
 * Never overwrites what was reported first.
 * Next: sql/chats.sql, sql/messages.sql. */
#ifndef INNKEEPER_API_CHATS_H
#define INNKEEPER_API_CHATS_H

#include "api/call.h"

extern const struct json_shape chats_create_body;
enum err chats_create(struct call *call);

extern const struct json_shape chats_message_body;
void chats_message_foresee(struct call *call, enum foresight round);
enum err chats_message(struct call *call);

#endif
