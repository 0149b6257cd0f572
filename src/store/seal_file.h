/* A file that says of itself whether it is whole: 40 bytes behind it, a mark and the SHA-256 of what stands before.
 * Owner: the caller, whose file descriptor it is. Any thread.
 * SQLite counts pages by the file's header and never looks at what stands behind the last one
 * (https://www.sqlite.org/fileformat.html, 1.3.7).
 * Never changes a file but by those bytes. Next: archive.c. */
#ifndef INNKEEPER_STORE_SEAL_FILE_H
#define INNKEEPER_STORE_SEAL_FILE_H

#include <stdbool.h>
#include <stdint.h>

#define SEAL_FILE_MARK          "INNKORG1"
#define SEAL_FILE_CHECKSUM_SIZE 65 /* SHA-256 in hex and a NUL */

/* Appends them; `bytes` and `checksum` are of the file with them. Gives 0 or an errno. */
int seal_file_put(int fd, int64_t *bytes, char checksum[SEAL_FILE_CHECKSUM_SIZE]);

/* Whether they stand there and are right. Gives 0 or an errno. */
int seal_file_check(int fd, bool *whole);

/* Gives `from` its name `to`, unless there is such a file (EEXIST), and makes it durable. Gives 0 or an errno. */
int seal_file_publish(const char *from, const char *to);

#endif
