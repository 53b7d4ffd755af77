/* confine_files.c: which files a confined process reaches, by Landlock.
 * In: lists of paths. Out: a domain that this process is in for good. Owns: one descriptor for each path on
 * procfs, until the process ends: the kernel may forget an entry there and make it anew, and would not know
 * it as the permitted one. Limits: none of our own. Knowingly: what is open stays open; metadata (stat), the
 * names of other files and locks are not guarded. An older kernel guards less: truncation from ABI 3 on, TCP
 * from 4, devices' ioctls from 5, signals and abstract sockets from 6. Spec: landlock(7). */
#include "confine_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <limits.h>
#include <link.h>
#include <linux/landlock.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Debian 12's header knows ABI 2 only. */
#define FS_TRUNCATE         (UINT64_C(1) << 14)
#define FS_IOCTL_DEV        (UINT64_C(1) << 15)
#define NET_BIND            (UINT64_C(1) << 0)
#define NET_CONNECT         (UINT64_C(1) << 1)
#define RULE_PORT           2
#define DNS                 53 /* over TCP where an answer is long */
#define SCOPE_ABSTRACT_UNIX (UINT64_C(1) << 0)
#define SCOPE_SIGNAL        (UINT64_C(1) << 1)

struct ruleset_attr {
    uint64_t fs, net, scoped;
};

struct port_attr {
    uint64_t rights, port;
};

#define RESOLVER "/etc/resolv.conf"

#define READS (uint64_t)(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* REFER is moving a file to another folder. */
#define WRITES                                                                                               \
    (READS | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE | LANDLOCK_ACCESS_FS_MAKE_REG |                     \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REFER)
#define OF_A_FILE (uint64_t)(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE)

/* What libraries open by themselves: time zones; OpenSSL's settings, which it reads at its first hash; how
 * many processors there are and whether memory may be given back, which malloc asks. */
static const char *const system_reads[] = {"/etc/localtime",
                                           "/usr/share/zoneinfo",
                                           "/etc/ssl/openssl.cnf",
                                           "/etc/ld.so.cache",
                                           "/dev/urandom",
                                           "/proc/self",
                                           "/proc/sys/vm/overcommit_memory",
                                           "/sys/devices/system/cpu/online"};

/* Who vouches for servers, beside whom the caller names. */
static const char *const authorities[] = {"/etc/ssl/certs", "/usr/lib/ssl", "/usr/share/ca-certificates",
                                          "/usr/local/share/ca-certificates"};

/* What the C library opens to find a host's address. */
static const char *const resolver_reads[] = {"/etc/hosts",    "/etc/host.conf", "/etc/nsswitch.conf",
                                             "/etc/gai.conf", "/etc/services",  RESOLVER};

struct domain {
    int fd;
    uint64_t handled;
    struct confine_report *report;
};

/* Negative: none, or it is turned off. */
static int abi_version(void)
{
    return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

static uint64_t handled_by(int abi)
{
    uint64_t ret = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
    if (abi >= 2)
        ret |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3)
        ret |= FS_TRUNCATE;
    if (abi >= 5)
        ret |= FS_IOCTL_DEV;
    return ret;
}

static int create(int abi, const struct confine_settings *set, struct domain *ret, struct error *reterr)
{
    struct ruleset_attr attr = {.fs = handled_by(abi), .net = NET_BIND, .scoped = SCOPE_ABSTRACT_UNIX};
    if (!set->connects || set->port_count)
        attr.net |= NET_CONNECT;
    if (!set->child_count)
        attr.scoped |= SCOPE_SIGNAL;
    size_t size = abi < 4   ? offsetof(struct ruleset_attr, net)
                  : abi < 6 ? offsetof(struct ruleset_attr, scoped)
                            : sizeof attr;
    ret->handled = attr.fs;
    ret->fd = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
    return ret->fd < 0 ? error_set(reterr, -errno, "confine: Landlock: %s", strerror(errno)) : 0;
}

static bool is_on_proc(int fd)
{
    struct statfs fs;
    return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/* Permits `rights` on a path, and below it where it is a folder. False: not, and errno says why. */
static bool permit(struct domain *d, const char *path, uint64_t rights)
{
    struct stat st;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
        rights &= OF_A_FILE;
    struct landlock_path_beneath_attr rule = {.allowed_access = rights & d->handled, .parent_fd = fd};
    bool done = syscall(SYS_landlock_add_rule, d->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
    int err = errno;
    if (!done || !is_on_proc(fd))
        close(fd);
    errno = err;
    d->report->paths += done;
    return done;
}

/* A path of the caller's: what will not work is better said now than when it is needed. */
static void permit_named(struct domain *d, const char *path, uint64_t rights)
{
    bool writes = rights & LANDLOCK_ACCESS_FS_WRITE_FILE;
    if (!permit(d, path, rights) || access(path, writes ? W_OK : R_OK) < 0)
        confine_remark(d->report, "%s: cannot be %s by user %u: %s", path, writes ? "written" : "read",
                       getuid(), strerror(errno));
}

static void permit_folder_of(struct domain *d, const char *file)
{
    char *copy = strdup(file);
    const char *folder = copy ? dirname(copy) : "/";
    if (strcmp(folder, "/") == 0)
        permit(d, file, READS);
    else
        permit(d, folder, READS & ~(uint64_t)LANDLOCK_ACCESS_FS_READ_DIR);
    free(copy);
}

/* The file may be a link; either end of it may be replaced. */
static void permit_reread(struct domain *d, const char *file)
{
    char real[PATH_MAX];
    permit_folder_of(d, file);
    if (realpath(file, real))
        permit_folder_of(d, real);
    /* One that is not there was not read before either: the country database that may be installed. */
    if (access(file, R_OK) < 0 && errno != ENOENT)
        confine_remark(d->report, "%s: cannot be read again by user %u: %s", file, getuid(), strerror(errno));
}

/* Where the C library was loaded from: its charset converters are below, libgcc_s, which pthread_exit loads,
 * beside it. */
static int permit_libraries(struct dl_phdr_info *info, size_t size, void *domain)
{
    (void)size;
    char path[PATH_MAX];
    const char *name = strrchr(info->dlpi_name, '/');
    if (!name || strncmp(name, "/libc.so", 8) != 0)
        return 0;
    int folder = (int)(name - info->dlpi_name);
    snprintf(path, sizeof path, "%.*s", folder, info->dlpi_name);
    permit(domain, path, READS);
    /* On a machine where /lib is no link, the converters are in /usr still. */
    snprintf(path, sizeof path, "/usr%.*s/gconv", folder, info->dlpi_name);
    permit(domain, path, READS);
    return 1;
}

/* How many packets an interface lost, which libpcap reads each time that it is asked; of all that are there
 * now. */
static void permit_interfaces(struct domain *d)
{
    glob_t found;
    if (glob("/sys/class/net/*/statistics", 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            permit(d, found.gl_pathv[i], READS);
    globfree(&found);
}

static void permit_system(struct domain *d)
{
    for (size_t i = 0; i < sizeof system_reads / sizeof *system_reads; i++)
        permit(d, system_reads[i], READS);
    permit(d, "/dev/null", OF_A_FILE);
    dl_iterate_phdr(permit_libraries, d);
    permit_interfaces(d);
    char *converters = getenv("GCONV_PATH") ? strdup(getenv("GCONV_PATH")) : NULL, *rest = NULL;
    for (char *p = converters ? strtok_r(converters, ":", &rest) : NULL; p; p = strtok_r(NULL, ":", &rest))
        permit(d, p, READS);
    free(converters);
}

/* resolv.conf is replaced while we run, by whatever gives this machine its address: by writing it, or by
 * renaming another onto it or onto what it is a link to. The folder of the file itself is permitted for that;
 * without a resolver records would wait for ever. A file that is mounted there cannot be renamed. To root all
 * of /etc would be open by it; it runs over files alone, which is short. */
static void permit_resolver(struct domain *d)
{
    char real[PATH_MAX];
    struct stat file, folder;
    for (size_t i = 0; i < sizeof resolver_reads / sizeof *resolver_reads; i++)
        permit(d, resolver_reads[i], READS);
    if (geteuid() == 0)
        return;
    if (!realpath(RESOLVER, real) || stat(real, &file) < 0)
        snprintf(real, sizeof real, "%s", RESOLVER);
    else if (stat(dirname(strdupa(real)), &folder) == 0 && folder.st_dev != file.st_dev)
        return;
    permit_folder_of(d, real);
}

static void permit_port(struct domain *d, uint16_t port)
{
    const struct port_attr rule = {NET_CONNECT, port};
    syscall(SYS_landlock_add_rule, d->fd, RULE_PORT, &rule, 0);
}

static void permit_network(struct domain *d, const struct confine_settings *set, int abi)
{
    static const char *const named[] = {"SSL_CERT_FILE", "SSL_CERT_DIR"};
    for (size_t i = 0; i < sizeof authorities / sizeof *authorities; i++)
        permit(d, authorities[i], READS);
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (getenv(named[i]))
            permit(d, getenv(named[i]), READS);
    if (set->resolves)
        permit_resolver(d);
    if (abi < 4 || !set->port_count)
        return;
    for (size_t i = 0; i < set->port_count; i++)
        permit_port(d, set->ports[i]);
    if (set->resolves)
        permit_port(d, DNS);
}

int confine_files(const struct confine_settings *set, struct confine_report *ret, struct error *reterr)
{
    int abi = abi_version();
    if (abi < 1) {
        confine_remark(ret, "this kernel has no Landlock (%s): files are guarded by their permissions alone",
                       strerror(errno));
        ret->of_system = strlen(ret->remarks);
        return 0;
    }
    struct domain d = {.report = ret};
    ret->of_system = strlen(ret->remarks);
    int err = create(abi, set, &d, reterr);
    if (err < 0)
        return err;
    permit_system(&d);
    if (set->connects)
        permit_network(&d, set, abi);
    for (size_t i = 0; i < set->read_count; i++)
        permit_named(&d, set->read_paths[i], READS);
    for (size_t i = 0; i < set->reread_count; i++)
        permit_reread(&d, set->reread_files[i]);
    for (size_t i = 0; i < set->write_count; i++)
        permit_named(&d, set->write_paths[i], WRITES);
    if (syscall(SYS_landlock_restrict_self, d.fd, 0) < 0)
        err = error_set(reterr, -errno, "confine: Landlock: %s", strerror(errno));
    close(d.fd);
    ret->landlock = abi;
    return err;
}
