/* Failed credentials, by address and by account: who guesses is told to wait.
 * Owner: the server. Any thread; one lock.
 * Keys and tokens cannot be guessed: an address has so many failures a minute, and a good one is never held back.
 * Passwords can: each failure makes the next attempt wait longer, for the address and for the account.
 * Never grows: a fixed table; when a part of it is full, who failed longest ago gives way. Next: api/credential.c,
 * api/sign_in.c. */
#ifndef INNKEEPER_AUTH_ATTEMPTS_H
#define INNKEEPER_AUTH_ATTEMPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/bucket.h"
#include "base/err.h"
#include "base/text.h"

struct attempts;

/* `per_minute` failures of an address are answered as such; 0: no limit. */
enum err attempts_new(struct attempts **out, int64_t per_minute) WARN_UNUSED;
void attempts_free(struct attempts *attempts);

/* One more failure of the address; `allowed` false: it is one too many. */
struct bucket_state attempts_fail(struct attempts *attempts, const uint8_t address[16]);

/* One more question that another server must answer (a sign-in through a provider); as many a minute as failures, and
 * counted beside them. */
struct bucket_state attempts_ask(struct attempts *attempts, const uint8_t address[16]);

/* What takes long to compute waits in one queue for all: an address has ATTEMPTS_AT_ONCE places in it. False: it has
 * them already. True: attempts_leave once it is done. */
#define ATTEMPTS_AT_ONCE 16
bool attempts_enter(struct attempts *attempts, const uint8_t address[16]);
void attempts_leave(struct attempts *attempts, const uint8_t address[16]);

/* Who guesses at passwords: an address, or an account by its e-mail (known here or not: the wait must not tell). */
struct attempt_subject {
	uint8_t bytes[16];
	bool account;
};
struct attempt_subject attempt_of_address(const uint8_t address[16]);
struct attempt_subject attempt_of_account(struct text email);

/* Seconds until the subject may try again; 0: now. */
int64_t attempts_wait(struct attempts *attempts, const struct attempt_subject *subject);

/* A wrong password. Some are free, then the wait doubles from a second up to a minute for an account (so that nobody
 * can lock its owner out for long) and a quarter of an hour for an address. */
void attempts_wrong(struct attempts *attempts, const struct attempt_subject *subject);

/* The account's owner has come: its failures are forgotten. False: there were none. */
bool attempts_right(struct attempts *attempts, const struct attempt_subject *subject);

#endif
