#include "api/session_cookie.h"

#include "api/cookie.h"
#include "auth/session.h"

#define NAME "innkeeper_session"

struct text session_cookie_read(const struct http_request *request)
{
	return cookie_read(request, NAME);
}

static void set(struct http_request *request, struct text token, int64_t seconds)
{
	cookie_set(request, NAME, token, "/", seconds, request->tls);
}

void session_cookie_set(struct http_request *request, struct text token)
{
	set(request, token, SESSION_LIFETIME / 1000);
}

void session_cookie_clear(struct http_request *request)
{
	set(request, TEXT(""), 0);
}
