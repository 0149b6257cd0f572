/* Every way out of one's organization that we know of, as SQL texts. They bind nothing, or ?1, the attacker's id.
 * Owner: constant data.
 * `a…` (X'61…') attacks, `v…` (X'76…') is the victim; both have a row in every protected table (victim.h).
 * Never remove one: a text that is refused for another reason today may pass tomorrow.
 * Next: test_row_security.c, which tries each in every mode. */
#ifndef TESTS_UNIT_ESCAPES_H
#define TESTS_UNIT_ESCAPES_H

/* Ask for, or change, rows: may run, but show and change nothing of the victim. NULL-terminated. */
extern const char *const escapes_to_rows[];

/* Reach for the schema, the connection or the file system: refused everywhere, to the server itself too. */
extern const char *const escapes_to_engine[];

#endif
