/* Words as PostgreSQL's index has them: for each a keyed hash, the key being the organization (sql/schema/0005_search).
 * Owner: results live in the arena or buffer given. Any thread.
 * One organization's words lie in other lists of the index than another's, and what was said cannot be read from it. On
 * SQLite the store does the same inside of FTS5 (store/search_guard.h).
 * Never gives a word twice. Next: search/words.h. */
#ifndef INNKEEPER_SEARCH_HIDDEN_WORDS_H
#define INNKEEPER_SEARCH_HIDDEN_WORDS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "base/uuid.h"

/* The words of a document (words_of_document, with blanks between) as PostgreSQL writes an array: {…,…}. ERR_MEMORY. */
enum err hidden_words(const struct uuid *organization, struct text words, struct buffer *to) WARN_UNUSED;

/* A question (words_of_query) as two arrays with `|` between: what a document must have all of, and what it must have
 * one of; the second is left out when there is no choice. ERR_MEMORY. */
enum err hidden_question(const struct uuid *organization, struct text question, struct arena *arena,
			 struct text *out) WARN_UNUSED;

#endif
