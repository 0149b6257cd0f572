/* A folder for a database that nobody keeps.
 * Owner: main's thread; the path lives in the caller's arena.
 * Never removes anything but the files that the server makes: a folder that holds more stays.
 * Never follows TMPDIR out of what mkdtemp makes: the folder is new and this user's alone.
 * Next: demo.c. */
#ifndef INNKEEPER_CLI_DEMO_FOLDER_H
#define INNKEEPER_CLI_DEMO_FOLDER_H

#include "base/arena.h"
#include "base/err.h"

/* Under $TMPDIR, else /tmp. `database` is the whole "sqlite:PATH". */
enum err demo_folder_make(struct arena *arena, const char **folder, const char **database,
			  struct fault *fault) WARN_UNUSED;

void demo_folder_remove(const char *folder);

#endif
