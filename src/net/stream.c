#include "net/stream.h"

#include <assert.h>

#include "base/clock.h"
#include "net/connection.h"

#define BLOCK ((size_t)16 * 1024) /* bytes asked for at a time on HTTP/1.0; with chunks the library decides */

/* The hand-over between `more`, asked on the connection's thread (left), and stream_wake on any other (right), which
 * may come at any moment: while `more` is still deciding to wait, when it does, or long before.
 *
 *     ASKING --"wait", suspended--> PARKED
 *      |  ^                           |
 *      |  |          stream_wake: wakes the connection
 *      |  +---------------------------+
 *      |  |
 *      |  +------ asked again --------+
 *      |                              |
 *      +--- stream_wake ----------> WOKEN   "wait" said here does not hold: what it would wait for has come
 *
 * Each move is one atomic step. Whoever takes it out of PARKED, and nobody else, resumes the connection: until then the
 * library keeps it, so that it cannot be gone. In ASKING and WOKEN stream_wake leaves the connection alone. */
enum wait { WAIT_ASKING, WAIT_PARKED, WAIT_WOKEN };

void stream_wake(struct connection *connection)
{
	struct MHD_Connection *library = connection->library;
	int seen = atomic_load(&connection->wait);

	while (seen != WAIT_WOKEN) {
		const int next = seen == WAIT_PARKED ? WAIT_ASKING : WAIT_WOKEN;

		if (!atomic_compare_exchange_weak(&connection->wait, &seen, next))
			continue;
		if (next == WAIT_ASKING)
			MHD_resume_connection(library);
		return;
	}
}

/* False: it was woken meanwhile, or nobody will wake it any more. Parked first, then the question whether the server
 * drains, as http_drain does it the other way round: one of the two sees the other. */
static bool park(struct connection *connection)
{
	int expected = WAIT_ASKING;

	/* A client that waits may be as silent as it likes. */
	if (!deadline_busy(&connection->deadline, DEADLINE_NEVER))
		return false;
	MHD_suspend_connection(connection->library);
	if (!atomic_compare_exchange_strong(&connection->wait, &expected, WAIT_PARKED))
		MHD_resume_connection(connection->library);
	else if (atomic_load(&connection->shared->draining))
		stream_wake(connection);
	return true;
}

/* Ends the connection in the middle of the body. An error told to the library right behind a resume would leave it with
 * a closed connection that it never clears away (0.9.75 with epoll); a socket that is shut down it meets at its next
 * write, so it is given something to write, which goes nowhere. */
static ssize_t cut(struct connection *connection, char *into)
{
	deadline_cut(&connection->deadline);
	into[0] = ' ';
	return 1;
}

/* The library's content reader. 0 is for a connection that was suspended: it asks again when it is resumed. */
static ssize_t read_more(void *argument, uint64_t position, char *into, size_t room)
{
	struct connection *connection = argument;
	struct http_request *request = &connection->request;
	struct http_piece piece = { .at = into, .room = room };
	const int64_t until = clock_monotonic() + CONNECTION_SEND_TIMEOUT * CONNECTION_SECOND;

	(void)position;
	if (!deadline_busy(&connection->deadline, until))
		return cut(connection, into);
	atomic_store(&connection->wait, WAIT_ASKING);
	piece.draining = atomic_load(&connection->shared->draining);
	switch (request->reply.more(request, &piece)) {
	case HTTP_MORE:
		assert(piece.length > 0 && piece.length <= room);
		return (ssize_t)piece.length;
	case HTTP_MORE_LATER:
		return !piece.draining && park(connection) ? 0 : cut(connection, into);
	case HTTP_MORE_ENDED:
		return MHD_CONTENT_READER_END_OF_STREAM;
	default:
		return cut(connection, into);
	}
}

struct MHD_Response *stream_response(struct connection *connection)
{
	struct MHD_Response *response;

	atomic_store(&connection->wait, WAIT_ASKING);
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_more, connection, NULL);
	/* The library would put the last chunk of a body behind the head that is all of the answer to HEAD. */
	if (response && text_equal(connection->request.method, TEXT("HEAD")) &&
	    MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END) != MHD_YES) {
		MHD_destroy_response(response);
		return NULL;
	}
	return response;
}
