"""The cluster that librdkafka has built in for tests, led by test/kafka-mock.c."""
import json
import re
import subprocess


class Cluster:
    def __init__(self, mock):
        self.process = subprocess.Popen([mock, "mail", "4"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.url = "kafka://%s/mail" % re.sub(r"\w+://", "", self.process.stdout.readline().decode().strip())

    def tell(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def messages(self):
        """(key, record) of each."""
        found = []
        line = self.tell("read")
        while line and line != b".\n":
            key, value = line.rstrip(b"\n").split(b"\t", 1)
            found.append((key.decode(), json.loads(value)))
            line = self.process.stdout.readline()
        return found

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.process.stdin.close()
        self.process.wait()
