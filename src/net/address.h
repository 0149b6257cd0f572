/* Network addresses: where to listen, who is asking, whose word about others is believed.
 * Owner: struct address_list owns its ranges until address_list_fini; the rest are values. Any thread.
 * All addresses are 16 bytes; IPv4 is mapped into IPv6 (RFC 4291, 2.5.5.2), so that there is one comparison.
 * Never asks a name server.
 * Next: net/connection.c, which fills http_request.peer from here. */
#ifndef INNKEEPER_NET_ADDRESS_H
#define INNKEEPER_NET_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/text.h"
#include "net/http.h"

/* "127.0.0.1:8080", "[::1]:0". ERR_INVALID with a sentence for anything else. */
enum err address_parse_listen(const char *listen, struct sockaddr_storage *out, socklen_t *length,
			      struct fault *fault) WARN_UNUSED;

/* An IPv4 or IPv6 address, nothing around it. ERR_INVALID otherwise. */
enum err address_parse(struct text text, struct http_address *out) WARN_UNUSED;

/* The address of a socket; all zero for a family other than IPv4 and IPv6. */
struct http_address address_of_socket(const struct sockaddr *from);

/* As limits count it: IPv4 whole, IPv6 by its first 64 bits. */
struct http_address address_as_counted(struct http_address address);

struct address_range {
	struct http_address address;
	unsigned bits; /* of 128 that must be equal */
};

struct address_list {
	struct address_range *ranges;
	size_t count;
};

/* Comma-separated "10.0.0.0/8", "::1"; NULL or empty: nobody. ERR_INVALID with a sentence that names the entry,
 * ERR_MEMORY. On failure the list is empty. */
enum err address_list_init(struct address_list *list, const char *ranges, struct fault *fault) WARN_UNUSED;
void address_list_fini(struct address_list *list);
bool address_list_has(const struct address_list *list, const struct http_address *address);

/* Who is asking: `peer`, unless the list trusts it. Then the rightmost address of the X-Forwarded-For lines (taken as
 * one list in their order) that the list does not trust, since everything left of it is only claimed; and if a trusted
 * proxy wrote something that is no address, that proxy itself. A port behind an address is ignored. */
struct http_address address_forwarded(const struct address_list *trusted, struct http_address peer,
				      const struct http_header *headers, size_t count);

/* Whether the client came through TLS: a peer that the list trusts says so in the last word of the last
 * X-Forwarded-Proto, which is the one that it wrote itself. */
bool address_forwarded_tls(const struct address_list *trusted, struct http_address peer,
			   const struct http_header *headers, size_t count);

#endif
