#include "demo/demo_founding.h"

#include <sodium.h>
#include <string.h>

#include "base/json_in.h"
#include "base/json_out.h"
#include "cli/control_client.h"

#define BODY_MAX   65536
#define TARGET_MAX 1024
#define HTTP_TAKEN 409

/* No letter or digit that is taken for another one. */
static void make_password(char out[DEMO_PASSWORD_SIZE])
{
	static const char letters[] = "abcdefghjkmnpqrstuvwxyzACDEFGHJKLMNPQRTUVWXYZ2346789";

	for (size_t i = 0; i + 1 < DEMO_PASSWORD_SIZE; i++)
		out[i] = letters[randombytes_uniform(sizeof letters - 1)];
	out[DEMO_PASSWORD_SIZE - 1] = '\0';
}

struct pair {
	const char *name;
	const char *value;
};

/* Asks with the pairs as a JSON object; none: a GET. `organization`: its slug, for the query; or NULL. The answer is
 * copied into the arena. */
static enum err ask(const char *socket_path, const char *path, const struct demo_organization *organization,
		    const struct pair *pairs, size_t count, struct arena *arena, long *status, struct text *answer,
		    struct fault *fault)
{
	struct control_reply reply = { 0 };
	struct buffer body;
	struct buffer target;
	struct json_out out;
	enum err err;

	buffer_init(&body, BODY_MAX);
	buffer_init(&target, TARGET_MAX);
	buffer_string(&target, path);
	if (organization != NULL)
		buffer_format(&target, "?organization=%s", organization->slug);
	buffer_add(&target, "", 1);
	if (count > 0) {
		json_out_init(&out, &body);
		json_open_object(&out);
		for (size_t i = 0; i < count; i++) {
			json_key(&out, pairs[i].name);
			json_put_string(&out, pairs[i].value);
		}
		json_close_object(&out);
	}
	if (body.failed || target.failed)
		err = fault_set(fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	else
		err = control_ask(socket_path, count > 0 ? "POST" : "GET", target.at,
				  (struct text){ body.at, body.length }, &reply, fault);
	*status = reply.status;
	*answer = text_copy(arena, (struct text){ reply.body.at, reply.body.length });
	buffer_fini(&reply.body);
	buffer_fini(&target);
	buffer_fini(&body);
	return err;
}

static enum err member(struct text answer, const char *name, struct arena *arena, const char **out, struct fault *fault)
{
	const struct json_value *object;
	struct text value;
	enum err err = json_parse(answer, arena, &object, fault);

	if (err != OK)
		return err;
	value = json_member_text(object, name);
	*out = value.at == NULL ? NULL : arena_copy(arena, value.at, value.length);
	return *out == NULL ? fault_set(fault, ERR_UNAVAILABLE, NULL, NULL, "The server's answer has no %s.", name)
			    : OK;
}

/* The answer's own sentence as the fault, unless the status is a good one. */
static enum err good(long status, struct text answer, struct arena *arena, struct fault *fault)
{
	const char *sentence = "";

	if (status < 300)
		return OK;
	if (member(answer, "error", arena, &sentence, fault) != OK)
		sentence = "";
	return fault_set(fault, ERR_UNAVAILABLE, NULL, NULL, "The server answered %ld: %s", status, sentence);
}

static enum err add_administrator(const char *socket_path, const struct demo_organization *organization,
				  struct arena *arena, struct demo_tenant *out, struct fault *fault)
{
	const struct pair pairs[] = { { "email", organization->email },
				      { "name", organization->administrator },
				      { "role", "Admin" },
				      { "password", out->password } };
	struct text answer;
	long status;
	enum err err;

	make_password(out->password);
	err = ask(socket_path, "/control/users", organization, pairs, sizeof pairs / sizeof pairs[0], arena, &status,
		  &answer, fault);
	return err == OK ? good(status, answer, arena, fault) : err;
}

/* Before its history is written: nothing is to be counted anew then. */
static enum err set_time_zone(const char *socket_path, const struct demo_organization *organization,
			      struct arena *arena, struct fault *fault)
{
	const struct pair zone = { "time_zone", organization->time_zone };
	struct text answer;
	long status;
	enum err err =
	    ask(socket_path, "/control/organizations/change", organization, &zone, 1, arena, &status, &answer, fault);

	return err == OK ? good(status, answer, arena, fault) : err;
}

/* The organization is there: is it ours? One without any member is a founding that was cut short. */
static enum err take_up(const char *socket_path, const struct demo_organization *organization, struct arena *arena,
			struct demo_tenant *out, struct fault *fault)
{
	const struct pair name = { "name", "demonstration" };
	struct text answer;
	long status;
	enum err err = ask(socket_path, "/control/users", organization, NULL, 0, arena, &status, &answer, fault);

	if (err == OK)
		err = good(status, answer, arena, fault);
	if (err == OK && answer.at != NULL && text_equal(text_trim(answer), TEXT("[]")))
		err = add_administrator(socket_path, organization, arena, out, fault);
	else if (err == OK && (answer.at == NULL || memmem(answer.at, answer.length, organization->email,
							   strlen(organization->email)) == NULL))
		err = fault_set(fault, ERR_CONFLICT, NULL, NULL,
				"This database has an organization %s that is no demonstration: take another database.",
				organization->slug);
	if (err == OK)
		err = ask(socket_path, "/control/keys", organization, &name, 1, arena, &status, &answer, fault);
	if (err == OK)
		err = good(status, answer, arena, fault);
	return err == OK ? member(answer, "api_key", arena, &out->key, fault) : err;
}

enum err demo_found(const char *socket_path, const struct demo_organization *organization, struct arena *arena,
		    struct demo_tenant *out, struct fault *fault)
{
	const struct pair pairs[] = { { "organization_name", organization->name },
				      { "slug", organization->slug },
				      { "location", organization->location },
				      { "website_url", organization->website } };
	struct text answer;
	long status;
	enum err err = ask(socket_path, "/control/organizations", NULL, pairs, sizeof pairs / sizeof pairs[0], arena,
			   &status, &answer, fault);

	*out = (struct demo_tenant){ .organization = organization };
	if (err != OK)
		return err;
	if (status == HTTP_TAKEN)
		return take_up(socket_path, organization, arena, out, fault);
	err = good(status, answer, arena, fault);
	if (err == OK)
		err = member(answer, "api_key", arena, &out->key, fault);
	if (err == OK)
		err = set_time_zone(socket_path, organization, arena, fault);
	if (err == OK)
		err = add_administrator(socket_path, organization, arena, out, fault);
	out->founded = err == OK;
	return err;
}
