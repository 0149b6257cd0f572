/* What can go wrong, said once for the whole house.
 * Owner: nobody; a value type. Any thread.
 * "No" is not "broken": ERR_NOT_FOUND and ERR_CONFLICT are answers, ERR_STORAGE is a fault of ours.
 * Never carries SQL, a path or a secret: what stands in a fault is shown to the caller.
 * Next: api/reply.c, the one table that maps these to HTTP. */
#ifndef INNKEEPER_BASE_ERR_H
#define INNKEEPER_BASE_ERR_H

enum err {
	OK = 0,
	ERR_NOT_FOUND,    /* no such thing in this scope, or the end of the rows */
	ERR_CONFLICT,     /* it is there already, or another state forbids it */
	ERR_INVALID,      /* the input is wrong; the fault says which field */
	ERR_UNAUTHORIZED, /* no credential, or not one we know */
	ERR_FORBIDDEN,    /* known, but not allowed */
	ERR_TOO_LARGE,    /* beyond a stated limit */
	ERR_RATE_LIMITED, /* too many; try again later */
	ERR_UNAVAILABLE,  /* not now: full queue, draining, database away */
	ERR_MEMORY,       /* an allocation failed or an arena reached its cap */
	ERR_STORAGE,      /* the database refused or broke; the log has the reason */
	ERR_TOO_SLOW,     /* a read took longer than it may */
	ERR_DENIED,       /* row security refused a statement: a bug of ours, never an input's */
};

#define WARN_UNUSED __attribute__((warn_unused_result))

/* The reason of a failure, in the words of the reply. `code` and `field` point at static text. */
struct fault {
	enum err err;
	const char *code;   /* stable_snake_case; NULL: the usual one of `err` */
	const char *field;  /* the field at fault, or NULL */
	char sentence[240]; /* for a person; "" : the usual one of `err` */
};

/* Fills the fault and returns `err`, so that a caller can `return fault_set(…)`. The sentence is cut, never overrun. */
enum err fault_set(struct fault *fault, enum err err, const char *code, const char *field, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#endif
