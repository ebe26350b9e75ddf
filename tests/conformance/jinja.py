#!/usr/bin/env python3
"""Compares dgc's templates with Jinja2 itself: native types and text, folded and emitted as C."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import types

import jinja2
import jinja2.nativetypes
import markupsafe

from _jinja_cases import DIFFERENT, EXPRESSIONS, LITERALS, TEMPLATES, VARS

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build"))
NATIVE = jinja2.nativetypes.NativeEnvironment(extensions=["jinja2.ext.do"])
TEXT = jinja2.Environment(extensions=["jinja2.ext.do"], keep_trailing_newline=True)


def cases():
    for literal in LITERALS:
        yield literal, "native"
    for template in ["{{ %s }}" % e for e in EXPRESSIONS] + TEMPLATES:
        yield template, "native"
        yield template, "text"


def plain(value):
    """Views and generators are lists in dgc."""
    if isinstance(value, (types.GeneratorType, type({}.keys()), type({}.values()), type({}.items()))):
        return list(value)
    return str(value) if isinstance(value, markupsafe.Markup) else value


def expected(template, mode):
    """(True, repr) or (False, the error)."""
    import copy

    try:
        result = (NATIVE if mode == "native" else TEXT).from_string(template).render(copy.deepcopy(VARS))
        return True, repr(plain(result))
    except Exception as e:  # any error of Jinja's is an error for us
        return False, f"{type(e).__name__}: {e}"


def build(folder):
    """The driver, from the sources: (command to fold, function that links emitted C)."""
    sources = [str(p) for d in ("runtime/base", "runtime/eval", "compiler/template") for p in (ROOT / d).glob("*.c")]
    sources += [str(p) for p in (ROOT / "compiler").glob("*.c") if p.name.startswith(("source", "diag", "yaml"))]
    sources += [str(p) for p in (ROOT / "codegen").glob("emit_template*.c")] + [str(ROOT / "codegen/emit.c")]
    sources.append(str(ROOT / "tests/conformance/jinja_driver.c"))
    flags = ["-std=gnu11", "-D_GNU_SOURCE", "-I", str(ROOT), "-O1", "-g"]
    objects = []
    running = []
    for i, source in enumerate(sources):
        objects.append(f"{folder}/{i}.o")
        running.append(subprocess.Popen(["gcc", *flags, "-c", source, "-o", objects[-1]]))
        if len(running) == 3:
            running.pop(0).wait()
    if any(p.wait() for p in running):
        sys.exit("the driver does not compile")

    def link(name, *more):
        subprocess.run(["gcc", "-o", f"{folder}/{name}", *objects, *more, "-lyaml", "-lm"], check=True)
        return f"{folder}/{name}"

    return link, flags


def ask(driver, how, lines):
    done = subprocess.run([driver, how], input=lines, capture_output=True, text=True, encoding="utf-8")
    answers = [json.loads(line) for line in done.stdout.split("\n") if line]
    if done.returncode:
        sys.exit(f"{driver} {how}: exit {done.returncode} after {len(answers)} answers\n{done.stderr}")
    return answers


def without_addresses(text):
    """Objects without a value of their own print in their own way."""
    return re.sub(r"<(built-in method|function|class|LoopContext|jinja2)[^>]*>", "<...>", text)


def compare(what, all_cases, wanted, answers):
    counts = {"ok": 0, "FAIL": 0, "skipped": 0}
    for i, ((template, mode), (ok, text), answer) in enumerate(zip(all_cases, wanted, answers, strict=True)):
        name = f"{what}-{mode}-{i} {template!r}"
        if answer["ok"] is None or template in DIFFERENT:
            counts["skipped"] += 1
        elif answer["ok"] != ok:
            counts["FAIL"] += 1
            print(f"FAIL {name}: Jinja {'gives' if ok else 'fails with'} {text}, dgc {answer}")
        elif ok and without_addresses(text) != without_addresses(answer["repr"]):
            counts["FAIL"] += 1
            print(f"FAIL {name}: Jinja gives {text}, dgc {answer['repr']}")
        else:
            counts["ok"] += 1
            print(f"ok {name}")
    print(f"# {what}: {counts}", file=sys.stderr)


def main():
    all_cases = list(cases())
    lines = "".join(repr({"template": t, "mode": m, "vars": VARS}) + "\n" for t, m in all_cases)
    wanted = [expected(t, m) for t, m in all_cases]
    with tempfile.TemporaryDirectory() as folder:
        link, flags = build(folder)
        driver = link("driver")
        compare("fold", all_cases, wanted, ask(driver, "fold", lines))
        code = subprocess.run([driver, "emit"], input=lines, capture_output=True, text=True, check=True).stdout
        path = pathlib.Path(folder) / "emitted.c"
        path.write_text(code)
        for compiler in ("gcc", "tcc"):
            strict = ["-Wall", "-Wextra", "-Wno-unused", "-Werror"] if compiler == "gcc" else []
            made = f"{folder}/emitted_{compiler}.o"
            subprocess.run([compiler, *(flags if compiler == "gcc" else []), *strict, "-I", str(ROOT),
                            "-c", str(path), "-o", made], check=True)
            compare(f"emit-{compiler}", all_cases, wanted, ask(link(f"run_{compiler}", made), "run", lines))


if __name__ == "__main__":
    main()
