"""ai_llamaindex.py FOLDER STATE PROVIDER BATCH CONCURRENCY: Markdown files, embedded and indexed by LlamaIndex's IngestionPipeline."""
import asyncio, sys

from llama_index.core import SimpleDirectoryReader
from llama_index.core.embeddings import BaseEmbedding
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.node_parser import MarkdownNodeParser
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.core.vector_stores import SimpleVectorStore
from ai_client import Client

folder, state, provider, batch, concurrency = sys.argv[1:4] + [int(n) for n in sys.argv[4:]]
client = Client(provider, concurrency)


class Provider(BaseEmbedding):
    async def _aget_text_embeddings(self, texts):
        return await client.embed(texts)

    async def _aget_text_embedding(self, text):
        return (await client.embed([text]))[0]

    async def _aget_query_embedding(self, query):
        return (await client.embed([query]))[0]

    def _get_text_embedding(self, text):
        raise NotImplementedError

    _get_query_embedding = _get_text_embedding


documents = SimpleDirectoryReader(folder, filename_as_id=True, required_exts=[".md"]).load_data()
pipeline = IngestionPipeline(transformations=[MarkdownNodeParser(), Provider(embed_batch_size=batch, num_workers=concurrency)],
                             docstore=SimpleDocumentStore(), vector_store=SimpleVectorStore())
nodes = asyncio.run(pipeline.arun(documents=documents))
pipeline.persist(state)
pipeline.vector_store.persist(state + "/vectors.json")
print(len(nodes))
