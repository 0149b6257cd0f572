#include "api/article_stats.h"

#include <stdlib.h>

#include "analytics/tally.h"
#include "api/range.h"

#define USUAL_DAYS 30
#define ROWS_MAX   1000
#define TEXT_CAP   ((size_t)64 * 1024 * 1024)

struct stats_input {
	struct range_input range;
	int64_t date_range;
	struct text type;
	struct text search;
	int64_t limit;
};

static const struct json_field stats_fields[] = {
	RANGE_FIELDS(stats_input),
	{ .name = "dateRange",
	  .kind = JSON_INT,
	  .offset = offsetof(struct stats_input, date_range),
	  .min = 1,
	  .max = FIGURES_DAYS_MAX,
	  .about = "As days; 30 when nothing is given." },
	{ .name = "type",
	  .kind = JSON_TEXT,
	  .offset = offsetof(struct stats_input, type),
	  .about = "Articles of this type alone." },
	{ .name = "search",
	  .kind = JSON_TEXT,
	  .offset = offsetof(struct stats_input, search),
	  .about = "Articles whose name or slug holds this, whatever the case." },
	{ .name = "limit",
	  .kind = JSON_INT,
	  .offset = offsetof(struct stats_input, limit),
	  .min = 1,
	  .max = ROWS_MAX,
	  .about = "So many rows at most; 1,000 when missing. The totals are of all." },
};
const struct json_shape article_stats_query = JSON_SHAPE(stats_input, stats_fields);

struct article {
	struct text id;
	struct figure_article_out about;
	int64_t mentions;
	int64_t views;
};

struct articles {
	struct article *list;
	size_t count;
};

static enum err read_range(struct call *call, const struct stats_input *in, const struct figures *figures,
			   struct range *out)
{
	struct range_input range = in->range;

	if (range.days == JSON_ABSENT)
		range.days = in->date_range;
	return range_read(call, &range, USUAL_DAYS, figures, out);
}

/* Articles by their id, with one of their figures: in the place that `places` gives them. */
static enum err gather(const struct figures *figures, const struct range *range, enum metric metric,
		       struct tally *places)
{
	struct figure_label *labels;
	size_t count;
	enum err err = figures_labels(figures, metric, range, &labels, &count);

	for (size_t i = 0; err == OK && i < count; i++) {
		/* The first number tells the figures apart; the key of both together has none. */
		const int64_t own[TALLY_NUMBERS] = { metric };
		const int64_t both[TALLY_NUMBERS] = { 0 };

		err = tally_add(places, both, labels[i].label, labels[i].amount);
		if (err == OK)
			err = tally_add(places, own, labels[i].label, labels[i].amount);
	}
	return err;
}

/* The rows are sorted: those of both figures first, then each figure's, all by label. */
static enum err lay_out(const struct call *call, const struct tally *places, struct articles *out)
{
	size_t mention = 0;
	size_t view = 0;

	out->list = arena_take_many(call->arena, places->count, sizeof *out->list);
	if (out->list == NULL)
		return ERR_MEMORY;
	while (out->count < places->count && places->rows[out->count].numbers[0] == 0)
		out->count++;
	mention = view = out->count;
	while (view < places->count && places->rows[view].numbers[0] == METRIC_ARTICLE_MENTIONS)
		view++;
	for (size_t i = 0; i < out->count; i++) {
		struct article *article = &out->list[i];
		const struct text label = places->rows[i].label;

		article->id = text_copy(call->arena, label);
		if (mention < places->count && places->rows[mention].numbers[0] == METRIC_ARTICLE_MENTIONS &&
		    text_equal(places->rows[mention].label, label))
			article->mentions = places->rows[mention++].amount;
		if (view < places->count && text_equal(places->rows[view].label, label))
			article->views = places->rows[view++].amount;
	}
	return call->arena->failed ? ERR_MEMORY : OK;
}

static enum err read_articles(struct call *call, const struct figures *figures, const struct range *range,
			      struct articles *out)
{
	struct tally places;
	enum err err;

	*out = (struct articles){ 0 };
	tally_init(&places, TEXT_CAP);
	err = gather(figures, range, METRIC_ARTICLE_MENTIONS, &places);
	if (err == OK)
		err = gather(figures, range, METRIC_ARTICLE_VIEWS, &places);
	tally_sort(&places);
	if (err == OK)
		err = lay_out(call, &places, out);
	tally_fini(&places);
	return err;
}

/* Folded texts are looked at and forgotten. */
static enum err matches(const struct article *article, struct text search, bool *out)
{
	const struct text texts[] = { article->about.article_name, article->about.article_slug };
	struct arena arena;
	enum err err = OK;

	*out = search.at == NULL;
	arena_init(&arena, TEXT_CAP);
	for (size_t i = 0; err == OK && !*out && i < sizeof texts / sizeof texts[0]; i++) {
		struct text folded;

		err = text_fold(&arena, texts[i], &folded);
		*out = err == OK && text_holds(folded, search);
	}
	arena_fini(&arena);
	return err;
}

/* Keeps those that are asked for, with their names. */
static enum err choose(struct call *call, const struct stats_input *in, struct articles *articles)
{
	struct text search = in->search;
	size_t kept = 0;
	enum err err = search.at == NULL ? OK : text_fold(call->arena, in->search, &search);

	for (size_t i = 0; err == OK && i < articles->count; i++) {
		struct article article = articles->list[i];
		bool wanted = false;

		err = query_one(call->db, STATEMENT_FIGURE_ARTICLE,
				&(struct figure_article_in){ .article_id = article.id }, &article.about, call->arena);
		if (err == OK && (in->type.at == NULL || text_equal(article.about.article_type, in->type)))
			err = matches(&article, search, &wanted);
		if (wanted)
			articles->list[kept++] = article;
	}
	articles->count = kept;
	return err == ERR_NOT_FOUND ? ERR_STORAGE : err; /* an article without a name: `verify` tells of it */
}

static int compare(const void *left, const void *right)
{
	const struct article *a = left;
	const struct article *b = right;

	if (a->mentions + a->views != b->mentions + b->views)
		return a->mentions + a->views > b->mentions + b->views ? -1 : 1;
	if (a->mentions != b->mentions)
		return a->mentions > b->mentions ? -1 : 1;
	return tally_compare_texts(a->id, b->id);
}

static void put_articles(struct json_out *out, const struct articles *articles, size_t most)
{
	int64_t mentions = 0;
	int64_t views = 0;

	json_key(out, "articles");
	json_open_array(out);
	for (size_t i = 0; i < articles->count; i++) {
		const struct article *article = &articles->list[i];

		mentions += article->mentions;
		views += article->views;
		if (i >= most)
			continue;
		json_open_object(out);
		json_key(out, "id");
		json_put_text(out, article->id);
		json_key(out, "name");
		json_put_text(out, article->about.article_name);
		json_key(out, "slug");
		json_put_text(out, article->about.article_slug);
		json_key(out, "type");
		json_put_text(out, article->about.article_type);
		json_key(out, "mentions");
		json_put_int(out, article->mentions);
		json_key(out, "views");
		json_put_int(out, article->views);
		json_close_object(out);
	}
	json_close_array(out);
	json_key(out, "totals");
	json_open_object(out);
	json_key(out, "totalMentioned");
	json_put_int(out, mentions);
	json_key(out, "totalViews");
	json_put_int(out, views);
	json_key(out, "uniqueArticles");
	json_put_int(out, (int64_t)articles->count);
	json_close_object(out);
}

enum err article_stats_show(struct call *call)
{
	const struct stats_input *in = call->query;
	struct figures figures;
	struct articles articles;
	struct range range;
	enum err err = figures_open(&figures, call->db, call->arena);

	if (err == ERR_UNAVAILABLE)
		return call_fail(call, err, NULL, "The figures are being counted: try again in a while.");
	if (err == OK)
		err = read_range(call, in, &figures, &range);
	if (err == OK)
		err = read_articles(call, &figures, &range, &articles);
	if (err == OK)
		err = choose(call, in, &articles);
	if (err != OK)
		return err;
	if (articles.count > 1)
		qsort(articles.list, articles.count, sizeof *articles.list, compare);
	put_articles(call->out, &articles, in->limit == JSON_ABSENT ? ROWS_MAX : (size_t)in->limit);
	return OK;
}

struct pages_input {
	struct text visitor_id;
	struct text chat_id;
	int64_t limit;
};

#define AT(member) .offset = offsetof(struct pages_input, member)
static const struct json_field pages_fields[] = {
	{ .name = "visitorId", .kind = JSON_TEXT, AT(visitor_id), .about = "What this visitor was shown." },
	{ .name = "chatId", .kind = JSON_TEXT, AT(chat_id), .about = "What was shown in this chat." },
	{ .name = "limit",
	  .kind = JSON_INT,
	  AT(limit),
	  .min = 1,
	  .max = ROWS_MAX,
	  .about = "So many rows at most; 1,000 when missing." },
};
#undef AT
const struct json_shape web_pages_query = JSON_SHAPE(pages_input, pages_fields);

struct pages {
	struct json_out *out;
	int64_t count;
};

static void put_page(struct pages *pages, const struct web_page_list_out *row)
{
	struct json_out *out = pages->out;

	pages->count++;
	json_open_object(out);
	json_key(out, "url");
	json_put_text(out, row->url);
	json_key(out, "title");
	json_put_text(out, row->title);
	json_key(out, "type");
	json_put_string(out, "tavily_search");
	json_key(out, "mentions");
	json_put_int(out, row->mentions);
	json_key(out, "clicks");
	json_put_int(out, row->clicks);
	json_key(out, "lastMentioned");
	json_put_time(out, row->lastmentioned);
	json_close_object(out);
}

/* The three lists have the same columns. */
static enum err put_pages(struct call *call, enum statement_id id, const void *in, struct pages *pages)
{
	struct web_page_list_out row;
	enum err err = db_start(call->db, id, in);

	while (err == OK && (err = db_step(call->db, id, &row)) == OK)
		put_page(pages, &row);
	db_stop(call->db, id);
	return err == ERR_NOT_FOUND ? OK : err;
}

/* A visitor's id that is none names nobody, who was shown nothing. */
static enum err put_chosen(struct call *call, const struct pages_input *in, int64_t most, struct pages *pages)
{
	struct uuid visitor = { 0 };

	if (in->visitor_id.at != NULL && uuid_parse(in->visitor_id, &visitor) != OK)
		return OK;
	if (in->chat_id.at != NULL)
		return put_pages(call, STATEMENT_WEB_PAGE_LIST_OF_CHAT,
				 &(struct web_page_list_of_chat_in){ .chat_id = in->chat_id,
								     .visitor_id = visitor,
								     .any_visitor = in->visitor_id.at == NULL,
								     .most = most },
				 pages);
	return put_pages(call, STATEMENT_WEB_PAGE_LIST_OF_VISITOR,
			 &(struct web_page_list_of_visitor_in){ .visitor_id = visitor, .most = most }, pages);
}

enum err web_pages_list(struct call *call)
{
	const struct pages_input *in = call->query;
	const int64_t most = in->limit == JSON_ABSENT ? ROWS_MAX : in->limit;
	struct pages pages = { .out = call->out };
	struct web_page_count_out total = { 0 };
	enum err err;

	json_key(call->out, "mentions");
	json_open_array(call->out);
	if (in->visitor_id.at != NULL || in->chat_id.at != NULL) {
		err = put_chosen(call, in, most, &pages);
		total.pages = pages.count;
	} else {
		err = put_pages(call, STATEMENT_WEB_PAGE_LIST, &(struct web_page_list_in){ .most = most }, &pages);
		if (err == OK)
			err = query_one(call->db, STATEMENT_WEB_PAGE_COUNT, NULL, &total, call->arena);
	}
	json_close_array(call->out);
	json_key(call->out, "total");
	json_put_int(call->out, total.pages);
	return err;
}
