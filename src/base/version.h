/* Which Innkeeper this is.
 * Owner: nobody; a constant.
 * Semantic versioning 2.0.0.
 * Never said twice.
 * Next: cli/verb.c (--version), api/openapi.c. */
#ifndef INNKEEPER_BASE_VERSION_H
#define INNKEEPER_BASE_VERSION_H

#define INNKEEPER_VERSION "0.1.0"

#endif
