#include "api/article_stats.h"

#include <stdlib.h>
#include <string.h>

#include "analytics/tally.h"
#include "api/cursor.h"
#include "api/list_held.h"
#include "api/range.h"

#define USUAL_DAYS 30
#define TEXT_CAP   ((size_t)64 * 1024 * 1024)

struct stats_input {
	struct list_query list;
	struct range_input range;
	int64_t date_range;
	struct text type;
	struct text search;
};

static const struct json_field stats_fields[] = {
	LIST_FIELDS,
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
};
const struct json_shape article_stats_query = JSON_SHAPE(stats_input, stats_fields);

struct articles {
	struct figure_article_out *list;
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
		struct figure_article_out *article = &out->list[i];
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
static enum err matches(const struct figure_article_out *article, struct text search, bool *out)
{
	const struct text texts[] = { article->name, article->slug };
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
		const struct figure_article_out counted = articles->list[i];
		struct figure_article_out article;
		bool wanted = false;

		err = query_one(call->db, STATEMENT_FIGURE_ARTICLE,
				&(struct figure_article_in){ .article_id = counted.id }, &article, call->arena);
		article.mentions = counted.mentions;
		article.views = counted.views;
		if (err == OK && (in->type.at == NULL || text_equal(article.type, in->type)))
			err = matches(&article, search, &wanted);
		if (wanted)
			articles->list[kept++] = article;
	}
	articles->count = kept;
	return err == ERR_NOT_FOUND ? ERR_STORAGE : err; /* an article without a name: `verify` tells of it */
}

static int compare(const void *left, const void *right)
{
	const struct figure_article_out *a = left;
	const struct figure_article_out *b = right;

	if (a->mentions + a->views != b->mentions + b->views)
		return a->mentions + a->views > b->mentions + b->views ? -1 : 1;
	if (a->mentions != b->mentions)
		return a->mentions > b->mentions ? -1 : 1;
	return tally_compare_texts(a->id, b->id);
}

/* Where a page begins: behind this one. The id's bytes follow. */
struct place {
	int64_t mentions;
	int64_t views;
};

static struct text cursor_behind(struct call *call, const void *row)
{
	const struct figure_article_out *article = row;
	const struct place place = { article->mentions, article->views };
	char *plain = arena_take(call->arena, sizeof place + article->id.length);

	if (plain == NULL)
		return (struct text){ 0 };
	memcpy(mempcpy(plain, &place, sizeof place), article->id.at, article->id.length);
	return cursor_seal(call, (struct text){ plain, sizeof place + article->id.length });
}

/* An article that rises meanwhile may be missed by the pages that follow, and one that falls be seen again. */
static enum err find_first(struct call *call, struct text cursor, const struct articles *articles, size_t *out)
{
	struct figure_article_out last = { 0 };
	struct place place;
	struct text plain;
	enum err err = cursor_open(call, cursor, &plain);

	if (err != OK)
		return err;
	if (plain.length < sizeof place)
		return cursor_refuse(call);
	memcpy(&place, plain.at, sizeof place);
	last.mentions = place.mentions;
	last.views = place.views;
	last.id = (struct text){ plain.at + sizeof place, plain.length - sizeof place };
	*out = 0;
	while (*out < articles->count && compare(&articles->list[*out], &last) <= 0)
		++*out;
	return OK;
}

static void put_totals(struct json_out *out, const struct articles *articles)
{
	int64_t mentions = 0;
	int64_t views = 0;

	for (size_t i = 0; i < articles->count; i++) {
		mentions += articles->list[i].mentions;
		views += articles->list[i].views;
	}
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

static enum err answer(struct call *call, struct text cursor, const struct articles *articles)
{
	struct list_held held = { .statement = STATEMENT_FIGURE_ARTICLE,
				  .size = sizeof *articles->list,
				  .rows = (const char *)articles->list,
				  .count = articles->count,
				  .member = "articles",
				  .file = "articles",
				  .cursor = cursor_behind };
	enum err err = cursor.at == NULL ? OK : find_first(call, cursor, articles, &held.first);

	if (err == OK)
		err = list_held_answer(call, &held);
	if (err == OK && call->more == NULL)
		put_totals(call->out, articles);
	return err;
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
	return answer(call, in->list.cursor, &articles);
}
