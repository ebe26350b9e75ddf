"""ai_cocoindex.py FOLDER STATE PROVIDER BATCH CONCURRENCY: Markdown files, embedded and kept in SQLite by CocoIndex."""
import array, asyncio, pathlib, sys
from dataclasses import dataclass

import cocoindex as coco
from ai_client import Client
from cocoindex.connectors import localfs, sqlite
from cocoindex.ops.text import SeparatorSplitter

folder, state, provider, batch, concurrency = sys.argv[1:4] + [int(n) for n in sys.argv[4:]]
client = Client(provider, concurrency)
DB = coco.ContextKey[sqlite.ManagedConnection]("db")
splitter = SeparatorSplitter([r"(?m)^## "])


@dataclass
class Row:
    id: str
    file: str
    text: str
    embedding: bytes


@coco.lifespan
async def environment(builder: coco.EnvironmentBuilder):
    builder.settings.db_path = pathlib.Path(state) / "coco.db"
    with sqlite.managed_connection(state + "/index.db") as connection:
        builder.provide(DB, connection)
        yield


@coco.fn.as_async(batching=True, max_batch_size=batch, memo=True)
async def embed(texts: list[str]) -> list[bytes]:
    return [array.array("f", v).tobytes() for v in await client.embed(texts)]


@coco.fn(memo=True)
async def index_file(file: localfs.File, table: sqlite.TableTarget[Row]) -> None:
    text = await file.read_text()
    chunks = splitter.split(text)
    vectors = await asyncio.gather(*(embed(c.text) for c in chunks))
    path = str(file.file_path.path)
    for n, (chunk, vector) in enumerate(zip(chunks, vectors)):
        table.declare_row(row=Row(f"{path}#{n}", path, chunk.text, vector))


@coco.fn
async def main() -> None:
    table = await sqlite.mount_table_target(DB, "chunks", await sqlite.TableSchema.from_class(Row, primary_key=["id"]))
    await coco.mount_each(index_file, localfs.walk_dir(pathlib.Path(folder)).items(), table)


app = coco.App("bench", main)
app.update_blocking()
