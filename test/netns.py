"""Network namespaces with a veth between them, for tests that capture: made here, gone with the process."""
import ctypes
import os
import socket
import struct
import subprocess
import sys

from waiting import LONG, until

CLONE_NEWNET, CLONE_NEWUSER = 0x40000000, 0x10000000
CAPABILITIES = 12, 13, 18, 21  # of networks, of captures, of mounts, of namespaces
HERE, THERE = "02:00:00:00:00:01", "02:00:00:00:00:02"

libc = ctypes.CDLL(None, use_errno=True)


def unshare(what):
    if libc.unshare(what) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def ip(*args, check=True):
    r = subprocess.run(["ip", *args], capture_output=True, text=True, timeout=LONG)
    if check and r.returncode:
        raise RuntimeError("ip %s: %s" % (" ".join(args), r.stderr.strip()))
    return not r.returncode


class Namespace:
    """One that this process made; `with` enters it, for this thread and what it starts."""

    def __init__(self):
        unshare(CLONE_NEWNET)
        self.fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self.path = "/proc/%d/fd/%d" % (os.getpid(), self.fd)
        self.before = []
        ip("link", "set", "lo", "up")

    def __enter__(self):
        self.before.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY))
        libc.setns(self.fd, CLONE_NEWNET)

    def __exit__(self, *args):
        fd = self.before.pop()
        libc.setns(fd, CLONE_NEWNET)
        os.close(fd)


def own_users(root):
    """A user namespace, for whom has no rights: root there, or who we are with capabilities that programs inherit."""
    uid, gid = os.getuid(), os.getgid()
    unshare(CLONE_NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", "%d %d 1" % (0 if root else uid, uid)),
                       ("gid_map", "%d %d 1" % (0 if root else gid, gid))):
        with open("/proc/self/" + name, "w") as f:
            f.write(text)
    if not root:
        few = sum(1 << cap for cap in CAPABILITIES)
        if libc.capset(struct.pack("=Ii", 0x20080522, 0), struct.pack("=6I", *[few] * 3, *[0] * 3)) != 0:
            raise OSError(ctypes.get_errno(), "capset")
        for cap in CAPABILITIES:
            libc.prctl(47, 2, cap, 0, 0)  # PR_CAP_AMBIENT_RAISE


def namespaces(root=True):
    """The one in which this process is from here on, and the other. Without rights to that it becomes `root` of a user namespace, or stays who it is."""
    try:
        try:
            near = Namespace()
        except PermissionError:
            own_users(root)
            near = Namespace()
        far = Namespace()
        libc.setns(near.fd, CLONE_NEWNET)
        veth(near, far)
        return near, far
    except (OSError, RuntimeError) as e:
        print("1..0 # SKIP no network namespace with a veth can be made here: %s" % e)
        sys.exit(0)


def veth(near, far, name="here", other="there", mac=HERE, other_mac=THERE, net="10.9.0", net6="fd09::"):
    ip("link", "add", name, "address", mac, "type", "veth", "peer", "name", other, "address", other_mac)
    ip("link", "set", other, "netns", far.path)
    address_up(name, net + ".1/24", net6 + "1/64")
    with far:
        address_up(other, net + ".2/24", net6 + "2/64")
    carrier(name)
    with far:
        carrier(other)


def carrier(name):
    """Waits until what is sent there goes out, which the kernel brings about some time after a link is up."""
    until(lambda: b"state UP" in subprocess.run(["ip", "link", "show", name], capture_output=True, timeout=LONG).stdout)


def address_up(name, *addresses):
    ip("link", "set", name, "up")
    for a in addresses:
        ip("addr", "add", a, "dev", name, *(["nodad"] if ":" in a else []))


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ipv4(src, dst, protocol, payload, ident=1, offset=0, more=False, options=b""):
    head = struct.pack("!BBHHHBBH4s4s", 0x45 + len(options) // 4, 0, 20 + len(options) + len(payload), ident,
                       more << 13 | offset // 8, 64, protocol, 0, socket.inet_aton(src), socket.inet_aton(dst)) + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ipv6(src, dst, protocol, payload):
    return struct.pack("!IHBB16s16s", 0x60000000, len(payload), protocol, 64, socket.inet_pton(socket.AF_INET6, src),
                       socket.inet_pton(socket.AF_INET6, dst)) + payload


def tcp(sport, dport, data=b"hello"):
    return struct.pack("!HHIIBBHHH", sport, dport, 1, 1, 0x50, 0x18, 1000, 0, 0) + data


def tagged(packet, *tags, src=HERE, dst=THERE):
    """A frame; `tags` are (type, number)."""
    kind = 0x86dd if packet[0] >> 4 == 6 else 0x0800
    return mac(dst) + mac(src) + b"".join(struct.pack("!HH", *t) for t in tags) + struct.pack("!H", kind) + packet


def sender(namespace, iface):
    with namespace:
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((iface, 0))
    return s
