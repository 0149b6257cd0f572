#include "auth/oidc_web.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

void oidc_web_encode(struct buffer *to, struct text text)
{
	for (size_t i = 0; i < text.length; i++) {
		const unsigned char byte = (unsigned char)text.at[i];

		if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
		    byte == '-' || byte == '.' || byte == '_' || byte == '~')
			buffer_add(to, &text.at[i], 1);
		else
			buffer_format(to, "%%%02X", byte);
	}
}

void oidc_web_pair(struct buffer *to, const char *name, struct text value)
{
	if (to->length > 0)
		buffer_string(to, "&");
	buffer_string(to, name);
	buffer_string(to, "=");
	oidc_web_encode(to, value);
}

static bool is_loopback(const char *host)
{
	struct in_addr four;

	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == 127;
	return strcmp(host, "[::1]") == 0 || strcmp(host, "localhost") == 0;
}

static bool has(CURLU *url, CURLUPart part)
{
	char *value = NULL;
	const bool there = curl_url_get(url, part, &value, 0) == CURLUE_OK;

	curl_free(value);
	return there;
}

static enum oidc_web_place place_of(CURLU *url)
{
	enum oidc_web_place place = OIDC_WEB_NOWHERE;
	char *scheme = NULL;
	char *host = NULL;

	if (has(url, CURLUPART_USER) || has(url, CURLUPART_PASSWORD) || has(url, CURLUPART_FRAGMENT))
		return OIDC_WEB_NOWHERE;
	if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
		if (strcmp(scheme, "https") == 0)
			place = OIDC_WEB_ELSEWHERE;
		else if (strcmp(scheme, "http") == 0 && is_loopback(host))
			place = OIDC_WEB_HERE;
	}
	curl_free(scheme);
	curl_free(host);
	return place;
}

enum oidc_web_place oidc_web_place(struct text address, struct arena *arena)
{
	const struct text copy = text_copy(arena, address);
	enum oidc_web_place place = OIDC_WEB_NOWHERE;
	CURLU *url = curl_url();

	if (url != NULL && copy.at != NULL && memchr(copy.at, '\0', copy.length) == NULL &&
	    curl_url_set(url, CURLUPART_URL, copy.at, 0) == CURLUE_OK)
		place = place_of(url);
	curl_url_cleanup(url);
	return place;
}

static size_t keep(char *bytes, size_t size, size_t count, void *given)
{
	struct buffer *body = given;

	buffer_add(body, bytes, size * count);
	return body->failed ? 0 : size * count;
}

static int go_on(void *given, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const _Atomic bool *stop = given;

	(void)a, (void)b, (void)c, (void)d;
	return atomic_load(stop) ? 1 : 0;
}

/* Redirects, cookies and passwords of a netrc file are off unless asked for. */
static CURLcode bound(CURL *curl, bool here, const _Atomic bool *stop)
{
	CURLcode code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, here ? "http" : "https");

	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, OIDC_WEB_TIMEOUT);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, OIDC_WEB_TIMEOUT / 2);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_USERAGENT, "innkeeper");
	if (code == CURLE_OK && here)
		code = curl_easy_setopt(curl, CURLOPT_PROXY, "");
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, go_on);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_XFERINFODATA, (void *)stop);
	return code;
}

static CURLcode set_up(CURL *curl, const char *address, const struct oidc_question *question,
		       struct curl_slist *headers, struct buffer *body)
{
	CURLcode code = curl_easy_setopt(curl, CURLOPT_URL, address);

	if (code == CURLE_OK && question->form.at != NULL) {
		code = curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)question->form.length);
		if (code == CURLE_OK)
			code = curl_easy_setopt(curl, CURLOPT_POSTFIELDS, question->form.at);
	}
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
	return code;
}

/* NULL when memory is out. */
static struct curl_slist *make_headers(const struct oidc_question *question)
{
	struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/json");
	struct curl_slist *longer;
	struct buffer line;

	if (headers == NULL || question->authorization.at == NULL)
		return headers;
	buffer_init(&line, OIDC_WEB_ANSWER_MAX + 64);
	buffer_string(&line, "Authorization: ");
	buffer_text(&line, question->authorization);
	buffer_add(&line, "", 1);
	longer = line.failed ? NULL : curl_slist_append(headers, line.at);
	buffer_fini(&line);
	if (longer == NULL)
		curl_slist_free_all(headers);
	return longer;
}

enum err oidc_web_ask(const struct oidc_question *question, struct arena *arena, struct oidc_answer *out,
		      struct fault *fault)
{
	const enum oidc_web_place place = oidc_web_place(question->address, arena);
	const struct text address = text_copy(arena, question->address);
	struct curl_slist *headers;
	struct buffer body;
	CURLcode code;
	CURL *curl;

	*out = (struct oidc_answer){ 0 };
	if (place == OIDC_WEB_NOWHERE)
		return fault_set(fault, ERR_INVALID, NULL, NULL, "The provider names an address that is not asked.");
	curl = curl_easy_init();
	headers = make_headers(question);
	buffer_init(&body, OIDC_WEB_ANSWER_MAX);
	code = curl == NULL || headers == NULL || address.at == NULL
		   ? CURLE_OUT_OF_MEMORY
		   : bound(curl, place == OIDC_WEB_HERE, question->stop);
	if (code == CURLE_OK)
		code = set_up(curl, address.at, question, headers, &body);
	if (code == CURLE_OK)
		code = atomic_load(question->stop) ? CURLE_ABORTED_BY_CALLBACK : curl_easy_perform(curl);
	if (code == CURLE_OK)
		code = curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &out->status);
	if (code == CURLE_OK)
		out->body = text_copy(arena, (struct text){ body.length == 0 ? "" : body.at, body.length });
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	buffer_fini(&body);
	if (code != CURLE_OK || out->body.at == NULL)
		return fault_set(fault, ERR_UNAVAILABLE, NULL, NULL, "The provider does not answer: %s.",
				 curl_easy_strerror(code));
	return OK;
}
