#include "api/session_cookie.h"

#include <stdio.h>
#include <string.h>

#include "auth/session.h"

static const struct text name = { "innkeeper_session=", sizeof "innkeeper_session=" - 1 };

/* RFC 6265, 4.2.1: pairs with "; " between them. */
struct text session_cookie_read(const struct http_request *request)
{
	struct text rest = http_header(request, "cookie");

	while (rest.length > 0) {
		const char *semicolon = memchr(rest.at, ';', rest.length);
		const size_t length = semicolon == NULL ? rest.length : (size_t)(semicolon - rest.at);
		const struct text pair = text_trim((struct text){ rest.at, length });

		if (text_starts(pair, name))
			return (struct text){ pair.at + name.length, pair.length - name.length };
		rest.at += length + (semicolon != NULL);
		rest.length -= length + (semicolon != NULL);
	}
	return (struct text){ 0 };
}

static void set(struct http_request *request, struct text token, int64_t seconds)
{
	char text[200];

	snprintf(text, sizeof text, "%s%.*s; HttpOnly; SameSite=Lax; Path=/; Max-Age=%lld%s", name.at,
		 (int)token.length, token.at, (long long)seconds, request->tls ? "; Secure" : "");
	http_reply_header(request, "Set-Cookie", text_copy(&request->arena, text_of(text)));
}

void session_cookie_set(struct http_request *request, struct text token)
{
	set(request, token, SESSION_LIFETIME / 1000);
}

void session_cookie_clear(struct http_request *request)
{
	set(request, TEXT(""), 0);
}
