#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "auth/oidc_entry.h"
#include "auth/tenant.h"
#include "fixture.h"

/* The house of these tests: organizations a and b, active; s, suspended. A person p of the provider. */
#define NOW   1000
#define LATER 2000

struct house {
	struct fixture fixture;
	sqlite3 *plain;
	struct db *db;
	struct oidc_entry entry;
};

static int open_house(void **state)
{
	struct house *house = test_calloc(1, sizeof *house);

	fixture_open(&house->fixture);
	house->plain = fixture_plain(&house->fixture);
	house->db = fixture_db(&house->fixture, DB_WRITE);
	(void)fixture_organization(&house->fixture, 'a');
	(void)fixture_organization(&house->fixture, 'b');
	(void)fixture_organization(&house->fixture, 's');
	fixture_run(house->plain, "UPDATE organizations SET status = 'suspended' WHERE slug = 's'");
	*state = house;
	return 0;
}

static int close_house(void **state)
{
	struct house *house = *state;

	db_close(house->db);
	assert_int_equal(sqlite3_close(house->plain), SQLITE_OK);
	fixture_close(&house->fixture);
	test_free(house);
	return 0;
}

static void run(struct house *house, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void run(struct house *house, const char *format, ...)
{
	char sql[1024];
	va_list arguments;

	va_start(arguments, format);
	assert_in_range(vsnprintf(sql, sizeof sql, format, arguments), 1, sizeof sql - 1);
	va_end(arguments);
	fixture_run(house->plain, sql);
}

static int64_t number(struct house *house, const char *sql)
{
	return fixture_number(house->plain, sql);
}

/* An account named by a letter, with an e-mail and, unless NULL, a password. */
static void add_account(struct house *house, char letter, const char *email, const char *hash)
{
	char quoted[64] = "NULL";

	if (hash != NULL)
		snprintf(quoted, sizeof quoted, "'%s'", hash);
	run(house,
	    "INSERT INTO accounts (id, email, password_hash, created_at, updated_at) "
	    "VALUES (CAST(printf('%%.16c', '%c') AS BLOB), '%s', %s, 1, 1)",
	    letter, email, quoted);
}

/* A member, or whoever `role` says, of an organization, with an account unless '\0'. Its id is `user`'s letter. */
static void add_user(struct house *house, char organization, char user, char account, const char *email,
		     const char *role)
{
	run(house,
	    "INSERT INTO users (organization_id, id, account_id, email, role, created_at, updated_at) "
	    "VALUES (CAST(printf('%%.16c', '%c') AS BLOB), CAST(printf('%%.16c', '%c') AS BLOB), "
	    "nullif(CAST(printf('%%.16c', '%c') AS BLOB), CAST(printf('%%.16c', '-') AS BLOB)), '%s', '%s', 1, 1)",
	    organization, user, account == '\0' ? '-' : account, email, role);
}

static void invite(struct house *house, char organization, char user, const char *email, int64_t expires_at)
{
	add_user(house, organization, user, '\0', email, "Member");
	run(house,
	    "INSERT INTO invitations (organization_id, user_id, hash, created_at, expires_at) "
	    "VALUES (CAST(printf('%%.16c', '%c') AS BLOB), CAST(printf('%%.16c', '%c') AS BLOB), 'hash %c%c', 1, %lld)",
	    organization, user, organization, user, (long long)expires_at);
}

static void add_session(struct house *house, char account, char organization)
{
	run(house,
	    "INSERT INTO sessions (hash, account_id, entered_organization_id, created_at, expires_at) "
	    "VALUES ('session %c%c', CAST(printf('%%.16c', '%c') AS BLOB), CAST(printf('%%.16c', '%c') AS BLOB), 1, "
	    "%d)",
	    account, organization, account, organization, LATER);
}

static void link_to(struct house *house, const char *issuer, const char *subject, char account)
{
	run(house,
	    "INSERT INTO identities (issuer, subject, account_id, created_at) "
	    "VALUES ('%s', '%s', CAST(printf('%%.16c', '%c') AS BLOB), 1)",
	    issuer, subject, account);
}

/* As the handler does it: inside one item of the writer, in the system's scope; a failure undoes everything. */
static enum err enter(struct house *house, const char *subject, const char *email, bool open)
{
	const uint8_t address[16] = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 7 };
	const struct oidc_person person = { .issuer = TEXT("https://id.example"),
					    .subject = text_of(subject),
					    .email = text_of(email),
					    .name = TEXT("Pia") };
	const struct oidc_visit visit = { .person = &person, .open = open, .now = NOW, .address = address };
	enum err err;

	assert_int_equal(db_begin(house->db), OK);
	assert_int_equal(db_enter(house->db, tenant_system()), OK);
	err = oidc_enter(house->db, &house->fixture.arena, &visit, &house->entry);
	assert_int_equal(db_leave(house->db, err == OK), OK);
	assert_int_equal(db_end(house->db, true), OK);
	return err;
}

static bool is(const struct uuid *id, char letter)
{
	const struct uuid expected = fixture_id(letter);

	return uuid_equal(id, &expected);
}

static void assert_nothing_of_them(struct house *house, const char *email)
{
	char sql[160];

	snprintf(sql, sizeof sql,
		 "SELECT (SELECT count(*) FROM accounts WHERE email = '%s') + (SELECT count(*) FROM identities) "
		 "+ (SELECT count(*) FROM audit_log)",
		 email);
	assert_int_equal(number(house, sql), 0);
}

static void who_is_invited_gets_an_account_and_every_organization_that_waits(void **state)
{
	struct house *house = *state;

	invite(house, 'a', '1', "p@x.example", LATER);
	invite(house, 'b', '2', "p@x.example", LATER);
	invite(house, 'a', '3', "other@x.example", LATER);
	assert_int_equal(enter(house, "p", "p@x.example", false), OK);
	assert_true(house->entry.linked);
	assert_true(is(&house->entry.organization, 'a') || is(&house->entry.organization, 'b'));
	assert_int_equal(number(house, "SELECT count(*) FROM users AS u JOIN accounts AS a ON a.id = u.account_id "
				       "WHERE a.email = 'p@x.example' AND a.password_hash IS NULL AND u.name = 'Pia'"),
			 2);
	assert_int_equal(number(house, "SELECT count(*) FROM invitations"), 1);
	assert_int_equal(number(house, "SELECT count(*) FROM users WHERE account_id IS NULL"), 1);
	assert_int_equal(number(house, "SELECT count(*) FROM identities AS i JOIN accounts AS a ON a.id = i.account_id "
				       "WHERE i.issuer = 'https://id.example' AND i.subject = 'p'"),
			 1);
}

static void each_invitation_accepted_is_in_the_record_of_its_own_organization(void **state)
{
	struct house *house = *state;

	invite(house, 'a', '1', "p@x.example", LATER);
	invite(house, 'b', '2', "p@x.example", LATER);
	assert_int_equal(enter(house, "p", "p@x.example", false), OK);
	assert_int_equal(number(house, "SELECT count(*) FROM audit_log"), 2);
	assert_int_equal(
	    number(house,
		   "SELECT count(*) FROM audit_log AS l JOIN users AS u ON u.organization_id = l.organization_id "
		   "AND u.id = l.actor_id WHERE l.action = 'invitation.accept' AND l.actor_kind = 'user' "
		   "AND l.actor_email = 'p@x.example' AND l.address = '192.0.2.7' AND l.created_at = 1000"),
	    2);
}

static void who_is_known_is_recognised_by_issuer_and_subject_alone(void **state)
{
	struct house *house = *state;

	add_account(house, 'p', "p@x.example", NULL);
	add_user(house, 'a', '1', 'p', "p@x.example", "Creator");
	link_to(house, "https://id.example", "p", 'p');
	for (size_t i = 0; i < 3; i++) {
		const char *const emails[] = { "p@x.example", "married@x.example", NULL };

		assert_int_equal(enter(house, "p", emails[i], false), OK);
		assert_true(is(&house->entry.account, 'p'));
		assert_true(is(&house->entry.organization, 'a'));
		assert_false(house->entry.linked);
	}
	assert_int_equal(number(house, "SELECT count(*) FROM accounts"), 1);
	assert_int_equal(number(house, "SELECT count(*) FROM identities"), 1);
}

static void the_same_subject_of_another_issuer_is_somebody_else(void **state)
{
	struct house *house = *state;

	add_account(house, 'p', "p@x.example", NULL);
	add_user(house, 'a', '1', 'p', "p@x.example", "Admin");
	link_to(house, "https://other.example", "q", 'p');
	assert_int_equal(enter(house, "q", "q@x.example", false), ERR_FORBIDDEN);
	assert_true(uuid_is_nil(&house->entry.account));
}

static void who_is_known_opens_no_invitation_by_the_e_mail_they_have_now(void **state)
{
	struct house *house = *state;

	add_account(house, 'p', "p@x.example", NULL);
	add_user(house, 'a', '1', 'p', "p@x.example", "Member");
	link_to(house, "https://id.example", "p", 'p');
	invite(house, 'b', '2', "victim@x.example", LATER);
	assert_int_equal(enter(house, "p", "victim@x.example", true), OK);
	assert_true(is(&house->entry.organization, 'a'));
	assert_int_equal(number(house, "SELECT count(*) FROM invitations"), 1);
	assert_int_equal(
	    number(house, "SELECT count(*) FROM users WHERE email = 'victim@x.example' AND account_id IS NULL"), 1);
}

static void an_e_mail_that_is_not_verified_opens_nothing(void **state)
{
	struct house *house = *state;

	invite(house, 'a', '1', "p@x.example", LATER);
	assert_int_equal(enter(house, "p", NULL, false), ERR_UNAUTHORIZED);
	assert_int_equal(enter(house, "p", NULL, true), ERR_UNAUTHORIZED);
	assert_true(uuid_is_nil(&house->entry.account));
	assert_nothing_of_them(house, "p@x.example");
	assert_int_equal(number(house, "SELECT count(*) FROM organizations"), 3);
}

static void who_nobody_invited_stays_outside(void **state)
{
	struct house *house = *state;

	invite(house, 'a', '1', "other@x.example", LATER);
	assert_int_equal(enter(house, "p", "p@x.example", false), ERR_FORBIDDEN);
	assert_true(uuid_is_nil(&house->entry.account));
	assert_nothing_of_them(house, "p@x.example");
}

static void an_invitation_that_expired_or_is_a_suspended_organizations_is_none(void **state)
{
	struct house *house = *state;

	invite(house, 'a', '1', "p@x.example", NOW);
	invite(house, 's', '2', "p@x.example", LATER);
	assert_int_equal(enter(house, "p", "p@x.example", false), ERR_FORBIDDEN);
	assert_nothing_of_them(house, "p@x.example");
	assert_int_equal(number(house, "SELECT count(*) FROM invitations"), 2);
}

static void a_contact_with_the_same_e_mail_stays_one(void **state)
{
	struct house *house = *state;

	add_user(house, 'a', '1', '\0', "p@x.example", "Visitor");
	assert_int_equal(enter(house, "p", "p@x.example", false), ERR_FORBIDDEN);
	invite(house, 'b', '2', "p@x.example", LATER);
	/* Not even a link that was left over from before they were demoted makes a member. */
	run(house, "INSERT INTO invitations (organization_id, user_id, hash, created_at, expires_at) SELECT "
		   "organization_id, id, 'left', 1, 2000 FROM users WHERE role = 'Visitor'");
	assert_int_equal(enter(house, "p", "p@x.example", false), OK);
	assert_true(is(&house->entry.organization, 'b'));
	assert_int_equal(number(house, "SELECT count(*) FROM users WHERE role = 'Visitor' AND account_id IS NULL"), 1);
	assert_int_equal(number(house, "SELECT count(*) FROM invitations WHERE hash = 'left'"), 1);
}

static void an_account_is_taken_over_without_its_password_and_its_sessions(void **state)
{
	struct house *house = *state;

	add_account(house, 'p', "p@x.example", "squatted");
	add_account(house, 'q', "q@x.example", "theirs");
	add_user(house, 'a', '1', 'p', "p@x.example", "Member");
	add_user(house, 'a', '2', 'q', "q@x.example", "Member");
	add_session(house, 'p', 'a');
	add_session(house, 'p', 'b');
	add_session(house, 'q', 'a');
	assert_int_equal(enter(house, "p", "p@x.example", false), OK);
	assert_true(is(&house->entry.account, 'p'));
	assert_true(house->entry.linked);
	assert_int_equal(number(house,
				"SELECT count(*) FROM accounts WHERE password_hash IS NULL AND updated_at = 1000 "
				"AND email = 'p@x.example'"),
			 1);
	assert_int_equal(number(house, "SELECT count(*) FROM accounts WHERE password_hash = 'theirs'"), 1);
	assert_int_equal(number(house, "SELECT count(*) FROM sessions"), 1);
	assert_int_equal(number(house, "SELECT count(*) FROM sessions WHERE hash = 'session qa'"), 1);
}

static void an_account_without_a_password_is_taken_over_and_what_waits_for_it_too(void **state)
{
	struct house *house = *state;

	add_account(house, 'p', "p@x.example", NULL);
	link_to(house, "https://other.example", "x", 'p');
	add_user(house, 'a', '1', 'p', "p@x.example", "Member");
	invite(house, 'b', '2', "p@x.example", LATER);
	assert_int_equal(enter(house, "p", "p@x.example", false), OK);
	assert_true(is(&house->entry.account, 'p'));
	assert_int_equal(number(house, "SELECT count(*) FROM users WHERE account_id IS NOT NULL"), 2);
	assert_int_equal(number(house, "SELECT count(*) FROM identities"), 2);
}

static void an_account_that_another_identity_has_is_refused_and_named(void **state)
{
	struct house *house = *state;

	add_account(house, 'p', "p@x.example", "hash");
	add_user(house, 'a', '1', 'p', "p@x.example", "Admin");
	add_session(house, 'p', 'a');
	link_to(house, "https://id.example", "p", 'p');
	invite(house, 'b', '2', "p@x.example", LATER);
	assert_int_equal(enter(house, "impostor", "p@x.example", true), ERR_FORBIDDEN);
	assert_true(is(&house->entry.account, 'p'));
	assert_false(house->entry.linked);
	assert_int_equal(number(house, "SELECT count(*) FROM identities"), 1);
	assert_int_equal(number(house, "SELECT count(*) FROM accounts WHERE password_hash = 'hash'"), 1);
	assert_int_equal(number(house, "SELECT count(*) FROM sessions"), 1);
	assert_int_equal(number(house, "SELECT count(*) FROM invitations"), 1);
}

static void who_comes_uninvited_founds_an_organization_where_that_is_open(void **state)
{
	struct house *house = *state;

	assert_int_equal(enter(house, "p", "p@x.example", true), OK);
	assert_true(house->entry.linked);
	assert_int_equal(
	    number(house, "SELECT count(*) FROM organizations AS o JOIN users AS u ON u.organization_id = o.id "
			  "JOIN api_keys AS k ON k.organization_id = o.id WHERE o.slug = 'pia' AND "
			  "o.organization_name = 'Pia' AND u.role = 'Admin' AND u.provider = 'oidc' AND u.account_id "
			  "IS NOT NULL AND k.revoked_at IS NULL"),
	    1);
	assert_int_equal(number(house, "SELECT count(*) FROM organizations"), 4);
	/* The second time it is there already. */
	assert_int_equal(enter(house, "p", "p@x.example", true), OK);
	assert_false(house->entry.linked);
	assert_int_equal(number(house, "SELECT count(*) FROM organizations"), 4);
}

static void who_is_invited_founds_nothing(void **state)
{
	struct house *house = *state;

	invite(house, 'b', '1', "p@x.example", LATER);
	assert_int_equal(enter(house, "p", "p@x.example", true), OK);
	assert_true(is(&house->entry.organization, 'b'));
	assert_int_equal(number(house, "SELECT count(*) FROM organizations"), 3);
	assert_int_equal(number(house, "SELECT count(*) FROM users WHERE role = 'Admin'"), 0);
}

static void who_has_been_removed_everywhere_stays_outside_and_is_not_linked(void **state)
{
	struct house *house = *state;

	add_account(house, 'p', "p@x.example", NULL);
	link_to(house, "https://id.example", "p", 'p');
	assert_int_equal(enter(house, "p", "p@x.example", false), ERR_FORBIDDEN);
	add_account(house, 'q', "q@x.example", "hash");
	add_user(house, 's', '1', 'q', "q@x.example", "Admin");
	assert_int_equal(enter(house, "q", "q@x.example", false), ERR_FORBIDDEN);
	assert_int_equal(number(house, "SELECT count(*) FROM identities"), 1);
	assert_int_equal(number(house, "SELECT count(*) FROM accounts WHERE password_hash = 'hash'"), 1);
}

/* An organization invites an e-mail to which somebody of it has another account already: they are two, and stay so. */
static void an_invitation_to_where_the_account_belongs_already_stays_as_it_is(void **state)
{
	struct house *house = *state;

	add_account(house, 'p', "p@x.example", NULL);
	add_user(house, 'a', '1', 'p', "old@x.example", "Member");
	invite(house, 'a', '2', "p@x.example", LATER);
	assert_int_equal(enter(house, "p", "p@x.example", false), OK);
	assert_int_equal(number(house, "SELECT count(*) FROM users WHERE account_id IS NOT NULL"), 1);
	assert_int_equal(number(house, "SELECT count(*) FROM invitations"), 1);
}

static void the_organization_used_last_is_entered(void **state)
{
	struct house *house = *state;

	add_account(house, 'p', "p@x.example", NULL);
	add_user(house, 'a', '1', 'p', "p@x.example", "Member");
	add_user(house, 'b', '2', 'p', "p@x.example", "Member");
	link_to(house, "https://id.example", "p", 'p');
	run(house, "UPDATE users SET last_sign_in_at = 5 WHERE organization_id = X'%s'",
	    "62626262626262626262626262626262");
	assert_int_equal(enter(house, "p", NULL, false), OK);
	assert_true(is(&house->entry.organization, 'b'));
}

static void without_memory_nobody_comes_in_and_nothing_stays(void **state)
{
	struct house *house = *state;
	struct arena whole = house->fixture.arena;

	invite(house, 'a', '1', "p@x.example", LATER);
	arena_init(&house->fixture.arena, 1);
	assert_int_equal(enter(house, "p", "p@x.example", false), ERR_MEMORY);
	arena_fini(&house->fixture.arena);
	house->fixture.arena = whole;
	assert_nothing_of_them(house, "p@x.example");
	assert_int_equal(number(house, "SELECT count(*) FROM invitations"), 1);
}

#define HOUSE(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOUSE(who_is_invited_gets_an_account_and_every_organization_that_waits),
		HOUSE(each_invitation_accepted_is_in_the_record_of_its_own_organization),
		HOUSE(who_is_known_is_recognised_by_issuer_and_subject_alone),
		HOUSE(the_same_subject_of_another_issuer_is_somebody_else),
		HOUSE(who_is_known_opens_no_invitation_by_the_e_mail_they_have_now),
		HOUSE(an_e_mail_that_is_not_verified_opens_nothing),
		HOUSE(who_nobody_invited_stays_outside),
		HOUSE(an_invitation_that_expired_or_is_a_suspended_organizations_is_none),
		HOUSE(a_contact_with_the_same_e_mail_stays_one),
		HOUSE(an_account_is_taken_over_without_its_password_and_its_sessions),
		HOUSE(an_account_without_a_password_is_taken_over_and_what_waits_for_it_too),
		HOUSE(an_account_that_another_identity_has_is_refused_and_named),
		HOUSE(who_comes_uninvited_founds_an_organization_where_that_is_open),
		HOUSE(who_is_invited_founds_nothing),
		HOUSE(who_has_been_removed_everywhere_stays_outside_and_is_not_linked),
		HOUSE(an_invitation_to_where_the_account_belongs_already_stays_as_it_is),
		HOUSE(the_organization_used_last_is_entered),
		HOUSE(without_memory_nobody_comes_in_and_nothing_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
