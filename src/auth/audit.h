/* The record of who did what: sign-ins, failures, changes of keys, users and settings, deletions, exports.
 * Owner: called inside the writer's transaction, in the scope of the organization whose record it is.
 * It is written in the transaction of what it records: the one is never there without the other.
 * Never holds a secret or what somebody said; a person is named by an id, an actor also by the e-mail they had.
 * Next: api/dispatch.c, which writes it for every route that says so. */
#ifndef INNKEEPER_AUTH_AUDIT_H
#define INNKEEPER_AUTH_AUDIT_H

#include "base/arena.h"
#include "store/readers.h"
#include "store/writer.h"

enum audit_actor {
	AUDIT_NOBODY,   /* not signed in: a failed sign-in */
	AUDIT_USER,     /* a member */
	AUDIT_OPERATOR, /* through the command line */
	AUDIT_SYSTEM,   /* a job */
};

struct audit_entry {
	int64_t at; /* ms */
	enum audit_actor actor;
	struct uuid actor_id; /* of AUDIT_USER: the membership */
	struct text actor_email;
	const char *action; /* "key.create" */
	struct text target; /* id of what it was done to, or absent */
	struct text detail; /* JSON, or absent */
	uint8_t address[16];
	bool from_network; /* `address` is meant */
};

/* In the organization's scope, entered. */
enum err audit_write(struct db *db, const struct audit_entry *entry) WARN_UNUSED;

/* The same in a scope that is entered for it. */
enum err audit_write_for(struct db *db, struct arena *arena, const struct uuid *organization,
			 const struct audit_entry *entry) WARN_UNUSED;

/* What concerns the account wherever it goes, told to every organization it belongs to: there the actor is its
 * membership and e-mail. In any scope of a writer's transaction. */
enum err audit_write_to_all(struct db *db, struct arena *arena, const struct uuid *account,
			    const struct audit_entry *entry) WARN_UNUSED;

/* A failed sign-in to the account, told to every organization it belongs to. Not waited for: the answer must not take
 * longer for an account that exists. */
void audit_failed_sign_in(struct writer *writer, const struct uuid *account, const uint8_t address[16],
			  bool from_network, int64_t now);

#endif
