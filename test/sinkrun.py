"""A lasting sink in a process of its own, led line by line: the program sink-run, the test's second argument."""
import json
import os
import subprocess
import sys
import tempfile

from tap import ok

RUN = sys.argv[2]


class Run:
    """The program. Each command is answered by the counts."""

    def __init__(self, kind, folder, stdout=subprocess.DEVNULL, before=None, **settings):
        self.err = tempfile.TemporaryFile()
        answers, theirs = os.pipe()
        words = ["%s=%s" % pair for pair in settings.items()]
        self.process = subprocess.Popen([RUN, kind, str(folder or "-"), str(theirs), *words], stdin=subprocess.PIPE, stdout=stdout,
                                        stderr=self.err, pass_fds=[theirs], preexec_fn=before)
        os.close(theirs)
        self.answers = os.fdopen(answers)
        self.first = self.answers.readline().strip()

    def say(self, *words):
        self.process.stdin.write((" ".join(map(str, words)) + "\n").encode())
        self.process.stdin.flush()
        line = self.answers.readline()
        if not line.startswith("{"):
            ok(False, "sink-run answers", line, self.said())
        return json.loads(line)

    def said(self):
        self.err.seek(0)
        return self.err.read().decode()

    def close(self):
        self.process.stdin.close()
        last = self.answers.readline().strip()
        code = self.process.wait(60)
        if code not in (0, 1, 3) or "Sanitizer" in self.said() or "runtime error" in self.said():
            ok(False, "sink-run ends well", code, self.said())
        self.answers.close()
        self.err.seek(0)
        return last
