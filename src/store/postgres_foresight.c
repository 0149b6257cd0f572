#include "store/postgres_foresight.h"

#include <stdlib.h>
#include <string.h>

#define KEY_SIZE 1024 /* bytes of values; a longer question is asked when it is wanted */

struct postgres_foreseen {
	struct postgres_foreseen *next;
	enum statement_id id;
	struct postgres_answer answer;
	size_t key_size;
	unsigned char key[]; /* the values, as they are sent */
};

/* The bytes that tell two questions of a statement apart; `out` NULL: how many. */
static size_t put_key(const struct postgres_parameters *parameters, unsigned char *out)
{
	size_t size = 0;

	for (int i = 0; i < parameters->count; i++) {
		const int length = parameters->values[i] == NULL ? -1 : parameters->lengths[i];

		if (out != NULL)
			memcpy(out + size, &length, sizeof length);
		size += sizeof length;
		if (out != NULL && length > 0)
			memcpy(out + size, parameters->values[i], (size_t)length);
		size += length > 0 ? (size_t)length : 0;
	}
	return size;
}

/* Where the pointer to it stands; NULL: nowhere. */
static struct postgres_foreseen **find(struct postgres_foresight *foresight, enum statement_id id,
				       const struct postgres_parameters *parameters)
{
	unsigned char key[KEY_SIZE];
	struct postgres_foreseen **at = &foresight->first;
	size_t size;

	if (*at == NULL)
		return NULL;
	size = put_key(parameters, NULL);
	if (size > sizeof key)
		return NULL;
	put_key(parameters, key);
	while (*at != NULL && !((*at)->id == id && (*at)->key_size == size && memcmp((*at)->key, key, size) == 0))
		at = &(*at)->next;
	return *at == NULL ? NULL : at;
}

struct postgres_answer *postgres_foresight_add(struct postgres_foresight *foresight, enum statement_id id,
					       const struct postgres_parameters *parameters)
{
	const size_t size = put_key(parameters, NULL);
	struct postgres_foreseen *foreseen;

	if (size > KEY_SIZE || find(foresight, id, parameters) != NULL)
		return NULL;
	foreseen = malloc(sizeof *foreseen + size);
	if (foreseen == NULL)
		return NULL;
	*foreseen = (struct postgres_foreseen){ .next = foresight->first, .id = id, .key_size = size };
	put_key(parameters, foreseen->key);
	foresight->first = foreseen;
	return &foreseen->answer;
}

bool postgres_foresight_take(struct postgres_foresight *foresight, struct postgres_line *line, enum statement_id id,
			     const struct postgres_parameters *parameters, struct postgres_answer *out)
{
	struct postgres_foreseen **at = find(foresight, id, parameters);
	struct postgres_foreseen *foreseen;

	if (at == NULL)
		return false;
	foreseen = *at;
	*at = foreseen->next;
	postgres_line_wait(line, &foreseen->answer);
	*out = foreseen->answer;
	free(foreseen);
	if (out->err == OK)
		return true;
	PQclear(out->result);
	*out = (struct postgres_answer){ 0 };
	return false;
}

void postgres_foresight_clear(struct postgres_foresight *foresight, struct postgres_line *line)
{
	while (foresight->first != NULL) {
		struct postgres_foreseen *next = foresight->first->next;

		postgres_line_give_up(line, &foresight->first->answer);
		PQclear(foresight->first->answer.result);
		free(foresight->first);
		foresight->first = next;
	}
}
