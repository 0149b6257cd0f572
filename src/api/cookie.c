#include "api/cookie.h"

#include <string.h>

#define COOKIE_MAX 8192 /* bytes of a header line */

/* RFC 6265, 4.2.1: pairs with "; " between them. */
struct text cookie_read(const struct http_request *request, const char *name)
{
	struct text rest = http_header(request, "cookie");
	const size_t length = strlen(name);

	while (rest.length > 0) {
		const char *semicolon = memchr(rest.at, ';', rest.length);
		const size_t size = semicolon == NULL ? rest.length : (size_t)(semicolon - rest.at);
		const struct text pair = text_trim((struct text){ rest.at, size });

		if (pair.length > length && pair.at[length] == '=' && memcmp(pair.at, name, length) == 0)
			return (struct text){ pair.at + length + 1, pair.length - length - 1 };
		rest.at += size + (semicolon != NULL);
		rest.length -= size + (semicolon != NULL);
	}
	return (struct text){ 0 };
}

/* RFC 6265, 4.1.1: one name, one line. What comes later is what holds. */
static void forget(struct http_request *request, const char *name)
{
	struct http_reply *reply = &request->reply;
	const size_t length = strlen(name);
	size_t kept = 0;

	for (size_t i = 0; i < reply->header_count; i++) {
		const struct http_header header = reply->headers[i];

		if (!text_equal(header.name, TEXT("Set-Cookie")) || header.value.length <= length ||
		    memcmp(header.value.at, name, length) != 0 || header.value.at[length] != '=')
			reply->headers[kept++] = header;
	}
	reply->header_count = kept;
}

void cookie_set(struct http_request *request, const char *name, struct text value, const char *path, int64_t seconds,
		bool secure)
{
	struct buffer line;

	buffer_init(&line, COOKIE_MAX);
	buffer_format(&line, "%s=", name);
	buffer_text(&line, value);
	buffer_format(&line, "; HttpOnly; SameSite=Lax; Path=%s; Max-Age=%lld%s", path, (long long)seconds,
		      secure ? "; Secure" : "");
	forget(request, name);
	if (!line.failed)
		http_reply_header(request, "Set-Cookie",
				  text_copy(&request->arena, (struct text){ line.at, line.length }));
	buffer_fini(&line);
}
