#include "api/admission_queue.h"

#include <assert.h>

void admission_queue_init(struct admission_queue *queue, double share)
{
	assert(share > 0);
	*queue = (struct admission_queue){ .share = share };
}

bool admission_queue_is_free(const struct admission_queue *queue, int64_t now)
{
	return queue->waiting == 0 && now >= queue->paid_at;
}

static struct admission_turn *find(struct admission_queue *queue, const struct uuid *organization)
{
	for (size_t i = 0; i < queue->turn_count; i++)
		if (uuid_equal(&queue->turns[i].organization, organization))
			return &queue->turns[i];
	return NULL;
}

bool admission_queue_join(struct admission_queue *queue, struct admission_ticket *ticket, int64_t now)
{
	struct admission_turn *turn = find(queue, &ticket->organization);

	if (queue->waiting == ADMISSION_WAITING || (turn != NULL && turn->count == ADMISSION_OF_ORGANIZATION))
		return false;
	if (turn == NULL) {
		/* There are no more turns than tickets. Who comes anew is behind all that are there. */
		turn = &queue->turns[queue->turn_count++];
		*turn = (struct admission_turn){ .organization = ticket->organization, .place = ++queue->places };
	}
	ticket->since = now;
	ticket->next = NULL;
	if (turn->first == NULL)
		turn->first = ticket;
	else
		turn->last->next = ticket;
	turn->last = ticket;
	turn->count++;
	queue->waiting++;
	return true;
}

/* One ticket fewer; an organization of which nobody waits has no turn. */
static void count_out(struct admission_queue *queue, struct admission_turn *turn)
{
	queue->waiting--;
	if (--turn->count == 0)
		*turn = queue->turns[--queue->turn_count];
}

static struct admission_ticket *take_first(struct admission_queue *queue, struct admission_turn *turn)
{
	struct admission_ticket *ticket = turn->first;

	turn->first = ticket->next;
	count_out(queue, turn);
	return ticket;
}

static enum admission_verdict serve(struct admission_queue *queue, struct admission_turn *turn, int64_t now,
				    struct admission_ticket **out)
{
	turn->served_at = now;
	turn->place = ++queue->places;
	*out = take_first(queue, turn);
	return ADMISSION_READ;
}

enum admission_verdict admission_queue_next(struct admission_queue *queue, int64_t now, bool open,
					    struct admission_ticket **out, int64_t *until)
{
	struct admission_turn *next = NULL;
	struct admission_turn *oldest = NULL;

	*out = NULL;
	*until = INT64_MAX;
	for (size_t i = 0; i < queue->turn_count; i++) {
		struct admission_turn *turn = &queue->turns[i];

		if (next == NULL || turn->place < next->place)
			next = turn;
		if (oldest == NULL || turn->first->since < oldest->first->since)
			oldest = turn;
	}
	if (next == NULL)
		return ADMISSION_LATER;
	if (open)
		return serve(queue, next, now, out);
	if (now - oldest->first->since >= ADMISSION_PATIENCE) {
		/* Each organization is served something, whatever the others do; more would be beyond the share. */
		if (oldest->served_at <= oldest->first->since)
			return serve(queue, oldest, now, out);
		*out = take_first(queue, oldest);
		return ADMISSION_REFUSED;
	}
	if (now >= queue->paid_at)
		return serve(queue, next, now, out);
	*until = oldest->first->since + ADMISSION_PATIENCE;
	if (*until > queue->paid_at)
		*until = queue->paid_at;
	return ADMISSION_LATER;
}

void admission_queue_charge(struct admission_queue *queue, int64_t now, int64_t took)
{
	const int64_t cost = took <= 0 ? 0 : (int64_t)((double)took / queue->share);

	if (queue->paid_at < now - ADMISSION_SAVED)
		queue->paid_at = now - ADMISSION_SAVED;
	queue->paid_at += cost;
	if (queue->paid_at > now + ADMISSION_OWED)
		queue->paid_at = now + ADMISSION_OWED;
}

bool admission_queue_withdraw(struct admission_queue *queue, struct admission_ticket *ticket)
{
	struct admission_turn *turn = find(queue, &ticket->organization);
	struct admission_ticket *before = NULL;
	struct admission_ticket *at = turn == NULL ? NULL : turn->first;

	while (at != NULL && at != ticket) {
		before = at;
		at = at->next;
	}
	if (at == NULL)
		return false;
	if (before == NULL)
		turn->first = at->next;
	else
		before->next = at->next;
	if (turn->last == at)
		turn->last = before;
	count_out(queue, turn);
	return true;
}
