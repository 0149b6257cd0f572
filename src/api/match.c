#include "api/match.h"

#include <string.h>

static struct text next_segment(struct text *rest)
{
	const char *slash = memchr(rest->at, '/', rest->length);
	const size_t length = slash == NULL ? rest->length : (size_t)(slash - rest->at);
	const struct text segment = { rest->at, length };

	rest->at += length + (slash != NULL);
	rest->length -= length + (slash != NULL);
	return segment;
}

static bool fits(const char *pattern, struct text path, struct text parameters[ROUTE_PARAMETERS])
{
	struct text wanted = text_of(pattern);
	size_t count = 0;

	if (memchr(pattern, '{', wanted.length) == NULL)
		return text_equal(wanted, path);
	if (path.length > 0 && path.at[path.length - 1] == '/')
		return false;
	while (wanted.length > 0 && path.length > 0) {
		const struct text segment = next_segment(&wanted);
		const struct text given = next_segment(&path);

		if (segment.length > 0 && segment.at[0] == '{') {
			if (given.length == 0)
				return false;
			parameters[count++] = given;
		} else if (!text_equal(segment, given)) {
			return false;
		}
	}
	return wanted.length == 0 && path.length == 0;
}

static void allow(struct match *match, const char *method)
{
	const size_t length = strlen(match->allow);

	if (strstr(match->allow, method) != NULL)
		return;
	(void)stpncpy(match->allow + length, length == 0 ? "" : ", ", MATCH_ALLOW_SIZE - 1 - length);
	(void)stpncpy(match->allow + strlen(match->allow), method, MATCH_ALLOW_SIZE - 1 - strlen(match->allow));
	if (strcmp(method, "GET") == 0)
		allow(match, "HEAD");
}

/* A path that stands in a row as it is means that row: /api/users/identify is nobody's id. */
static bool is_literal(struct text path)
{
	for (size_t i = 0; i < route_count; i++)
		if (text_equal(text_of(routes[i].path), path))
			return true;
	return false;
}

struct match match_route(struct text method, struct text path, bool control)
{
	const struct text wanted = text_equal(method, TEXT("HEAD")) ? TEXT("GET") : method;
	const bool literal = is_literal(path);
	struct match match = { 0 };

	for (size_t i = 0; i < route_count; i++) {
		const struct route *route = &routes[i];
		struct text parameters[ROUTE_PARAMETERS] = { 0 };

		if (!control && (route->credential == CONTROL || route->credential == TENANT))
			continue;
		if (!fits(route->path, path, parameters) || (literal && !text_equal(text_of(route->path), path)))
			continue;
		match.path_known = true;
		match.cors = match.cors || route->cors;
		allow(&match, route->method);
		if (text_equal(wanted, text_of(route->method))) {
			match.route = route;
			memcpy(match.parameters, parameters, sizeof parameters);
		}
	}
	if (match.path_known)
		allow(&match, "OPTIONS");
	return match;
}
