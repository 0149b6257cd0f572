#include "net/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/address.h"

#define BACKLOG 1024

static const char *reason(int error)
{
	switch (error) {
	case EADDRINUSE:
		return "the address is in use";
	case EADDRNOTAVAIL:
		return "this machine has no such address";
	case EACCES:
		return "there is no permission for it";
	case ENOENT:
		return "the directory does not exist";
	default:
		return strerrordesc_np(error);
	}
}

enum err listen_tcp(const char *listen_on, int *fd, uint16_t *port, struct fault *fault)
{
	struct sockaddr_storage address;
	socklen_t length;
	int on = 1;
	int off = 0;
	enum err err = address_parse_listen(listen_on, &address, &length, fault);

	*fd = -1;
	if (err)
		return err;
	int made = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (made < 0 || setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
	    (address.ss_family == AF_INET6 && setsockopt(made, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off)) ||
	    bind(made, (struct sockaddr *)&address, length) || listen(made, BACKLOG) ||
	    getsockname(made, (struct sockaddr *)&address, &length)) {
		int error = errno;

		if (made >= 0)
			(void)close(made);
		return fault_set(fault, ERR_UNAVAILABLE, NULL, "listen", "Cannot listen on %s: %s.", listen_on,
				 reason(error));
	}
	/* The port stands at the same place in both families. */
	*port = ntohs(((struct sockaddr_in *)&address)->sin_port);
	*fd = made;
	return OK;
}

static bool answers(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return true;
	/* A full backlog (EAGAIN) is a server too. */
	bool yes = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN;

	(void)close(fd);
	return yes;
}

/* Makes way for a new socket file; anything but a dead socket is left where it is. */
static enum err clear_way(const struct sockaddr_un *address, struct fault *fault)
{
	struct stat found;

	if (lstat(address->sun_path, &found) != 0)
		return OK; /* if that is not for its absence, bind will say so */
	if (!S_ISSOCK(found.st_mode))
		return fault_set(fault, ERR_UNAVAILABLE, NULL, "control_path",
				 "Cannot listen on %s: there is a file that is not a socket.", address->sun_path);
	if (answers(address))
		return fault_set(fault, ERR_UNAVAILABLE, NULL, "control_path",
				 "Cannot listen on %s: another server answers there.", address->sun_path);
	(void)unlink(address->sun_path);
	return OK;
}

enum err listen_control(const char *path, struct listen_control *out, struct fault *fault)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat made;
	size_t length = strlen(path);

	*out = (struct listen_control){ .fd = -1 };
	if (length >= sizeof address.sun_path)
		return fault_set(fault, ERR_INVALID, NULL, "control_path",
				 "The path of the control socket is longer than %zu bytes.",
				 sizeof address.sun_path - 1);
	memcpy(address.sun_path, path, length);
	enum err err = clear_way(&address, fault);

	if (err)
		return err;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	/* Linux gives the file the mode of the unbound socket: 0600 without a moment of anything else, and without the
	 * umask, which belongs to all threads. */
	if (fd < 0 || fchmod(fd, S_IRUSR | S_IWUSR) || bind(fd, (struct sockaddr *)&address, sizeof address) ||
	    listen(fd, BACKLOG) || lstat(path, &made)) {
		int error = errno;

		if (fd >= 0)
			(void)close(fd);
		return fault_set(fault, ERR_UNAVAILABLE, NULL, "control_path", "Cannot listen on %s: %s.", path,
				 reason(error));
	}
	*out = (struct listen_control){ .path = path, .fd = fd, .device = made.st_dev, .inode = made.st_ino };
	return OK;
}

void listen_control_unlink(const struct listen_control *control)
{
	struct stat found;

	if (control->path && lstat(control->path, &found) == 0 && found.st_dev == control->device &&
	    found.st_ino == control->inode)
		(void)unlink(control->path);
}

void listen_end(int fd)
{
	int deaf = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (deaf < 0) {
		(void)shutdown(fd, SHUT_RDWR); /* no descriptor is left: the next best */
		return;
	}
	(void)dup3(deaf, fd, O_CLOEXEC);
	(void)close(deaf);
}
