#include "auth/audit.h"

#include <arpa/inet.h>
#include <string.h>

#include "auth/tenant.h"
#include "store/query.h"

#define MEMBERSHIPS_MAX 64

static const char *const actors[] = {
	[AUDIT_NOBODY] = "nobody",
	[AUDIT_USER] = "user",
	[AUDIT_OPERATOR] = "operator",
	[AUDIT_SYSTEM] = "system",
};

/* IPv4 as it is written, although it is kept as IPv6 (RFC 4291, 2.5.5.2). */
static struct text format_address(const struct audit_entry *entry, char out[INET6_ADDRSTRLEN])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const bool four = memcmp(entry->address, mapped, sizeof mapped) == 0;

	if (!entry->from_network || inet_ntop(four ? AF_INET : AF_INET6, entry->address + (four ? sizeof mapped : 0),
					      out, INET6_ADDRSTRLEN) == NULL)
		return (struct text){ 0 };
	return text_of(out);
}

enum err audit_write(struct db *db, const struct audit_entry *entry)
{
	char address[INET6_ADDRSTRLEN];

	return query_run(db, STATEMENT_AUDIT_CREATE,
			 &(struct audit_create_in){ .id = uuid_new_at(entry->at),
						    .now = entry->at,
						    .actor_kind = text_of(actors[entry->actor]),
						    .actor_id = entry->actor_id,
						    .actor_email = entry->actor_email,
						    .action = text_of(entry->action),
						    .target = entry->target,
						    .detail = entry->detail,
						    .address = format_address(entry, address) },
			 NULL);
}

enum err audit_write_for(struct db *db, struct arena *arena, const struct uuid *organization,
			 const struct audit_entry *entry)
{
	const struct scope *scope = tenant_scope(arena, organization);
	enum err err = scope == NULL ? ERR_MEMORY : db_enter(db, scope);
	enum err left;

	if (err != OK)
		return err;
	err = audit_write(db, entry);
	left = db_leave(db, err == OK);
	return err == OK ? left : err;
}

struct failure {
	struct uuid account;
	uint8_t address[16];
	bool from_network;
	int64_t now;
};

static enum err list_organizations(struct db *db, const struct uuid *account, struct uuid out[MEMBERSHIPS_MAX],
				   size_t *count)
{
	struct membership_list_out member;
	enum err err = db_start(db, STATEMENT_MEMBERSHIP_LIST, &(struct membership_list_in){ .account_id = *account });

	*count = 0;
	while (err == OK && *count < MEMBERSHIPS_MAX && (err = db_step(db, STATEMENT_MEMBERSHIP_LIST, &member)) == OK)
		out[(*count)++] = member.organization_id;
	db_stop(db, STATEMENT_MEMBERSHIP_LIST);
	return err == ERR_NOT_FOUND ? OK : err;
}

/* In the system's scope. */
static enum err write_to_all(struct db *db, struct arena *arena, const struct uuid *account,
			     const struct audit_entry *entry)
{
	struct audit_entry own = *entry;
	struct uuid organizations[MEMBERSHIPS_MAX];
	size_t count;
	enum err err = list_organizations(db, account, organizations, &count);

	for (size_t i = 0; err == OK && i < count; i++) {
		struct membership_find_out member;

		err = query_one(
		    db, STATEMENT_MEMBERSHIP_FIND,
		    &(struct membership_find_in){ .account_id = *account, .organization_id = organizations[i] },
		    &member, arena);
		if (err != OK)
			break;
		own.actor_email = member.email;
		if (own.actor == AUDIT_USER)
			own.actor_id = member.user_id;
		err = audit_write_for(db, arena, &organizations[i], &own);
	}
	return err;
}

enum err audit_write_to_all(struct db *db, struct arena *arena, const struct uuid *account,
			    const struct audit_entry *entry)
{
	enum err err = db_enter(db, tenant_system());
	enum err left;

	if (err != OK)
		return err;
	err = write_to_all(db, arena, account, entry);
	left = db_leave(db, err == OK);
	return err == OK ? left : err;
}

/* In the system's scope. */
static enum err write_failure(struct db *db, void *context)
{
	const struct failure *failure = context;
	struct audit_entry entry = { .at = failure->now,
				     .action = "session.refuse",
				     .from_network = failure->from_network };
	struct arena arena;
	enum err err;

	memcpy(entry.address, failure->address, sizeof entry.address);
	arena_init(&arena, (size_t)MEMBERSHIPS_MAX * 1024);
	err = write_to_all(db, &arena, &failure->account, &entry);
	arena_fini(&arena);
	return err;
}

void audit_failed_sign_in(struct writer *writer, const struct uuid *account, const uint8_t address[16],
			  bool from_network, int64_t now)
{
	struct failure failure = { .account = *account, .from_network = from_network, .now = now };

	memcpy(failure.address, address, sizeof failure.address);
	/* Refused when the queue is full; then the log of requests has it alone. */
	if (writer_post(writer, tenant_system(), write_failure, &failure, sizeof failure) != OK)
		return;
}
