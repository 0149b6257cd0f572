#include <malloc.h>
#include <sodium.h>
#include <stdio.h>

#include "cli/verb.h"
#include "store/db.h"

#define MAPPED_FROM (128 * 1024) /* bytes */

int main(int count, char **arguments)
{
	/* What one large request needed goes back to the system at once. Left to itself the C library raises this limit
	 * with the first such request, and keeps the next ones' memory. */
	mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
	if (sodium_init() < 0) {
		fputs("innkeeper: the system's randomness is not available.\n", stderr);
		return EXIT_FAILED;
	}
	if (db_init() != OK) {
		fputs("innkeeper: SQLite could not be set up: is it another version than this was built for?\n",
		      stderr);
		return EXIT_FAILED;
	}
	return verb_main(count, arguments);
}
