#!/usr/bin/env python3
"""Tokens of both vocabularies: ours against tiktoken's, on files of this tree and random texts of every kind of character."""
import base64, os, pathlib, random, subprocess, sys, tempfile, unicodedata

import tiktoken, tiktoken_ext.openai_public as public

ROOT = pathlib.Path(os.environ.get("ROOT", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build"))
THIRD = pathlib.Path(subprocess.run([ROOT / "scripts" / "tp_dir.sh"], capture_output=True, text=True).stdout.strip())


def packed_ranks(url, *_, **__):
    """What we packed, so that nothing is downloaded; tiktoken checks its own sums of the original file."""
    data = (THIRD / "share" / "tokens" / pathlib.Path(url).stem).read_bytes()
    count, ranks = int.from_bytes(data[:4], "little"), {}
    at = 4 + count
    for rank, length in enumerate(data[4:4 + count]):
        ranks[data[at:at + length]] = rank
        at += length
    return ranks


def texts():
    yield ""
    for path in sorted(ROOT.glob("docs/**/*.md")) + sorted(ROOT.glob("runtime/text/*.[ch]")):
        yield path.read_text()
    tricky = ["don't DON'T I'LL we'Ve 'S'T'RE o\u017f'\u017f", "  \n  ", "a\n\n \n b", "x   ", "\r\n\r\n  y", "\t\tz \u00a0\u3000q", "CamelCaseHTTPServer", "中文ABC日本語abc",
              "ภาษาไทยไม่มีช่องว่าง", "e\u0301\u0301\u0301 \u0301 a\u0301B", "123456789 ١٢٣٤ ½Ⅷ", "!!!///\n/\n/x", " $%^&\n\n", "😀👩‍👩‍👧🏽 ok", "ǅ ǈa Aǅb", "=" * 5000, "a" * 3000,
              "ab" * 3000, " " * 3000 + "x", "\n" * 700, "ก" * 2000, "<|endoftext|> <|fim_prefix|>", "\u200b\ufeff\u2060", "İıſK", "'", "''s", "a's's", "'ll" * 50]
    yield from tricky
    pick = random.Random(7)
    # Characters that this Python knows; newer ones may be new to tiktoken, too.
    known = [chr(c) for c in range(0x20000) if not 0xD800 <= c < 0xE000 and unicodedata.category(chr(c)) != "Cn"]
    common = list("  \n\r\t'aAbBsStTlLvVeErRmMdD019/.,-_\u0301\u00e9\u4e2d\u0e01\u0e31\u3042\u05d0\u01c5\u02b0\u00a0\u2028")
    for n in range(4000):
        source = common if n % 2 else known if n % 4 else common + pick.sample(known, 30)
        yield "".join(pick.choice(source) for _ in range(pick.randrange(1, 60)))
    yield "".join(pick.choice(common) for _ in range(20000))


def main():
    public.load_tiktoken_bpe = packed_ranks
    failed = 0
    with tempfile.TemporaryDirectory() as work:
        driver = pathlib.Path(work) / "driver"
        subprocess.run(["gcc", "-D_GNU_SOURCE", "-std=gnu11", "-O2", f"-I{ROOT}", f"-isystem{THIRD}/include", str(ROOT / "tests/conformance/tokens_driver.c"), "-o", str(driver),
                        str(BUILD / "lib/libdgrt.a"), str(BUILD / "lib/libzstd.a"), "-lpthread", "-lm", "-ldl", "-Wl,--gc-sections"], check=True)
        for name, make in (("o200k_base", public.o200k_base), ("cl100k_base", public.cl100k_base)):
            encoding, all_texts = tiktoken.Encoding(**make()), list(texts())
            fed = b"".join(b"%d\n%s" % (len(t.encode()), t.encode()) for t in all_texts)
            run = subprocess.run([driver, name], input=fed, capture_output=True)
            if run.returncode:
                sys.exit(f"{name}: driver failed: {run.stderr.decode()}")
            ours = run.stdout.decode().split("\n")[:-1]
            assert len(ours) == len(all_texts)
            for text, line in zip(all_texts, ours):
                theirs = " ".join(map(str, encoding.encode_ordinary(text)))
                if theirs != line:
                    failed += 1
                    if failed < 6:
                        print(f"{name}: {text[:80]!r}\n  tiktoken {theirs[:200]}\n  dgc      {line[:200]}")
            print(f"{name}: {len(all_texts)} texts, {sum(len(l.split()) for l in ours)} tokens, {failed} differ")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
