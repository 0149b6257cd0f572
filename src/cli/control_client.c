#include "cli/control_client.h"

#include <curl/curl.h>

#define REPLY_MAX ((size_t)64 * 1024 * 1024)

static size_t keep(char *bytes, size_t size, size_t count, void *given)
{
	struct buffer *body = given;

	buffer_add(body, bytes, size * count);
	return body->failed ? 0 : size * count;
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
