#include "cli/control_client.h"

#include <curl/curl.h>

#include "base/clock.h"

#define REPLY_MAX         ((size_t)64 * 1024 * 1024)
#define WAIT_MICROSECONDS 1000000

static size_t keep(char *bytes, size_t size, size_t count, void *given)
{
	struct buffer *body = given;

	buffer_add(body, bytes, size * count);
	return body->failed ? 0 : size * count;
}

struct waiter {
	void (*waiting)(void *context);
	void *context;
	int64_t next; /* clock_monotonic */
};

/* curl calls this often while it waits, at least once a second. */
static int wait_on(void *given, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct waiter *waiter = given;

	(void)a, (void)b, (void)c, (void)d;
	if (clock_monotonic() >= waiter->next) {
		waiter->waiting(waiter->context);
		waiter->next = clock_monotonic() + WAIT_MICROSECONDS;
	}
	return 0;
}

static CURLcode set_up_waiting(CURL *curl, struct waiter *waiter)
{
	CURLcode code;

	if (waiter->waiting == NULL)
		return CURLE_OK;
	code = curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, wait_on);
	return code == CURLE_OK ? curl_easy_setopt(curl, CURLOPT_XFERINFODATA, waiter) : code;
}

static CURLcode set_up(CURL *curl, const char *socket_path, const char *method, const char *url, struct text body,
		       struct curl_slist *headers, struct buffer *reply)
{
	CURLcode code = curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path);

	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_URL, url);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_PROXY, "");
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	if (code == CURLE_OK && body.at != NULL) {
		code = curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.length);
		if (code == CURLE_OK)
			code = curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.at);
	}
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
	return code;
}

enum err control_ask(const char *socket_path, const char *method, const char *target, struct text body,
		     struct control_reply *reply, struct fault *fault)
{
	return control_wait(socket_path, method, target, body, NULL, NULL, reply, fault);
}

enum err control_wait(const char *socket_path, const char *method, const char *target, struct text body,
		      void (*waiting)(void *context), void *context, struct control_reply *reply, struct fault *fault)
{
	struct waiter waiter = { waiting, context, clock_monotonic() + WAIT_MICROSECONDS };
	CURL *curl = curl_easy_init();
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	struct buffer url;
	CURLcode code;

	buffer_init(&url, 8192);
	buffer_string(&url, "http://localhost");
	buffer_string(&url, target);
	buffer_add(&url, "", 1);
	buffer_init(&reply->body, REPLY_MAX);
	code = curl == NULL || headers == NULL || url.failed
		   ? CURLE_OUT_OF_MEMORY
		   : set_up(curl, socket_path, method, url.at, body, headers, &reply->body);
	if (code == CURLE_OK)
		code = set_up_waiting(curl, &waiter);
	if (code == CURLE_OK)
		code = curl_easy_perform(curl);
	if (code == CURLE_OK)
		code = curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply->status);
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	buffer_fini(&url);
	if (code != CURLE_OK)
		return fault_set(
		    fault, ERR_UNAVAILABLE, NULL, NULL,
		    "The server that has the database does not answer at %s: %s. Is it another version, or does it "
		    "have another --control?",
		    socket_path, curl_easy_strerror(code));
	return OK;
}
