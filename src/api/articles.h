/* Articles that an answer mentioned, and articles that were opened.
 * Owner: handlers; see call.h. On the writer's thread.
 * A chatId that is not known yet is kept as given: it belongs to that chat once it is made.
 * Never records a part of a list: all mentions or none.
 * Next: sql/articles.sql. */
#ifndef INNKEEPER_API_ARTICLES_H
#define INNKEEPER_API_ARTICLES_H

#include "api/call.h"

extern const struct json_shape articles_mention_body;
enum err articles_mention(struct call *call);

extern const struct json_shape articles_view_body;
enum err articles_view(struct call *call);

#endif
