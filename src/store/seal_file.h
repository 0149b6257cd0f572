/* A file that is made beside its name until it is whole, and says of itself whether it is: 40 bytes behind it, a mark
 * and the SHA-256 of what stands before. Backups (copy.h) and files of an organization (archive.h) are such.
 * Owner: the caller, whose file descriptor it is. Any thread.
 * SQLite counts pages by the file's header and never looks at what stands behind the last one
 * (https://www.sqlite.org/fileformat.html, 1.3.7); the tests hold its library and its shell to that.
 * Never changes a file but by those bytes. Next: copy.c, archive_make.c. */
#ifndef INNKEEPER_STORE_SEAL_FILE_H
#define INNKEEPER_STORE_SEAL_FILE_H

#include <stdint.h>

#include "base/err.h"

#define SEAL_FILE_BACKUP        "INNKEEP1"
#define SEAL_FILE_ORGANIZATION  "INNKORG1"
#define SEAL_FILE_CHECKSUM_SIZE 65 /* SHA-256 in hex and a NUL */

/* All but the last give 0 or an errno. */

/* A new, empty file of this name, which is locked; one that a crash has left goes. EWOULDBLOCK: somebody is making it.
 * `*fd` is -1 after a failure. */
int seal_file_begin(const char *path, int *fd);

/* Appends the mark and the checksum and makes the file durable; `bytes` and `checksum` are of the file with them. */
int seal_file_put(int fd, const char *mark, int64_t *bytes, char checksum[SEAL_FILE_CHECKSUM_SIZE]);

/* Reads it to its end, and writes what stands before the mark into `to`, unless that is -1. `*wrong` is NULL of one
 * that is whole, and else says what is not. EIO: it became shorter while it was read. */
int seal_file_read(int from, int to, const char *mark, int64_t *bytes, char checksum[SEAL_FILE_CHECKSUM_SIZE],
		   const char **wrong);

/* Gives `from` its name `to`, unless there is such a file (EEXIST), and makes it durable. */
int seal_file_publish(const char *from, const char *to);

/* What an errno of a file means to who asked for it. */
enum err seal_file_err(int number) WARN_UNUSED;

#endif
