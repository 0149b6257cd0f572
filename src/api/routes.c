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
#include "api/legacy.h"
#include "api/live.h"
#include "api/members.h"
#include "api/move.h"
#include "api/oidc.h"
#include "api/openapi.h"
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
#include "api/web_pages.h"

// clang-format off
/* What is answered more than once. */
#define DONE        "{success: true}"
#define WEB_MENTION "{...web_mention_create(chat_id?, visitor_id?, search_query?, clicked_at?), article_type: text, clicked: flag}"
#define USER        "user_show(name?, image?, provider?, provider_id?, last_sign_in_at?)"
#define INVITATION  "invitation: {link: text, expires_at: time}"
#define SETTINGS    "{...organization_settings(location?, website_url?, retention_days?), api_key: text?, figures_being_counted: object?}"
#define NEW_KEY     "{id: id, name: text, api_key: text}"
#define CHAT        "chat_page.10(user_id?, visitor_id?, location?, user_agent?, metadata?)"
#define SHORT_CHAT  "(topic_summary?, leadScore?, sentiment?)"
#define VISITOR     "visitor_show(email?, name?, source?)"
#define COUNTS      "[{date: text, day: text, value: int}]"
#define RATE        "{stages: [{label: text, value: int}], conversionRate: number}"
#define SHARES      "[{name: text, value: int, percentage: text}]"
#define COMPARED    "previous?: object"
#define WEB_PAGES   "{mentions: [web_page_page.2], total: int}"
#define SIGNED_IN                                                                                                  \
	"{user?: {id: id, name: text?, email: text, image: text?, role: text, organizationId: id},"                \
	" organization?: {id: id, slug: text, name: text},"                                                        \
	" organizations?: [{id: id, slug: text, name: text, role: text}], expires?: time}"

const struct route routes[] = {
	/* The process. */
	{ "GET",  "/healthz", PUBLIC, HERE,  .handle = system_health,  .reply = "{status: text}", .about = "Whether the process lives." },
	{ "GET",  "/readyz",  PUBLIC, READS, .handle = system_ready,   .reply = "{status: text, schema: int}", .about = "Whether it can answer: the database too." },
	{ "GET",  "/metrics", PUBLIC, READS, .handle = system_metrics, .answer = PLAIN_TEXT, .about = "Prometheus metrics." },
	{ "GET",  "/openapi.json", PUBLIC, HERE, .handle = openapi_show, .answer = DOCUMENT, .reply = "object", .about = "This description of the API." },

	/* The concierge. */
	{ "POST", "/api/chats/create",           KEY, WRITES, .rate = BY_KEY, .body = &chats_create_body,        .handle = chats_create,        .batch = "chat",            .reply = "{success: true, chatId: text, createdAt: time}", .about = "Reports a new chat." },
	{ "POST", "/api/chats/message",          KEY, WRITES, .rate = BY_KEY, .body = &chats_message_body,       .handle = chats_message,       .foresee = chats_message_foresee, .batch = "message",         .reply = "{success: true, messageId: text}", .about = "Reports a message of a chat." },
	{ "POST", "/api/articles/mention",       KEY, WRITES, .rate = BY_KEY, .body = &articles_mention_body,    .handle = articles_mention,    .batch = "article_mention", .reply = "{success: true, mentionsRecorded: int}", .about = "Reports articles that an answer mentioned." },
	{ "POST", "/api/articles/view",          KEY, WRITES, .rate = BY_KEY, .body = &articles_view_body,       .handle = articles_view,       .batch = "article_view",    .reply = "{success: true, viewId: id}", .about = "Reports an article that was opened." },
	{ "POST", "/api/tavily-mentions",        KEY, WRITES, .rate = BY_KEY, .body = &web_mentions_create_body, .handle = web_mentions_create, .batch = "web_mentions",    .reply = "{success: true, count: int, mentions: [" WEB_MENTION "]}", .about = "Reports web results that were shown." },
	{ "POST", "/api/article-mentions",       KEY, WRITES, .rate = BY_KEY, .body = &web_mentions_create_body, .handle = web_mentions_create, .reply = "{success: true, count: int, mentions: [" WEB_MENTION "]}", .about = "As /api/tavily-mentions." },
	{ "POST", "/api/tavily-mentions/click",  KEY, WRITES, .rate = BY_KEY, .body = &web_mentions_click_body,  .handle = web_mentions_click,  .batch = "web_click",       .reply = "{success: true, mention: " WEB_MENTION "}", .about = "Reports a click on a web result." },
	{ "POST", "/api/article-mentions/click", KEY, WRITES, .rate = BY_KEY, .body = &web_mentions_click_body,  .handle = web_mentions_click,  .reply = "{success: true, mention: " WEB_MENTION "}", .about = "As /api/tavily-mentions/click." },
	{ "POST", "/api/visitors/identify",      KEY, WRITES, .rate = BY_KEY, .body = &visitors_identify_body,   .handle = visitors_identify,   .batch = "visitor", .cors = true, .reply = "{success: true, visitor_id: id, message: text, linked: {chats: int, views: int}}", .about = "Tells who a visitor is." },
	{ "POST", "/api/users/identify",         KEY, WRITES, .rate = BY_KEY, .body = &users_identify_body,      .handle = users_identify,      .batch = "user",    .cors = true, .reply = "{success: true, user_id: id, message: text}", .about = "Tells who a user of the concierge is." },
	{ "POST", "/api/batch",                  KEY, WRITES, .rate = BY_KEY, .read = batch_read,                .handle = batch_store, .foresee = batch_foresee,         .body_limit = BATCH_BODY, .parts = true,   .reply = "207 {successes: [object], errors: [{index: int, status: int, error: text, code: text, field?: text}]}", .about = "Up to 1,000 of the above in one request, durable together." },

	/* Coming in and going out. */
	{ "POST", "/api/auth/login",      GUEST,   WRITES, .body = &sign_in_body,          .look = sign_in_look, .prepare = sign_in_prepare,          .handle = sign_in,          .reply = DONE, .about = "Signs in with e-mail and password." },
	{ "POST", "/api/auth/logout",     GUEST,   WRITES,                                 .handle = sign_out,                                              .reply = DONE, .about = "Ends the session." },
	{ "GET",  "/api/auth/session",    GUEST,   READS,                                  .handle = sign_in_show,                                          .reply = SIGNED_IN, .about = "Who is signed in, and where else they belong." },
	{ "POST", "/api/auth/switch",     SESSION, WRITES, .body = &sign_in_switch_body,   .handle = sign_in_switch,                                        .reply = DONE, .about = "Goes over to another organization of the person." },
	{ "POST", "/api/auth/password",   SESSION, WRITES, .body = &sign_in_password_body, .look = sign_in_password_look, .prepare = sign_in_password_prepare, .handle = sign_in_password, .reply = DONE, .about = "Sets another password; every other session ends." },
	{ "POST", "/api/auth/invitation", GUEST,   READS,  .body = &join_show_body,        .handle = join_show,                                             .reply = "{organization_name: text, email: text, role: text, expires_at: time}", .about = "What an invitation's link is for." },
	{ "POST", "/api/auth/join",       GUEST,   WRITES, .body = &join_body,             .look = join_look, .prepare = join_prepare,             .handle = join_accept,      .reply = DONE, .about = "Accepts an invitation, and signs in." },

	/* Coming in through a provider. */
	{ "GET", "/api/auth/oidc/start",    PUBLIC, SLOWLY, .rate = BY_ADDRESS, .errand = true, .answer = REDIRECT, .query = &oidc_start_query,    .handle = oidc_start, .about = "Sends a browser to the provider of identities." },
	{ "GET", "/api/auth/oidc/callback", GUEST,  WRITES, .rate = BY_ADDRESS, .errand = true, .answer = REDIRECT, .query = &oidc_callback_query, .prepare = oidc_callback_prepare, .handle = oidc_callback, .about = "Where the provider sends the browser back to." },

	/* The staff: people and settings. */
	{ "POST",   "/api/users",                 SESSION, WRITES, .least = ADMIN, .body = &members_add_body,     .handle = members_add,          .audit = "user.create",      .reply = "{user: " USER ", " INVITATION "}", .about = "Invites a member." },
	{ "PATCH",  "/api/users/{id}",            SESSION, WRITES, .least = ADMIN, .body = &members_change_body,  .handle = members_change,       .audit = "user.change",      .reply = "{user: " USER "}", .about = "Changes a member's name or role." },
	{ "DELETE", "/api/users/{id}",            SESSION, WRITES, .least = ADMIN,                                .handle = members_remove,       .audit = "user.delete",      .reply = DONE, .about = "Removes a member or a contact." },
	{ "POST",   "/api/users/{id}/invitation", SESSION, WRITES, .least = ADMIN,                                .handle = members_invite_again, .audit = "user.invite",      .reply = "{" INVITATION "}", .about = "Makes a new link for a member who has not accepted yet." },
	{ "GET",    "/api/settings",              SESSION, READS,                                                 .handle = settings_show,                                     .reply = SETTINGS, .about = "The organization's settings." },
	{ "PUT",    "/api/settings",              SESSION, WRITES, .least = ADMIN, .body = &settings_change_body, .handle = settings_change,      .audit = "settings.change",  .reply = SETTINGS, .about = "Changes the organization's settings." },
	{ "POST",   "/api/settings",              SESSION, WRITES, .least = ADMIN, .body = &settings_act_body,    .handle = settings_act,         .audit = "key.regenerate",   .stored = keys_revoked, .reply = SETTINGS, .about = "Makes a new API key in the place of the one shown." },
	{ "GET",    "/api/keys",                  SESSION, READS,  .least = ADMIN, .answer = ARRAY, .query = &list_query_shape, .handle = keys_page,                            .reply = "[api_key_page.2(last_used_at?, revoked_at?)]", .about = "Lists API keys, masked." },
	{ "POST",   "/api/keys",                  SESSION, WRITES, .least = ADMIN, .body = &keys_create_body,     .handle = keys_create,          .audit = "key.create",       .reply = NEW_KEY, .about = "Makes an API key; it is shown this once." },
	{ "DELETE", "/api/keys/{id}",             SESSION, WRITES, .least = ADMIN,                                .handle = keys_remove,          .audit = "key.revoke",       .stored = keys_revoked, .reply = "{...api_key_revoke}", .about = "Revokes an API key." },

	/* What is erased, and what is given to a person of their own. */
	{ "DELETE", "/api/chats/{chatId}",       SESSION, WRITES, .errand = true, .least = ADMIN, .prepare = erase_chat_prepare,    .handle = erase_chat_handle,    .conclude = erase_conclude, .audit = "chat.delete",    .reply = "object", .about = "Erases a chat with everything that hangs on it." },
	{ "DELETE", "/api/visitors/{id}",        SESSION, WRITES, .errand = true, .least = ADMIN, .prepare = erase_visitor_prepare, .handle = erase_visitor_handle,                             .audit = "visitor.delete", .reply = "object", .about = "Erases a visitor with all chats, views and web results." },
	{ "GET",    "/api/visitors/{id}/export", SESSION, READS,  .least = ADMIN, .handle = export_visitor,       .audit = "visitor.export", .reply = "object", .about = "Everything that is known of a visitor." },

	/* The staff: what they read. */
	{ "GET", "/api/chats",                   SESSION, READS, .answer = ARRAY, .query = &chat_lists_chats_query, .handle = chat_lists_chats,       .reply = "[" CHAT "]", .about = "Lists chats." },
	{ "GET", "/api/chats/{chatId}/messages", SESSION, READS, .answer = ARRAY, .query = &list_query_shape,       .handle = chat_lists_messages,    .reply = "[message_page.2]", .about = "Lists a chat's messages, oldest first." },
	{ "GET", "/api/visitors",                SESSION, READS, .query = &list_query_shape,                        .handle = visitor_lists_visitors, .reply = "{visitors: [visitor_page.2(email?, name?, source?)]}", .about = "Lists visitors." },
	{ "GET", "/api/visitors/{id}",           SESSION, READS,                                                    .handle = visitor_lists_show,     .reply = "{visitor: " VISITOR "}", .about = "Shows a visitor." },
	{ "GET", "/api/visitors/{id}/chats",     SESSION, READS, .query = &list_query_shape,                        .handle = visitor_lists_chats,    .reply = "{chats: [visitor_chat_page.3" SHORT_CHAT "]}", .about = "Lists a visitor's chats." },
	{ "GET", "/api/visitors/{id}/views",     SESSION, READS, .query = &list_query_shape,                        .handle = visitor_lists_views,    .reply = "{views: [visitor_view_page.2]}", .about = "Lists the articles that a visitor opened." },
	{ "GET", "/api/users",                   SESSION, READS, .query = &list_query_shape,        .handle = user_lists_users,       .reply = "{users: [user_page.2(name?, image?, provider?, provider_id?, last_sign_in_at?)]}", .about = "Lists members and contacts." },
	{ "GET", "/api/users/{id}",              SESSION, READS,                                    .handle = user_lists_show,        .reply = "{user: " USER "}", .about = "Shows a member or contact." },
	{ "GET", "/api/users/{id}/chats",        SESSION, READS, .query = &list_query_shape,        .handle = user_lists_chats,       .reply = "{chats: [user_chat_page.3" SHORT_CHAT "]}", .about = "Lists a user's chats." },
	{ "GET", "/api/users/{id}/views",        SESSION, READS, .query = &list_query_shape,        .handle = user_lists_views,       .reply = "{views: [user_view_page.2]}", .about = "Lists the articles that a user opened." },
	{ "GET", "/api/live",                    SESSION, HERE,  .answer = PLAIN_TEXT,                              .handle = live_open,              .reply = "text/event-stream", .about = "What happens, as server-sent events." },
	{ "GET", "/api/audit",                   SESSION, READS, .least = ADMIN, .query = &list_query_shape,        .handle = audit_lists_entries,    .reply = "{entries: [audit_page.2(actor_id?, actor_email?, target?, detail?, address?)]}", .about = "Lists who did what." },

	/* The dashboard's figures. */
	{ "GET", "/api/analytics/summary-metrics",  SESSION, READS, .query = &analytics_query, .handle = analytics_summary,     .reply = "{totalChats: int, totalMessages: int, totalVisitors: int, totalArticleClicks: int, totalArticleViews: int, totalPlacesTracked: int, engagedChats: int, uniqueSessions: int, " COMPARED "}", .about = "Totals, of all time when no days are given." },
	{ "GET", "/api/analytics/user-activity",    SESSION, READS, .query = &analytics_query, .handle = analytics_activity,    .reply = "{uniqueUsers: " COUNTS ", chatMessages: " COUNTS ", registrations: " COUNTS ", " COMPARED "}", .about = "Sessions and registrations day by day, of 90 days when none are given." },
	{ "GET", "/api/analytics/event-totals",     SESSION, READS, .query = &analytics_query, .handle = analytics_totals,      .reply = "{chatMessages: " COUNTS ", articleClicks: " COUNTS ", articleViews: " COUNTS ", " COMPARED "}", .about = "Messages, clicks and views day by day, of 90 days when none are given." },
	{ "GET", "/api/analytics/conversion-rates", SESSION, READS, .query = &analytics_query, .handle = analytics_conversion,  .reply = "{sessionToEngagement: " RATE ", sessionToRegistration: " RATE ", sessionToClick: " RATE ", sessionToView: " RATE ", engagedToRegistration: " RATE ", engagedToClick: " RATE ", " COMPARED "}", .about = "How many went on from one stage to the next." },
	{ "GET", "/api/analytics/user-composition", SESSION, READS, .query = &analytics_query, .handle = analytics_composition, .reply = "{totalChats: int, devices: " SHARES ", cities: " SHARES ", countries: " SHARES ", " COMPARED "}", .about = "Devices, cities and countries of chats." },
	{ "GET", "/api/analytics/interests",        SESSION, READS, .query = &analytics_query, .handle = analytics_interests,   .reply = "{totalVisitors: int, seasons: " SHARES ", travelerTypes: " SHARES ", preferences: " SHARES ", vibes: " SHARES ", " COMPARED "}", .about = "Seasons, traveler types, preferences and vibes of visitors." },

	{ "GET", "/api/articles/stats",             SESSION, READS, .query = &article_stats_query, .handle = article_stats_show, .reply = "{articles: [figure_article], totals: {totalMentioned: int, totalViews: int, uniqueArticles: int}}", .about = "Articles by how often they were mentioned and opened, of 30 days when none are given." },
	{ "GET", "/api/tavily-mentions",            SESSION, READS, .query = &web_pages_query,     .handle = web_pages_list,     .reply = WEB_PAGES, .about = "Web results by their address: how often shown and clicked." },
	{ "GET", "/api/article-mentions",           SESSION, READS, .query = &web_pages_query,     .handle = web_pages_list,     .reply = WEB_PAGES, .about = "As GET /api/tavily-mentions." },

	/* The operator, through the control socket or the command line. */
	{ "POST", "/control/organizations",        CONTROL, WRITES, .body = &organizations_create_body, .handle = organizations_create, .about = "Founds an organization." },
	{ "GET",  "/control/organizations",        CONTROL, READS,  .answer = ARRAY,                    .handle = organizations_list,   .about = "Lists organizations." },
	{ "POST", "/control/organizations/change", TENANT,  WRITES, .body = &organizations_change_body, .handle = organizations_change, .audit = "settings.change", .stored = organizations_changed, .about = "Changes an organization." },
	{ "POST", "/control/organizations/export", TENANT,  SLOWLY, .errand = true, .body = &move_out_body,      .handle = move_out,             .about = "Writes an organization as a whole into a file." },
	{ "POST", "/control/organizations/import", CONTROL, SLOWLY, .errand = true, .body = &move_in_body,       .handle = move_in,              .about = "Brings in the organization of a file." },
	{ "POST", "/control/organizations/delete", CONTROL, SLOWLY, .errand = true, .body = &move_away_body,     .handle = move_away,            .about = "Erases an organization with everything of it." },
	{ "GET",  "/control/organizations/moving", CONTROL, HERE,                                                .handle = move_progress,        .about = "How far the one of these is that is under way." },
	{ "POST", "/control/keys",                 TENANT,  WRITES, .body = &keys_create_body,          .handle = keys_create,          .audit = "key.create",      .about = "Makes an API key." },
	{ "GET",  "/control/keys",                 TENANT,  READS,  .answer = ARRAY,                    .handle = keys_list,            .about = "Lists API keys." },
	{ "POST", "/control/keys/revoke",          TENANT,  WRITES, .body = &keys_revoke_body,          .handle = keys_revoke,          .audit = "key.revoke",      .stored = keys_revoked, .about = "Revokes an API key." },
	{ "POST", "/control/users",                TENANT,  WRITES, .body = &members_create_body,       .prepare = members_prepare, .handle = members_create, .audit = "user.create", .about = "Adds a member." },
	{ "GET",  "/control/users",                TENANT,  READS,  .answer = ARRAY,                    .handle = members_list,         .about = "Lists members." },
	{ "POST", "/control/users/invitation",     TENANT,  WRITES, .body = &members_invite_body,       .handle = members_invite,       .audit = "user.invite",     .about = "Makes a new link for a member who has not accepted yet." },
	{ "POST", "/control/users/password",       TENANT,  WRITES, .body = &members_password_body,     .prepare = members_prepare, .handle = members_set_password, .audit = "password.change", .about = "Sets a member's password; their sessions end." },
	{ "POST", "/control/retention",            TENANT,  SLOWLY, .errand = true, .body = &retention_body,            .handle = retention_handle,     .about = "Erases what is older than an organization keeps, or counts it." },
	{ "POST", "/control/import/legacy",        TENANT,  SLOWLY, .errand = true, .body = &legacy_body,               .handle = legacy_take,          .about = "Brings in what an older single-tenant CRM has stored." },
	{ "POST", "/control/backup",               CONTROL, SLOWLY, .errand = true, .body = &backup_body, .handle = backup_make,          .about = "Copies the database, consistent, while it is written." },
	{ "POST", "/control/verify",               CONTROL, SLOWLY, .errand = true, .body = &verify_body,               .handle = verify_figures,       .about = "Counts every figure again and tells each difference." },
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
