#include "move/tables.h"

// clang-format off
const struct move_table move_tables[] = {
	{ "users",            MOVE_USERS,      STATEMENT_MOVE_OUT_USERS,            STATEMENT_MOVE_IN_USERS },
	{ "invitations",      MOVE_PLAIN,      STATEMENT_MOVE_OUT_INVITATIONS,      STATEMENT_MOVE_IN_INVITATIONS },
	{ "api_keys",         MOVE_PLAIN,      STATEMENT_MOVE_OUT_API_KEYS,         STATEMENT_MOVE_IN_API_KEYS },
	{ "visitors",         MOVE_PLAIN,      STATEMENT_MOVE_OUT_VISITORS,         STATEMENT_MOVE_IN_VISITORS },
	{ "chats",            MOVE_CHATS,      STATEMENT_MOVE_OUT_CHATS,            STATEMENT_MOVE_IN_CHATS },
	{ "messages",         MOVE_MESSAGES,   STATEMENT_MOVE_OUT_MESSAGES,         STATEMENT_MOVE_IN_MESSAGES },
	{ "chat_activity",    MOVE_ACTIVITIES, STATEMENT_MOVE_OUT_CHAT_ACTIVITY,    STATEMENT_MOVE_IN_CHAT_ACTIVITY },
	{ "chat_summaries",   MOVE_SUMMARIES,  STATEMENT_MOVE_OUT_CHAT_SUMMARIES,   STATEMENT_MOVE_IN_CHAT_SUMMARIES },
	{ "article_mentions", MOVE_PLAIN,      STATEMENT_MOVE_OUT_ARTICLE_MENTIONS, STATEMENT_MOVE_IN_ARTICLE_MENTIONS },
	{ "article_views",    MOVE_PLAIN,      STATEMENT_MOVE_OUT_ARTICLE_VIEWS,    STATEMENT_MOVE_IN_ARTICLE_VIEWS },
	{ "web_mentions",     MOVE_PLAIN,      STATEMENT_MOVE_OUT_WEB_MENTIONS,     STATEMENT_MOVE_IN_WEB_MENTIONS },
	{ "articles",         MOVE_PLAIN,      STATEMENT_MOVE_OUT_ARTICLES,         STATEMENT_MOVE_IN_ARTICLES },
	{ "web_pages",        MOVE_PLAIN,      STATEMENT_MOVE_OUT_WEB_PAGES,        STATEMENT_MOVE_IN_WEB_PAGES },
	{ "imported_rows",    MOVE_PLAIN,      STATEMENT_MOVE_OUT_IMPORTED_ROWS,    STATEMENT_MOVE_IN_IMPORTED_ROWS },
	{ "audit_log",        MOVE_PLAIN,      STATEMENT_MOVE_OUT_AUDIT_LOG,        STATEMENT_MOVE_IN_AUDIT_LOG },
};
const size_t move_table_count = sizeof move_tables / sizeof move_tables[0];

const struct move_leaving move_leavings[] = {
	{ "article_mentions", STATEMENT_MOVE_OUT_ARTICLE_MENTIONS,  STATEMENT_LEAVE_ARTICLE_MENTIONS, false },
	{ "article_views",    STATEMENT_MOVE_OUT_ARTICLE_VIEWS,     STATEMENT_LEAVE_ARTICLE_VIEWS,    false },
	{ "web_mentions",     STATEMENT_MOVE_OUT_WEB_MENTIONS,      STATEMENT_LEAVE_WEB_MENTIONS,     false },
	{ "visitors",         STATEMENT_MOVE_OUT_VISITORS,          STATEMENT_LEAVE_VISITORS,         false },
	{ "invitations",      STATEMENT_MOVE_OUT_INVITATIONS,       STATEMENT_LEAVE_INVITATIONS,      false },
	{ "users",            STATEMENT_MOVE_OUT_USERS,             STATEMENT_LEAVE_USERS,            false },
	{ "api_keys",         STATEMENT_MOVE_OUT_API_KEYS,          STATEMENT_LEAVE_API_KEYS,         false },
	{ "articles",         STATEMENT_MOVE_OUT_ARTICLES,          STATEMENT_LEAVE_ARTICLES,         false },
	{ "web_pages",        STATEMENT_MOVE_OUT_WEB_PAGES,         STATEMENT_LEAVE_WEB_PAGES,        false },
	{ "rollup_states",    STATEMENT_LEAVE_FIND_ROLLUP_STATES,   STATEMENT_LEAVE_ROLLUP_STATES,    false },
	{ "rollup_counts",    STATEMENT_LEAVE_FIND_ROLLUP_COUNTS,   STATEMENT_LEAVE_ROLLUP_COUNTS,    false },
	{ "rollup_members",   STATEMENT_LEAVE_FIND_ROLLUP_MEMBERS,  STATEMENT_LEAVE_ROLLUP_MEMBERS,   false },
	{ "rollup_gaps",      STATEMENT_LEAVE_FIND_ROLLUP_GAPS,     STATEMENT_LEAVE_ROLLUP_GAPS,      false },
	{ "search",           STATEMENT_LEAVE_FIND_SEARCH,          STATEMENT_LEAVE_SEARCH,           true },
	{ "search_progress",  STATEMENT_LEAVE_FIND_SEARCH_PROGRESS, STATEMENT_LEAVE_SEARCH_PROGRESS,  true },
	{ "imported_rows",    STATEMENT_MOVE_OUT_IMPORTED_ROWS,     STATEMENT_LEAVE_IMPORTED_ROWS,    false },
	{ "audit_log",        STATEMENT_MOVE_OUT_AUDIT_LOG,         STATEMENT_LEAVE_AUDIT_LOG,        false },
};
// clang-format on
const size_t move_leaving_count = sizeof move_leavings / sizeof move_leavings[0];

_Static_assert(sizeof move_leavings / sizeof move_leavings[0] <= MOVE_LEAVINGS, "room in a receipt");
