"""Mails as they come over the wire: one SMTP session each, in one capture."""
import re
import struct


def crlf(message):
    message = re.sub(rb"(?<!\r)\n", b"\r\n", message)
    return message if message.endswith(b"\r\n") else message + b"\r\n"


def wire(message):
    """Lines end with CRLF, dots are stuffed."""
    message = re.sub(rb"(?<!\r)\n", b"\r\n", message)
    if not message.endswith(b"\r\n"):
        message += b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", message)


def write_capture(path, messages):
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)]
    clock = 1700000000

    def packet(number, from_client, seq, ack, flags, data=b""):
        ends = [bytes([198, 18, number >> 8, number & 255]), bytes([192, 0, 2, 1])]
        ports = [20000 + number, 25]
        if not from_client:
            ends.reverse(), ports.reverse()
        tcp = struct.pack(">HHIIBBHHH", *ports, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, 65535, 0, 0)
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(data), 0, 0, 64, 6, 0, *ends)
        frame = ip + tcp + data
        out.append(struct.pack("<IIII", clock, 0, len(frame), len(frame)) + frame)

    for number, message in enumerate(messages):
        clock += 1
        seq = [1000, 5000]

        def say(side, data):
            for at in range(0, len(data), 1460):
                part = data[at : at + 1460]
                packet(number, side == 0, seq[side], seq[1 - side], 0x18, part)
                seq[side] += len(part)

        packet(number, True, 999, 0, 2)
        packet(number, False, 4999, 1000, 0x12)
        packet(number, True, 1000, 5000, 0x10)
        say(1, b"220 mx.example.net ESMTP\r\n")
        for command, reply in ((b"EHLO corpus.example", b"250 mx.example.net"), (b"MAIL FROM:<m%d@corpus.example>" % number, b"250 ok"),
                               (b"RCPT TO:<r@example.net>", b"250 ok"), (b"DATA", b"354 go on")):
            say(0, command + b"\r\n")
            say(1, reply + b"\r\n")
        say(0, wire(message) + b".\r\n")
        say(1, b"250 taken\r\n")
        say(0, b"QUIT\r\n")
        say(1, b"221 bye\r\n")
        packet(number, True, seq[0], seq[1], 0x11)
        packet(number, False, seq[1], seq[0] + 1, 0x11)
    path.write_bytes(b"".join(out))
