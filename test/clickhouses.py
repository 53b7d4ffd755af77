"""Servers of ClickHouse for a test: each on loopback, in a folder of its own, with ports of its own."""
import shutil
import socket
import subprocess
import urllib.error
import urllib.request

from waiting import until

SERVER = shutil.which("clickhouse-server") or shutil.which("clickhouse-server", path="/usr/sbin:/usr/bin")
PASSWORD = "k9-Zeppelin_77"


def free_ports(count):
    held = [socket.socket() for _ in range(count)]
    for s in held:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


class Server:
    """User default has no password, user mail has PASSWORD. `shards` are the TCP ports of cluster "two"."""

    def __init__(self, folder, http, tcp, shards=()):
        self.folder, self.http, self.process = folder, http, None
        folder.mkdir()
        cluster = "".join("<shard><replica><host>127.0.0.1</host><port>%d</port></replica></shard>" % p for p in shards)
        (folder / "config.xml").write_text("""<yandex><logger><level>error</level><log>{f}/log</log><errorlog>{f}/errors</errorlog></logger>
<http_port>{h}</http_port><tcp_port>{t}</tcp_port><listen_host>127.0.0.1</listen_host><path>{f}/data/</path><tmp_path>{f}/tmp/</tmp_path>
<users_config>{f}/users.xml</users_config><mark_cache_size>67108864</mark_cache_size><default_profile>default</default_profile>
<default_database>default</default_database><remote_servers>{c}</remote_servers></yandex>
""".format(f=folder, h=http, t=tcp, c="<two>%s</two>" % cluster if cluster else ""))
        user = "<{0}><password>{1}</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></{0}>"
        (folder / "users.xml").write_text("<yandex><profiles><default></default></profiles><quotas><default></default></quotas><users>%s%s</users></yandex>"
                                          % (user.format("default", ""), user.format("mail", PASSWORD)))

    def start(self):
        with (self.folder / "out").open("ab") as out:
            self.process = subprocess.Popen([SERVER, "--config-file=%s" % (self.folder / "config.xml")], stdout=out, stderr=out, cwd=self.folder)
        return bool(until(lambda: self.try_ask("SELECT 1") == "1\n", 60))

    def kill(self):
        """At once, as a machine that fails; it may be started again."""
        if self.process:
            self.process.kill()
            self.process.wait()
        self.process = None

    def ask(self, sql, database="default"):
        url = "http://127.0.0.1:%d/?database=%s" % (self.http, database)
        try:
            with urllib.request.urlopen(urllib.request.Request(url, sql.encode()), timeout=60) as r:
                return r.read().decode()
        except urllib.error.HTTPError as e:
            raise RuntimeError("%s: %s" % (sql[:200], e.read().decode(errors="replace")[:500])) from None

    def try_ask(self, sql, database="default"):
        try:
            return self.ask(sql, database)
        except (OSError, RuntimeError):
            return None

    def number(self, sql, database="default"):
        return int(self.ask(sql, database))
