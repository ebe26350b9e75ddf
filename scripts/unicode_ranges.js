// unicode_ranges.js: runtime/text/unicode_ranges.inc, the character classes that unicode.c expands, on standard output.
// Made anew by hand when Unicode has a new version worth having: node scripts/unicode_ranges.js
const classes = [
    [/\p{White_Space}/u, 'SPACE'], [/[\p{Lu}\p{Lt}]/u, 'UPPER'], [/\p{Ll}/u, 'LOWER'],
    [/[\p{Lm}\p{Lo}]/u, 'LETTER'], [/\p{M}/u, 'MARK'], [/\p{N}/u, 'NUMBER'],
]
const number = { OTHER: 0, SPACE: 1, UPPER: 2, LOWER: 3, LETTER: 4, MARK: 5, NUMBER: 6 }
const out = []
let last = -1
for (let c = 0; c < 0x110000; c++) {
    const text = c >= 0xd800 && c < 0xe000 ? '' : String.fromCodePoint(c)
    const found = text && classes.find(([pattern]) => pattern.test(text))
    const now = found ? number[found[1]] : 0
    if (now !== last) out.push('0x' + (c * 8 + now).toString(16))
    last = now
}
console.log(`/* Made by scripts/unicode_ranges.js from Unicode ${process.versions.unicode}: first character * 8 + class, up to the next. */`)
for (let i = 0; i < out.length; i += 14) console.log(out.slice(i, i + 14).join(', ') + ',')
