#include "base/log_buffer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_BYTES     65536
#define WAIT_NANOSECONDS 200000000L
#define SECOND           1000000000L

struct log_buffer {
	int fd;
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows, and is held while writing: lines keep their order */
	pthread_cond_t filled;
	pthread_cond_t stop;
	bool stopping;
	size_t length;
	char bytes[BUFFER_BYTES];
};

/* Under the lock. What cannot be written has nowhere to be reported. */
static void write_out(struct log_buffer *buffer)
{
	size_t done = 0;

	while (done < buffer->length) {
		const ssize_t written = write(buffer->fd, buffer->bytes + done, buffer->length - done);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			break;
		done += (size_t)written;
	}
	buffer->length = 0;
}

/* Under the lock: until the wait is over or the end has come. */
static void wait_a_little(struct log_buffer *buffer)
{
	struct timespec until;
	int late = 0;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += WAIT_NANOSECONDS;
	if (until.tv_nsec >= SECOND) {
		until.tv_sec++;
		until.tv_nsec -= SECOND;
	}
	while (!buffer->stopping && late == 0)
		late = pthread_cond_timedwait(&buffer->stop, &buffer->lock, &until);
}

static void *work(void *given)
{
	struct log_buffer *buffer = given;

	pthread_setname_np(pthread_self(), "log");
	pthread_mutex_lock(&buffer->lock);
	while (!buffer->stopping) {
		if (buffer->length == 0) {
			pthread_cond_wait(&buffer->filled, &buffer->lock);
			continue;
		}
		wait_a_little(buffer);
		write_out(buffer);
	}
	write_out(buffer);
	pthread_mutex_unlock(&buffer->lock);
	return NULL;
}

enum err log_buffer_start(struct log_buffer **out, int fd)
{
	struct log_buffer *buffer = malloc(sizeof *buffer);
	pthread_condattr_t monotonic;

	*out = NULL;
	if (buffer == NULL)
		return ERR_MEMORY;
	buffer->fd = fd;
	buffer->stopping = false;
	buffer->length = 0;
	pthread_mutex_init(&buffer->lock, NULL);
	pthread_cond_init(&buffer->filled, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&buffer->stop, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (pthread_create(&buffer->thread, NULL, work, buffer) != 0) {
		pthread_cond_destroy(&buffer->stop);
		pthread_cond_destroy(&buffer->filled);
		pthread_mutex_destroy(&buffer->lock);
		free(buffer);
		return ERR_MEMORY;
	}
	*out = buffer;
	return OK;
}

void log_buffer_add(struct log_buffer *buffer, const char *line, size_t length, bool now)
{
	bool first;

	pthread_mutex_lock(&buffer->lock);
	if (length > sizeof buffer->bytes - buffer->length)
		write_out(buffer);
	first = buffer->length == 0;
	memcpy(buffer->bytes + buffer->length, line, length);
	buffer->length += length;
	if (now)
		write_out(buffer);
	pthread_mutex_unlock(&buffer->lock);
	if (first && !now)
		pthread_cond_signal(&buffer->filled);
}

void log_buffer_flush(struct log_buffer *buffer)
{
	pthread_mutex_lock(&buffer->lock);
	write_out(buffer);
	pthread_mutex_unlock(&buffer->lock);
}

void log_buffer_stop(struct log_buffer *buffer)
{
	if (buffer == NULL)
		return;
	pthread_mutex_lock(&buffer->lock);
	buffer->stopping = true;
	pthread_mutex_unlock(&buffer->lock);
	pthread_cond_signal(&buffer->filled);
	pthread_cond_signal(&buffer->stop);
	pthread_join(buffer->thread, NULL);
	pthread_cond_destroy(&buffer->stop);
	pthread_cond_destroy(&buffer->filled);
	pthread_mutex_destroy(&buffer->lock);
	free(buffer);
}
