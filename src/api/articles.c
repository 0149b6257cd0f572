#include "api/articles.h"

#define MENTIONS_MAX 1000

struct article {
	struct text id;
	struct text title;
	struct text slug;
	struct text type;
};

static const struct json_field article_fields[] = {
	{ .name = "id",
	  .kind = JSON_TEXT,
	  .required = true,
	  .offset = offsetof(struct article, id),
	  .about = "The article's id." },
	{ .name = "title",
	  .kind = JSON_TEXT,
	  .required = true,
	  .offset = offsetof(struct article, title),
	  .max = 4096 },
	{ .name = "slug", .kind = JSON_TEXT, .required = true, .offset = offsetof(struct article, slug), .max = 1000 },
	{ .name = "type", .kind = JSON_TEXT, .offset = offsetof(struct article, type), .fallback = "Article" },
};
static const struct json_shape article_shape = JSON_SHAPE(article, article_fields);

struct mention_input {
	struct json_list articles;
	struct text chat_id;
	int64_t timestamp;
};

#define AT(member) .offset = offsetof(struct mention_input, member)
static const struct json_field mention_fields[] = {
	{ .name = "articles",
	  .kind = JSON_LIST,
	  .required = true,
	  AT(articles),
	  .min = 1,
	  .max = MENTIONS_MAX,
	  .items = &article_shape,
	  .about = "The articles, at least one." },
	{ .name = "chatId", .kind = JSON_TEXT, AT(chat_id), .about = "The chat they were mentioned in." },
	{ .name = "timestamp", .kind = JSON_TIME, AT(timestamp), .about = "When; now when missing." },
};
#undef AT
const struct json_shape articles_mention_body = JSON_SHAPE(mention_input, mention_fields);

enum err articles_mention(struct call *call)
{
	const struct mention_input *in = call->input;
	const struct article *articles = in->articles.items;
	const int64_t at = in->timestamp == JSON_ABSENT ? call->now : in->timestamp;
	const struct counting counting = call_counting(call);

	for (size_t i = 0; i < in->articles.count; i++) {
		const struct article_mention_create_in mention = { .id = uuid_new_at(at),
								   .article_id = articles[i].id,
								   .article_name = articles[i].title,
								   .article_slug = articles[i].slug,
								   .article_type = articles[i].type,
								   .chat_id = in->chat_id,
								   .mentioned_at = at };
		enum err err = query_run(call->db, STATEMENT_ARTICLE_MENTION_CREATE, &mention, NULL);

		if (err == OK)
			err = counting_mention(&counting,
					       &(struct counted_article){ .number = db_inserted(call->db),
									  .at = at,
									  .id = mention.article_id,
									  .name = mention.article_name,
									  .slug = mention.article_slug,
									  .type = mention.article_type },
					       COUNTED);
		if (err != OK)
			return err;
	}
	json_key(call->out, "success");
	json_put_bool(call->out, true);
	json_key(call->out, "mentionsRecorded");
	json_put_int(call->out, (int64_t)in->articles.count);
	return OK;
}

struct view_input {
	struct text id;
	struct text slug;
	struct text title;
	struct text type;
	struct text chat_id;
	struct text session_id;
	int64_t timestamp;
};

#define AT(member) .offset = offsetof(struct view_input, member)
static const struct json_field view_fields[] = {
	{ .name = "articleId", .kind = JSON_TEXT, .required = true, AT(id), .about = "The article's id." },
	{ .name = "articleSlug", .kind = JSON_TEXT, .required = true, AT(slug), .max = 1000 },
	{ .name = "articleTitle", .kind = JSON_TEXT, AT(title), .max = 4096, .about = "The slug when missing." },
	{ .name = "articleType", .kind = JSON_TEXT, AT(type), .fallback = "Article" },
	{ .name = "chatId", .kind = JSON_TEXT, AT(chat_id), .about = "The chat it was opened from." },
	{ .name = "sessionId", .kind = JSON_TEXT, AT(session_id), .about = "The visitor's session." },
	{ .name = "timestamp", .kind = JSON_TIME, AT(timestamp), .about = "When; now when missing." },
};
#undef AT
const struct json_shape articles_view_body = JSON_SHAPE(view_input, view_fields);

enum err articles_view(struct call *call)
{
	const struct view_input *in = call->input;
	const int64_t at = in->timestamp == JSON_ABSENT ? call->now : in->timestamp;
	const struct article_view_create_in view = { .id = uuid_new_at(at),
						     .article_id = in->id,
						     .article_slug = in->slug,
						     .article_name = in->title.at != NULL ? in->title : in->slug,
						     .article_type = in->type,
						     .chat_id = in->chat_id,
						     .session_id = in->session_id,
						     .viewed_at = at };
	const struct counting counting = call_counting(call);
	enum err err = query_run(call->db, STATEMENT_ARTICLE_VIEW_CREATE, &view, NULL);

	if (err == OK)
		err = counting_view(&counting,
				    &(struct counted_article){ .number = db_inserted(call->db),
							       .at = at,
							       .id = view.article_id,
							       .name = view.article_name,
							       .slug = view.article_slug,
							       .type = view.article_type,
							       .session_id = view.session_id },
				    COUNTED);
	if (err != OK)
		return err;
	json_key(call->out, "success");
	json_put_bool(call->out, true);
	json_key(call->out, "viewId");
	json_put_uuid(call->out, &view.id);
	return OK;
}
