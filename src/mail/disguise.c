/* disguise.c: names and types under which a file is not what it looks like.
 * In: names, types. Out: what they pretend. Owns: nothing. Knowingly: the lists are of what is usual on the
 * systems that most mail is read on; text/plain says so little that nothing contradicts it. */
#include "mail/disguise.h"

#include "mail/sniff.h"

static const char *const running[] = {"exe", "scr", "com", "pif", "bat", "cmd",  "js",  "jse",
                                      "vbs", "vbe", "wsf", "wsh", "hta", "lnk",  "msi", "msp",
                                      "ps1", "jar", "cpl", "chm", "reg", "iso",  "img", "vhd",
                                      "one", "dll", "sct", "url", "scf", "appx", "msix"};
static const char *const showing[] = {"pdf",  "doc", "docx", "docm", "xls", "xlsx", "xlsm", "ppt", "pptx",
                                      "rtf",  "odt", "ods",  "txt",  "csv", "htm",  "html", "xml", "jpg",
                                      "jpeg", "png", "gif",  "bmp",  "tif", "tiff", "mp3",  "mp4", "wav",
                                      "avi",  "mov", "zip",  "rar",  "7z",  "eml",  "msg",  "ics", "vcf"};

static bool is_one_of(struct slice text, const char *const *list, size_t count)
{
    size_t i = 0;
    uint8_t first = text.len ? byte_lower(*text.data) : 0;
    while (i < count && !(first == (uint8_t)*list[i] && slice_case_eq(text, slice_str(list[i]))))
        i++;
    return i < count;
}

/* Takes ".ext" off the end of *name, with blanks at both of its ends; empty where there is none. */
static struct slice take_extension(struct slice *name)
{
    *name = slice_trim(*name);
    size_t dot = name->len;
    while (dot && name->data[dot - 1] != '.')
        dot--;
    if (!dot)
        return (struct slice){NULL, 0};
    struct slice extension = slice_sub(*name, dot, name->len);
    *name = slice_sub(*name, 0, dot - 1);
    return slice_trim(extension);
}

#define IS_ONE_OF(text, list) is_one_of(text, list, sizeof(list) / sizeof *(list))

bool disguise_extension(struct slice name)
{
    struct slice last = take_extension(&name);
    if (!last.len || !IS_ONE_OF(last, running))
        return false;
    struct slice before = take_extension(&name);
    return name.len && IS_ONE_OF(before, showing);
}

bool disguise_path(struct slice name)
{
    bool drive = name.len > 2 && name.data[1] == ':' && (uint8_t)((name.data[0] | 32) - 'a') < 26;
    return drive || slice_index(name, '/') < name.len || slice_index(name, '\\') < name.len;
}

bool disguise_type(struct slice name, struct slice declared, const char *seen)
{
    static const char *const types[] = {"application/pdf", "application/msword", "application/rtf",
                                        "text/rtf"};
    static const char *const starts[] = {"image/",
                                         "audio/",
                                         "video/",
                                         "application/vnd.openxmlformats-officedocument",
                                         "application/vnd.oasis.opendocument",
                                         "application/vnd.ms-excel",
                                         "application/vnd.ms-powerpoint",
                                         "application/vnd.ms-word"};
    if (!seen || !sniff_runs(seen))
        return false;
    bool shows = IS_ONE_OF(declared, types);
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        shows |= slice_case_starts(declared, starts[i]);
    return shows || IS_ONE_OF(take_extension(&name), showing);
}
