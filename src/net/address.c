#include "net/address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mapped_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF };

static bool is_mapped(const struct http_address *address)
{
	return memcmp(address->bytes, mapped_prefix, sizeof mapped_prefix) == 0;
}

static struct http_address map(const void *four_bytes)
{
	struct http_address address;

	memcpy(address.bytes, mapped_prefix, sizeof mapped_prefix);
	memcpy(address.bytes + sizeof mapped_prefix, four_bytes, 4);
	return address;
}

enum err address_parse(struct text text, struct http_address *out)
{
	char string[INET6_ADDRSTRLEN];
	struct in_addr four;

	if (text.length == 0 || text.length >= sizeof string || memchr(text.at, 0, text.length))
		return ERR_INVALID;
	memcpy(string, text.at, text.length);
	string[text.length] = 0;
	if (inet_pton(AF_INET, string, &four) == 1) {
		*out = map(&four);
		return OK;
	}
	return inet_pton(AF_INET6, string, out->bytes) == 1 ? OK : ERR_INVALID;
}

/* Splits "a:1" or "[b]:2"; false when there is no port or an IPv6 address without brackets. */
static bool split_port(struct text text, struct text *host, struct text *port)
{
	const char *end = text.at + text.length;
	const char *colon = text.length ? memrchr(text.at, ':', text.length) : NULL;

	if (!colon)
		return false;
	*host = (struct text){ text.at, (size_t)(colon - text.at) };
	*port = (struct text){ colon + 1, (size_t)(end - colon) - 1 };
	if (host->length >= 2 && host->at[0] == '[' && host->at[host->length - 1] == ']') {
		*host = (struct text){ host->at + 1, host->length - 2 };
		return memchr(host->at, ':', host->length) != NULL;
	}
	return memchr(host->at, ':', host->length) == NULL;
}

enum err address_parse_listen(const char *listen, struct sockaddr_storage *out, socklen_t *length, struct fault *fault)
{
	struct text host;
	struct text port;
	struct http_address address;
	int64_t number;

	if (!split_port(text_of(listen), &host, &port) || address_parse(host, &address) != OK ||
	    text_to_int(port, &number) != OK || number < 0 || number > 65535)
		return fault_set(fault, ERR_INVALID, NULL, "listen",
				 "\"%s\" is not an address and a port, such as 127.0.0.1:8080 or [::1]:8080.", listen);
	memset(out, 0, sizeof *out);
	if (memchr(host.at, ':', host.length)) {
		struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;

		six->sin6_family = AF_INET6;
		six->sin6_port = htons((uint16_t)number);
		memcpy(&six->sin6_addr, address.bytes, sizeof address.bytes);
		*length = sizeof *six;
	} else {
		struct sockaddr_in *four = (struct sockaddr_in *)out;

		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)number);
		memcpy(&four->sin_addr, address.bytes + sizeof mapped_prefix, 4);
		*length = sizeof *four;
	}
	return OK;
}

struct http_address address_of_socket(const struct sockaddr *from)
{
	struct http_address address = { { 0 } };

	if (from && from->sa_family == AF_INET)
		return map(&((const struct sockaddr_in *)(const void *)from)->sin_addr);
	if (from && from->sa_family == AF_INET6)
		memcpy(address.bytes, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr,
		       sizeof address.bytes);
	return address;
}

struct http_address address_as_counted(struct http_address address)
{
	if (!is_mapped(&address))
		memset(address.bytes + 8, 0, 8);
	return address;
}

static bool range_has(const struct address_range *range, const struct http_address *address)
{
	size_t whole = range->bits / 8;
	unsigned rest = range->bits % 8;

	if (memcmp(range->address.bytes, address->bytes, whole) != 0)
		return false;
	return rest == 0 || ((range->address.bytes[whole] ^ address->bytes[whole]) >> (8 - rest)) == 0;
}

bool address_list_has(const struct address_list *list, const struct http_address *address)
{
	for (size_t i = 0; i < list->count; i++) {
		if (range_has(&list->ranges[i], address))
			return true;
	}
	return false;
}

static enum err parse_range(struct text text, struct address_range *out)
{
	const char *slash = text.length ? memchr(text.at, '/', text.length) : NULL;
	struct text host = text;
	int64_t bits = 0;

	if (slash)
		host.length = (size_t)(slash - text.at);
	if (address_parse(host, &out->address) != OK)
		return ERR_INVALID;
	/* Not is_mapped: "::ffff:0:0/96" is written as IPv6, with IPv6's count of bits. */
	int64_t most = memchr(host.at, ':', host.length) ? 128 : 32;

	if (!slash)
		bits = most;
	else if (text_to_int((struct text){ slash + 1, text.length - host.length - 1 }, &bits) != OK || bits < 0 ||
		 bits > most)
		return ERR_INVALID;
	out->bits = (unsigned)(128 - most + bits);
	return OK;
}

/* Cuts the last element, trimmed, off a comma-separated list; false when nothing is left. */
static bool cut_last(struct text *list, struct text *out)
{
	if (!list->at)
		return false;
	const char *comma = list->length ? memrchr(list->at, ',', list->length) : NULL;

	if (comma) {
		*out = (struct text){ comma + 1, list->length - (size_t)(comma - list->at) - 1 };
		list->length = (size_t)(comma - list->at);
	} else {
		*out = *list;
		list->at = NULL;
	}
	*out = text_trim(*out);
	return true;
}

enum err address_list_init(struct address_list *list, const char *ranges, struct fault *fault)
{
	struct text rest = text_trim(text_of(ranges));
	struct text one;
	size_t most = 1;

	*list = (struct address_list){ 0 };
	if (rest.length == 0)
		return OK;
	for (size_t i = 0; i < rest.length; i++)
		most += rest.at[i] == ',';
	list->ranges = calloc(most, sizeof *list->ranges);
	if (!list->ranges)
		return fault_set(fault, ERR_MEMORY, NULL, NULL, "There is no memory for the trusted proxies.");
	while (cut_last(&rest, &one)) {
		if (parse_range(one, &list->ranges[list->count++]) != OK) {
			address_list_fini(list);
			return fault_set(fault, ERR_INVALID, NULL, "trusted_proxy",
					 "\"%.*s\" is not an address or a range such as 10.0.0.0/8.",
					 (int)(one.length > 60 ? 60 : one.length), one.at);
		}
	}
	return OK;
}

void address_list_fini(struct address_list *list)
{
	free(list->ranges);
	*list = (struct address_list){ 0 };
}

/* As proxies write it: an address, perhaps with a port, IPv6 perhaps in brackets. */
static enum err parse_hop(struct text text, struct http_address *out)
{
	struct text host;
	struct text port;

	if (address_parse(text, out) == OK)
		return OK;
	if (split_port(text, &host, &port))
		return address_parse(host, out);
	if (text.length > 2 && text.at[0] == '[' && text.at[text.length - 1] == ']')
		return address_parse((struct text){ text.at + 1, text.length - 2 }, out);
	return ERR_INVALID;
}

struct http_address address_forwarded(const struct address_list *trusted, struct http_address peer,
				      const struct http_header *headers, size_t count)
{
	struct http_address address = peer;

	for (size_t i = count; i-- > 0;) {
		struct text list = headers[i].value;
		struct text hop;

		if (!text_equal_ignoring_case(headers[i].name, TEXT("x-forwarded-for")))
			continue;
		while (cut_last(&list, &hop)) {
			struct http_address next;

			if (!address_list_has(trusted, &address) || parse_hop(hop, &next) != OK)
				return address;
			address = next;
		}
	}
	return address;
}

bool address_forwarded_tls(const struct address_list *trusted, struct http_address peer,
			   const struct http_header *headers, size_t count)
{
	if (!address_list_has(trusted, &peer))
		return false;
	for (size_t i = count; i-- > 0;) {
		struct text list = headers[i].value;
		struct text word;

		if (text_equal_ignoring_case(headers[i].name, TEXT("x-forwarded-proto")))
			return cut_last(&list, &word) && text_equal_ignoring_case(word, TEXT("https"));
	}
	return false;
}
