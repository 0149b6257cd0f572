#include "erase/erase.h"

#include "store/query.h"

#define PART(member)                                                                                                   \
	{                                                                                                              \
#member, offsetof(struct erase_receipt, member)                                                        \
	}
const struct erase_part erase_parts[] = {
	PART(chats),         PART(messages),     PART(chat_summaries), PART(article_mentions),
	PART(article_views), PART(web_mentions), PART(visitors),       PART(users),
};
#undef PART
const size_t erase_part_count = sizeof erase_parts / sizeof erase_parts[0];

enum err erase_find(struct db *db, enum statement_id id, const void *in, int64_t *numbers, size_t limit, size_t *count)
{
	enum err err = db_start(db, id, in);

	*count = 0;
	while (err == OK && *count < limit && (err = db_step(db, id, &numbers[*count])) == OK)
		++*count;
	db_stop(db, id);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err erase_mention(struct erasing *erasing, int64_t number)
{
	const struct counting *counting = &erasing->counting;
	struct erase_mention_out row;
	enum err err = query_one(counting->db, STATEMENT_ERASE_MENTION, &(struct erase_mention_in){ .number = number },
				 &row, counting->arena);

	erasing->receipt.article_mentions++;
	return err == OK ? counting_mention(counting,
					    &(struct counted_article){ .number = number,
								       .at = row.at,
								       .id = row.article_id,
								       .name = row.article_name,
								       .slug = row.article_slug,
								       .type = row.article_type },
					    UNCOUNTED)
			 : err;
}

static enum err erase_view(struct erasing *erasing, int64_t number)
{
	const struct counting *counting = &erasing->counting;
	struct erase_view_out row;
	enum err err = query_one(counting->db, STATEMENT_ERASE_VIEW, &(struct erase_view_in){ .number = number }, &row,
				 counting->arena);

	erasing->receipt.article_views++;
	return err == OK ? counting_view(counting,
					 &(struct counted_article){ .number = number,
								    .at = row.at,
								    .id = row.article_id,
								    .name = row.article_name,
								    .slug = row.article_slug,
								    .type = row.article_type,
								    .session_id = row.session_id },
					 UNCOUNTED)
			 : err;
}

static enum err erase_web_mention(struct erasing *erasing, int64_t number)
{
	const struct counting *counting = &erasing->counting;
	struct erase_web_mention_out row;
	enum err err = query_one(counting->db, STATEMENT_ERASE_WEB_MENTION,
				 &(struct erase_web_mention_in){ .number = number }, &row, counting->arena);

	erasing->receipt.web_mentions++;
	return err == OK ? counting_web_mention(counting,
						&(struct counted_web_mention){ .number = number,
									       .mentioned_at = row.mentioned_at,
									       .clicked_at = row.clicked_at,
									       .url = row.article_url,
									       .title = row.article_title,
									       .chat_id = row.chat_id,
									       .session_id = row.session_id },
						UNCOUNTED)
			 : err;
}

static enum err (*const erase_one[])(struct erasing *erasing, int64_t number) = {
	[ERASE_MENTIONS] = erase_mention,
	[ERASE_VIEWS] = erase_view,
	[ERASE_WEB_MENTIONS] = erase_web_mention,
};

enum err erase_rows(struct erasing *erasing, enum erase_kind kind, enum statement_id id, const void *in, size_t limit,
		    size_t *count)
{
	int64_t *numbers = arena_take_many(erasing->counting.arena, limit, sizeof *numbers);
	enum err err = numbers == NULL ? ERR_MEMORY : erase_find(erasing->counting.db, id, in, numbers, limit, count);

	for (size_t i = 0; err == OK && i < *count; i++)
		err = erase_one[kind](erasing, numbers[i]);
	return err;
}

enum err erase_sources(struct erasing *erasing, const struct erase_source *sources, size_t source_count, const void *in,
		       size_t limit, bool *more)
{
	enum err err = OK;

	*more = false;
	for (size_t i = 0; err == OK && i < source_count; i++) {
		size_t count = 0;

		err = erase_rows(erasing, sources[i].kind, sources[i].id, in, limit, &count);
		*more = *more || count == limit;
	}
	return err;
}

enum err erase_carriers(struct erasing *erasing, struct text session_id, size_t limit, bool *more)
{
	static const struct erase_source sources[] = { { ERASE_VIEWS, STATEMENT_VIEWS_OF_SESSION },
						       { ERASE_WEB_MENTIONS, STATEMENT_WEB_MENTIONS_OF_SESSION } };

	return erase_sources(erasing, sources, 2, &(struct views_of_session_in){ session_id, (int64_t)limit }, limit,
			     more);
}
