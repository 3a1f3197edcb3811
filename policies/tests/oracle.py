#!/usr/bin/env python3
"""Compares the analyser with PostgreSQL's own parser (PyPI pglast) over SQL scripts, say PostgreSQL's regression suite.

    oracle.py FACTS DIR_OR_FILE...                FACTS is the built example: cargo build -p policies --example facts
    oracle.py --mutate N [SEED] FACTS DIR...      the same over N statements made by mixing up the scripts' tokens

No object that the parser sees may be missing from a statement that is called understood. Prints, by kind of statement,
how many are understood, and every statement with something missing; exits 1 if there is one. What psql alone reads
(backslash commands, COPY's data) is left out, as is what the parser refuses.
"""
import collections
import json
import os
import random
import re
import subprocess
import sys

from pglast import ast, parse_sql

sys.setrecursionlimit(20000)
DML = {"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CopyStmt"}
# Functions that the grammar calls for a syntax of its own.
SYNTAX = {
    "timezone", "like_escape", "similar_to_escape", "overlaps", "pg_collation_for", "is_normalized", "xmlexists",
    "system", "bernoulli", "date_part", "btrim", "ltrim", "rtrim", "ntile",
}


def strip_psql(text):
    """Drops COPY's data and backslash commands at the start of a line."""
    out, data = [], False
    for line in text.split("\n"):
        if data:
            data = not line.startswith("\\.")
            continue
        if re.match(r"\s*\\", line):
            continue
        out.append(line)
        if re.search(r"\bcopy\b.*\bfrom\s+stdin\b.*;\s*$", line, re.I):
            data = True
    return "\n".join(out)


TOKEN = re.compile(
    r"(?P<line>--[^\n]*)|(?P<block>/\*)|(?P<escape>[eE]'(?:[^'\\]|\\.|'')*')|(?P<string>'(?:[^']|'')*')"
    r"|(?P<name>\"(?:[^\"]|\"\")*\")|(?P<dollar>(?<![\w$])\$(?:[A-Za-z_]\w*)?\$)|(?P<open>[(\[])|(?P<close>[)\]])"
    r"|(?P<end>;)|(?P<back>\\)|(?P<word>\w[\w$]*)|(?P<other>.)",
    re.S,
)


def split(text):
    """The statements of a script."""
    at, start, depth, length = 0, 0, 0, len(text)
    while at < length:
        match = TOKEN.match(text, at)
        kind, at = match.lastgroup, match.end()
        if kind == "block":
            level = 1
            while level and at < length:
                step = re.compile(r"/\*|\*/").search(text, at)
                if not step:
                    at = length
                    break
                level += 1 if step.group() == "/*" else -1
                at = step.end()
        elif kind == "dollar":
            close = text.find(match.group(), at)
            at = length if close < 0 else close + len(match.group())
        elif kind == "open":
            depth += 1
        elif kind == "close":
            depth = max(0, depth - 1)
        elif kind == "end" and depth == 0:
            yield text[start:match.start()]
            start = at
        elif kind == "back":
            yield text[start:match.start()]
            line = text.find("\n", at)
            at = start = length if line < 0 else line
            depth = 0
    yield text[start:]


def part(name):
    return '"' + name.replace('"', '""') + '"' if name == "" or re.search(r'[."*]', name) else name


def named(*parts):
    return ".".join(part(it) for it in parts if it)


class Oracle:
    """What the parser's tree names."""

    def __init__(self):
        self.objects, self.functions = set(), set()

    def walk(self, node, ctes=frozenset(), target=False):
        if isinstance(node, (list, tuple)):
            for it in node:
                self.walk(it, ctes)
            return
        if not isinstance(node, ast.Node):
            return
        if isinstance(node, ast.RangeVar):
            if target or node.schemaname or node.relname not in ctes:
                self.objects.add(named(node.schemaname, node.relname))
            return
        if isinstance(node, (ast.LockingClause, ast.ConstraintsSetStmt)):
            return
        if isinstance(node, ast.ImportForeignSchemaStmt) and "EXCEPT" in node.list_type.name:
            return
        if isinstance(node, ast.CallStmt):
            return self.walk(node.funccall.args, ctes)
        if isinstance(node, ast.FuncCall):
            parts = [it.sval for it in node.funcname]
            if not (parts[0] == "pg_catalog" and parts[-1] in SYNTAX):
                self.functions.add(parts[-1])
        if isinstance(node, ast.DropStmt):
            self.dropped(node)
        with_clause = getattr(node, "withClause", None)
        if with_clause is not None:
            names = [cte.ctename for cte in with_clause.ctes]
            if with_clause.recursive:
                ctes = ctes | set(names)
                for cte in with_clause.ctes:
                    self.walk(cte.ctequery, ctes)
            else:
                for cte in with_clause.ctes:
                    self.walk(cte.ctequery, ctes)
                    ctes = ctes | {cte.ctename}
        for slot in node.__slots__:
            if slot == "withClause":
                continue
            value = getattr(node, slot, None)
            its_target = slot in ("relation", "rel") and not isinstance(node, ast.RangeSubselect)
            if isinstance(value, ast.RangeVar):
                self.walk(value, ctes, its_target and isinstance(node, TARGETS))
            else:
                self.walk(value, ctes)

    def dropped(self, node):
        kinds = ("OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_INDEX", "OBJECT_SEQUENCE", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE")
        if node.removeType.name in kinds:
            for names in node.objects:
                self.objects.add(named(*[it.sval for it in names][-2:]))


TARGETS = (ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt, ast.IntoClause, ast.CopyStmt)


def kind_of(raw):
    return type(raw.stmt).__name__


def statements(paths):
    for path in paths:
        files = [path]
        if os.path.isdir(path):
            files = sorted(os.path.join(path, it) for it in os.listdir(path) if it.endswith(".sql"))
        for file in files:
            with open(file, encoding="utf-8", errors="replace") as script:
                for text in split(strip_psql(script.read())):
                    if text.strip() and "\0" not in text:
                        yield file, text


def missing(text, raws, facts):
    oracle = Oracle()
    for raw in raws:
        oracle.walk(raw.stmt)
    objects = oracle.objects - set(facts["objects"])
    called = {re.search(r'(?:"(?:[^"]|"")*"|[^."]+)$', it).group().strip('"') for it in facts["functions"]}
    return objects, oracle.functions - called


def mutated(paths, count, seed):
    """Statements that mix up the tokens of the scripts' statements; of those that KINDS, an expression, begins;
    with WORDS, words between spaces, more often than others."""
    dice = random.Random(seed)
    pieces = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[A-Za-z_]\w*|\d+|::|<=|>=|<>|\|\||\s+|.", re.S)
    corpus, pool = [], collections.Counter()
    for _, text in statements(paths):
        text = re.sub(r"--[^\n]*", " ", text)
        if len(text) < 400 and re.match(os.environ.get("KINDS", "."), text.strip(), re.I):
            tokens = [it for it in pieces.findall(text) if it.strip()]
            corpus.append(tokens)
            pool.update(tokens)
    words = [it for it, seen in pool.items() if seen > 3]
    with open(keyword_list, encoding="utf-8") as source:
        words += re.findall(r'"([a-z_]+)"', source.read()) * 2
    words += os.environ.get("WORDS", "").split() * 20
    for number in range(count):
        tokens = list(dice.choice(corpus))
        for _ in range(dice.randint(1, 3)):
            at, kind = dice.randrange(len(tokens)), dice.random()
            if kind < 0.35:
                tokens[at] = dice.choice(words)
            elif kind < 0.6:
                tokens.insert(at, dice.choice(words))
            elif kind < 0.75 and len(tokens) > 1:
                del tokens[at]
            else:
                other = dice.choice(corpus)
                start = dice.randrange(len(other))
                tokens[at:at] = other[start:start + dice.randint(1, 8)]
        yield f"mutation {number}", " ".join(tokens)


keyword_list = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../src/statement/sql/keywords.rs")


def main():
    arguments = sys.argv[1:]
    source = statements
    if arguments[0] == "--mutate":
        count, seed = int(arguments[1]), 1
        arguments = arguments[2:]
        if arguments[0].isdigit():
            seed, arguments = int(arguments[0]), arguments[1:]
        print(f"seed {seed}")
        source = lambda paths: mutated(paths, count, seed)
    binary, paths = arguments[0], arguments[1:]
    verbose = os.environ.get("VERBOSE")
    cases = []
    for file, text in source(paths):
        try:
            raws = parse_sql(text)
        except Exception:
            continue
        if raws:
            cases.append((file, text, raws))
    lines = "".join(json.dumps(text) + "\n" for _, text, _ in cases)
    done = subprocess.run([binary], input=lines, capture_output=True, text=True, check=True)
    total, understood, bad, lost = collections.Counter(), collections.Counter(), 0, collections.Counter()
    for (file, text, raws), line in zip(cases, done.stdout.splitlines(), strict=True):
        facts, kind = json.loads(line), kind_of(raws[0])
        total[kind] += 1
        if not facts["understood"]:
            if verbose and re.search(verbose, kind):
                print(f"-- unknown {kind} {os.path.basename(file)}: {' '.join(text.split())[:300]}")
            continue
        understood[kind] += 1
        objects, functions = missing(text, raws, facts)
        if objects:
            bad += 1
            print(f"MISSING {sorted(objects)} {kind} {os.path.basename(file)}: {' '.join(text.split())[:300]}")
        if functions:
            lost[kind] += 1
            print(f"FUNCTIONS {sorted(functions)} {kind}: {' '.join(text.split())[:300]}")
    for kind, count in total.most_common():
        print(f"{kind:28} {understood[kind]:6} of {count:6} understood {100 * understood[kind] / count:6.2f} %")
    dml = sum(total[it] for it in DML), sum(understood[it] for it in DML)
    print(f"queries and changes: {dml[1]} of {dml[0]} understood, {100 * dml[1] / max(dml[0], 1):.2f} %")
    print(f"all: {sum(understood.values())} of {sum(total.values())} understood; with an object missing: {bad};"
          f" with a function missing: {sum(lost.values())}")
    sys.exit(1 if bad else 0)


main()
