"""ai_client.py: the least a Python client of an embeddings service can do: connections kept, so many requests at once."""
import asyncio, json, urllib.parse


class Client:
    def __init__(self, url, concurrency):
        parts = urllib.parse.urlsplit(url)
        self.host, self.port = parts.hostname, parts.port
        self.free, self.room = [], None
        self.concurrency = concurrency

    async def embed(self, texts):
        if self.room is None:
            self.room = asyncio.Semaphore(self.concurrency)
        async with self.room:
            reader, writer = self.free.pop() if self.free else await asyncio.open_connection(self.host, self.port)
            body = json.dumps({"model": "small", "input": list(texts)}).encode()
            writer.write(b"POST /embeddings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            answer = json.loads(await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0])))
            self.free.append((reader, writer))
            return [d["embedding"] for d in answer["data"]]
