#include "store/seal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "store/place.h"

#define MARK_SIZE    8
#define TRAILER_SIZE (MARK_SIZE + crypto_hash_sha256_BYTES)
#define BLOCK_SIZE   65536

/* The first `size` bytes into the hash. A file that became shorter is EIO. */
static int hash_bytes(int fd, int64_t size, crypto_hash_sha256_state *hash)
{
	unsigned char block[BLOCK_SIZE];
	int64_t at = 0;

	while (at < size) {
		const size_t want = size - at < BLOCK_SIZE ? (size_t)(size - at) : BLOCK_SIZE;
		const ssize_t got = pread(fd, block, want, at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0 ? EIO : errno;
		crypto_hash_sha256_update(hash, block, (unsigned long long)got);
		at += got;
	}
	return 0;
}

static void make_trailer(crypto_hash_sha256_state *hash, unsigned char trailer[TRAILER_SIZE])
{
	memcpy(trailer, SEAL_FILE_MARK, MARK_SIZE);
	crypto_hash_sha256_final(hash, trailer + MARK_SIZE);
}

int seal_file_put(int fd, int64_t *bytes, char checksum[SEAL_FILE_CHECKSUM_SIZE])
{
	unsigned char trailer[TRAILER_SIZE];
	unsigned char digest[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state hash;
	crypto_hash_sha256_state whole;
	struct stat file;
	ssize_t put;
	int number;

	crypto_hash_sha256_init(&hash);
	if (fstat(fd, &file) != 0)
		return errno;
	number = hash_bytes(fd, file.st_size, &hash);
	if (number != 0)
		return number;
	whole = hash;
	make_trailer(&hash, trailer);
	crypto_hash_sha256_update(&whole, trailer, sizeof trailer);
	crypto_hash_sha256_final(&whole, digest);
	put = pwrite(fd, trailer, sizeof trailer, file.st_size);
	if (put != (ssize_t)sizeof trailer)
		return put < 0 ? errno : ENOSPC;
	*bytes = file.st_size + (int64_t)sizeof trailer;
	text_hex(digest, sizeof digest, checksum);
	return fsync(fd) == 0 ? 0 : errno;
}

int seal_file_check(int fd, bool *whole)
{
	unsigned char trailer[TRAILER_SIZE];
	unsigned char found[TRAILER_SIZE];
	crypto_hash_sha256_state hash;
	struct stat file;
	ssize_t got;
	int number;

	*whole = false;
	if (fstat(fd, &file) != 0)
		return errno;
	if (file.st_size <= (off_t)sizeof trailer)
		return 0;
	got = pread(fd, found, sizeof found, file.st_size - (off_t)sizeof found);
	if (got != (ssize_t)sizeof found)
		return got < 0 ? errno : EIO;
	crypto_hash_sha256_init(&hash);
	number = hash_bytes(fd, file.st_size - (off_t)sizeof found, &hash);
	if (number != 0)
		return number;
	make_trailer(&hash, trailer);
	*whole = memcmp(found, trailer, sizeof trailer) == 0;
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
