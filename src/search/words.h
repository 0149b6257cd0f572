/* What a word is: of a text that shall be found, and of a question.
 * Owner: results live in the arena or buffer given. Any thread.
 * A text is normalised (NFKC), case-folded and freed of Latin, Greek and Cyrillic accents; letters and digits that
 * stand together are a word, every other character that is no blank is one by itself: %, ", *, and a character of a
 * script written without blanks. So nothing in a question is an operator. Never looks at whose words they are: the
 * store keeps them apart (store/search_guard.h). Next: search/indexer.h. */
#ifndef INNKEEPER_SEARCH_WORDS_H
#define INNKEEPER_SEARCH_WORDS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

#define WORDS_OF_QUERY    32
#define WORDS_OF_DOCUMENT 20000 /* what a text says behind them is not found */

/* Adds the words of a text, with a blank between two. A word stands as `=word` and, for those who are still typing,
 * `^w…` for its beginnings of 2 to 12 characters that are not the whole of it. ERR_MEMORY also when `to` is full.
 * Other words than before need an index made anew, by a migration: what is removed must be what was added. */
enum err words_of_document(struct text text, struct arena *arena, struct buffer *to) WARN_UNUSED;

/* What to MATCH so that all words of a question occur in one document, the last of them perhaps only begun. Absent when
 * the question holds no word: nothing is asked. ERR_TOO_LARGE: more than WORDS_OF_QUERY. */
enum err words_of_query(struct text query, struct arena *arena, struct text *out) WARN_UNUSED;

/* A word that no text and no question has: what a mark (search/indexer.h) says. */
#define WORDS_MARK "#"

/* The same, and every mark that is on the way. */
enum err words_of_query_and_marks(struct text query, struct arena *arena, struct text *out) WARN_UNUSED;

#endif
