#include "api/list.h"

#include <string.h>

#include "api/cursor.h"
#include "api/list_csv.h"
#include "api/list_page.h"

#define PAGE_BYTES ((size_t)8 * 1024 * 1024) /* a page that has become so large ends */
#define LINK_MAX   ((size_t)128 * 1024)      /* bytes; a head of 16 KiB, each byte of it encoded, and a cursor */

const char *const list_formats[] = { "json", "csv", NULL };

static const struct json_field list_fields[] = { LIST_FIELDS };
const struct json_shape list_query_shape = JSON_SHAPE(list_query, list_fields);

/* A client that names text/csv before application/json wants it. */
static bool accepts_csv(const struct call *call)
{
	const struct text csv = TEXT("text/csv");
	const struct text json = TEXT("application/json");
	const struct text accept = http_header(call->request, "accept");

	for (size_t i = 0; i < accept.length; i++) {
		const struct text rest = { accept.at + i, accept.length - i };

		if (rest.length >= csv.length && text_equal_ignoring_case((struct text){ rest.at, csv.length }, csv))
			return true;
		if (rest.length >= json.length && text_equal_ignoring_case((struct text){ rest.at, json.length }, json))
			return false;
	}
	return false;
}

/* So that it may stand between < and > of a Link header (RFC 3986, 3.3 and 3.4; RFC 8288, 3). A path was decoded, and
 * its percent signs are none of its encoding; a query stands as it was sent. */
static void put_encoded(struct buffer *to, struct text text, bool decoded)
{
	static const char stay[] = "/-._~!$&'()*+,;=:@?";
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.length; i++) {
		const unsigned char byte = (unsigned char)text.at[i];
		const bool letter =
		    (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
		const bool stays = letter || (byte != 0 && strchr(stay, byte) != NULL && !(decoded && byte == '?')) ||
				   (byte == '%' && !decoded);
		const char encoded[] = { '%', digits[byte >> 4], digits[byte & 15] };

		if (stays)
			buffer_add(to, text.at + i, 1);
		else
			buffer_add(to, encoded, sizeof encoded);
	}
}

static bool names_cursor(struct call *call, struct text pair)
{
	const char *equals = memchr(pair.at, '=', pair.length);
	struct text name = { pair.at, equals == NULL ? pair.length : (size_t)(equals - pair.at) };

	return text_percent_decode(call->arena, name, true, &name) == OK && text_equal(name, TEXT("cursor"));
}

/* The other parameters as they were sent. */
static void put_parameters(struct call *call, struct buffer *to)
{
	struct text rest = call->request->query;

	while (rest.length > 0) {
		const char *ampersand = memchr(rest.at, '&', rest.length);
		const size_t length = ampersand == NULL ? rest.length : (size_t)(ampersand - rest.at);
		const struct text pair = { rest.at, length };
		const size_t past = ampersand == NULL ? length : length + 1;

		if (length > 0 && !names_cursor(call, pair)) {
			put_encoded(to, pair, false);
			buffer_string(to, "&");
		}
		rest = (struct text){ rest.at + past, rest.length - past };
	}
}

/* RFC 8288. */
enum err list_put_link(struct call *call, struct text cursor)
{
	struct buffer buffer;
	struct text link = { 0 };

	buffer_init(&buffer, LINK_MAX);
	buffer_string(&buffer, "<");
	put_encoded(&buffer, call->request->path, true);
	buffer_string(&buffer, "?");
	put_parameters(call, &buffer);
	buffer_string(&buffer, "cursor=");
	buffer_text(&buffer, cursor);
	buffer_string(&buffer, ">; rel=\"next\"");
	if (!buffer.failed && cursor.at != NULL)
		link = text_copy(call->arena, (struct text){ buffer.at, buffer.length });
	buffer_fini(&buffer);
	if (link.at == NULL)
		return ERR_MEMORY;
	http_reply_header(call->request, "Link", link);
	return OK;
}

static enum err answer_json(struct call *call, const struct list *list, const struct list_page *page)
{
	struct list_rows rows;
	enum err err = list_rows_init(&rows, call->arena);

	if (err == OK)
		err = list_rows_read(call, call->db, list, page, LIST_JSON, PAGE_BYTES, 0, &rows);
	if (err == OK && list->member != NULL) {
		json_key(call->out, list->member);
		json_open_array(call->out);
	}
	for (size_t i = 0; err == OK && i < rows.count; i++)
		json_put_raw(call->out, list_rows_at(&rows, list, i));
	if (err == OK && list->member != NULL)
		json_close_array(call->out);
	if (err == OK && rows.more)
		err = list_put_link(call, cursor_make(call, rows.last_time, rows.last_number));
	list_rows_fini(&rows);
	return err;
}

/* What is wrong with the query must be said before a stream begins. */
static enum err check_fill(struct call *call, const struct list *list, const struct list_page *page)
{
	union list_in in;

	memset(&in, 0, sizeof in);
	return list->fill(call, page, &in);
}

bool list_wants_csv(const struct call *call)
{
	const struct list_query *query = call->query;

	return query->format.at != NULL ? text_equal(query->format, TEXT("csv")) : accepts_csv(call);
}

enum err list_answer(struct call *call, const struct list *list)
{
	const struct list_query *query = call->query;
	const bool csv = list_wants_csv(call);
	struct list_page page = { INT64_MAX, INT64_MAX, query->limit };
	enum err err = OK;

	if (query->limit == JSON_ABSENT)
		page.limit = csv ? 0 : LIST_LIMIT;
	if (query->cursor.at != NULL)
		err = cursor_read(call, query->cursor, &page);
	if (err == OK && csv)
		err = check_fill(call, list, &page);
	if (err != OK)
		return err;
	return csv ? list_csv(call, list, &page) : answer_json(call, list, &page);
}
