#include "demo/demo_folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define PATH_BYTES 4096

enum err demo_folder_make(struct arena *arena, const char **folder, const char **database, struct fault *fault)
{
	const char *under = getenv("TMPDIR");
	char path[PATH_BYTES];
	char url[PATH_BYTES + sizeof "sqlite:/innkeeper.db"];

	if (under == NULL || under[0] != '/')
		under = "/tmp";
	if (snprintf(path, sizeof path, "%s/innkeeper-demo.XXXXXX", under) >= (int)sizeof path || mkdtemp(path) == NULL)
		return fault_set(fault, ERR_UNAVAILABLE, NULL, NULL, "No temporary folder can be made under %s: %s.",
				 under, strerror(errno));
	snprintf(url, sizeof url, "sqlite:%s/innkeeper.db", path);
	*folder = arena_copy(arena, path, strlen(path));
	*database = arena_copy(arena, url, strlen(url));
	if (*folder != NULL && *database != NULL)
		return OK;
	*folder = NULL;
	rmdir(path);
	return fault_set(fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
}

void demo_folder_remove(const char *folder)
{
	static const char *const endings[] = { "", "-wal", "-shm", "-journal", ".lock", ".control" };
	char path[PATH_BYTES + 64];

	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		snprintf(path, sizeof path, "%s/innkeeper.db%s", folder, endings[i]);
		unlink(path);
	}
	if (rmdir(folder) != 0)
		fprintf(stderr, "innkeeper: the temporary folder %s stays: %s.\n", folder, strerror(errno));
}
