/* What confine.c puts together. */
#ifndef CONFINE_PARTS_H
#define CONFINE_PARTS_H

#include "confine.h"

/* The run time of a sanitizer reads its own maps and makes calls of its own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CONFINE_SANITIZED 1
#else
#define CONFINE_SANITIZED 0
#endif

/* Threads that a process has by itself: ThreadSanitizer's run time has one. */
#if defined(__SANITIZE_THREAD__)
enum { CONFINE_THREADS = 2 };
#else
enum { CONFINE_THREADS = 1 };
#endif

/* Adds a line to the remarks; what does not fit any more is cut. */
__attribute__((format(printf, 2, 3))) void confine_remark(struct confine_report *report, const char *format,
                                                          ...);
/* Landlock: only the paths and ports of `set`, no signals but to children. Sets ret->landlock and ret->paths.
 * Returns 0, also where the kernel has no Landlock, which is a remark; or -errno. */
int confine_files(const struct confine_settings *set, struct confine_report *ret, struct error *reterr);
/* seccomp: only the calls of its table. Sets ret->calls. Returns 0 or -errno. */
int confine_calls(const struct confine_settings *set, struct confine_report *ret, struct error *reterr);

#endif
