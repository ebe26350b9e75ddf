// pack_ranks.js IN.tiktoken OUT: a BPE vocabulary, small: the number of tokens (4 bytes, little-endian),
// the length of each token in order of rank (one byte), then all their bytes.
const fs = require('fs')
const tokens = []
for (const line of fs.readFileSync(process.argv[2], 'ascii').split('\n')) {
    if (!line) continue
    const [text, rank] = line.split(' ')
    tokens[Number(rank)] = Buffer.from(text, 'base64')
}
for (let i = 0; i < tokens.length; i++)
    if (!tokens[i] || tokens[i].length < 1 || tokens[i].length > 255) throw new Error(`rank ${i} is not usable`)
const count = Buffer.alloc(4)
count.writeUInt32LE(tokens.length)
fs.writeFileSync(process.argv[3], Buffer.concat([count, Buffer.from(tokens.map((t) => t.length)), ...tokens]))
