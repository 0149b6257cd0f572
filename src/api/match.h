/* Which row of the route table a method and a path mean.
 * Owner: nobody; reads constant data. Any thread.
 * A path is compared as decoded, segment by segment, byte by byte: no trailing slash, no case, no dots are forgiven.
 * Never finds the operator's rows for a request from the network.
 * Next: dispatch.c. */
#ifndef INNKEEPER_API_MATCH_H
#define INNKEEPER_API_MATCH_H

#include "api/route.h"
#include "base/text.h"

#define MATCH_ALLOW_SIZE 64

struct match {
	const struct route *route;    /* NULL: none for this method */
	bool path_known;              /* some row has the path */
	bool cors;                    /* some row of the path is open to other sites */
	char allow[MATCH_ALLOW_SIZE]; /* methods of the path, as the Allow header lists them */
	struct text parameters[ROUTE_PARAMETERS];
};

/* HEAD means GET. `control`: the request came in through the control socket. */
struct match match_route(struct text method, struct text path, bool control);

#endif
