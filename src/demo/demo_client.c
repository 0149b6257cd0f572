#include "demo/demo_client.h"

#include <curl/curl.h>
#include <stdlib.h>

#define URL_MAX      4096
#define REPLY_MAX    ((size_t)16 * 1024 * 1024)
#define CONNECT_MS   3000L
#define TRANSFER_MS  10000L
#define REASON_BYTES 120

struct demo_client {
	CURL *curl;
	struct curl_slist *headers;
	const char *url;
	const atomic_bool *stop;
	struct buffer reply;
};

static size_t keep(char *bytes, size_t size, size_t count, void *given)
{
	struct buffer *reply = given;

	buffer_add(reply, bytes, size * count);
	return reply->failed ? 0 : size * count;
}

static int ends_now(void *given, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct demo_client *client = given;

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return atomic_load(client->stop) ? 1 : 0;
}

static bool set_up(struct demo_client *client)
{
	CURL *curl = client->curl;

	return curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, TRANSFER_MS) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_HTTPHEADER, client->headers) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, ends_now) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_XFERINFODATA, client) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_WRITEDATA, &client->reply) == CURLE_OK;
}

/* curl would ask for "100 Continue" before a large body: a round trip for nothing. False when memory is out. */
static bool make_headers(struct demo_client *client, const char *key)
{
	const char *const fixed[] = { "Content-Type: application/json", "Expect:" };
	struct buffer line;
	struct curl_slist *longer;
	bool made;

	buffer_init(&line, URL_MAX);
	buffer_string(&line, "x-api-key: ");
	buffer_string(&line, key);
	buffer_add(&line, "", 1);
	longer = line.failed ? NULL : curl_slist_append(NULL, line.at);
	buffer_fini(&line);
	made = longer != NULL;
	client->headers = longer;
	for (size_t i = 0; made && i < sizeof fixed / sizeof fixed[0]; i++) {
		longer = curl_slist_append(client->headers, fixed[i]);
		made = longer != NULL;
		client->headers = made ? longer : client->headers;
	}
	return made;
}

enum err demo_client_new(struct demo_client **out, const char *url, const char *key, const atomic_bool *stop)
{
	struct demo_client *client = calloc(1, sizeof *client);

	*out = NULL;
	if (client == NULL)
		return ERR_MEMORY;
	client->url = url;
	client->stop = stop;
	client->curl = curl_easy_init();
	buffer_init(&client->reply, REPLY_MAX);
	if (client->curl == NULL || !make_headers(client, key) || !set_up(client)) {
		demo_client_free(client);
		return ERR_MEMORY;
	}
	*out = client;
	return OK;
}

void demo_client_free(struct demo_client *client)
{
	if (client == NULL)
		return;
	curl_easy_cleanup(client->curl);
	curl_slist_free_all(client->headers);
	buffer_fini(&client->reply);
	free(client);
}

static CURLcode send_body(struct demo_client *client, const char *path, struct text body)
{
	struct buffer url;
	CURLcode code = CURLE_OUT_OF_MEMORY;

	buffer_init(&url, URL_MAX);
	buffer_string(&url, client->url);
	buffer_string(&url, path);
	buffer_add(&url, "", 1);
	if (!url.failed)
		code = curl_easy_setopt(client->curl, CURLOPT_URL, url.at);
	if (code == CURLE_OK)
		code = curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.length);
	if (code == CURLE_OK)
		code = curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, body.at);
	if (code == CURLE_OK)
		code = curl_easy_perform(client->curl);
	buffer_fini(&url);
	return code;
}

enum err demo_client_post(struct demo_client *client, const char *path, struct text body, struct text *reply,
			  struct fault *fault)
{
	CURLcode code;
	long status = 0;

	buffer_cut(&client->reply, 0);
	code = send_body(client, path, body);
	if (code == CURLE_OK)
		code = curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK)
		return fault_set(fault, ERR_UNAVAILABLE, NULL, NULL, "POST %s: %s", path, curl_easy_strerror(code));
	*reply = (struct text){ client->reply.at, client->reply.length };
	if (status >= 300)
		return fault_set(fault, ERR_UNAVAILABLE, NULL, NULL, "POST %s: %ld %.*s", path, status,
				 reply->length < REASON_BYTES ? (int)reply->length : REASON_BYTES,
				 reply->at == NULL ? "" : reply->at);
	return OK;
}
