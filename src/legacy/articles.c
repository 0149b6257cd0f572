/* Articles mentioned and opened, web results shown. Their own tables do not know a row again: imported_rows does. */
#include "base/json_in.h"
#include "legacy/record.h"
#include "legacy/value.h"
#include "store/query.h"

#define MENTIONS "article_mentions"
#define VIEWS    "article_views"
#define WEB      "web_mentions"

/* A chat of another organization is nothing to name here. */
static struct text chat_of(struct legacy_reading *reading, const struct legacy_row *row, struct legacy_record *record)
{
	const struct text chat =
	    legacy_text(reading->arena, row, LEGACY_CHAT_ID, LEGACY_KEY_BYTES, LEGACY_WHOLE, record);

	if (!legacy_is_foreign(reading, LEGACY_CHATS, chat))
		return chat;
	legacy_note(record, reading->arena, "Its chat belongs to another organization: the link is cut.");
	return (struct text){ 0 };
}

/* When it was, by the first column that says so. */
static int64_t time_of(struct legacy_reading *reading, const struct legacy_row *row, enum legacy_column first,
		       struct legacy_record *record)
{
	int64_t time = legacy_time(reading->arena, row, first, record);

	if (time == DB_NULL)
		time = legacy_time(reading->arena, row, LEGACY_CREATED_AT, record);
	if (time != DB_NULL)
		return time;
	legacy_note(record, reading->arena, "When it was is not known.");
	return reading->now;
}

/* What an article must have, each from another if need be. */
struct article {
	struct text id;
	struct text slug;
	struct text name;
	struct text type;
};

static struct article read_article(struct arena *arena, const struct legacy_row *row, struct legacy_record *record)
{
	struct article article = {
		.id = legacy_text(arena, row, LEGACY_ARTICLE_ID, LEGACY_KEY_BYTES, LEGACY_WHOLE, record),
		.slug = legacy_text(arena, row, LEGACY_ARTICLE_SLUG, LEGACY_NAME_BYTES, LEGACY_CUT, record),
		.name = legacy_text(arena, row, LEGACY_ARTICLE_NAME, LEGACY_TEXT_BYTES, LEGACY_CUT, record),
		.type = legacy_text(arena, row, LEGACY_ARTICLE_TYPE, LEGACY_KEY_BYTES, LEGACY_CUT, record),
	};

	if (article.id.at == NULL && article.slug.length > LEGACY_KEY_BYTES)
		legacy_refuse(record, arena, "article_id is missing.");
	if (article.id.at == NULL)
		article.id = article.slug;
	if (article.slug.at == NULL)
		article.slug = article.id;
	if (article.id.at == NULL)
		legacy_refuse(record, arena, "article_id and article_slug are missing.");
	if (article.name.at == NULL)
		article.name = article.slug;
	if (article.type.at == NULL)
		article.type = TEXT("Article");
	return article;
}

enum err legacy_article_mention_read(struct legacy_reading *reading, const struct legacy_row *row,
				     struct legacy_record *record)
{
	struct article_mention_create_in *mention = &record->as.mention;
	struct article article;

	/* The table's name has two meanings, and an address tells them apart. */
	record->web = row->values[LEGACY_ARTICLE_URL].at != NULL;
	if (record->web)
		return legacy_web_mention_read(reading, row, record);
	legacy_begin(reading, row, LEGACY_OF_CHAT, record);
	if (record->foreign)
		return OK;
	article = read_article(reading->arena, row, record);
	*mention =
	    (struct article_mention_create_in){ .article_id = article.id,
						.article_name = article.name,
						.article_slug = article.slug,
						.article_type = article.type,
						.chat_id = chat_of(reading, row, record),
						.mentioned_at = time_of(reading, row, LEGACY_MENTIONED_AT, record) };
	return OK;
}

/* OK: it was not taken before, and is remembered now. */
static enum err take(struct legacy_storing *storing, struct legacy_record *record, const char *source, int64_t time,
		     struct uuid *id)
{
	struct uuid kept;
	enum err err = legacy_find(storing, source, record->key, &kept);

	record->there = err == OK;
	*id = uuid_is_nil(&record->id) ? uuid_new_at(time) : record->id;
	return err == ERR_NOT_FOUND ? legacy_remember(storing, source, record->key, NULL) : err;
}

void legacy_article_mention_foresee(struct legacy_storing *storing, const struct legacy_record *record)
{
	if (record->web)
		legacy_web_mention_foresee(storing, record);
	else
		legacy_foresee_find(storing, MENTIONS, record->key);
}

void legacy_article_view_foresee(struct legacy_storing *storing, const struct legacy_record *record)
{
	legacy_foresee_find(storing, VIEWS, record->key);
	legacy_foresee_links(storing, record);
}

void legacy_web_mention_foresee(struct legacy_storing *storing, const struct legacy_record *record)
{
	const struct legacy_web_mention_create_in *mention = &record->as.web;

	legacy_foresee_find(storing, WEB, record->key);
	legacy_foresee_links(storing, record);
	if (mention->session_id.at == NULL)
		db_foresee(storing->counting.db, STATEMENT_LEGACY_CHAT,
			   &(struct legacy_chat_in){ .chat_id = mention->chat_id });
}

enum err legacy_article_mention_store(struct legacy_storing *storing, struct legacy_record *record)
{
	const struct counting *counting = &storing->counting;
	struct article_mention_create_in mention = record->as.mention;
	enum err err;

	if (record->web)
		return legacy_web_mention_store(storing, record);
	err = take(storing, record, MENTIONS, mention.mentioned_at, &mention.id);
	if (err != OK || record->there)
		return err;
	err = query_run(counting->db, STATEMENT_ARTICLE_MENTION_CREATE, &mention, NULL);
	return err == OK ? counting_mention(counting,
					    &(struct counted_article){ .number = db_inserted(counting->db),
								       .at = mention.mentioned_at,
								       .id = mention.article_id,
								       .name = mention.article_name,
								       .slug = mention.article_slug,
								       .type = mention.article_type },
					    COUNTED)
			 : err;
}

enum err legacy_article_view_read(struct legacy_reading *reading, const struct legacy_row *row,
				  struct legacy_record *record)
{
	struct legacy_view_create_in *view = &record->as.view;
	struct article article;

	legacy_begin(reading, row, LEGACY_OF_CHAT, record);
	if (record->foreign)
		return OK;
	legacy_read_links(reading, row, record);
	article = read_article(reading->arena, row, record);
	*view = (struct legacy_view_create_in){ .article_id = article.id,
						.article_slug = article.slug,
						.article_name = article.name,
						.article_type = article.type,
						.chat_id = chat_of(reading, row, record),
						.session_id = legacy_text(reading->arena, row, LEGACY_SESSION_ID,
									  LEGACY_KEY_BYTES, LEGACY_CUT, record),
						.viewed_at = time_of(reading, row, LEGACY_VIEWED_AT, record) };
	return OK;
}

enum err legacy_article_view_store(struct legacy_storing *storing, struct legacy_record *record)
{
	const struct counting *counting = &storing->counting;
	struct legacy_view_create_in view = record->as.view;
	enum err err = take(storing, record, VIEWS, view.viewed_at, &view.id);

	if (err != OK || record->there)
		return err;
	err = legacy_link_visitor(storing, record, &view.visitor_id);
	if (err == OK)
		err = legacy_link_user(storing, record, &view.user_id);
	if (err == OK)
		err = query_run(counting->db, STATEMENT_LEGACY_VIEW_CREATE, &view, NULL);
	return err == OK ? counting_view(counting,
					 &(struct counted_article){ .number = db_inserted(counting->db),
								    .at = view.viewed_at,
								    .id = view.article_id,
								    .name = view.article_name,
								    .slug = view.article_slug,
								    .type = view.article_type,
								    .session_id = view.session_id },
					 COUNTED)
			 : err;
}

static int64_t click_of(struct legacy_reading *reading, const struct legacy_row *row, int64_t mentioned_at,
			struct legacy_record *record)
{
	const int64_t time = legacy_time(reading->arena, row, LEGACY_CLICKED_AT, record);

	if (time != DB_NULL)
		return time;
	return legacy_flag(row, LEGACY_CLICKED) ? mentioned_at : DB_NULL;
}

enum err legacy_web_mention_read(struct legacy_reading *reading, const struct legacy_row *row,
				 struct legacy_record *record)
{
	struct arena *arena = reading->arena;
	struct legacy_web_mention_create_in *mention = &record->as.web;
	const struct json_value *object;
	enum err err;

	legacy_begin(reading, row, LEGACY_OF_CHAT, record);
	if (record->foreign)
		return OK;
	legacy_read_links(reading, row, record);
	*mention = (struct legacy_web_mention_create_in){
		.article_url = legacy_text(arena, row, LEGACY_ARTICLE_URL, LEGACY_URL_BYTES, LEGACY_REQUIRED, record),
		.article_title = legacy_text(arena, row, LEGACY_ARTICLE_TITLE, LEGACY_TEXT_BYTES, LEGACY_CUT, record),
		.chat_id = chat_of(reading, row, record),
		.session_id = legacy_text(arena, row, LEGACY_SESSION_ID, LEGACY_KEY_BYTES, LEGACY_WHOLE, record),
		.search_query = legacy_text(arena, row, LEGACY_SEARCH_QUERY, LEGACY_TEXT_BYTES, LEGACY_CUT, record),
		.metadata = TEXT("{}"),
		.mentioned_at = time_of(reading, row, LEGACY_MENTIONED_AT, record)
	};
	if (mention->article_title.at == NULL)
		mention->article_title = mention->article_url;
	if (mention->session_id.at == NULL && mention->chat_id.at == NULL)
		legacy_refuse(record, arena, "session_id and chat_id are missing.");
	mention->clicked_at = click_of(reading, row, mention->mentioned_at, record);
	mention->created_at = legacy_time(arena, row, LEGACY_CREATED_AT, record);
	if (mention->created_at == DB_NULL)
		mention->created_at = mention->mentioned_at;
	err = legacy_object(arena, row, LEGACY_METADATA, &object, record);
	if (err == OK && object != NULL)
		err = json_compact(arena, object, &mention->metadata);
	return err;
}

/* The chat's, if the row names no session; of a chat that is not there, a session of its own. */
static enum err find_session(struct legacy_storing *storing, struct legacy_web_mention_create_in *mention)
{
	struct legacy_chat_out chat;
	enum err err;

	if (mention->session_id.at != NULL)
		return OK;
	err = query_one(storing->counting.db, STATEMENT_LEGACY_CHAT,
			&(struct legacy_chat_in){ .chat_id = mention->chat_id }, &chat, storing->counting.arena);
	mention->session_id = err == OK ? chat.session_id : mention->chat_id;
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err legacy_web_mention_store(struct legacy_storing *storing, struct legacy_record *record)
{
	const struct counting *counting = &storing->counting;
	struct legacy_web_mention_create_in mention = record->as.web;
	enum err err = take(storing, record, WEB, mention.mentioned_at, &mention.id);

	if (err != OK || record->there)
		return err;
	err = legacy_link_visitor(storing, record, &mention.visitor_id);
	if (err == OK)
		err = find_session(storing, &mention);
	if (err == OK)
		err = query_run(counting->db, STATEMENT_LEGACY_WEB_MENTION_CREATE, &mention, NULL);
	return err == OK ? counting_web_mention(counting,
						&(struct counted_web_mention){ .number = db_inserted(counting->db),
									       .mentioned_at = mention.mentioned_at,
									       .clicked_at = mention.clicked_at,
									       .url = mention.article_url,
									       .title = mention.article_title,
									       .chat_id = mention.chat_id,
									       .session_id = mention.session_id },
						COUNTED)
			 : err;
}
