/* Chats and their messages, as the dashboard reads them.
 * Owner: handlers; see call.h. Threads: READS, and for CSV see list_csv.h.
 * A chat's metadata carries its summary's members; where there is no summary, what the concierge put there stays.
 * Never shows a chat of another organization: its id is unknown here.
 * Next: list.h, sql/chat_lists.sql. */
#ifndef INNKEEPER_API_CHAT_LISTS_H
#define INNKEEPER_API_CHAT_LISTS_H

#include "api/call.h"
#include "api/list.h"

/* GET /api/chats: an array. */
extern const struct json_shape chat_lists_chats_query;
enum err chat_lists_chats(struct call *call) WARN_UNUSED;

/* GET /api/chats/{chatId}/messages: an array. */
enum err chat_lists_messages(struct call *call) WARN_UNUSED;

/* For the chats of a person: fills in what the concierge said where there is no summary. `row` is a
 * visitor_chat_page_out or a user_chat_page_out, which are alike. */
enum err chat_lists_shape_short(struct arena *arena, void *row) WARN_UNUSED;

#endif
