"""Writes a MaxMind DB (format 2.0) of IPv4 networks and the countries they are in, as small as it gets."""
import ipaddress

MAP, ARRAY, UINT16, UINT32, UINT64 = 7, 11, 5, 6, 9


def control(kind, size):
    return bytes([size if kind > 7 else kind << 5 | size]) + (bytes([kind - 7]) if kind > 7 else b"")


def text(value):
    return control(2, len(value)) + value.encode()


def number(kind, value):
    size = {UINT16: 2, UINT32: 4, UINT64: 8}[kind]
    return control(kind, size) + value.to_bytes(size, "big")


def country(code):
    return control(MAP, 1) + text("country") + control(MAP, 1) + text("iso_code") + text(code)


def write(path, networks):
    """`networks`: {"198.18.1.0/24": "CN"}, none inside of another. Records have 24 bits."""
    nodes, data, at = [[None, None]], b"", {}
    for net, code in networks.items():
        if code not in at:
            at[code] = len(data)
            data += country(code)
        net = ipaddress.ip_network(net)
        bits = format(int(net.network_address), "032b")[:net.prefixlen]
        node = 0
        for bit in bits[:-1]:
            if nodes[node][int(bit)] is None:
                nodes[node][int(bit)] = len(nodes)
                nodes.append([None, None])
            node = nodes[node][int(bit)]
        nodes[node][int(bits[-1])] = ("data", at[code])
    count = len(nodes)
    value = lambda child: count if child is None else count + 16 + child[1] if isinstance(child, tuple) else child
    tree = b"".join(value(child).to_bytes(3, "big") for node in nodes for child in node)
    about = [("node_count", number(UINT32, count)), ("record_size", number(UINT16, 24)), ("ip_version", number(UINT16, 4)),
             ("database_type", text("Made-By-Hand")), ("languages", control(ARRAY, 0)),
             ("binary_format_major_version", number(UINT16, 2)), ("binary_format_minor_version", number(UINT16, 0)),
             ("build_epoch", number(UINT64, 1755518400)), ("description", control(MAP, 0))]
    meta = control(MAP, len(about)) + b"".join(text(key) + stored for key, stored in about)
    path.write_bytes(tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + meta)
