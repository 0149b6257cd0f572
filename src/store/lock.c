#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/db.h"

struct lock {
	int fd;
};

/* A database reached through a symbolic link is the same database. NULL when memory is out. */
static char *lock_path(struct text path)
{
	char *given = strndup(path.at, path.length);
	char *resolved = given == NULL ? NULL : realpath(given, NULL);
	char *out = NULL;

	if (given != NULL && asprintf(&out, "%s.lock", resolved == NULL ? given : resolved) < 0)
		out = NULL;
	free(resolved);
	free(given);
	return out;
}

/* A command run by root must not shut out the server, which is another user: the folder's owner gets the file. */
static int give_to_owner(int fd, const char *path)
{
	char *name = strdup(path);
	struct stat folder;
	int status = 0;

	if (name == NULL)
		return -1;
	if (geteuid() == 0 && stat(dirname(name), &folder) == 0)
		status = fchown(fd, folder.st_uid, folder.st_gid);
	free(name);
	return status;
}

/* Owner is changed on a file that was made here alone: another one could be anybody's, under a second name. */
static int open_file(const char *path)
{
	const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	int fd = open(path, flags | O_CREAT | O_EXCL, 0600);

	if (fd < 0 && errno == EEXIST)
		return open(path, flags);
	if (fd >= 0 && give_to_owner(fd, path) != 0) {
		int number = errno;

		close(fd);
		errno = number;
		return -1;
	}
	return fd;
}

static enum err take(struct lock *lock, const char *path, struct fault *fault)
{
	lock->fd = open_file(path);
	if (lock->fd < 0)
		return fault_set(fault, ERR_INVALID, NULL, "database",
				 "The lock file of the database cannot be made (%s); its folder must be there and "
				 "this user's to write: %s",
				 strerrordesc_np(errno), path);
	while (flock(lock->fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EINTR)
			continue;
		if (errno == EWOULDBLOCK)
			return fault_set(fault, ERR_CONFLICT, NULL, "database",
					 "A running server or another command is using this database; stop it or wait "
					 "until it is done. It holds the lock %s",
					 path);
		return fault_set(fault, ERR_STORAGE, NULL, "database", "The database cannot be locked (%s): %s",
				 strerrordesc_np(errno), path);
	}
	return OK;
}

enum err lock_take(struct text url, struct lock **out, struct fault *fault)
{
	const struct text scheme = TEXT("sqlite:");
	struct lock *lock;
	char *path;
	enum err err;

	bool remote;

	*out = NULL;
	err = db_know(url, &remote, fault);
	if (err != OK || remote)
		return err;
	lock = malloc(sizeof *lock);
	path = lock_path((struct text){ url.at + scheme.length, url.length - scheme.length });
	if (lock == NULL || path == NULL) {
		free(lock);
		free(path);
		return fault_set(fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	}
	err = take(lock, path, fault);
	free(path);
	if (err != OK) {
		lock_release(lock);
		return err;
	}
	*out = lock;
	return OK;
}

/* The file stays. Were it removed, one process could lock the file that was there while another makes and locks a new
 * one of the same name: both would have the database. */
void lock_release(struct lock *lock)
{
	if (lock == NULL)
		return;
	if (lock->fd >= 0)
		close(lock->fd);
	free(lock);
}
