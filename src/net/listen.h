/* The two sockets that the server listens on, made here so that what goes wrong is a sentence.
 * Owner: the caller owns the descriptors; struct listen_control remembers which file on disk is ours.
 * Threads: any; nothing here touches the process's umask or another global.
 * Never takes a control socket away from a server that still answers on it.
 * Next: net/http.c, which hands them to the library. */
#ifndef INNKEEPER_NET_LISTEN_H
#define INNKEEPER_NET_LISTEN_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* A TCP socket on `listen` (as address_parse_listen reads it) and the port it got. ERR_INVALID for what is no address,
 * ERR_UNAVAILABLE for one that cannot be had. The caller closes `fd`. */
enum err listen_tcp(const char *listen, int *fd, uint16_t *port, struct fault *fault) WARN_UNUSED;

struct listen_control {
	const char *path; /* borrowed; NULL: none */
	int fd;           /* the caller closes it */
	dev_t device;
	ino_t inode;
};

/* A Unix socket at `path`, mode 0600 from its first moment. A socket file that nobody answers on is removed first. */
enum err listen_control(const char *path, struct listen_control *out, struct fault *fault) WARN_UNUSED;

/* Removes the file if it is still the one that was made. */
void listen_control_unlink(const struct listen_control *control);

/* No new connections from now on: puts a deaf socket in the place of the listening one, under the same number, in one
 * step, so that a thread which waits on it or accepts from it at this moment meets no closed descriptor. */
void listen_end(int fd);

#endif
