#include "auth/adopting.h"

#include "auth/system_query.h"
#include "auth/tenant.h"
#include "store/query.h"

#define MEMORY 4096

struct adoption {
	const struct scope *scope;
	struct api_key_create_in key;
};

/* On the first lane, as everything of the system's: two at once are one after the other. */
static enum err adopt(struct db *db, void *context)
{
	const struct adoption *adoption = context;
	struct api_key_owner_out owner;
	struct arena arena;
	enum err err;

	arena_init(&arena, MEMORY);
	err = query_one(db, STATEMENT_API_KEY_OWNER, &(struct api_key_owner_in){ .hash = adoption->key.hash }, &owner,
			&arena);
	arena_fini(&arena);
	if (err == OK)
		return uuid_equal(&owner.organization_id, scope_organization(adoption->scope)) ? ERR_CONFLICT
											       : ERR_FORBIDDEN;
	return err == ERR_NOT_FOUND ? tenant_run(db, adoption->scope, STATEMENT_API_KEY_CREATE, &adoption->key, NULL)
				    : err;
}

enum err adopting_key(struct writer *writer, const struct scope *scope, struct text key, int64_t now)
{
	char hash[API_KEY_HASH_SIZE];
	char masked[API_KEY_MASKED_SIZE];
	struct adoption adoption = { .scope = scope,
				     .key = { .id = uuid_new(), .name = TEXT("of the older system"), .now = now } };

	api_key_hash(key, hash);
	api_key_mask(key, masked);
	adoption.key.hash = text_of(hash);
	adoption.key.masked = text_of(masked);
	return writer_perform(writer, tenant_system(), adopt, &adoption);
}
