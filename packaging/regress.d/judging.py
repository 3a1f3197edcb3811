"""What the comparisons of both protocols share: differences line by line, and which of them are explained."""
import difflib
import pathlib
import re


def explanations(path):
    """Lines of `SCRIPT... | PATTERN | WHY`, where a backslash at a line's end joins the next: each run of differing lines has
    to match one of its script's patterns. `SCRIPT?`: it differs in some runs only."""
    found = []
    for line in pathlib.Path(path).read_text().replace("\\\n", " ").splitlines():
        if line and not line.startswith("#"):
            scripts, pattern, why = (part.strip() for part in line.split(" | ", 2))
            assert why, line
            names = scripts.split()
            found.append({
                "uses": dict.fromkeys((name.removesuffix("?") for name in names), 0),
                "at_times": {name[:-1] for name in names if name.endswith("?")},
                "pattern": re.compile(pattern, re.M),
            })
    return found


def of_no_use(known):
    """What explains nothing any more, said and counted."""
    unused = [
        (script, one["pattern"].pattern)
        for one in known
        for script, uses in one["uses"].items()
        if not uses and script not in one["at_times"]
    ]
    for script, pattern in unused:
        print(f"of no use: {script} | {pattern}")
    return unused


def differences(direct, through):
    """Runs of differing lines, without what may differ anyway."""
    lines = [text.decode("utf-8", "replace").splitlines() for text in (direct, through)]
    matcher = difflib.SequenceMatcher(None, *lines, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal":
            yield [f"-{line}" for line in lines[0][a:b]] + [f"+{line}" for line in lines[1][c:d]]


def judge(script, direct, through, known):
    """The unexplained differences of one script."""
    wrong, explained = [], 0
    for run in differences(direct, through):
        text = "\n".join(run)
        why = next((one for one in known if script in one["uses"] and one["pattern"].search(text)), None)
        if why:
            why["uses"][script] += 1
            explained += 1
        else:
            wrong.append(run)
    return wrong, explained
