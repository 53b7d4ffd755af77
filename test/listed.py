"""Lists of known differences to another reader: tab-separated, with a row for each that says who is right or why."""
import csv
import fnmatch


class Listed:
    """Rows with a pattern in column `name`, fields with commas between them in column `field`, and a reason in column `why`."""

    def __init__(self, path, name="file", field="field", why="why"):
        self.name, self.field, self.why = name, field, why
        with open(path, encoding="utf-8", newline="") as f:
            self.rows = list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
        self.used = [set() for _ in self.rows]

    def covers(self, name, field, fits=lambda row: True):
        """The first row that fits counts, so special ones stand above general ones."""
        for row, used in zip(self.rows, self.used):
            if field in row[self.field].split(",") and fnmatch.fnmatchcase(name, row[self.name]) and fits(row):
                used.add(field)
                return True
        return False

    def idle(self):
        """What no difference needed, and rows without a reason."""
        for row, used in zip(self.rows, self.used):
            left = set(row[self.field].split(",")) - used
            if left or not row[self.why]:
                yield "%s: %s" % (row[self.name], ",".join(sorted(left)))
