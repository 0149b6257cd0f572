#include "analytics/recount_catalogue.h"

#include <stdlib.h>

/* A web page or an article as its raw rows tell. */
struct catalogue_thing {
	int64_t mentions;
	int64_t clicks;
	int64_t last;
	bool tied; /* two rows of the last moment differ: which came later cannot be told */
	struct text name;
	struct text slug;
	struct text type;
};

void catalogue_init(struct catalogue *catalogue, size_t text_cap)
{
	*catalogue = (struct catalogue){ 0 };
	tally_init(&catalogue->names, text_cap);
}

void catalogue_fini(struct catalogue *catalogue)
{
	tally_fini(&catalogue->names);
	free(catalogue->list);
	catalogue->list = NULL;
	catalogue->room = 0;
}

/* The place of a page or an article in its list, made when it is new. */
static enum err find_thing(struct catalogue *things, struct text id, struct catalogue_thing **out)
{
	static const int64_t no_numbers[TALLY_NUMBERS] = { 0 };
	const size_t known = things->names.count;
	size_t place = 0;

	if (tally_grow(&things->list, sizeof *things->list, known, &things->room) != OK ||
	    tally_place(&things->names, no_numbers, id, &place) != OK)
		return ERR_MEMORY;
	things->names.rows[place].amount = (int64_t)place;
	if (place == known)
		things->list[place] = (struct catalogue_thing){ .last = DB_NULL };
	*out = &things->list[place];
	return OK;
}

enum err catalogue_see_article(struct catalogue *articles, struct text id, struct text name, struct text slug,
			       struct text type, int64_t at)
{
	struct arena *texts = &articles->names.texts;
	struct catalogue_thing *article;
	enum err err = find_thing(articles, id, &article);

	if (err != OK || (article->last != DB_NULL && at < article->last))
		return err;
	if (at == article->last) {
		article->tied = article->tied || !text_equal(article->name, name) || !text_equal(article->slug, slug) ||
				!text_equal(article->type, type);
		return OK;
	}
	*article = (struct catalogue_thing){ .last = at,
					     .name = text_copy(texts, name),
					     .slug = text_copy(texts, slug),
					     .type = text_copy(texts, type) };
	return texts->failed ? ERR_MEMORY : OK;
}

enum err catalogue_see_page(struct catalogue *pages, struct text url, struct text title, int64_t mentioned_at,
			    bool clicked)
{
	struct catalogue_thing *page;
	enum err err = find_thing(pages, url, &page);

	if (err != OK)
		return err;
	page->mentions++;
	page->clicks += clicked;
	page->last = mentioned_at;
	if (!text_equal(page->name, title))
		page->name = text_copy(&pages->names.texts, title);
	return page->name.at == NULL ? ERR_MEMORY : OK;
}

static void differ(const struct catalogue_listener *listener, const struct recount_difference *difference)
{
	listener->tell(listener->context, difference);
}

static void differ_thing(const struct catalogue_listener *listener, const char *table, const char *name, struct text id,
			 const char *column, struct recount_part stored, struct recount_part counted)
{
	differ(listener, &(struct recount_difference){
			     table,
			     { { .name = name, .text = id }, { .name = "column", .text = text_of(column) } },
			     stored,
			     counted });
}

static struct recount_part number_part(int64_t number)
{
	return (struct recount_part){ .number = number };
}

static struct recount_part text_part(struct text text)
{
	return (struct recount_part){ .text = text };
}

static void compare_number(const struct catalogue_listener *listener, struct text id, const char *column,
			   int64_t stored, int64_t counted)
{
	if (stored != counted)
		differ_thing(listener, "web_pages", "article_url", id, column, number_part(stored),
			     number_part(counted));
}

static void compare_page(const struct catalogue_listener *listener, const struct recount_stored_pages_out *row,
			 const struct catalogue_thing *page)
{
	compare_number(listener, row->article_url, "mentions", row->mentions, page->mentions);
	compare_number(listener, row->article_url, "clicks", row->clicks, page->clicks);
	compare_number(listener, row->article_url, "last_mentioned", row->last_mentioned, page->last);
	if (!text_equal(row->article_title, page->name))
		differ_thing(listener, "web_pages", "article_url", row->article_url, "article_title",
			     text_part(row->article_title), text_part(page->name));
}

/* What an erased row called an article may be remembered; an earlier moment, or another name of the same, may not. */
static void compare_article(const struct catalogue_listener *listener, const struct recount_stored_articles_out *row,
			    const struct catalogue_thing *article)
{
	const bool same = text_equal(row->article_name, article->name) &&
			  text_equal(row->article_slug, article->slug) && text_equal(row->article_type, article->type);

	if (row->seen_at < article->last)
		differ_thing(listener, "articles", "article_id", row->article_id, "seen_at", number_part(row->seen_at),
			     number_part(article->last));
	else if (row->seen_at == article->last && !article->tied && !same)
		differ_thing(listener, "articles", "article_id", row->article_id, "article_name",
			     text_part(row->article_name), text_part(article->name));
}

/* How pages and articles are read: the row's id, and what to compare when both sides have it. */
struct kind {
	const char *table;
	const char *name;
	enum statement_id id;
	void (*compare)(const struct catalogue_listener *listener, const void *row,
			const struct catalogue_thing *thing);
	struct text (*row_id)(const void *row);
};

union stored_thing {
	struct recount_stored_pages_out page;
	struct recount_stored_articles_out article;
};

static struct text page_id(const void *row)
{
	return ((const struct recount_stored_pages_out *)row)->article_url;
}

static struct text article_id(const void *row)
{
	return ((const struct recount_stored_articles_out *)row)->article_id;
}

static void compare_page_row(const struct catalogue_listener *listener, const void *row,
			     const struct catalogue_thing *thing)
{
	compare_page(listener, row, thing);
}

static void compare_article_row(const struct catalogue_listener *listener, const void *row,
				const struct catalogue_thing *thing)
{
	compare_article(listener, row, thing);
}

static const struct kind page_kind = { "web_pages", "article_url", STATEMENT_RECOUNT_STORED_PAGES, compare_page_row,
				       page_id };
static const struct kind article_kind = { "articles", "article_id", STATEMENT_RECOUNT_STORED_ARTICLES,
					  compare_article_row, article_id };

static void differ_presence(const struct catalogue_listener *listener, const struct kind *kind, struct text id,
			    bool is_stored)
{
	differ(listener, &(struct recount_difference){ kind->table,
						       { { .name = kind->name, .text = id } },
						       { .number = is_stored ? 1 : DB_NULL },
						       { .number = is_stored ? DB_NULL : 1 } });
}

static enum err compare(struct catalogue *things, struct db *db, const struct kind *kind,
			const struct catalogue_listener *listener)
{
	struct tally *names = &things->names;
	union stored_thing row;
	size_t at = 0;
	enum err err = db_start(db, kind->id, NULL);

	tally_sort(names);
	while (err == OK && (err = db_step(db, kind->id, &row)) == OK) {
		const struct text id = kind->row_id(&row);

		for (; at < names->count && tally_compare_texts(names->rows[at].label, id) < 0; at++)
			differ_presence(listener, kind, names->rows[at].label, false);
		if (at == names->count || !text_equal(names->rows[at].label, id)) {
			differ_presence(listener, kind, id, true);
			continue;
		}
		kind->compare(listener, &row, &things->list[names->rows[at].amount]);
		at++;
	}
	db_stop(db, kind->id);
	for (; err == ERR_NOT_FOUND && at < names->count; at++)
		differ_presence(listener, kind, names->rows[at].label, false);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err catalogue_compare_pages(struct catalogue *pages, struct db *db, const struct catalogue_listener *listener)
{
	return compare(pages, db, &page_kind, listener);
}

enum err catalogue_compare_articles(struct catalogue *articles, struct db *db,
				    const struct catalogue_listener *listener)
{
	return compare(articles, db, &article_kind, listener);
}
