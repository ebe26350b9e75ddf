"""The corpus of jinja.py: expressions and templates, with the variables that they may use."""

VARS = {
    "n": 7, "m": -3, "z": 0, "f": 2.5, "g": -0.125, "big": 9007199254740993, "t": True, "u": False,
    "no": None, "s": "hello world", "e": "", "five": "5", "quoted": "it's", "uni": "Größe Ärger ß",
    "path": "a/b/c.txt", "xs": [3, 1, 2], "ys": ["b", "A", "c"], "nested": [[1, 2], [3, 4]],
    "d": {"a": 1, "b": {"c": [10, 20]}, "items": 9}, "empty": [], "tup": (1, "two", 3.0),
    "rows": [{"id": 2, "name": "Bo", "tags": ["x"], "n": 1}, {"id": 1, "name": "al", "tags": [], "n": 2},
             {"id": 3, "name": "Cy", "tags": ["y", "z"], "n": 1}],
    "html": "<a href='x'>1 & 2</a>", "multi": "one\n\ntwo\n  three", "spaced": "  pad  ",
    "words": "the quick brown fox jumps over the lazy dog and runs away from the bear",
}

# Plain strings through native types (no braces at all).
LITERALS = [
    "123", "1_000", "0x10", "0o17", "0b101", "1e3", "1.0", "-5", "+5", "- 5", "True", "true", "False", "None",
    "null", "'abc'", '"abc"', "[1,2]", "{'a':1}", "(1,2)", "1,2", "1,", "()", "(5)", "'a' 'b'", "...", "b'x'",
    "1+2j", "2j", "-1-2j", "01", "--5", "  5", "5  ", "2024-01-01", "1.10.0", "1\n", "1\n\n", "a\n", "\n5", "\n 5",
    "5 # c", "#5", "# 5\n6", "", " ", "\n", ".5", "5.", "1__0", "_1", "1_", "0_0", "00", "1e", "0x", "1.5e-3", "1E5",
    "[1, [2, {'k': (3,)}]]", "{1, 2}", "set()", "{}", "[]", "[1,,2]", "[1,]", "{'a': 1, 'b': [True, None]}",
    "'it\\'s'", "'\\x41\\u00e9\\n'", "r'\\n'", "u'x'", "rb'\\x'", "f'x'", "'''a\nb'''", "'a\nb'", "'unclosed", "abc def",
    "x=1", "a,b", "(1", "1)", "{'a'}", "{'a':}", "-True", "not True", "1 + 1", "1 if True else 2", "'a' + 'b'",
    "nan", "inf", "1e400", "{1: 'x', 'y': 2.5}", "[\n1,\n2\n]", "1\n2", "''", "\"\"", "'a' b'c'", "b'\\xff'",
    "{**{}}", "[*[]]", "1;", "0.1", "1e16", "1e-5", "123456789012345678", "3.0e0", "1_000.5", "a{b", "}}", "{ x }",
    "@daily", "* * * * *", "0 3 * * *", "team:x", "1:2", "key=value", "10%", "$5", "~/x", "5kg", "1.2.3.4", "0.0.0.0",
    "True,", "None None", "[True, False]", "(1,2),(3,4)", "'x',", "-1.5e+3", "- 1", "-(5)", "+-5", "5j ", "'a''b'",
]

# Expressions: each is run as {{ e }} in native and text mode.
EXPRESSIONS = [
    # arithmetic
    "1 + 2 * 3", "(1 + 2) * 3", "7 // 2", "-7 // 2", "7 // -2", "7 % 3", "-7 % 3", "7 % -3", "2 ** 10", "2 ** -1",
    "-2 ** 2", "2 ** 3 ** 2", "7 / 2", "6 / 3", "7.5 // 2", "-7.5 // 2", "7.5 % 2", "-7.5 % 2", "1 / 0", "1 // 0",
    "1 % 0", "1.0 / 0", "0.1 + 0.2", "1e308 * 10", "n + m", "n - m * 2", "f * 2", "g + 1", "-n", "+m", "--n", "n ** 2",
    "t + t", "t * 5", "'a' * 3", "3 * 'ab'", "[1] * 3", "[1] + [2]", "(1,) + (2,)", "'a' + 'b'", "'a' + 1", "1 + 'a'",
    "none + 1", "[1] + (2,)", "'%s-%d' % ('a', 5)", "'%5.2f|%-5s|%05d' % (3.14159, 'x', 42)", "'%x %o %e' % (255, 8, 12345.678)",
    "'%s' % 5", "'%d' % 'a'", "'%(a)s' % {'a': 3}", "'%%'  % ()", "'%s %s' % (1,)", "1_000 + 0x1F", "0b11 + 0o7", "1.5e3",
    "2.0 ** 0.5", "10 ** 18", "big + 1", "big * 1.0", "5 // 0.3", "1e16", "1e15", "123456789.123", "1e-5", "0.0001", "-0.0", "100.0",
    "1.0e22", "5e-324", "1.7976931348623157e308", "0.1 * 3", "2/3", "100 * 1.1",
    # text
    "'a' ~ 1 ~ none ~ true ~ 1.0", "n ~ m", "s ~ [1, 'a']", "'it\\'s' ~ \"q\"", "'a\\nb\\t\\x41\\u00e9\\\\'", "'a' 'b' \"c\"",
    # comparison
    "1 < 2 < 3", "1 < 3 < 2", "3 > 2 > 1", "1 == 1.0", "true == 1", "'a' < 'b'", "'a' < 1", "[1,2] < [1,3]", "(1,2) == (1,2)",
    "[1] == (1,)", "none == none", "none < 1", "'a' in 'abc'", "1 in [1,2]", "3 not in [1,2]", "'a' in d", "1 in 'a'", "none in [none]",
    "'x' in {}", "2 in range(3)", "n == 7 and m == -3", "not n", "not not n", "n > 5 or 1/0", "n < 5 and 1/0", "0 or 'x'", "'' or none",
    "1 and 2", "[] and 1", "n != m", "n >= 7", "n <= 6", "1 < 2 == 2", "{'a': 1} == {'a': 1.0}", "big == 9007199254740993.0",
    "1 if n else 2", "1 if z else 2", "'x' if z", "(1 if n) is defined", "1 if z else 2 if u else 3", "'a' if n > 5 else 1/0",
    # literals and parts
    "[1, 'a', 2.0, none, true]", "{'a': 1, 'b': [1, 2]}", "(1,)", "()", "(1, 2)", "1, 2", "{}", "[]", "{1: 2}[1]", "[1, 2, 3][-1]",
    "[1,2,3][1:]", "[1,2,3][:-1]", "[1,2,3][::-1]", "[1,2,3,4][1::2]", "'hello'[1:3]", "'hello'[::-1]", "'hello'[-3:]", "uni[2:5]",
    "xs[0]", "xs[10]", "xs[10] is defined", "xs.0", "d.a", "d['a']", "d.b.c[1]", "d.b['c'].0", "d.missing", "d.missing.x", "d['missing']",
    "missing", "missing.x", "missing[0]", "missing + 1", "missing()", "missing is defined", "missing is undefined", "missing == missing",
    "missing | default('q')", "e | default('q')", "e | default('q', true)", "none | default('q')", "missing | d", "s[0]", "s.upper", "s['upper']()",
    "tup[1]", "tup.2", "no.x", "no.x.y", "d.keys() | list", "d.values() | list", "d.b.items() | list", "d.items() | length", "d.get('a')", "d.get('x')", "d.get('x', 5)",
    # methods
    "s.upper()", "s.title()", "s.capitalize()", "s.split()", "s.split('o')", "s.split('o', 1)", "s.rsplit('o', 1)", "path.split('/')[-1]",
    "path.replace('/', '.')", "path.replace('/', '.', 1)", "path.rsplit('.', 1)", "'a,b,,c'.split(',')", "' a  b '.split()", "s.find('o')", "s.find('zz')",
    "s.rfind('o')", "s.index('w')", "s.index('zz')", "s.count('l')", "s.startswith('he')", "s.endswith(('x', 'd'))", "'x'.join(['a', 'b'])", "','.join([1])",
    "spaced.strip()", "spaced.lstrip()", "spaced.rstrip()", "'xxaxx'.strip('x')", "'5'.zfill(3)", "'-5'.zfill(4)", "'a'.center(5, '*')", "'ab'.center(5)", "'abc'.center(6)",
    "'a'.ljust(3) ~ '|'", "'a'.rjust(3, '.')", "'abc'.isdigit()", "'123'.isdigit()", "''.isdigit()", "'Abc'.islower()", "'abc'.islower()", "'ABC1'.isupper()",
    "'a b'.isalpha()", "'a1'.isalnum()", "'Hello World'.istitle()", "' '.isspace()", "'a1'.isidentifier()", "'aBc'.swapcase()", "'a-b'.partition('-')", "'a-b-c'.rpartition('-')",
    "'prefix_x'.removeprefix('prefix_')", "'x.sql'.removesuffix('.sql')", "'{} {}'.format(1, 'a')", "'{0}{1}{0}'.format('a', 'b')", "'{a:>5}|{b:05.1f}'.format(a='x', b=3.14159)",
    "'{:,}'.format(1234567)", "'{:.2%}'.format(0.1234)", "'{:x}'.format(255)", "'{:#x}'.format(255)", "'{:^7}'.format('mid')", "'{!r}'.format('a')", "'{x[a]}'.format(x={'a': 1})",
    "'{:e}'.format(12345.678)", "'{:g}'.format(0.00001234)", "'{:10.3f}|'.format(2.5)", "'{:+d}'.format(5)", "'{:b}'.format(5)", "'{:_}'.format(1234567)", "'{'.format()", "'{}'.format()",
    "'{{}}'.format()", "multi.splitlines()", "uni.upper()", "uni.lower()", "uni.title()", "uni | length", "xs.index(2)", "xs.count(1)", "xs.index(99)", "tup.index('two')",
    "s.nope()", "xs.upper()", "'abc'.expandtabs is defined", "'a'.upper(1)", "d.copy()", "'abc'.encode()", "n.real is defined",
    # filters
    "m | abs", "g|abs", "xs | sort", "xs | sort(reverse=true)", "ys | sort", "ys | sort(case_sensitive=true)", "rows | sort(attribute='id') | map(attribute='name') | list",
    "rows | sort(attribute='n,name') | map(attribute='id') | list", "xs | first", "xs | last", "empty | first", "empty | last", "xs | length", "s | count", "xs | sum", "rows | sum(attribute='id')", "empty|sum(start=5)",
    "xs | join(',')", "xs | join", "rows | join('-', attribute='name')", "xs | min", "xs | max", "ys | min", "empty | max", "rows | max(attribute='id')", "xs | reverse | list", "s | reverse", "xs | list", "s | list", "d | list",
    "s | upper", "s | lower", "s | title", "'foo-bar (baz)' | title", "s | capitalize", "s | replace('o', '0')", "s | replace('o', '0', 1)", "spaced | trim", "'xax' | trim('x')", "s | wordcount",
    "5 | string", "'5' | int", "'5.7' | int", "'abc' | int", "'abc' | int(9)", "'0x1f' | int(base=16)", "'1f' | int(0, 16)", "5.9 | int", "none | int", "'12abc'|int", "' 7 '|int", "'1_0'|int", "[] | int", "'5' | float", "'x' | float", "'x' | float(1.5)", "5 | float", "'1e3'|float",
    "42.55 | round(1)", "42.55 | round", "2.5 | round", "3.5 | round", "-2.5|round", "42.1 | round(method='ceil')", "42.9 | round(method='floor')", "42.551 | round(2, 'ceil')", "1234 | round(-2)", "42 | round", "2.675|round(2)",
    "xs | batch(2) | list", "xs | batch(2, 'x') | list", "xs | slice(2) | list", "[1,2,3,4,5] | slice(3, 'z') | list", "ys | unique | list", "['a', 'A', 'b'] | unique | list", "['a', 'A'] | unique(true) | list",
    "rows | groupby('n') | list", "rows | map(attribute='name') | list", "rows | map(attribute='x', default='q') | list", "ys | map('upper') | list", "xs | map('string') | join('+')", "xs | map('replace', '1', 'x') | list", "xs | select('odd') | list", "xs | reject('odd') | list",
    "xs | select('>', 1) | list", "xs | select('gt', 1) | list", "[0, 1, '', 'a'] | select | list", "rows | selectattr('n', 'eq', 1) | map(attribute='id') | list", "rows | selectattr('tags') | list | length", "rows | rejectattr('n', 'equalto', 1) | map(attribute='id') | list", "rows | selectattr('name', 'in', ['Bo']) | list | length",
    "d.b | dictsort", "{'b': 1, 'A': 2} | dictsort", "{'b': 1, 'A': 2} | dictsort(true)", "{'b': 1, 'A': 2} | dictsort(by='value')", "{'b': 1, 'a': 2} | dictsort(reverse=true)", "{'a': 1} | items | list", "missing | items | list",
    "html | e", "html | escape", "html | striptags", "'a & b' | urlencode", "{'a': 'x y', 'b': 1} | urlencode", "[('a', 1), ('b', '/')] | urlencode", "multi | indent", "multi | indent(2, true)", "multi | indent(2, first=true, blank=true)", "multi | indent('> ')", "words | truncate(20)", "words | truncate(20, true)", "words | truncate(20, false, '')", "'foo bar baz qux' | truncate(11)", "'foo bar baz qux'|truncate(11, False, '...', 0)",
    "words | wordwrap(20)", "words | wordwrap(10)", "'aaaaaaaaaaaaaaa b' | wordwrap(5)", "'aaaaaaaaaaaaaaa b' | wordwrap(5, false)", "multi | wordwrap(5)", "'well-known self-made' | wordwrap(10)", "'a' | center(5)", "'ab' | center(7) | length",
    "'%s is %s' | format('a', 1)", "'%(x)s' | format(x=5)", "d | tojson", "[1, none, true, 1.5, 'a\"b<'] | tojson", "uni | tojson", "{'a': [1, 2]} | tojson(indent=2)", "{1: 2, 'b': none} | string", "1000 | filesizeformat", "1 | filesizeformat", "123456789|filesizeformat", "123456789|filesizeformat(true)",
    "rows[0] | attr('name')", "s | attr('upper') is callable", "xs | nofilter", "5 | upper", "none | upper", "xs | join('a', 'b', 'c', 'd')", "5 | first", "5 | length", "none | list", "xs|sort(attribute='q')", "[1, 'a'] | sort", "-5|abs", "'a'|upper ~ 'b'|lower", "1 + 2 | string", "[3,1]|sort|first + 1", "(xs|max) ** 2", "['a','b']|join(', ')|upper", "'abc'|list|reverse|join",
    # tests
    "n is odd", "n is even", "n is divisibleby 7", "n is divisibleby(2)", "n is number", "f is float", "n is integer", "t is integer", "t is boolean", "s is string", "xs is iterable", "n is iterable", "d is mapping", "xs is sequence", "s is sequence", "n is sequence", "none is none", "no is none", "n is not none",
    "n is defined and n is number", "n is eq 7", "n is == 7" , "n is gt 5", "n is lessthan 5", "n is in [7, 8]", "n is not in [7]", "t is true", "n is true", "u is false", "n is sameas n", "s is lower", "s is upper", "'upper' is filter", "'odd' is test", "range is callable", "n is ne 7", "n is nope", "s is escaped", "n is odd or n is even", "n is even if true else 3", "missing is none", "not n is odd", "n is odd == true",
    # functions
    "range(3) | list", "range(1, 10, 3) | list", "range(3, 0, -1) | list", "range(0)|list", "range(3)", "range(3)[1]", "range()", "range(1, 2, 0)", "dict(a=1, b=2)", "dict([('a', 1)])", "dict({'a': 1}, b=2)", "namespace(a=1).a", "namespace(a=1).b", "cycler('a', 'b').next()", "joiner()()", "range(*[1, 4]) | list", "dict(**{'a': 1})", "s.replace(*['o', '0'])", "d.update", "lipsum is defined",
    # syntax
    "'a' 'b'.upper()", "(((1)))", "[[[]]]", "{'a': {'b': {'c': 1}}}.a.b.c", "1 if true", "1 +", "(1", "[1, 2", "1 2", "a b", "x = 1", "not", "1 ===2", "'unclosed", "{'a' 1}", "f(a=1, 2)", "f(**a, *b)", "@", "1 & 2", "!n", "a..b", "a.", "x[", "[1,2][", "{'a': 1,}", "[1,]", "(1,2,)", "f(1,)", "n is", "n |", "| upper", "if", "1 if", "true", "True", "none", "None", "FALSE", "and", "in", "n in", "n not xs", "loop", "self", "a.b.c.d", "xs[1,2]", "xs[a:b:c:d]", "''", "\"\"", "5.5.5", "5..real", "1.e5", "00", "0x", "1_", "n.0",
]

# Whole templates.
TEMPLATES = [
    "", " ", "\n", "plain", "plain\n", "plain\n\n", "a{# c #}b", "a {#- c -#} b", "{# only #}", "{# unclosed", "{{", "{%", "{{ 1", "{{ 1 }", "{{ 1 %}", "{% if %}", "{{}}", "{{ }}", "{{ n }}.5", "{{ n }}{{ n }}", "{{ five }}", "{{ no }}", "{{ n }} ", " {{ n }}", "{{ n }}\n", "{{ xs }}x", "{{ d }}{{ d }}", "{{ xs }}",
    "{{ missing }}", "a{{ missing }}b", "{{ missing }}{{ missing }}", "{{ f }}", "{{ t }}", "{{ e }}", "{{ 'x' }}", "{{ '5' }}", "{{ \"'q'\" }}", "{{ [1, 'a'] }}", "[{{ n }}, {{ m }}]", "{'k': {{ n }}}", "({{ n }},)", "'{{ s }}'", "{{ s }}{# c #}", "{{ quoted }}", "{{ '[1' }}{{ ', 2]' }}",
    "{% if n %}yes{% endif %}", "{% if z %}yes{% endif %}", "{% if z %}a{% elif n %}b{% else %}c{% endif %}", "{% if z %}a{% elif u %}b{% else %}c{% endif %}", "{% if n > 5 and m < 0 %}both{% endif %}", "{% if n %}{% if z %}a{% else %}b{% endif %}{% endif %}", "{% if n %}5{% endif %}", "{% if not n %}a{% else %}{{ n }}{% endif %}", "{% if n is odd %}odd{% endif %}", "{% if n, m %}x{% endif %}", "{% if missing %}a{% else %}b{% endif %}", "{% if missing.x %}a{% endif %}",
    "{% if n %}a", "{% endif %}", "{% if n %}{% endfor %}", "{% else %}", "{% unknown %}", "{% if n %}{% else %}{% else %}{% endif %}", "{% for %}{% endfor %}", "{% for x in %}{% endfor %}", "{% for x xs %}{% endfor %}", "{% if n = 5 %}{% endif %}", "{% raw %}{{ x }}{% endraw %}", "{% raw %}{{ x }}", "a {%- raw -%} {{ x }} {%- endraw -%} b", "{% raw %}{% if %}{% endraw %}{{ n }}",
    "{% for x in xs %}{{ x }}{% endfor %}", "{% for x in xs %}{{ x }},{% endfor %}", "{% for x in xs %}{{ loop.index }}:{{ x }}{% if not loop.last %}, {% endif %}{% endfor %}", "{% for x in xs %}{{ loop.index0 }}{{ loop.first }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.length }}{{ loop.depth }};{% endfor %}", "{% for x in empty %}a{% else %}none{% endfor %}", "{% for x in xs %}{% else %}none{% endfor %}", "{% for a, b in nested %}{{ a }}-{{ b }};{% endfor %}", "{% for (a, b) in nested %}{{ a + b }};{% endfor %}",
    "{% for k, v in d.b.items() %}{{ k }}={{ v }}{% endfor %}", "{% for k in d.b %}{{ k }}{% endfor %}", "{% for c in s %}{{ c }}.{% endfor %}", "{% for x in xs if x > 1 %}{{ loop.index }}{{ x }}{% endfor %}", "{% for x in xs if x > 9 %}a{% else %}b{% endfor %}", "{% for x in xs %}{{ loop.previtem }}|{{ loop.nextitem }};{% endfor %}", "{% for x in xs %}{{ loop.cycle('odd', 'even') }} {% endfor %}", "{% for x in [1,1,2] %}{{ loop.changed(x) }} {% endfor %}",
    "{% for r in rows %}{{ r.name }}:{% for t in r.tags %}{{ t }}{% endfor %};{% endfor %}", "{% for r in rows %}{% set x = r.id %}{{ x }}{% endfor %}{{ x is defined }}", "{% set x = 1 %}{% for r in xs %}{% set x = r %}{% endfor %}{{ x }}", "{% for a, b in xs %}{% endfor %}", "{% for x in n %}{% endfor %}", "{% for x in missing %}a{% endfor %}", "{% for x in none %}{% endfor %}", "{% for x in range(3) %}{{ x }}{% endfor %}", "{% for x in xs -%} {{ x }} {%- endfor %}", "{% for x in xs %}{{ loop }}{% break %}{% endfor %}",
    "{% for x in xs recursive %}{% endfor %}x" if False else "{% for x, in [[1],[2]] %}{{ x }}{% endfor %}", "{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}", "{% for g in rows|groupby('n') %}{{ g.grouper }}:{{ g.list|length }};{% endfor %}", "{% for k, l in rows|groupby('n') %}{{ k }}={{ l|map(attribute='id')|join(',') }};{% endfor %}", "{% for row in xs|batch(2) %}{{ row }}{% endfor %}",
    "{% set x = 5 %}{{ x }}", "{% set x, y = 1, 2 %}{{ x }}{{ y }}", "{% set x = n %}{% set x = x + 1 %}{{ x }}", "{% set x %}a{{ n }}b{% endset %}{{ x }}", "{% set x %}5{% endset %}{{ x + 1 if x is number else x }}", "{% set x | upper %}abc{% endset %}{{ x }}", "{% set x | upper | replace('A', 'z') %}abc{% endset %}{{ x }}", "{% set ns = namespace(a=1) %}{% set ns.a = 2 %}{{ ns.a }}", "{% set ns = namespace(n=0) %}{% for x in xs %}{% set ns.n = ns.n + x %}{% endfor %}{{ ns.n }}", "{% set x.y = 1 %}", "{% set 5 = x %}", "{% set x %}", "{% set a, b = 1 %}", "{% set a, b = [1, 2, 3] %}", "{% set x = 1, 2 %}{{ x }}",
    "{% if n %}{% set x = 1 %}{% else %}{% set x = 2 %}{% endif %}{{ x }}", "{% if z %}{% set x = 1 %}{% endif %}{{ x is defined }}", "{% set x = 1 %}{% if n %}{% set x = x + n %}{% endif %}{{ x }}", "{% set x = 0 %}{% if n > 5 %}{% set x = 'big' %}{% elif n > 2 %}{% set x = 'mid' %}{% endif %}{{ x }}-{{ x }}", "{% set l = [] %}{% for x in xs %}{% do l.append(x * 2) %}{% endfor %}{{ l }}", "{% set l = [] %}{% do l.extend(xs) %}{% do l.append(n) %}{{ l | join(',') }}", "{% set q = {} %}{% for r in rows %}{% do q.update({r.name: r.id}) %}{% endfor %}{{ q }}", "{% set l = [1,2,3] %}{{ l.pop() }}{{ l.pop(0) }}{{ l }}", "{% set l = [3,1,2] %}{% do l.sort() %}{{ l }}{% do l.reverse() %}{{ l }}", "{% set l = [1] %}{% do l.insert(0, 'a') %}{{ l }}{% do l.remove(1) %}{{ l }}", "{% do n %}", "{% do %}", "{% set q = {'a': 1} %}{{ q.setdefault('b', 2) }}{{ q }}{{ q.pop('a') }}{{ q.pop('zz', none) }}{{ q }}",
    "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}", "{% set j = joiner('|') %}{% for x in xs %}{{ j() }}{{ x }}{% endfor %}", "{% set j = joiner() %}{% for x in xs %}{% if x > 1 %}{{ j() }}{{ x }}{% endif %}{% endfor %}",
    "{% with a = 1, b = n %}{{ a }}{{ b }}{% endwith %}{{ a is defined }}", "{% with %}{% set q = 1 %}{{ q }}{% endwith %}{{ q is defined }}", "{% with a = 1 %}{% with a = a + 1 %}{{ a }}{% endwith %}{{ a }}{% endwith %}", "{% with a = n, b = a %}{{ b is defined }}{% endwith %}", "{% filter upper %}abc{{ s }}{% endfilter %}", "{% filter replace('a', 'b') | upper %}aaa{% endfilter %}", "{% filter nofilter %}a{% endfilter %}",
    "{% macro m(a, b=2) %}{{ a }}-{{ b }};{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(b=5, a=4) }}", "{% macro m() %}x{% endmacro %}{{ m() }}{{ m() ~ 'y' }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m() }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(x=2) }}", "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, x=3) }}", "{% macro m(n) %}{% if n > 0 %}{{ n }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(3) }}", "{% macro m(a, b=a) %}{{ b }}{% endmacro %}{{ m(3) }}", "{% macro m(x) %}5{% endmacro %}{{ m(1) }}", "{% macro m() %}{% endmacro %}{{ m() }}", "{% macro m() %}{{ n }}{% endmacro %}{{ m() }}", "{% macro box(t) %}[{{ t }}:{{ caller() }}]{% endmacro %}{% call box('a') %}body {{ n }}{% endcall %}", "{% macro each(l) %}{% for x in l %}{{ caller(x) }},{% endfor %}{% endmacro %}{% call(v) each(xs) %}<{{ v }}>{% endcall %}", "{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}", "{% macro m() %}x{% endmacro %}{% call m() %}y{% endcall %}", "{% macro a() %}A{{ b() }}{% endmacro %}{% macro b() %}B{% endmacro %}{{ a() }}", "{% set x = 1 %}{% macro m() %}{{ x }}{% endmacro %}{% set x = 2 %}{{ m() }}", "{% macro m(a) %}{% set a = a + 1 %}{{ a }}{% endmacro %}{{ m(1) }}", "{% macro m(x, y) %}{{ x ~ y }}{% endmacro %}{{ m(*[1, 2]) }}{{ m(**{'x': 3, 'y': 4}) }}", "{% macro m( %}{% endmacro %}", "{% macro m(a=1, b) %}{% endmacro %}", "{% macro m() %}x", "{{ m() }}{% macro m() %}late{% endmacro %}",
    "  {%- if n -%}  a  {%- endif -%}  b", "a\n{% if n %}\nb\n{% endif %}\nc\n", "a\n{%- if n %}\nb\n{%- endif %}\nc\n", "{{- n -}}  x", "a  {{- n }}", "{{ n -}}\n\n b", "a {%+ if n +%} b {% endif %}", "a\r\nb\r\n", "{{ 'a\r\nb' }}", "{{ 'a' -}} \n {{- 'b' }}", "{#- a -#} x", "{{ '{{' }}", "{{ '}}' }}", "{{ '{%' }}x", "{{ {'a': 1}['a'] }}", "{{ {'a': {'b': 1}} }}", "{{{'a': 1}}}", "{{ '%}' }}", "{% if '%}' %}a{% endif %}", "a{b}c", "a{ {b} }c", "{ % x % }", "100%", "{{ n }}%", "#{{ n }}#", "${{ n }}", "{{ n }}/{{ s }}",
    "select * from t where d = '{{ five }}'\n", "-- {{ n }}\nselect {{ xs | join(', ') }}\nfrom {{ path.split('/')[0] }}\n", "select\n{%- for c in ys %}\n  {{ c | lower }}{{ ',' if not loop.last }}\n{%- endfor %}\nfrom t\n", "{% set cols = ['a', 'b'] %}\nselect {% for c in cols %}{{ c }}{% if not loop.last %}, {% endif %}{% endfor %} from t\n", "{% if t %}where x > {{ f }}{% endif %}\n",
    "{% include 'x' %}", "{% import 'x' as y %}", "{% from 'x' import y %}", "{{ n|upper|lower }}", "{{ (n, m)|max }}", "{{ xs|map('abs')|sum }}", "{{ s.split(' ')|map('capitalize')|join(' ') }}", "{% for x in xs|sort %}{{ x }}{% endfor %}", "{{ 'yes' if n in xs else 'no' }}", "{{ d.b.c|length > 1 }}", "{{ rows[0].name ~ '_' ~ rows[1]['id'] }}", "{{ rows|map(attribute='tags')|map('length')|list }}", "{{ [n, m, f]|map('round')|list }}", "{{ dict(rows[0]).name }}", "{{ (rows|first).tags|first|default('zz') }}", "{{ (rows|selectattr('id','eq',1)|first).name }}",
    "{% for i in range(n) %}{% if i is even %}{{ i }}{% endif %}{% endfor %}", "{% for i in range(3) %}{% for j in range(i) %}{{ i }}{{ j }} {% endfor %}{% endfor %}", "{% for i in range(2) %}{% set k = i %}{% for j in range(2) %}{{ k }}{{ j }}{{ loop.index }}{% endfor %}{{ loop.index }};{% endfor %}", "{% for x in xs %}{% if loop.first %}F{% elif loop.last %}L{% else %}M{% endif %}{% endfor %}", "{% set out = [] %}{% for x in xs if x != n %}{% set _ = out.append(x) %}{% endfor %}{{ out }}", "{% set a = n %}{% if a > 3 %}{% set a = a * 2 %}{% if a > 10 %}{% set a = a + 1 %}{% endif %}{% endif %}{{ a }}", "{% set a = [n, m] %}{% set b, c = a %}{{ b }}/{{ c }}", "{% set a, b = n, m %}{% set a, b = b, a %}{{ a }},{{ b }}", "{% set x %}{% for i in xs %}{{ i }}{% endfor %}{% endset %}{{ x }}|{{ x }}", "{% set y = n if n > 3 else m %}{{ y }}{{ 'a' if y and t or u }}", "{{ n if n is odd and s else m }}", "{{ (n or m) and (xs or ys) }}", "{{ n < 10 < 20 }}{{ 1 < n < 5 }}", "{{ xs[n - 6] }}{{ s[m:] }}{{ s[:n] }}", "{% for x in xs %}{{ 'a' if x > 1 else 'b' }}{{ loop.index if x > 2 }}{% endfor %}", "{% macro m(a) %}{% if a > 3 %}big{% else %}small{% endif %}{% endmacro %}{{ m(n) }}{{ m(z) }}", "{% macro m(a) %}<{{ a }}>{% endmacro %}{% for x in xs %}{{ m(x) }}{% endfor %}", "{% set x = m1 %}{{ x }}", "{% set ns = namespace(found=false) %}{% for x in xs %}{% if x == 2 %}{% set ns.found = true %}{% endif %}{% endfor %}{{ ns.found }}",
]

# What is left out, and why.
DIFFERENT = {
    "{{ lipsum is defined }}": "there is no lipsum",
    "{{ self }}": "there are no blocks",
    "{{ n.real is defined }}": "numbers have no attributes",
    "{{ 1e308 * 10 }}": "Jinja folds a constant infinity into text",
    "{{ n is even if true else 3 }}": "Jinja takes `if` for an argument of the test",
    "{% for x, in [[1],[2]] %}{{ x }}{% endfor %}": "Jinja wants a name after the comma",
}
