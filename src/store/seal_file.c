#include "store/seal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "store/place.h"

#define MARK_SIZE    8
#define TRAILER_SIZE (MARK_SIZE + crypto_hash_sha256_BYTES)
#define BLOCK_SIZE   65536

/* In a container every process may have the same number, so a crash can leave a file of this very name. Whoever is at
 * work holds a lock on theirs. */
static int clear_way(const char *path)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int number = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : errno;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		number = errno;
	if (number == 0) {
		unlink(path); /* what fails here fails again at the next open, with its reason */
		place_remove_sides(path);
	}
	close(fd);
	return number;
}

int seal_file_begin(const char *path, int *fd)
{
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	int number;

	*fd = open(path, flags, 0600);
	if (*fd < 0 && errno == EEXIST) {
		number = clear_way(path);
		if (number != 0)
			return number;
		*fd = open(path, flags, 0600);
	}
	if (*fd < 0)
		return errno;
	if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	number = errno;
	close(*fd);
	*fd = -1;
	return number;
}

/* The first `size` bytes of `from` into the hash and, unless it is -1, into `to`. */
static int stream(int from, int64_t size, int to, crypto_hash_sha256_state *hash)
{
	unsigned char block[BLOCK_SIZE];
	int64_t at = 0;

	while (at < size) {
		const size_t want = size - at < BLOCK_SIZE ? (size_t)(size - at) : BLOCK_SIZE;
		const ssize_t got = pread(from, block, want, at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0 ? EIO : errno;
		crypto_hash_sha256_update(hash, block, (unsigned long long)got);
		for (ssize_t written = 0; to >= 0 && written < got;) {
			const ssize_t put = pwrite(to, block + written, (size_t)(got - written), at + written);

			if (put < 0 && errno != EINTR)
				return errno;
			written += put < 0 ? 0 : put;
		}
		at += got;
	}
	return 0;
}

/* The hash of what stands before it, and that of the whole file, of which it is the end. */
static void make_trailer(const char *mark, crypto_hash_sha256_state *hash, unsigned char trailer[TRAILER_SIZE],
			 char checksum[SEAL_FILE_CHECKSUM_SIZE])
{
	crypto_hash_sha256_state whole = *hash;
	unsigned char digest[crypto_hash_sha256_BYTES];

	memcpy(trailer, mark, MARK_SIZE);
	crypto_hash_sha256_final(hash, trailer + MARK_SIZE);
	crypto_hash_sha256_update(&whole, trailer, TRAILER_SIZE);
	crypto_hash_sha256_final(&whole, digest);
	text_hex(digest, sizeof digest, checksum);
}

int seal_file_put(int fd, const char *mark, int64_t *bytes, char checksum[SEAL_FILE_CHECKSUM_SIZE])
{
	unsigned char trailer[TRAILER_SIZE];
	crypto_hash_sha256_state hash;
	struct stat file;
	ssize_t put;
	int number;

	crypto_hash_sha256_init(&hash);
	if (fstat(fd, &file) != 0)
		return errno;
	number = stream(fd, file.st_size, -1, &hash);
	if (number != 0)
		return number;
	make_trailer(mark, &hash, trailer, checksum);
	put = pwrite(fd, trailer, sizeof trailer, file.st_size);
	if (put != (ssize_t)sizeof trailer)
		return put < 0 ? errno : ENOSPC;
	*bytes = file.st_size + (int64_t)sizeof trailer;
	return fsync(fd) == 0 ? 0 : errno;
}

int seal_file_read(int from, int to, const char *mark, int64_t *bytes, char checksum[SEAL_FILE_CHECKSUM_SIZE],
		   const char **wrong)
{
	unsigned char trailer[TRAILER_SIZE];
	unsigned char found[TRAILER_SIZE];
	crypto_hash_sha256_state hash;
	struct stat file;
	int64_t size;
	int number;

	*wrong = NULL;
	if (fstat(from, &file) != 0)
		return errno;
	size = file.st_size - (int64_t)sizeof found;
	if (!S_ISREG(file.st_mode) || size <= 0)
		*wrong = S_ISREG(file.st_mode) ? "it is too short" : "it is no plain file";
	else if (pread(from, found, sizeof found, size) != (ssize_t)sizeof found || memcmp(found, mark, MARK_SIZE) != 0)
		*wrong = "its end is missing";
	if (*wrong != NULL)
		return 0;
	crypto_hash_sha256_init(&hash);
	number = stream(from, size, to, &hash);
	if (number != 0)
		return number;
	make_trailer(mark, &hash, trailer, checksum);
	*bytes = file.st_size;
	if (memcmp(found, trailer, sizeof trailer) != 0)
		*wrong = "its checksum is another";
	return 0;
}

/* Not every file system knows RENAME_NOREPLACE; link refuses as well, only in two steps. */
int seal_file_publish(const char *from, const char *to)
{
	int number = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0 ? 0 : errno;

	if (number == EINVAL || number == ENOSYS) {
		number = link(from, to) == 0 ? 0 : errno;
		if (number == 0)
			unlink(from); /* a second name of a whole file, if it stays */
	}
	if (number != 0)
		return number;
	number = place_sync_folder(to);
	if (number != 0)
		unlink(to);
	return number;
}

enum err seal_file_err(int number)
{
	switch (number) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
	case EMFILE:
	case ENFILE:
		return ERR_UNAVAILABLE;
	case EEXIST:
	case EWOULDBLOCK:
		return ERR_CONFLICT;
	case EACCES:
	case EISDIR:
	case ELOOP:
	case ENAMETOOLONG:
	case ENOENT:
	case ENOTDIR:
	case EPERM:
	case EROFS:
		return ERR_INVALID;
	default:
		return ERR_STORAGE;
	}
}
