/* Keeps organizations apart inside a full-text index: a word, written or asked for, becomes a hash keyed by the
 * organization that is bound, so that nobody's words can be in the way of, or found by, another's.
 * Owner: the SQLite connection; what it is given must outlive that. Its thread.
 * It takes the place of the tokenizer that the tables name ("ascii"), on this connection: a connection without it opens
 * the file all the same, and can make nothing of the words. Splits at blanks alone; which words a text has is not its
 * business. Never lets a word through while nobody is bound. Next: search/words.h (what the words are), row_security.c.
 */
#ifndef INNKEEPER_STORE_SEARCH_GUARD_H
#define INNKEEPER_STORE_SEARCH_GUARD_H

#include <sqlite3.h>

#include "base/err.h"
#include "base/uuid.h"

/* `organization` is looked at whenever words pass: the one bound, or NULL. */
enum err search_guard_install(sqlite3 *sqlite, const struct uuid *const *organization) WARN_UNUSED;

#endif
