#include "cli/settings.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG_MAX 65536 /* bytes of a config file */

enum kind { WORD, NUMBER };

static const struct setting {
	const char *name; /* of the option and of the file's line */
	const char *environment;
	const char *argument;
	enum kind kind;
	size_t offset;
	int64_t min;
	int64_t max;
	const char *fallback;
	const char *about;
} table[] = {
#define AT(member) offsetof(struct settings, member)
	{ "config", "INNKEEPER_CONFIG", "FILE", WORD, AT(config), 0, 0, NULL,
	  "lines of `name = value`, names as these options" },
	{ "database", "INNKEEPER_DATABASE", "URL", WORD, AT(database), 0, 0, "sqlite:innkeeper.db",
	  "sqlite:PATH or postgres://…" },
	{ "control", "INNKEEPER_CONTROL", "PATH", WORD, AT(control), 0, 0, NULL,
	  "control socket; beside the database when not given" },
	{ "listen", "INNKEEPER_LISTEN", "ADDRESS:PORT", WORD, AT(listen), 0, 0, "127.0.0.1:8080",
	  "where HTTP is served; port 0 takes a free one" },
	{ "trusted-proxy", "INNKEEPER_TRUSTED_PROXY", "ADDRESS[/BITS],...", WORD, AT(trusted_proxy), 0, 0, NULL,
	  "whose X-Forwarded-For is believed" },
	{ "log-level", "INNKEEPER_LOG_LEVEL", "LEVEL", WORD, AT(log_level), 0, 0, "info",
	  "debug, info, warning or error" },
	{ "threads", "INNKEEPER_THREADS", "N", NUMBER, AT(threads), 1, 64, "2", "HTTP threads; about one a core" },
	{ "max-connections", "INNKEEPER_MAX_CONNECTIONS", "N", NUMBER, AT(max_connections), 1, 100000, "2000",
	  "open at once; one more is closed" },
	{ "header-timeout", "INNKEEPER_HEADER_TIMEOUT", "SECONDS", NUMBER, AT(header_timeout), 1, 3600, "10",
	  "until a request's head is complete" },
	{ "body-timeout", "INNKEEPER_BODY_TIMEOUT", "SECONDS", NUMBER, AT(body_timeout), 1, 3600, "30",
	  "from there until its body is complete" },
	{ "idle-timeout", "INNKEEPER_IDLE_TIMEOUT", "SECONDS", NUMBER, AT(idle_timeout), 1, 3600, "75",
	  "that a kept-alive connection may be silent" },
	{ "max-body", "INNKEEPER_MAX_BODY", "BYTES", NUMBER, AT(max_body), 1024, 67108864, "1048576",
	  "of a request; a batch may have 8 MiB" },
	{ "queue", "INNKEEPER_QUEUE", "N", NUMBER, AT(queue), 1, 1000000, "4096",
	  "writes waiting at most; one more is 503" },
	{ "auth-failures-per-minute", "INNKEEPER_AUTH_FAILURES_PER_MINUTE", "N", NUMBER, AT(auth_failures_per_minute),
	  0, 1000000, "60", "failed credentials of an address before 429; 0: no limit" },
	{ "public-url", "INNKEEPER_PUBLIC_URL", "URL", WORD, AT(public_url), 0, 0, NULL,
	  "this server's own address as browsers see it; needed with --oidc-issuer" },
	{ "oidc-issuer", "INNKEEPER_OIDC_ISSUER", "URL", WORD, AT(oidc_issuer), 0, 0, NULL,
	  "an OpenID Connect provider through which people may sign in" },
	{ "oidc-client-id", "INNKEEPER_OIDC_CLIENT_ID", "ID", WORD, AT(oidc_client_id), 0, 0, NULL,
	  "as the provider knows this server" },
	{ "oidc-client-secret", "INNKEEPER_OIDC_CLIENT_SECRET", "SECRET", WORD, AT(oidc_client_secret), 0, 0, NULL,
	  "what the provider gave with it; better not on the command line, which others see" },
	{ "signup", "INNKEEPER_SIGNUP", "WHO", WORD, AT(signup), 0, 0, "invite",
	  "who may come in through the provider: invite (members), or open (anybody; founds an organization)" },
#undef AT
};

#define COUNT (sizeof table / sizeof table[0])

static enum err set(struct settings *settings, const struct setting *setting, const char *value, const char *where,
		    struct fault *fault)
{
	char *member = (char *)settings + setting->offset;
	int64_t number;

	if (setting->kind == WORD) {
		if (value[0] == '\0')
			return fault_set(fault, ERR_INVALID, NULL, setting->name, "%s: %s is empty.", where,
					 setting->name);
		memcpy(member, &value, sizeof value);
		return OK;
	}
	if (text_to_int(text_of(value), &number) != OK || number < setting->min || number > setting->max)
		return fault_set(fault, ERR_INVALID, NULL, setting->name, "%s: %s must be a number from %lld to %lld.",
				 where, setting->name, (long long)setting->min, (long long)setting->max);
	memcpy(member, &number, sizeof number);
	return OK;
}

static const struct setting *by_name(struct text name)
{
	for (size_t i = 0; i < COUNT; i++)
		if (text_equal(name, text_of(table[i].name)))
			return &table[i];
	return NULL;
}

static enum err read_arguments(struct settings *settings, bool given[COUNT], int *count, char **arguments,
			       struct fault *fault)
{
	int kept = 0;

	for (int i = 0; i < *count; i++) {
		const struct text word = text_of(arguments[i]);
		const char *equals = strchr(arguments[i], '=');
		const struct setting *setting = NULL;
		const char *value;
		enum err err;

		if (text_starts(word, TEXT("--")))
			setting = by_name((struct text){
			    word.at + 2, equals == NULL ? word.length - 2 : (size_t)(equals - word.at) - 2 });
		if (setting == NULL) {
			arguments[kept++] = arguments[i];
			continue;
		}
		value = equals != NULL ? equals + 1 : i + 1 < *count ? arguments[++i] : NULL;
		if (value == NULL)
			return fault_set(fault, ERR_INVALID, NULL, setting->name, "--%s needs a value: %s.",
					 setting->name, setting->argument);
		err = set(settings, setting, value, "command line", fault);
		if (err != OK)
			return err;
		given[setting - table] = true;
	}
	*count = kept;
	return OK;
}

static enum err read_environment(struct settings *settings, bool given[COUNT], struct fault *fault)
{
	enum err err = OK;

	for (size_t i = 0; err == OK && i < COUNT; i++) {
		const char *value = getenv(table[i].environment);

		if (given[i] || value == NULL || value[0] == '\0')
			continue;
		err = set(settings, &table[i], value, table[i].environment, fault);
		given[i] = true;
	}
	return err;
}

static enum err read_line(struct settings *settings, bool given[COUNT], char *line, const char *where,
			  struct fault *fault)
{
	char *equals = strchr(line, '=');
	struct text name;
	struct text value;
	const struct setting *setting;

	if (equals == NULL)
		return fault_set(fault, ERR_INVALID, NULL, NULL, "%s: a line must be `name = value`.", where);
	name = text_trim((struct text){ line, (size_t)(equals - line) });
	value = text_trim(text_of(equals + 1));
	setting = by_name(name);
	if (setting == NULL || strcmp(setting->name, "config") == 0)
		return fault_set(fault, ERR_INVALID, NULL, NULL, "%s: there is no setting `%.*s`.", where,
				 (int)name.length, name.at);
	if (given[setting - table])
		return OK;
	/* The value ends where its blanks begin: the line is ours to cut. */
	equals[1 + (value.at - (equals + 1)) + (ptrdiff_t)value.length] = '\0';
	return set(settings, setting, value.at, where, fault);
}

static enum err load(const char *path, struct arena *arena, char **out, struct fault *fault)
{
	FILE *file = fopen(path, "re");
	char *text = arena_take(arena, CONFIG_MAX + 1);
	size_t length;

	if (file == NULL || text == NULL) {
		if (file != NULL)
			fclose(file);
		return fault_set(fault, ERR_INVALID, NULL, "config", "The config file %s cannot be read.", path);
	}
	length = fread(text, 1, CONFIG_MAX + 1, file);
	if (ferror(file) != 0 || length > CONFIG_MAX || memchr(text, '\0', length) != NULL) {
		fclose(file);
		return fault_set(fault, ERR_INVALID, NULL, "config",
				 "The config file %s cannot be read: it must be a text of at most %d bytes.", path,
				 CONFIG_MAX);
	}
	fclose(file);
	*out = text;
	return OK;
}

static enum err read_file(struct settings *settings, bool given[COUNT], struct arena *arena, struct fault *fault)
{
	char *text = NULL;
	enum err err = load(settings->config, arena, &text, fault);
	int number = 0;

	while (err == OK && text != NULL) {
		char *line = strsep(&text, "\n");
		char where[300];
		const struct text trimmed = text_trim(text_of(line));

		number++;
		if (trimmed.length == 0 || trimmed.at[0] == '#')
			continue;
		snprintf(where, sizeof where, "%s:%d", settings->config, number);
		err = read_line(settings, given, line, where, fault);
	}
	return err;
}

enum err settings_read(struct settings *settings, int *count, char **arguments, struct arena *arena,
		       struct fault *fault)
{
	bool given[COUNT] = { false };
	enum err err = OK;

	memset(settings, 0, sizeof *settings);
	for (size_t i = 0; err == OK && i < COUNT; i++)
		if (table[i].fallback != NULL)
			err = set(settings, &table[i], table[i].fallback, "default", fault);
	if (err == OK)
		err = read_arguments(settings, given, count, arguments, fault);
	if (err == OK)
		err = read_environment(settings, given, fault);
	if (err == OK && settings->config != NULL)
		err = read_file(settings, given, arena, fault);
	settings->database_given = given[by_name(TEXT("database")) - table];
	return err;
}

enum err settings_server(const struct settings *settings, const struct log *log, struct arena *arena,
			 struct server_options *out, struct fault *fault)
{
	const struct text scheme = TEXT("sqlite:");
	const struct text database = text_of(settings->database);
	char *control = NULL;
	bool remote;
	const enum err known = db_know(database, &remote, fault);

	if (known != OK)
		return known;
	if (!text_equal(text_of(settings->signup), TEXT("invite")) &&
	    !text_equal(text_of(settings->signup), TEXT("open")))
		return fault_set(fault, ERR_INVALID, NULL, "signup", "--signup must be invite or open.");
	if (settings->control == NULL && !remote) {
		const size_t size = database.length + sizeof ".control";

		control = arena_take(arena, size);
		if (control == NULL)
			return ERR_MEMORY;
		snprintf(control, size, "%s.control", settings->database + scheme.length);
	}
	*out = (struct server_options){ .database = database,
					.listen = settings->listen,
					.control = settings->control != NULL ? settings->control : control,
					.trusted_proxy = settings->trusted_proxy,
					.threads = settings->threads,
					.max_connections = settings->max_connections,
					.header_timeout = settings->header_timeout,
					.body_timeout = settings->body_timeout,
					.idle_timeout = settings->idle_timeout,
					.max_body = settings->max_body,
					.queue = settings->queue,
					.auth_failures_per_minute = settings->auth_failures_per_minute,
					.oidc = { .issuer = settings->oidc_issuer,
						  .client_id = settings->oidc_client_id,
						  .client_secret = settings->oidc_client_secret,
						  .public_url = settings->public_url },
					.signup_open = text_equal(text_of(settings->signup), TEXT("open")),
					.log = log };
	return OK;
}

void settings_help(FILE *to)
{
	fputs("Settings (also as environment variable, or as a line of the config file):\n", to);
	for (size_t i = 0; i < COUNT; i++) {
		fprintf(to, "  --%s %s\n      %s", table[i].name, table[i].argument, table[i].about);
		if (table[i].fallback != NULL)
			fprintf(to, " (default %s)", table[i].fallback);
		fprintf(to, "; %s\n", table[i].environment);
	}
}
