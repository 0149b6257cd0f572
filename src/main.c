#include <sodium.h>
#include <stdio.h>

#include "cli/verb.h"

int main(int count, char **arguments)
{
	if (sodium_init() < 0) {
		fputs("innkeeper: the system's randomness is not available.\n", stderr);
		return EXIT_FAILED;
	}
	return verb_main(count, arguments);
}
