/* One delivery by libcurl at a time, over one handle: SMTP or HTTP. */
#ifndef COURIER_TRANSFER_H
#define COURIER_TRANSFER_H

#include <curl/curl.h>
#include "courier/target.h"

struct transfer {
    CURLM *multi;
    CURL *easy;
    struct curl_slist *list; /* recipients, or headers */
    struct slice body;       /* the caller's, until it is over */
    size_t sent;
    bool http, running, over, quitting;
    bool logging_in; /* what the server says may repeat the password */
    CURLcode code;
    char error[CURL_ERROR_SIZE], reply[256]; /* the server's last line, cleaned */
};

void transfer_init(struct transfer *t, CURLM *multi);
/* Starts to deliver `mail`, which has CRLF at its line ends, by the settings' server, sender and recipients.
 * `password`: NULL where there is no user. */
void transfer_smtp(struct transfer *t, const struct courier_settings *set, const char *password,
                   struct slice mail);
/* Starts a POST of `json` to webhook_url. */
void transfer_post(struct transfer *t, const struct courier_settings *set, struct slice json);
/* To be called for each message of the multi handle; takes what is its own. */
void transfer_heard(struct transfer *t, const CURLMsg *msg);
/* True: the delivery is over, *ret says how, and the next may start. */
bool transfer_done(struct transfer *t, struct outcome *ret);
/* Cuts off what runs. */
void transfer_free(struct transfer *t);

#endif
