/* What is counted: the numbers under which the rollup tables keep each figure.
 * Owner: constants. Any thread.
 * A number is stored, so it is never given to something else. What is counted once has members and gaps, the rest
 * counts. Never a text from outside: a facet's value is its row's label. Next: counting.c (which event moves which),
 * figures.c (which answer reads which). */
#ifndef INNKEEPER_ANALYTICS_METRIC_H
#define INNKEEPER_ANALYTICS_METRIC_H

enum metric {
	/* Counters. */
	METRIC_CHATS = 1,
	METRIC_USER_MESSAGES = 2,
	METRIC_VISITORS = 3,   /* by the day they were made */
	METRIC_CLICKS = 4,     /* first clicks of web results, by the day of the click */
	METRIC_VIEWS = 5,      /* of articles */
	METRIC_INTERESTED = 6, /* visitors with any interest */
	/* Facets: a counter for each label. */
	METRIC_DEVICE = 7, /* of chats, as the two below */
	METRIC_CITY = 8,
	METRIC_COUNTRY = 9,
	METRIC_SEASON = 10, /* of visitors, as the three below */
	METRIC_TRAVELER_TYPE = 11,
	METRIC_PREFERENCE = 12,
	METRIC_VIBE = 13,
	METRIC_ARTICLE_MENTIONS = 14, /* the label is the article's id */
	METRIC_ARTICLE_VIEWS = 15,
	/* Counted once. The member is a session, a chat (its number, or the chat_id of a click) or an article's id. */
	METRIC_SESSIONS = 32,      /* of chats, by the chat's day */
	METRIC_ENGAGED_CHATS = 33, /* by the days of their user messages; a row says 1, however many there were */
	METRIC_SESSIONS_SENT = 34, /* what stands behind a row: its chats engaged that day */
	METRIC_SESSIONS_CLICKED = 35,
	METRIC_CHATS_CLICKED = 36,
	METRIC_SESSIONS_VIEWED = 37,
	METRIC_PLACES = 38, /* articles mentioned or viewed */
};

/* How much of time one row of a rollup covers. */
enum span {
	SPAN_DAY = 0,   /* starts on a day */
	SPAN_BLOCK = 1, /* of BLOCK_DAYS days; starts are numbers of blocks since 1970 */
	SPAN_EVER = 2,  /* all time; starts on 0 */
	SPAN_COUNT = 3,
};

#define BLOCK_DAYS 32

/* No day before: the member was not seen before. Below every day there is. */
#define DAY_NEVER (-1000000)

#endif
