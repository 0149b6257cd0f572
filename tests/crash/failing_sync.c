/* A disk that fails on demand: preloaded, it makes calls on chosen files fail from the moment a rule stands in a file.
 * INNKEEPER_FAILING names that file; its text is "CALL SUFFIX ERRNO": CALL is sync or write, SUFFIX the end of the
 * paths it concerns (or *). Without the file, or with an empty one, every call goes through. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static bool path_ends(int fd, const char *suffix)
{
	char link[64];
	char path[4096];
	ssize_t length;
	size_t tail = strlen(suffix);

	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof path);
	return length > 0 && (strcmp(suffix, "*") == 0 ||
			      ((size_t)length >= tail && memcmp(path + length - tail, suffix, tail) == 0));
}

/* Whether `call` on `fd` is to fail; then errno is set. */
static bool fails(const char *call, int fd)
{
	const char *rules = getenv("INNKEEPER_FAILING");
	const int saved = errno;
	char named[16] = "";
	char suffix[64] = "";
	int number = 0;
	FILE *file = rules == NULL ? NULL : fopen(rules, "re");
	bool failing;

	if (file == NULL) {
		errno = saved;
		return false;
	}
	failing = fscanf(file, "%15s %63s %d", named, suffix, &number) == 3 && strcmp(named, call) == 0 &&
		  path_ends(fd, suffix);
	(void)fclose(file);
	errno = failing ? number : saved;
	return failing;
}

/* The C library's own. POSIX wants dlsym's object pointer to be a function pointer as well, ISO C has no cast for it.
 */
static void find_next(const char *name, void *function)
{
	void *found = dlsym(RTLD_NEXT, name);

	memcpy(function, &found, sizeof found);
}

int fdatasync(int fd)
{
	int (*next)(int);

	find_next("fdatasync", &next);
	return fails("sync", fd) ? -1 : next(fd);
}

int fsync(int fd)
{
	int (*next)(int);

	find_next("fsync", &next);
	return fails("sync", fd) ? -1 : next(fd);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at)
{
	ssize_t (*next)(int, const void *, size_t, off64_t);

	find_next("pwrite64", &next);
	return fails("write", fd) ? -1 : next(fd, bytes, count, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at)
{
	return pwrite64(fd, bytes, count, at);
}
