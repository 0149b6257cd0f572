/* Web-search results that a concierge showed, and which of them were clicked.
 * Owner: handlers; see call.h. On the writer's thread.
 * The first click on a mention counts; a second one keeps its time.
 * Never marks another organization's mention, whatever the address.
 * Next: sql/web_mentions.sql. */
#ifndef INNKEEPER_API_WEB_MENTIONS_H
#define INNKEEPER_API_WEB_MENTIONS_H

#include "api/call.h"

extern const struct json_shape web_mentions_create_body;
enum err web_mentions_create(struct call *call);

extern const struct json_shape web_mentions_click_body;
enum err web_mentions_click(struct call *call);

#endif
