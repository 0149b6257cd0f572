#include <sodium.h>
#include <stdio.h>

#include "cli/verb.h"
#include "store/db.h"

int main(int count, char **arguments)
{
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
