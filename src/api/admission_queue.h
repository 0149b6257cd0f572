/* Admission control of reads, the part without threads: a token bucket of reading time, and who waits for it.
 * Owner: admission.c embeds one and guards it. Tickets belong to whoever waits, until they are handed back.
 * The bucket is kept as one moment, until which what was read is paid for: the generic cell rate algorithm (ITU-T
 * I.371, annex A). Organizations take turns, one read each; within one it is first come, first served.
 * Never reads a clock, and never lets a ticket wait longer than ADMISSION_PATIENCE. Next: admission.h. */
#ifndef INNKEEPER_API_ADMISSION_QUEUE_H
#define INNKEEPER_API_ADMISSION_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"

#define ADMISSION_WAITING         1024    /* tickets; one more is not taken */
#define ADMISSION_OF_ORGANIZATION 128     /* of them */
#define ADMISSION_PATIENCE        2000000 /* microseconds that a ticket waits at most */
#define ADMISSION_SAVED           500000  /* microseconds whose share of reading may be used at once after a rest */
#define ADMISSION_OWED            1000000 /* microseconds of waiting at most, for what one read took too long */

struct admission_ticket {
	struct uuid organization;
	int64_t since;                 /* when it joined */
	struct admission_ticket *next; /* the queue's */
};

/* An organization of which somebody waits. */
struct admission_turn {
	struct uuid organization;
	struct admission_ticket *first;
	struct admission_ticket *last;
	size_t count;
	uint64_t place;    /* the lowest is next */
	int64_t served_at; /* 0: not since it is here */
};

struct admission_queue {
	double share; /* microseconds of reading in a microsecond */
	int64_t paid_at;
	uint64_t places; /* given out so far */
	size_t waiting;
	size_t turn_count;
	struct admission_turn turns[ADMISSION_WAITING];
};

enum admission_verdict {
	ADMISSION_LATER,   /* nobody's turn has come: `until` says when to ask again */
	ADMISSION_READ,    /* it is the ticket's turn */
	ADMISSION_REFUSED, /* the ticket has waited too long, while others of its organization were served */
};

/* `share`: processors' time that reads may take together, above 0; 0.05 is a twentieth of one processor. */
void admission_queue_init(struct admission_queue *queue, double share);

/* Whether a read may begin at once: nobody waits, and what was read is paid for. Times are clock_monotonic's. */
bool admission_queue_is_free(const struct admission_queue *queue, int64_t now);

/* A ticket whose organization is set. False: there is no place, the organization's are taken, or all. */
bool admission_queue_join(struct admission_queue *queue, struct admission_ticket *ticket, int64_t now);

/* Who is next: the ticket is handed back, the caller's again. `open`: the bucket does not count just now. `until`:
 * INT64_MAX when nobody waits. */
enum admission_verdict admission_queue_next(struct admission_queue *queue, int64_t now, bool open,
					    struct admission_ticket **out, int64_t *until);

/* A read has taken so many microseconds of a processor. */
void admission_queue_charge(struct admission_queue *queue, int64_t now, int64_t took);

/* Takes a ticket back that waits; false: it does not (any more). */
bool admission_queue_withdraw(struct admission_queue *queue, struct admission_ticket *ticket);

#endif
