#include "api/reply.h"

static const struct {
	unsigned status;
	const char *code;
	const char *sentence;
} outcomes[] = {
	[OK] = { 200, "ok", "Done." },
	[ERR_NOT_FOUND] = { 404, "not_found", "There is no such thing in this organization." },
	[ERR_CONFLICT] = { 409, "conflict", "It is there already." },
	[ERR_INVALID] = { 400, "invalid_field", "The request is not as it should be." },
	[ERR_UNAUTHORIZED] = { 401, "unauthorized",
			       "A valid credential is needed: send the organization's API key as x-api-key." },
	[ERR_FORBIDDEN] = { 403, "forbidden", "Your role does not allow this." },
	[ERR_TOO_LARGE] = { 413, "payload_too_large", "The request is larger than this server takes." },
	[ERR_RATE_LIMITED] = { 429, "rate_limited", "Too many requests: wait as long as Retry-After says." },
	[ERR_UNAVAILABLE] = { 503, "unavailable", "Nothing was stored: try again in a moment." },
	[ERR_MEMORY] = { 503, "unavailable", "The server is out of memory for this request: try again in a moment." },
	[ERR_STORAGE] = { 500, "internal",
			  "Something broke on our side; the server's log says what, by the request's id." },
	[ERR_TOO_SLOW] = { 503, "too_slow",
			   "This took longer than a read may and was given up: ask for less (a smaller limit, a "
			   "shorter "
			   "range of time), or try again when the server has less to do." },
	[ERR_DENIED] = { 500, "internal",
			 "Something broke on our side; the server's log says what, by the request's id." },
};

unsigned reply_status(enum err err)
{
	return outcomes[err].status;
}

const char *reply_code(enum err err, const struct fault *fault)
{
	return fault->err == err && fault->code != NULL ? fault->code : outcomes[err].code;
}

const char *reply_sentence(enum err err, const struct fault *fault)
{
	/* What broke inside is for the log. */
	if (outcomes[err].status >= 500 || fault->err != err || fault->sentence[0] == '\0')
		return outcomes[err].sentence;
	return fault->sentence;
}

void reply_members(enum err err, const struct fault *fault, struct json_out *out)
{
	json_key(out, "error");
	json_put_string(out, reply_sentence(err, fault));
	json_key(out, "code");
	json_put_string(out, reply_code(err, fault));
	if (fault->err == err && fault->field != NULL) {
		json_key(out, "field");
		json_put_string(out, fault->field);
	}
}

void reply_fault(struct http_request *request, enum err err, const struct fault *fault)
{
	struct json_out out;

	buffer_cut(&request->reply.body, 0);
	request->reply.body.failed = false;
	request->reply.status = reply_status(err);
	request->reply.content_type = NULL;
	request->reply.more = NULL;
	json_out_init(&out, &request->reply.body);
	json_open_object(&out);
	reply_members(err, fault, &out);
	json_close_object(&out);
	if (request->reply.status == 503)
		http_reply_header(request, "Retry-After", TEXT("1"));
}

void reply_refusal(struct http_request *request, unsigned status, const char *code, const char *sentence)
{
	struct json_out out;

	buffer_cut(&request->reply.body, 0);
	request->reply.body.failed = false;
	request->reply.status = status;
	request->reply.content_type = NULL;
	request->reply.more = NULL;
	json_out_init(&out, &request->reply.body);
	json_open_object(&out);
	json_key(&out, "error");
	json_put_string(&out, sentence);
	json_key(&out, "code");
	json_put_string(&out, code);
	json_close_object(&out);
	if (status == 503)
		http_reply_header(request, "Retry-After", TEXT("1"));
}
