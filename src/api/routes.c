/* Every route there is. Read a row from left to right: what is asked for, by whom, where it runs, how its body is read,
 * who handles it. What the columns mean stands in route.h, what becomes of them in dispatch.c. */
#include "api/analytics.h"
#include "api/article_stats.h"
#include "api/articles.h"
#include "api/audit_lists.h"
#include "api/backup.h"
#include "api/batch.h"
#include "api/chat_lists.h"
#include "api/chats.h"
#include "api/erase.h"
#include "api/join.h"
#include "api/keys.h"
#include "api/live.h"
#include "api/members.h"
#include "api/organizations.h"
#include "api/settings.h"
#include "api/sign_in.h"
#include "api/system.h"
#include "api/user_lists.h"
#include "api/users.h"
#include "api/verify.h"
#include "api/visitor_lists.h"
#include "api/visitors.h"
#include "api/web_mentions.h"

// clang-format off
const struct route routes[] = {
	/* The process. */
	{ "GET",  "/healthz", PUBLIC, HERE,  .handle = system_health,  .about = "Whether the process lives." },
	{ "GET",  "/readyz",  PUBLIC, READS, .handle = system_ready,   .about = "Whether it can answer: the database too." },
	{ "GET",  "/metrics", PUBLIC, READS, .handle = system_metrics, .answer = PLAIN_TEXT, .about = "Prometheus metrics." },

	/* The concierge. */
	{ "POST", "/api/chats/create",           KEY, WRITES, .rate = BY_KEY, .body = &chats_create_body,        .handle = chats_create,        .batch = "chat",            .about = "Reports a new chat." },
	{ "POST", "/api/chats/message",          KEY, WRITES, .rate = BY_KEY, .body = &chats_message_body,       .handle = chats_message,       .batch = "message",         .about = "Reports a message of a chat." },
	{ "POST", "/api/articles/mention",       KEY, WRITES, .rate = BY_KEY, .body = &articles_mention_body,    .handle = articles_mention,    .batch = "article_mention", .about = "Reports articles that an answer mentioned." },
	{ "POST", "/api/articles/view",          KEY, WRITES, .rate = BY_KEY, .body = &articles_view_body,       .handle = articles_view,       .batch = "article_view",    .about = "Reports an article that was opened." },
	{ "POST", "/api/tavily-mentions",        KEY, WRITES, .rate = BY_KEY, .body = &web_mentions_create_body, .handle = web_mentions_create, .batch = "web_mentions",    .about = "Reports web results that were shown." },
	{ "POST", "/api/article-mentions",       KEY, WRITES, .rate = BY_KEY, .body = &web_mentions_create_body, .handle = web_mentions_create, .about = "As /api/tavily-mentions." },
	{ "POST", "/api/tavily-mentions/click",  KEY, WRITES, .rate = BY_KEY, .body = &web_mentions_click_body,  .handle = web_mentions_click,  .batch = "web_click",       .about = "Reports a click on a web result." },
	{ "POST", "/api/article-mentions/click", KEY, WRITES, .rate = BY_KEY, .body = &web_mentions_click_body,  .handle = web_mentions_click,  .about = "As /api/tavily-mentions/click." },
	{ "POST", "/api/visitors/identify",      KEY, WRITES, .rate = BY_KEY, .body = &visitors_identify_body,   .handle = visitors_identify,   .batch = "visitor", .cors = true, .about = "Tells who a visitor is." },
	{ "POST", "/api/users/identify",         KEY, WRITES, .rate = BY_KEY, .body = &users_identify_body,      .handle = users_identify,      .batch = "user",    .cors = true, .about = "Tells who a user of the concierge is." },
	{ "POST", "/api/batch",                  KEY, WRITES, .rate = BY_KEY, .read = batch_read,                .handle = batch_store,         .body_limit = BATCH_BODY, .parts = true,   .about = "Up to 1,000 of the above in one request, durable together." },

	/* Coming in and going out. */
	{ "POST", "/api/auth/login",      GUEST,   WRITES, .body = &sign_in_body,          .prepare = sign_in_prepare,          .handle = sign_in,          .about = "Signs in with e-mail and password." },
	{ "POST", "/api/auth/logout",     GUEST,   WRITES,                                 .handle = sign_out,                                              .about = "Ends the session." },
	{ "GET",  "/api/auth/session",    GUEST,   READS,                                  .handle = sign_in_show,                                          .about = "Who is signed in, and where else they belong." },
	{ "POST", "/api/auth/switch",     SESSION, WRITES, .body = &sign_in_switch_body,   .handle = sign_in_switch,                                        .about = "Goes over to another organization of the person." },
	{ "POST", "/api/auth/password",   SESSION, WRITES, .body = &sign_in_password_body, .prepare = sign_in_password_prepare, .handle = sign_in_password, .about = "Sets another password; every other session ends." },
	{ "POST", "/api/auth/invitation", GUEST,   HERE,   .body = &join_show_body,        .handle = join_show,                                             .about = "What an invitation's link is for." },
	{ "POST", "/api/auth/join",       GUEST,   WRITES, .body = &join_body,             .prepare = join_prepare,             .handle = join_accept,      .about = "Accepts an invitation, and signs in." },

	/* The staff: people and settings. */
	{ "POST",   "/api/users",                 SESSION, WRITES, .least = ADMIN, .body = &members_add_body,     .handle = members_add,          .audit = "user.create",      .about = "Invites a member." },
	{ "PATCH",  "/api/users/{id}",            SESSION, WRITES, .least = ADMIN, .body = &members_change_body,  .handle = members_change,       .audit = "user.change",      .about = "Changes a member's name or role." },
	{ "DELETE", "/api/users/{id}",            SESSION, WRITES, .least = ADMIN,                                .handle = members_remove,       .audit = "user.delete",      .about = "Removes a member or a contact." },
	{ "POST",   "/api/users/{id}/invitation", SESSION, WRITES, .least = ADMIN,                                .handle = members_invite_again, .audit = "user.invite",      .about = "Makes a new link for a member who has not accepted yet." },
	{ "GET",    "/api/settings",              SESSION, READS,                                                 .handle = settings_show,                                     .about = "The organization's settings." },
	{ "PUT",    "/api/settings",              SESSION, WRITES, .least = ADMIN, .body = &settings_change_body, .handle = settings_change,      .audit = "settings.change",  .about = "Changes the organization's settings." },
	{ "POST",   "/api/settings",              SESSION, WRITES, .least = ADMIN, .body = &settings_act_body,    .handle = settings_act,         .audit = "key.regenerate",   .stored = keys_revoked, .about = "Makes a new API key in the place of the one shown." },
	{ "GET",    "/api/keys",                  SESSION, READS,  .least = ADMIN, .answer = ARRAY,               .handle = keys_list,                                         .about = "Lists API keys, masked." },
	{ "POST",   "/api/keys",                  SESSION, WRITES, .least = ADMIN, .body = &keys_create_body,     .handle = keys_create,          .audit = "key.create",       .about = "Makes an API key; it is shown this once." },
	{ "DELETE", "/api/keys/{id}",             SESSION, WRITES, .least = ADMIN,                                .handle = keys_remove,          .audit = "key.revoke",       .stored = keys_revoked, .about = "Revokes an API key." },

	/* What is erased, and what is given to a person of their own. */
	{ "DELETE", "/api/chats/{chatId}",       SESSION, WRITES, .least = ADMIN, .handle = erase_chat_handle,    .audit = "chat.delete",    .about = "Erases a chat with everything that hangs on it." },
	{ "DELETE", "/api/visitors/{id}",        SESSION, WRITES, .least = ADMIN, .handle = erase_visitor_handle, .audit = "visitor.delete", .about = "Erases a visitor with all chats, views and web results." },
	{ "GET",    "/api/visitors/{id}/export", SESSION, READS,  .least = ADMIN, .handle = export_visitor,       .audit = "visitor.export", .about = "Everything that is known of a visitor." },

	/* The staff: what they read. */
	{ "GET", "/api/chats",                   SESSION, READS, .answer = ARRAY, .query = &chat_lists_chats_query, .handle = chat_lists_chats,       .about = "Lists chats." },
	{ "GET", "/api/chats/{chatId}/messages", SESSION, READS, .answer = ARRAY, .query = &list_query_shape,       .handle = chat_lists_messages,    .about = "Lists a chat's messages, oldest first." },
	{ "GET", "/api/visitors",                SESSION, READS, .query = &list_query_shape,                        .handle = visitor_lists_visitors, .about = "Lists visitors." },
	{ "GET", "/api/visitors/{id}",           SESSION, READS,                                                    .handle = visitor_lists_show,     .about = "Shows a visitor." },
	{ "GET", "/api/visitors/{id}/chats",     SESSION, READS, .query = &list_query_shape,                        .handle = visitor_lists_chats,    .about = "Lists a visitor's chats." },
	{ "GET", "/api/visitors/{id}/views",     SESSION, READS, .query = &list_query_shape,                        .handle = visitor_lists_views,    .about = "Lists the articles that a visitor opened." },
	{ "GET", "/api/users",                   SESSION, READS, .least = ADMIN, .query = &list_query_shape,        .handle = user_lists_users,       .about = "Lists members and contacts." },
	{ "GET", "/api/users/{id}",              SESSION, READS, .least = ADMIN,                                    .handle = user_lists_show,        .about = "Shows a member or contact." },
	{ "GET", "/api/users/{id}/chats",        SESSION, READS, .least = ADMIN, .query = &list_query_shape,        .handle = user_lists_chats,       .about = "Lists a user's chats." },
	{ "GET", "/api/users/{id}/views",        SESSION, READS, .least = ADMIN, .query = &list_query_shape,        .handle = user_lists_views,       .about = "Lists the articles that a user opened." },
	{ "GET", "/api/live",                    SESSION, HERE,  .answer = PLAIN_TEXT,                              .handle = live_open,              .about = "What happens, as server-sent events." },
	{ "GET", "/api/audit",                   SESSION, READS, .least = ADMIN, .query = &list_query_shape,        .handle = audit_lists_entries,    .about = "Lists who did what." },

	/* The dashboard's figures. */
	{ "GET", "/api/analytics/summary-metrics",  SESSION, READS, .query = &analytics_query, .handle = analytics_summary,     .about = "Totals, of all time when no days are given." },
	{ "GET", "/api/analytics/user-activity",    SESSION, READS, .query = &analytics_query, .handle = analytics_activity,    .about = "Sessions and registrations day by day, of 90 days when none are given." },
	{ "GET", "/api/analytics/event-totals",     SESSION, READS, .query = &analytics_query, .handle = analytics_totals,      .about = "Messages, clicks and views day by day, of 90 days when none are given." },
	{ "GET", "/api/analytics/conversion-rates", SESSION, READS, .query = &analytics_query, .handle = analytics_conversion,  .about = "How many went on from one stage to the next." },
	{ "GET", "/api/analytics/user-composition", SESSION, READS, .query = &analytics_query, .handle = analytics_composition, .about = "Devices, cities and countries of chats." },
	{ "GET", "/api/analytics/interests",        SESSION, READS, .query = &analytics_query, .handle = analytics_interests,   .about = "Seasons, traveler types, preferences and vibes of visitors." },

	{ "GET", "/api/articles/stats",             SESSION, READS, .query = &article_stats_query, .handle = article_stats_show, .about = "Articles by how often they were mentioned and opened, of 30 days when none are given." },
	{ "GET", "/api/tavily-mentions",            SESSION, READS, .query = &web_pages_query,     .handle = web_pages_list,     .about = "Web results by their address: how often shown and clicked." },
	{ "GET", "/api/article-mentions",           SESSION, READS, .query = &web_pages_query,     .handle = web_pages_list,     .about = "As GET /api/tavily-mentions." },

	/* The operator, through the control socket or the command line. */
	{ "POST", "/control/organizations",        CONTROL, WRITES, .body = &organizations_create_body, .handle = organizations_create, .about = "Founds an organization." },
	{ "GET",  "/control/organizations",        CONTROL, READS,  .answer = ARRAY,                    .handle = organizations_list,   .about = "Lists organizations." },
	{ "POST", "/control/organizations/change", TENANT,  WRITES, .body = &organizations_change_body, .handle = organizations_change, .audit = "settings.change", .stored = organizations_changed, .about = "Changes an organization." },
	{ "POST", "/control/keys",                 TENANT,  WRITES, .body = &keys_create_body,          .handle = keys_create,          .audit = "key.create",      .about = "Makes an API key." },
	{ "GET",  "/control/keys",                 TENANT,  READS,  .answer = ARRAY,                    .handle = keys_list,            .about = "Lists API keys." },
	{ "POST", "/control/keys/revoke",          TENANT,  WRITES, .body = &keys_revoke_body,          .handle = keys_revoke,          .audit = "key.revoke",      .stored = keys_revoked, .about = "Revokes an API key." },
	{ "POST", "/control/users",                TENANT,  WRITES, .body = &members_create_body,       .prepare = members_prepare, .handle = members_create, .audit = "user.create", .about = "Adds a member." },
	{ "GET",  "/control/users",                TENANT,  READS,  .answer = ARRAY,                    .handle = members_list,         .about = "Lists members." },
	{ "POST", "/control/users/invitation",     TENANT,  WRITES, .body = &members_invite_body,       .handle = members_invite,       .audit = "user.invite",     .about = "Makes a new link for a member who has not accepted yet." },
	{ "POST", "/control/users/password",       TENANT,  WRITES, .body = &members_password_body,     .prepare = members_prepare, .handle = members_set_password, .audit = "password.change", .about = "Sets a member's password; their sessions end." },
	{ "POST", "/control/retention",            TENANT,  SLOWLY, .body = &retention_body,            .handle = retention_handle,     .about = "Erases what is older than an organization keeps, or counts it." },
	{ "POST", "/control/backup",               CONTROL, SLOWLY, .body = &backup_body,               .handle = backup_make,          .about = "Copies the database, consistent, while it is written." },
	{ "POST", "/control/verify",               CONTROL, SLOWLY, .body = &verify_body,               .handle = verify_figures,       .about = "Counts every figure again and tells each difference." },
};
// clang-format on
const size_t route_count = sizeof routes / sizeof routes[0];

const struct route *route_of_batch_type(struct text type)
{
	for (size_t i = 0; i < route_count; i++)
		if (routes[i].batch != NULL && text_equal(type, text_of(routes[i].batch)))
			return &routes[i];
	return NULL;
}
