#include "figures_erasures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analytics/build.h"
#include "store/query.h"

const struct model_place model_places[PLACES] = {
	{ "Fort Myers, Florida, US", "Fort Myers", "United States" },
	{ "Berlin, Berlin, Germany", "Berlin", "Germany" },
	{ "London, England, UK", "London", "United Kingdom" },
	{ "203.0.113.9", NULL, NULL },
	{ " Unknown ", NULL, NULL },
	{ NULL, NULL, NULL },
};

static int64_t any_time(struct model_house *house)
{
	const uint32_t kind = model_any(house, 20);

	if (kind == 0)
		return model_any(house, 3 * 86400) * INT64_C(1000); /* 1970 */
	if (kind == 1)
		return INT64_C(253402300799999) - model_any(house, 86400) * INT64_C(1000); /* the end of 9999 */
	if (kind < 8) /* around midnight somewhere */
		return house->base + ((int64_t)model_any(house, SPREAD) - SPREAD / 2) * DAY_MS +
		       model_any(house, 16) * INT64_C(5400000) - model_any(house, 3);
	return house->base + ((int64_t)model_any(house, SPREAD) - SPREAD / 2) * DAY_MS +
	       model_any(house, 86400) * INT64_C(1000);
}

static struct text name(struct model_house *house, const char *kind, int number)
{
	char text[32];

	snprintf(text, sizeof text, "%s%d", kind, number);
	return text_copy(&house->arena, text_of(text));
}

/* An SQL text that ends in a number. */
static void script(struct model_house *house, const char *statement, int64_t number)
{
	struct fault fault;
	char sql[256];

	snprintf(sql, sizeof sql, "%s%lld", statement, (long long)number);
	if (db_script(house->db, sql, &fault) != OK)
		fail_msg("%s: %s", sql, fault.sentence);
}

/* One that mentions, views and web results may name already; below 0: none is free, or none is wanted. */
static int free_name(struct model_house *house)
{
	const struct model *model = &house->of->model;
	const int name = (int)model_any(house, CHAT_NAMES * 2);

	for (int i = 0; i < model->chat_count; i++)
		if (!model->chats[i].gone && model->chats[i].name == name)
			return -1;
	return name < CHAT_NAMES ? name : -1;
}

static void store_chat(struct model_house *house)
{
	const struct counting c = model_counting(house);
	struct model *model = &house->of->model;
	struct model_chat chat = { .at = any_time(house),
				   .session = (int)model_any(house, SESSIONS),
				   .name = free_name(house),
				   .visitor = -1,
				   .place = model_any(house, PLACES),
				   .last = { DB_NULL, DB_NULL },
				   .last_message = DB_NULL };
	struct chat_create_in in = { .id = uuid_new(), .status = TEXT("active"), .created_at = chat.at };
	char id[UUID_TEXT_SIZE];

	if (model->chat_count == ROOM)
		return;
	uuid_format(&in.id, id);
	in.chat_id = chat.name < 0 ? text_of(id) : name(house, "chat", chat.name);
	chat.moved_at = chat.at;
	in.session_id = name(house, "session", chat.session);
	in.location = text_of(model_places[chat.place].location);
	assert_int_equal(query_run(house->db, STATEMENT_CHAT_CREATE, &in, NULL), OK);
	chat.number = db_inserted(house->db);
	assert_int_equal(
	    query_run(house->db, STATEMENT_CHAT_ACTIVITY_CREATE,
		      &(struct chat_activity_create_in){ .chat_number = chat.number, .updated_at = chat.at }, NULL),
	    OK);
	assert_int_equal(counting_chat(&c,
				       &(struct counted_chat){ .number = chat.number,
							       .created_at = chat.at,
							       .session_id = in.session_id,
							       .location = in.location },
				       COUNTED),
			 OK);
	model->chats[model->chat_count++] = chat;
}

static void store_message(struct model_house *house)
{
	const struct counting c = model_counting(house);
	struct model *model = &house->of->model;
	struct model_chat *chat = model_any_chat(house);
	const bool by_user = model_any(house, 3) > 0;
	struct message_create_in in = { .id = uuid_new(),
					.role = by_user ? TEXT("user") : TEXT("assistant"),
					.content = TEXT("x"),
					.created_at =
					    model_any(house, 2) == 0 && chat != NULL ? chat->at : any_time(house) };

	if (chat == NULL || model->message_count == ROOM * 4)
		return;
	in.chat_number = chat->number;
	in.previous = chat->last_message;
	assert_int_equal(query_run(house->db, STATEMENT_MESSAGE_CREATE, &in, NULL), OK);
	chat->last_message = db_inserted(house->db);
	if (by_user) {
		const struct counted_message said = { chat->number, name(house, "session", chat->session),
						      in.created_at };

		assert_int_equal(counting_message(&c, &said, &chat->last), OK);
		model->messages[model->message_count++] =
		    (struct model_message){ (int)(chat - model->chats), in.created_at };
	}
	chat->moved_at = in.created_at > chat->moved_at ? in.created_at : chat->moved_at;
	assert_int_equal(query_run(house->db, STATEMENT_CHAT_ACTIVITY_MOVE,
				   &(struct chat_activity_move_in){ .chat_number = chat->number,
								    .updated_at = in.created_at,
								    .last_message = chat->last_message,
								    .counted_edition = chat->last.edition,
								    .counted_day = chat->last.day },
				   NULL),
			 OK);
}

static void link_chat(struct model_house *house)
{
	struct model *model = &house->of->model;
	struct model_chat *chat = model_any_chat(house);
	int which;

	if (chat == NULL || model->visitor_count == 0)
		return;
	which = (int)model_any(house, (uint32_t)model->visitor_count);
	if (model->visitors[which].gone)
		return;
	chat->visitor = which;
	assert_int_equal(query_run(house->db, STATEMENT_CHAT_LINK_VISITOR,
				   &(struct chat_link_visitor_in){ chat->number, model->visitors[which].id }, NULL),
			 OK);
}

static struct counted_article article_of(struct model_house *house, const struct model_event *event)
{
	return (struct counted_article){ .number = event->number,
					 .at = event->at,
					 .id = name(house, "article", event->what),
					 .name = name(house, "name", event->what),
					 .slug = name(house, "slug", event->what),
					 .type = TEXT("Article"),
					 .session_id = event->session < 0 ? text_of(NULL)
									  : name(house, "session", event->session) };
}

static struct text chat_name(struct model_house *house, int number)
{
	return number < 0 ? text_of(NULL) : name(house, "chat", number);
}

/* Below 0: none. */
static int any_visitor(struct model_house *house)
{
	const struct model *model = &house->of->model;
	const int which = model->visitor_count == 0 ? -1 : (int)model_any(house, (uint32_t)model->visitor_count);

	return which < 0 || model->visitors[which].gone ? -1 : which;
}

static struct uuid visitor_id(const struct model_house *house, int which)
{
	struct uuid none = { 0 };

	return which < 0 ? none : house->of->model.visitors[which].id;
}

static void link_view(struct model_house *house, const struct model_event *view)
{
	const struct uuid id = visitor_id(house, view->visitor);
	char hex[33];
	char sql[128];

	text_hex(id.bytes, sizeof id.bytes, hex);
	snprintf(sql, sizeof sql, "UPDATE article_views SET visitor_id = X'%s' WHERE number = ", hex);
	script(house, sql, view->number);
}

static void store_mention(struct model_house *house)
{
	const struct counting c = model_counting(house);
	struct model *model = &house->of->model;
	struct model_event event = { .at = any_time(house),
				     .what = (int)model_any(house, ARTICLES),
				     .session = -1,
				     .name = (int)model_any(house, CHAT_NAMES * 2) - CHAT_NAMES,
				     .visitor = -1 };
	struct counted_article counted;

	if (model->mention_count == ROOM)
		return;
	counted = article_of(house, &event);
	assert_int_equal(query_run(house->db, STATEMENT_ARTICLE_MENTION_CREATE,
				   &(struct article_mention_create_in){ .id = uuid_new(),
									.article_id = counted.id,
									.article_name = counted.name,
									.article_slug = counted.slug,
									.article_type = counted.type,
									.chat_id = chat_name(house, event.name),
									.mentioned_at = event.at },
				   NULL),
			 OK);
	event.number = counted.number = db_inserted(house->db);
	assert_int_equal(counting_mention(&c, &counted, COUNTED), OK);
	model->mentions[model->mention_count++] = event;
}

static void store_view(struct model_house *house)
{
	const struct counting c = model_counting(house);
	struct model *model = &house->of->model;
	struct model_event event = { .at = any_time(house),
				     .what = (int)model_any(house, ARTICLES),
				     .session = (int)model_any(house, SESSIONS + 1) - 1,
				     .name = (int)model_any(house, CHAT_NAMES * 2) - CHAT_NAMES,
				     .visitor = any_visitor(house) };
	struct counted_article counted;

	if (model->view_count == ROOM)
		return;
	counted = article_of(house, &event);
	assert_int_equal(query_run(house->db, STATEMENT_ARTICLE_VIEW_CREATE,
				   &(struct article_view_create_in){ .id = uuid_new(),
								     .article_id = counted.id,
								     .article_name = counted.name,
								     .article_slug = counted.slug,
								     .article_type = counted.type,
								     .chat_id = chat_name(house, event.name),
								     .session_id = counted.session_id,
								     .viewed_at = event.at },
				   NULL),
			 OK);
	event.number = counted.number = db_inserted(house->db);
	if (event.visitor >= 0)
		link_view(house, &event);
	assert_int_equal(counting_view(&c, &counted, COUNTED), OK);
	model->views[model->view_count++] = event;
}

static struct counted_web_mention web_of(struct model_house *house, const struct model_event *event)
{
	return (struct counted_web_mention){ .number = event->number,
					     .mentioned_at = event->at,
					     .clicked_at = event->clicked_at,
					     .url = name(house, "https://example.com/", event->what),
					     .title = name(house, "title", event->what * 100 + event->session),
					     .chat_id = chat_name(house, event->name),
					     .session_id = name(house, "session", event->session) };
}

static void store_web(struct model_house *house)
{
	const struct counting c = model_counting(house);
	struct model *model = &house->of->model;
	struct model_event event = { .at = any_time(house),
				     .clicked_at = DB_NULL,
				     .what = (int)model_any(house, PAGES),
				     .session = (int)model_any(house, SESSIONS),
				     .name = (int)model_any(house, CHAT_NAMES + 1) - 1,
				     .visitor = any_visitor(house) };
	struct counted_web_mention counted;
	struct web_mention_create_out row;

	if (model->web_count == ROOM)
		return;
	counted = web_of(house, &event);
	assert_int_equal(query_one(house->db, STATEMENT_WEB_MENTION_CREATE,
				   &(struct web_mention_create_in){ .id = uuid_new(),
								    .article_url = counted.url,
								    .article_title = counted.title,
								    .chat_id = counted.chat_id,
								    .session_id = counted.session_id,
								    .visitor_id = visitor_id(house, event.visitor),
								    .metadata = TEXT("{}"),
								    .mentioned_at = event.at,
								    .created_at = event.at },
				   &row, &house->arena),
			 OK);
	event.number = counted.number = db_inserted(house->db);
	assert_int_equal(counting_web_mention(&c, &counted, COUNTED), OK);
	model->web[model->web_count++] = event;
}

static void click(struct model_house *house)
{
	const struct counting c = model_counting(house);
	struct model *model = &house->of->model;
	struct model_event *event;
	struct counted_web_mention counted;
	struct web_mention_click_out row;

	if (model->web_count == 0)
		return;
	event = &model->web[model_any(house, (uint32_t)model->web_count)];
	if (event->gone || event->clicked_at != DB_NULL)
		return;
	event->clicked_at = any_time(house);
	counted = web_of(house, event);
	assert_int_equal(query_one(house->db, STATEMENT_WEB_MENTION_CLICK,
				   &(struct web_mention_click_in){ event->number, event->clicked_at }, &row,
				   &house->arena),
			 OK);
	assert_int_equal(counting_click(&c, &counted), OK);
}

static void erase_event(struct model_house *house)
{
	const struct counting c = model_counting(house);
	struct model *model = &house->of->model;
	const uint32_t kind = model_any(house, 3);
	struct model_event *list = kind == 0 ? model->mentions : kind == 1 ? model->views : model->web;
	const int count = kind == 0 ? model->mention_count : kind == 1 ? model->view_count : model->web_count;
	struct model_event *event;
	struct counted_article article;
	struct counted_web_mention web;

	if (count == 0)
		return;
	event = &list[model_any(house, (uint32_t)count)];
	if (event->gone)
		return;
	event->gone = true;
	script(house,
	       kind == 0   ? "DELETE FROM article_mentions WHERE number = "
	       : kind == 1 ? "DELETE FROM article_views WHERE number = "
			   : "DELETE FROM web_mentions WHERE number = ",
	       event->number);
	if (kind == 2) {
		web = web_of(house, event);
		assert_int_equal(counting_web_mention(&c, &web, UNCOUNTED), OK);
		return;
	}
	article = article_of(house, event);
	assert_int_equal(kind == 0 ? counting_mention(&c, &article, UNCOUNTED) : counting_view(&c, &article, UNCOUNTED),
			 OK);
}

static struct counted_visitor visitor_of(struct model_house *house, const struct model_visitor *visitor)
{
	struct counted_visitor counted = { .number = visitor->number, .created_at = visitor->at };
	struct buffer json;

	buffer_init(&json, 256);
	buffer_string(&json, "{");
	if (visitor->season == 1)
		buffer_string(&json, "\"season\":{\"label\":\"S1\"},");
	else if (visitor->season >= 0)
		buffer_format(&json, "\"season\":\"S%d\",", visitor->season);
	buffer_string(&json, "\"preferences\":[\"\"");
	for (int i = 0; i < PREFERENCES; i++)
		if ((visitor->preferences >> i & 1) != 0)
			buffer_format(&json, ",\"P%d\",\" P%d \"", i, i);
	buffer_string(&json, "]}");
	assert_false(json.failed);
	counted.metadata = text_copy(&house->arena, (struct text){ json.at, json.length });
	buffer_fini(&json);
	return counted;
}

static void store_visitor(struct model_house *house)
{
	const struct counting c = model_counting(house);
	struct model *model = &house->of->model;
	struct model_visitor visitor = { .id = uuid_new(),
					 .at = any_time(house),
					 .season = (int)model_any(house, SEASONS + 1) - 1,
					 .preferences = (int)model_any(house, 1 << PREFERENCES) };
	struct counted_visitor counted = visitor_of(house, &visitor);

	if (model->visitor_count == ROOM)
		return;
	assert_int_equal(query_run(house->db, STATEMENT_VISITOR_CREATE,
				   &(struct visitor_create_in){
				       .id = visitor.id, .metadata = counted.metadata, .created_at = visitor.at },
				   NULL),
			 OK);
	visitor.number = counted.number = db_inserted(house->db);
	assert_int_equal(counting_visitor(&c, NULL, &counted), OK);
	model->visitors[model->visitor_count++] = visitor;
}

static void change_visitor(struct model_house *house)
{
	const struct counting c = model_counting(house);
	struct model *model = &house->of->model;
	struct model_visitor *visitor;
	struct counted_visitor before;
	struct counted_visitor after;
	char sql[256];

	if (model->visitor_count == 0)
		return;
	visitor = &model->visitors[model_any(house, (uint32_t)model->visitor_count)];
	if (visitor->gone)
		return;
	before = visitor_of(house, visitor);
	visitor->season = (int)model_any(house, SEASONS + 1) - 1;
	visitor->preferences = (int)model_any(house, 1 << PREFERENCES);
	after = visitor_of(house, visitor);
	snprintf(sql, sizeof sql, "UPDATE visitors SET metadata = '%.*s' WHERE number = ", (int)after.metadata.length,
		 after.metadata.at);
	script(house, sql, visitor->number);
	assert_int_equal(counting_visitor(&c, &before, &after), OK);
}

static void step_build(struct model_house *house)
{
	const struct counting c = model_counting(house);
	bool more;

	assert_int_equal(build_step_of(&c, 1 + model_any(house, 9), 1 + model_any(house, 4), &more), OK);
}

/* The more often, the more often it stands here. */
static void (*const operations[])(struct model_house *house) = {
	store_chat,
	store_chat,
	store_message,
	store_message,
	store_message,
	store_message,
	store_message,
	store_mention,
	store_mention,
	store_view,
	store_view,
	store_web,
	store_web,
	click,
	click,
	store_visitor,
	store_visitor,
	change_visitor,
	model_erase_a_chat,
	erase_event,
	erase_event,
	step_build,
	step_build,
	link_chat,
	link_chat,
	model_erase_a_visitor,
	model_expire,
};
#define OPERATIONS (sizeof operations / sizeof operations[0])

void model_happen(struct model_house *house)
{
	operations[model_any(house, OPERATIONS)](house);
}
