"""Keys and credentials of NATS, by openssl: an operator, an account, a user's file, as nsc would make them."""
import base64
import json
import subprocess

OPERATOR, ACCOUNT, USER, SEED = 14 << 3, 0, 20 << 3, 18 << 3


def checked(raw):
    """With CRC-16/XMODEM, in base 32."""
    crc = 0
    for byte in raw:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xffff
    return base64.b32encode(raw + crc.to_bytes(2, "little")).decode().rstrip("=")


class Key:
    def __init__(self, folder, name, kind):
        self.pem = folder / (name + ".pem")
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.pem], check=True, capture_output=True)

        def der(*args):
            return subprocess.run(["openssl", "pkey", "-in", self.pem, "-outform", "DER", *args], check=True, capture_output=True).stdout[-32:]
        self.public = checked(bytes([kind]) + der("-pubout"))
        self.seed = checked(bytes([SEED | kind >> 5, (kind & 31) << 3]) + der())

    def sign(self, subject, name, claims):
        def part(value):
            return base64.urlsafe_b64encode(value if isinstance(value, bytes) else json.dumps(value).encode()).rstrip(b"=")
        text = part({"typ": "JWT", "alg": "ed25519-nkey"}) + b"." + part(
            {"jti": name, "iat": 1700000000, "iss": self.public, "name": name, "sub": subject.public, "nats": dict(claims, version=2)})
        file = self.pem.with_suffix(".txt")
        file.write_bytes(text)
        signature = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.pem, "-in", file], check=True, capture_output=True).stdout
        return (text + b"." + part(signature)).decode()


def make(folder):
    """(configuration of a server, text of a user's file of credentials)"""
    operator, account, system, user = (Key(folder, n, k) for n, k in (("operator", OPERATOR), ("account", ACCOUNT), ("system", ACCOUNT), ("user", USER)))
    none = dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf", "mem_storage", "disk_storage", "streams", "consumer"), -1)
    preload = "".join('  %s: "%s"\n' % (k.public, operator.sign(k, n, {"type": "account", "limits": dict(none, wildcards=True) if k is account else
                                                                       {m: v for m, v in dict(none, wildcards=True).items() if m not in ("mem_storage", "disk_storage", "streams", "consumer")}}))
                      for k, n in ((account, "A"), (system, "SYS")))
    config = 'operator: "%s"\nsystem_account: %s\nresolver: MEMORY\nresolver_preload: {\n%s}\n' % (operator.sign(operator, "O", {"type": "operator"}), system.public, preload)
    jwt = account.sign(user, "U", {"type": "user", "subs": -1, "data": -1, "payload": -1})
    return config, ("-----BEGIN NATS USER JWT-----\n%s\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n%s\n------END USER NKEY SEED------\n" % (jwt, user.seed))
