/* replay.c: a fuzz target on every file of a folder, without libFuzzer.
 * usage: fuzz-TARGET FOLDER   prints TAP
 *
 * The file at hand is named before it is tried, as a failed assertion or a sanitizer ends the program. */
#include <dirent.h>
#include <stdio.h>
#include "fuzz.h"

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool try_file(const char *path)
{
    struct buf bytes;
    uint8_t piece[4096];
    size_t n;
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    buf_init(&bytes, 64 << 20);
    while ((n = fread(piece, 1, sizeof piece, file)) > 0)
        buf_add(&bytes, (struct slice){piece, n});
    fclose(file);
    uint8_t *copy = exact_copy(buf_slice(&bytes));
    LLVMFuzzerTestOneInput(copy, bytes.len);
    free(copy);
    buf_free(&bytes);
    return true;
}

int main(int argc, char **argv)
{
    struct dirent **names;
    int count = argc == 2 ? scandir(argv[1], &names, is_input, alphasort) : -1;
    if (count <= 0) {
        printf("Bail out! no inputs\n");
        return 1;
    }
    for (int i = 0; i < count; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", argv[1], names[i]->d_name);
        printf("# %s\n", names[i]->d_name);
        fflush(stdout);
        bool good = try_file(path);
        printf("%s %d - %s\n", good ? "ok" : "not ok", i + 1, names[i]->d_name);
        free(names[i]);
    }
    printf("1..%d\n", count);
    free(names);
    return 0;
}
