/* gmime-parts.c: what GMime reads in mails, as JSON, for test/gmime.py. usage: gmime-parts FILE...
 * A line for each: {"headers": {...}, "parts": [...]}, the parts in the order in which they end. */
#include <gmime/gmime.h>
#include <stdio.h>
#include <string.h>

static void put_text(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\' || c < ' ' || c == 127)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void put_member(const char *before, const char *name, const char *text)
{
    if (!text)
        return;
    char *valid = g_utf8_make_valid(text, -1);
    printf("%s\"%s\":", before, name);
    put_text(valid);
    g_free(valid);
}

static void put_headers(GMimeMessage *message)
{
    static const char *const names[] = {"From", "Subject", "Date", "Message-ID"};
    GMimeHeaderList *list = g_mime_object_get_header_list(GMIME_OBJECT(message));
    const char *before = "";
    printf("{");
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        GMimeHeader *h = g_mime_header_list_get_header(list, names[i]);
        if (!h)
            continue;
        char *text = g_mime_utils_header_decode_text(NULL, g_mime_header_get_raw_value(h));
        put_member(before, names[i], g_strstrip(text));
        g_free(text);
        before = ",";
    }
    printf("}");
}

static void put_bytes(GMimeStream *stream)
{
    GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
    char *sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, bytes->data, bytes->len);
    printf(",\"size\":%u,\"sha256\":\"%s\"}", bytes->len, sum);
    g_free(sum);
}

/* Its lines end as they do on the wire. */
static void write_mail(GMimeMessage *message, GMimeStream *stream)
{
    GMimeFormatOptions *options = g_mime_format_options_new();
    g_mime_format_options_set_newline_format(options, GMIME_NEWLINE_FORMAT_DOS);
    g_mime_object_write_to_stream(GMIME_OBJECT(message), options, stream);
    g_mime_format_options_free(options);
}

/* A part's, or an attached mail's. */
static const char *name_of(GMimeObject *object)
{
    const char *name = g_mime_object_get_content_disposition_parameter(object, "filename");
    return name ? name : g_mime_object_get_content_type_parameter(object, "name");
}

static void put_part(GMimeObject *object, int depth, int *count)
{
    if (GMIME_IS_MULTIPART(object)) {
        for (int i = 0; i < g_mime_multipart_get_count(GMIME_MULTIPART(object)); i++)
            put_part(g_mime_multipart_get_part(GMIME_MULTIPART(object), i), depth + 1, count);
        return;
    }
    GMimeMessage *inner =
        GMIME_IS_MESSAGE_PART(object) ? g_mime_message_part_get_message(GMIME_MESSAGE_PART(object)) : NULL;
    if (inner && g_mime_message_get_mime_part(inner))
        put_part(g_mime_message_get_mime_part(inner), depth + 1, count);
    GMimeContentType *type = g_mime_object_get_content_type(object);
    char *mime = g_mime_content_type_get_mime_type(type);
    char *lower = g_ascii_strdown(mime, -1);
    GMimeStream *stream = g_mime_stream_mem_new();
    printf("%s{\"depth\":%d", (*count)++ ? "," : "", depth);
    put_member(",", "type", lower);
    char *name = name_of(object) ? g_mime_utils_header_decode_text(NULL, name_of(object)) : NULL;
    put_member(",", "name", name);
    g_free(name);
    if (GMIME_IS_PART(object)) {
        GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(object));
        if (content)
            g_mime_data_wrapper_write_to_stream(content, stream);
    } else if (inner) {
        write_mail(inner, stream);
    }
    put_bytes(stream);
    g_object_unref(stream);
    g_free(mime);
    g_free(lower);
}

static void put_mail(const char *path)
{
    GMimeStream *stream = g_mime_stream_file_open(path, "r", NULL);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
    int count = 0;
    printf("{\"headers\":");
    if (message)
        put_headers(message);
    else
        printf("{}");
    printf(",\"parts\":[");
    if (message && g_mime_message_get_mime_part(message))
        put_part(g_mime_message_get_mime_part(message), 0, &count);
    puts("]}");
    if (message)
        g_object_unref(message);
    g_object_unref(parser);
    g_object_unref(stream);
}

int main(int argc, char **argv)
{
    g_mime_init();
    for (int i = 1; i < argc; i++)
        put_mail(argv[i]);
    g_mime_shutdown();
    return 0;
}
