#include "net/gate.h"

#include <string.h>

/* RFC 9110, 5.6.2: what a method and a header's name are made of. */
static bool is_token_byte(unsigned char byte)
{
	if ((byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z'))
		return true;
	return byte != 0 && strchr("!#$%&'*+-.^_`|~", byte) != NULL;
}

static bool is_token(struct text text)
{
	for (size_t i = 0; i < text.length; i++) {
		if (!is_token_byte((unsigned char)text.at[i]))
			return false;
	}
	return text.length > 0;
}

static bool is_control(unsigned char byte)
{
	return byte < 0x20 || byte == 0x7F;
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_hex(char byte)
{
	return is_digit(byte) || (byte >= 'A' && byte <= 'F') || (byte >= 'a' && byte <= 'f');
}

static const struct http_header *find(const struct gate_head *head, struct text name)
{
	for (size_t i = 0; i < head->header_count; i++) {
		if (text_equal_ignoring_case(head->headers[i].name, name))
			return &head->headers[i];
	}
	return NULL;
}

static bool size_fits(const struct gate_head *head, struct gate_passed *out)
{
	(void)out;
	return head->size <= GATE_HEAD_MAX;
}

static bool count_fits(const struct gate_head *head, struct gate_passed *out)
{
	(void)out;
	return head->header_count <= HTTP_HEADERS_MAX;
}

static bool method_is_token(const struct gate_head *head, struct gate_passed *out)
{
	(void)out;
	return is_token(head->method);
}

static bool version_is_known(const struct gate_head *head, struct gate_passed *out)
{
	(void)out;
	return text_equal(head->version, TEXT("HTTP/1.1")) || text_equal(head->version, TEXT("HTTP/1.0"));
}

static bool names_are_tokens(const struct gate_head *head, struct gate_passed *out)
{
	(void)out;
	for (size_t i = 0; i < head->header_count; i++) {
		if (!is_token(head->headers[i].name))
			return false;
	}
	return true;
}

static bool values_are_clean(const struct gate_head *head, struct gate_passed *out)
{
	(void)out;
	for (size_t i = 0; i < head->header_count; i++) {
		struct text value = head->headers[i].value;

		for (size_t j = 0; j < value.length; j++) {
			if (is_control((unsigned char)value.at[j]) && value.at[j] != '\t')
				return false;
		}
	}
	return true;
}

/* Of these a second one could be read by one party and the first by another. */
static const struct text singles[] = {
	{ "host", 4 },           { "content-length", 14 },   { "transfer-encoding", 17 }, { "content-type", 12 },
	{ "authorization", 13 }, { "x-api-key", 9 },         { "idempotency-key", 15 },   { "cookie", 6 },
	{ "expect", 6 },         { "content-encoding", 16 },
};

static bool singles_are_single(const struct gate_head *head, struct gate_passed *out)
{
	(void)out;
	for (size_t i = 0; i < sizeof singles / sizeof singles[0]; i++) {
		size_t seen = 0;

		for (size_t j = 0; j < head->header_count; j++)
			seen += text_equal_ignoring_case(head->headers[j].name, singles[i]);
		if (seen > 1)
			return false;
	}
	return true;
}

/* RFC 9110, 8.6: 1*DIGIT and nothing else; here no more than 2^63-1. */
static bool length_is_number(const struct gate_head *head, struct gate_passed *out)
{
	const struct http_header *header = find(head, TEXT("content-length"));
	int64_t length;

	if (!header)
		return true;
	if (header->value.length == 0 || !is_digit(header->value.at[0]) || text_to_int(header->value, &length) != OK)
		return false;
	out->length = (uint64_t)length;
	out->has_body = length > 0;
	return true;
}

/* RFC 9112, 6.1, and no more than one coding: nothing of ours needs another. */
static bool encoding_is_chunked(const struct gate_head *head, struct gate_passed *out)
{
	const struct http_header *header = find(head, TEXT("transfer-encoding"));

	if (!header)
		return true;
	out->has_body = true;
	return text_equal_ignoring_case(header->value, TEXT("chunked")) && !find(head, TEXT("content-length")) &&
	       text_equal(head->version, TEXT("HTTP/1.1"));
}

/* host[:port] (RFC 3986, 3.2.2), without the percent-encoding and the punctuation that no DNS name has. */
static bool is_authority(struct text text)
{
	size_t i = 0;

	if (text.length && text.at[0] == '[') {
		for (i = 1; i < text.length && (is_hex(text.at[i]) || text.at[i] == ':' || text.at[i] == '.'); i++)
			;
		if (i < 3 || i == text.length || text.at[i] != ']')
			return false;
		i++;
	} else {
		while (i < text.length && text.at[i] != ':') {
			char byte = text.at[i];

			if (!is_digit(byte) && !((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') && byte != '-' &&
			    byte != '.' && byte != '_' && byte != '~')
				return false;
			i++;
		}
	}
	if (i == 0)
		return false;
	if (i == text.length)
		return true;
	if (text.at[i++] != ':' || text.length - i > 5)
		return false;
	while (i < text.length && is_digit(text.at[i]))
		i++;
	return i == text.length;
}

static bool host_is_valid(const struct gate_head *head, struct gate_passed *out)
{
	const struct http_header *header = find(head, TEXT("host"));

	(void)out;
	if (!header)
		return text_equal(head->version, TEXT("HTTP/1.0"));
	return is_authority(text_trim(header->value));
}

/* Each percent sign has its two hex digits, and they are not 00. */
static bool percents_are_valid(struct text text)
{
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] != '%')
			continue;
		if (text.length - i < 3 || !is_hex(text.at[i + 1]) || !is_hex(text.at[i + 2]) ||
		    (text.at[i + 1] == '0' && text.at[i + 2] == '0'))
			return false;
		i += 2;
	}
	return true;
}

static struct text behind(struct text text, size_t count)
{
	return (struct text){ text.at + count, text.length - count };
}

/* An absolute URI (RFC 9112, 3.2.2) is taken only for the host that the Host header names; `target` then becomes what
 * stands behind the authority. */
static bool strip_authority(const struct gate_head *head, struct text *target)
{
	static const struct text schemes[] = { { "http://", 7 }, { "https://", 8 } };
	const struct http_header *host = find(head, TEXT("host"));

	for (size_t i = 0; host && i < sizeof schemes / sizeof schemes[0]; i++) {
		struct text start = { target->at, schemes[i].length };

		if (target->length < start.length || !text_equal_ignoring_case(start, schemes[i]))
			continue;
		struct text rest = behind(*target, start.length);
		struct text authority = { rest.at, 0 };

		while (authority.length < rest.length && rest.at[authority.length] != '/' &&
		       rest.at[authority.length] != '?')
			authority.length++;
		*target = behind(rest, authority.length);
		return text_equal_ignoring_case(authority, text_trim(host->value));
	}
	return false;
}

static bool target_is_valid(const struct gate_head *head, struct gate_passed *out)
{
	struct text target = head->target;

	for (size_t i = 0; i < target.length; i++) {
		unsigned char byte = (unsigned char)target.at[i];

		if (is_control(byte) || byte >= 0x80 || byte == ' ' || byte == '#')
			return false;
	}
	if (text_equal(target, TEXT("*"))) {
		out->path = target;
		return text_equal(head->method, TEXT("OPTIONS"));
	}
	if ((target.length == 0 || target.at[0] != '/') && !strip_authority(head, &target))
		return false;
	const char *mark = target.length ? memchr(target.at, '?', target.length) : NULL;

	out->path = target;
	if (mark) {
		out->path.length = (size_t)(mark - target.at);
		out->query = behind(target, out->path.length + 1);
	}
	if (out->path.length == 0)
		out->path = TEXT("/"); /* RFC 9110, 4.2.3: an absolute URI without a path */
	return percents_are_valid(out->path) && percents_are_valid(out->query);
}

/* `count` NULs at `at`, and there is where the next piece starts. */
static bool gap_is(const char *at, const char *next, size_t count)
{
	if ((uintptr_t)next - (uintptr_t)at != count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (at[i])
			return false;
	}
	return true;
}

/* Behind a header's name stands the colon, overwritten, and blanks up to the value. */
static bool name_meets_value(const struct http_header *header)
{
	const char *colon = header->name.at + header->name.length;

	if ((uintptr_t)header->value.at <= (uintptr_t)colon ||
	    (uintptr_t)header->value.at - (uintptr_t)colon > GATE_HEAD_MAX || *colon)
		return false;
	for (const char *at = colon + 1; at < header->value.at; at++) {
		if (*at != ' ' && *at != '\t')
			return false;
	}
	return true;
}

/* A bare LF, a NUL inside a value and a folded line are what the library hides. It leaves a strict head behind as one
 * run of pieces with two NULs for each CR LF and one for each blank of the request line and each colon; anything
 * hidden changes the distances. Without a single header the version is followed by the blank line. */
static bool seams_are_whole(const struct gate_head *head, struct gate_passed *out)
{
	const char *end = head->version.at + head->version.length;

	(void)out;
	if (!head->in_place)
		return true;
	if (!gap_is(head->method.at + head->method.length, head->target.at, 1) ||
	    !gap_is(head->target.at + head->target.length, head->version.at, 1))
		return false;
	for (size_t i = 0; i < head->header_count; i++) {
		const struct http_header *header = &head->headers[i];

		if (!gap_is(end, header->name.at, 2) || !name_meets_value(header))
			return false;
		end = header->value.at + header->value.length;
	}
	return gap_is(end, head->method.at + head->size, 4);
}

struct rule {
	bool (*holds)(const struct gate_head *head, struct gate_passed *out);
	struct gate_refusal refusal;
};

/* In this order: what comes later relies on what came before (header_count within bounds, versions known). */
static const struct rule rules[] = {
	{ size_fits, { 431, "headers_too_large", "The head of the request is larger than 16 KiB." } },
	{ count_fits, { 431, "headers_too_large", "The request has more than 100 header lines." } },
	{ seams_are_whole,
	  { 400, "bad_request", "A line of the head does not end in CR LF, is folded or holds a NUL." } },
	{ method_is_token, { 400, "bad_request", "The method is not a token." } },
	{ version_is_known, { 505, "version_not_supported", "Only HTTP/1.1 and HTTP/1.0 are spoken here." } },
	{ names_are_tokens, { 400, "bad_request", "A header's name holds a byte that is not allowed there." } },
	{ values_are_clean, { 400, "bad_request", "A header's value holds a control character." } },
	{ singles_are_single, { 400, "bad_request", "A header that may come once came twice." } },
	{ length_is_number, { 400, "bad_request", "Content-Length is not a number." } },
	{ encoding_is_chunked,
	  { 400, "bad_request", "Transfer-Encoding must be chunked, on HTTP/1.1, without Content-Length." } },
	{ host_is_valid, { 400, "bad_request", "The Host header is missing or not a host." } },
	{ target_is_valid, { 400, "bad_request", "The request's target is not a path of this host." } },
};

const struct gate_refusal *gate_check(const struct gate_head *head, struct gate_passed *out)
{
	*out = (struct gate_passed){ 0 };
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		if (!rules[i].holds(head, out))
			return &rules[i].refusal;
	}
	return NULL;
}
