#include "api/web_mentions.h"

#include "api/live.h"

#define MENTIONS_MAX       1000
#define URL_MAX            8192
#define EXCERPT_CHARACTERS 500

struct result {
	struct text url;
	struct text title;
	struct text content;
	struct text image;
	double score;
};

static const struct json_field result_fields[] = {
	{ .name = "url", .kind = JSON_TEXT, .required = true, .offset = offsetof(struct result, url), .max = URL_MAX },
	{ .name = "title",
	  .kind = JSON_TEXT,
	  .offset = offsetof(struct result, title),
	  .max = 4096,
	  .about = "The url when missing." },
	{ .name = "score",
	  .kind = JSON_NUMBER,
	  .offset = offsetof(struct result, score),
	  .about = "The search's relevance." },
	{ .name = "content",
	  .kind = JSON_TEXT,
	  .offset = offsetof(struct result, content),
	  .max = ROUTE_BODY,
	  .about = "Its first 500 characters are kept." },
	{ .name = "image", .kind = JSON_TEXT, .offset = offsetof(struct result, image), .max = URL_MAX },
};
static const struct json_shape result_shape = JSON_SHAPE(result, result_fields);

struct mentions_input {
	struct json_list mentions;
	struct text session_id;
	struct text chat_id;
	struct text visitor_id;
	struct text search_query;
	int64_t timestamp;
};

#define AT(member) .offset = offsetof(struct mentions_input, member)
static const struct json_field mentions_fields[] = {
	{ .name = "mentions",
	  .kind = JSON_LIST,
	  .required = true,
	  AT(mentions),
	  .max = MENTIONS_MAX,
	  .items = &result_shape,
	  .about = "The results shown." },
	{ .name = "sessionId", .kind = JSON_TEXT, .required = true, AT(session_id), .about = "The visitor's session." },
	{ .name = "chatId", .kind = JSON_TEXT, AT(chat_id), .about = "The chat they were shown in." },
	{ .name = "visitorId", .kind = JSON_TEXT, AT(visitor_id), .about = "A visitor's id; null when unknown." },
	{ .name = "searchQuery", .kind = JSON_TEXT, AT(search_query), .max = 4096, .about = "What was searched for." },
	{ .name = "timestamp", .kind = JSON_TIME, AT(timestamp), .about = "When; now when missing." },
};
#undef AT
const struct json_shape web_mentions_create_body = JSON_SHAPE(mentions_input, mentions_fields);

/* {score, content, image}, as JSON text in the arena. */
static struct text metadata_of(struct call *call, const struct result *result)
{
	struct buffer buffer;
	struct json_out out;
	struct text text;

	buffer_init(&buffer, ROUTE_BODY);
	json_out_init(&out, &buffer);
	json_open_object(&out);
	json_key(&out, "score");
	json_put_real(&out, result->score);
	json_key(&out, "content");
	json_put_text(&out, text_first(result->content, EXCERPT_CHARACTERS));
	json_key(&out, "image");
	json_put_text(&out, result->image);
	json_close_object(&out);
	text = buffer_copy(&buffer, call->arena);
	buffer_fini(&buffer);
	return text;
}

static void put_row(struct json_out *out, enum statement_id id, const void *row, bool clicked)
{
	json_open_object(out);
	query_members(id, row, out);
	json_key(out, "article_type");
	json_put_string(out, "tavily_search");
	json_key(out, "clicked");
	json_put_bool(out, clicked);
	json_close_object(out);
}

/* A visitor of this organization, or nil: an unknown one is no reason to lose what was shown. */
static enum err find_visitor(struct call *call, struct text given, struct uuid *out)
{
	struct visitor_by_id_out visitor;
	struct uuid id;
	enum err err;

	*out = (struct uuid){ 0 };
	if (given.at == NULL || uuid_parse(given, &id) != OK)
		return OK;
	err =
	    query_one(call->db, STATEMENT_VISITOR_BY_ID, &(struct visitor_by_id_in){ .id = id }, &visitor, call->arena);
	if (err == OK)
		*out = id;
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err web_mentions_create(struct call *call)
{
	const struct mentions_input *in = call->input;
	const struct result *results = in->mentions.items;
	const int64_t at = in->timestamp == JSON_ABSENT ? call->now : in->timestamp;
	const struct counting counting = call_counting(call);
	struct uuid visitor_id;
	enum err err = find_visitor(call, in->visitor_id, &visitor_id);

	json_key(call->out, "success");
	json_put_bool(call->out, true);
	json_key(call->out, "count");
	json_put_int(call->out, (int64_t)in->mentions.count);
	json_key(call->out, "mentions");
	json_open_array(call->out);
	for (size_t i = 0; err == OK && i < in->mentions.count; i++) {
		struct web_mention_create_in mention = { .id = uuid_new_at(at),
							 .article_url = results[i].url,
							 .article_title = results[i].title.at != NULL ? results[i].title
												      : results[i].url,
							 .chat_id = in->chat_id,
							 .session_id = in->session_id,
							 .visitor_id = visitor_id,
							 .search_query = in->search_query,
							 .metadata = metadata_of(call, &results[i]),
							 .mentioned_at = at,
							 .created_at = call->now };
		struct web_mention_create_out row;

		if (mention.metadata.at == NULL)
			return ERR_MEMORY;
		err = query_one(call->db, STATEMENT_WEB_MENTION_CREATE, &mention, &row, call->arena);
		if (err == OK)
			err = counting_web_mention(&counting,
						   &(struct counted_web_mention){ .number = db_inserted(call->db),
										  .mentioned_at = at,
										  .clicked_at = DB_NULL,
										  .url = mention.article_url,
										  .title = mention.article_title,
										  .chat_id = mention.chat_id,
										  .session_id = mention.session_id },
						   COUNTED);
		if (err == OK)
			put_row(call->out, STATEMENT_WEB_MENTION_CREATE, &row, false);
	}
	json_close_array(call->out);
	return err;
}

struct click_input {
	struct text url;
	struct text chat_id;
	struct text session_id;
	int64_t timestamp;
};

#define AT(member) .offset = offsetof(struct click_input, member)
static const struct json_field click_fields[] = {
	{ .name = "articleUrl",
	  .kind = JSON_TEXT,
	  .required = true,
	  AT(url),
	  .max = URL_MAX,
	  .about = "The result's url." },
	{ .name = "chatId", .kind = JSON_TEXT, AT(chat_id), .about = "The chat it was shown in; this or sessionId." },
	{ .name = "sessionId", .kind = JSON_TEXT, AT(session_id), .about = "The session it was shown in." },
	{ .name = "timestamp", .kind = JSON_TIME, AT(timestamp), .about = "When; now when missing." },
};
#undef AT
const struct json_shape web_mentions_click_body = JSON_SHAPE(click_input, click_fields);

/* `*clicked` tells whether it was before. */
static enum err find_newest(struct call *call, const struct click_input *in, int64_t *number, bool *clicked)
{
	struct web_mention_newest_of_chat_out of_chat;
	struct web_mention_newest_of_session_out of_session;
	enum err err;

	if (in->chat_id.at != NULL) {
		err =
		    query_one(call->db, STATEMENT_WEB_MENTION_NEWEST_OF_CHAT,
			      &(struct web_mention_newest_of_chat_in){ .article_url = in->url, .chat_id = in->chat_id },
			      &of_chat, call->arena);
		*number = err == OK ? of_chat.number : 0;
		*clicked = err == OK && of_chat.clicked_at != DB_NULL;
		return err;
	}
	err = query_one(
	    call->db, STATEMENT_WEB_MENTION_NEWEST_OF_SESSION,
	    &(struct web_mention_newest_of_session_in){ .article_url = in->url, .session_id = in->session_id },
	    &of_session, call->arena);
	*number = err == OK ? of_session.number : 0;
	*clicked = err == OK && of_session.clicked_at != DB_NULL;
	return err;
}

enum err web_mentions_click(struct call *call)
{
	const struct click_input *in = call->input;
	struct web_mention_click_in click = { .clicked_at = in->timestamp == JSON_ABSENT ? call->now : in->timestamp };
	const struct counting counting = call_counting(call);
	struct web_mention_click_out row;
	bool clicked = false;
	enum err err;

	if (in->chat_id.at == NULL && in->session_id.at == NULL)
		return fault_set(&call->fault, ERR_INVALID, "missing_field", "chatId",
				 "chatId or sessionId is needed.");
	err = find_newest(call, in, &click.number, &clicked);
	if (err == ERR_NOT_FOUND)
		return call_fail(call, err, NULL, "No such web result was shown in this chat or session.");
	if (err == OK)
		err = query_one(call->db, STATEMENT_WEB_MENTION_CLICK, &click, &row, call->arena);
	if (err == OK && !clicked)
		err = counting_click(&counting, &(struct counted_web_mention){ .number = click.number,
									       .mentioned_at = row.mentioned_at,
									       .clicked_at = row.clicked_at,
									       .url = row.article_url,
									       .title = row.article_title,
									       .chat_id = row.chat_id,
									       .session_id = row.session_id });
	if (err != OK)
		return err;
	if (!clicked)
		live_note(call, LIVE_CLICK, &row.id, row.chat_id, DB_NULL);
	json_key(call->out, "success");
	json_put_bool(call->out, true);
	json_key(call->out, "mention");
	put_row(call->out, STATEMENT_WEB_MENTION_CLICK, &row, true);
	return OK;
}
