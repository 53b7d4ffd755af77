/* tls.c: TLS as the settings of a carrier want it.
 * In: settings. Out: options of libcurl. Owns: nothing. */
#include "carrier/tls.h"

static struct curl_blob blob_of(const char *text)
{
    return (struct curl_blob){.data = (char *)text, .len = strlen(text), .flags = CURL_BLOB_NOCOPY};
}

void tls_set(CURL *easy, const struct carrier_settings *set)
{
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (set->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, set->ca_file);
    if (!set->certificate)
        return;
    struct curl_blob certificate = blob_of(set->certificate), key = blob_of(set->key);
    curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, &certificate);
    curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, &key);
}
