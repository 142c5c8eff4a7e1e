"""Carries the calls of a Rasa to its action server, byte for byte, and writes down what was asked and answered.

It works on TCP: nothing is parsed, reframed or delayed on the way, so what Rasa meets is the action server itself. The
record of a connection is made from the copied bytes once it is closed. Standard library only.
"""
import asyncio
import http.client
import io
import json
import pathlib
import threading
import zlib


class PassThrough:
    """Listens on a free loopback port; `records` is what was said so far, also written to `folder`, a file a call."""

    def __init__(self, upstream_port, folder):
        self.upstream_port = upstream_port
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.records = []
        self.troubles = []
        self._loop = asyncio.new_event_loop()
        self._open = set()
        server = self._loop.run_until_complete(self._listen())
        self.port = server.sockets[0].getsockname()[1]
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def settle(self, seconds=10):
        """Waits until the open connections are closed and written down."""
        async def closed():
            if self._open:
                await asyncio.wait(set(self._open), timeout=seconds)

        asyncio.run_coroutine_threadsafe(closed(), self._loop).result(seconds + 5)

    async def _listen(self):
        return await asyncio.start_server(self._connection, "127.0.0.1", 0)

    async def _connection(self, reader, writer):
        task = asyncio.ensure_future(self._carry(reader, writer))
        self._open.add(task)
        try:
            await task
        finally:
            self._open.discard(task)

    async def _carry(self, reader, writer):
        asked, answered = bytearray(), bytearray()
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self.upstream_port)
        except OSError as error:
            self.troubles.append("the action server refused a connection: {}".format(error))
            writer.close()
            return
        try:
            await asyncio.gather(
                copy(reader, upstream_writer, asked), copy(upstream_reader, writer, answered), return_exceptions=True
            )
        finally:
            for end in (upstream_writer, writer):
                end.close()
        try:
            self._write_down(bytes(asked), bytes(answered))
        except Exception as error:  # a record that cannot be read is a finding, not a reason to stop carrying
            self.troubles.append("a call could not be read back: {!r}".format(error))

    def _write_down(self, asked, answered):
        requests, answers = io.BytesIO(asked), io.BytesIO(answered)
        while requests.tell() < len(asked):
            record = {"request": read_request(requests), "response": read_response(answers)}
            self.records.append(record)
            name = "{:04d}-{}.json".format(len(self.records), record["request"]["action"] or "call")
            text = json.dumps(record, ensure_ascii=False)
            (self.folder / name).write_text(text, encoding="utf-8")


async def copy(reader, writer, kept):
    while True:
        data = await reader.read(65536)
        if not data:
            break
        kept += data
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


class Readable:
    """What http.client reads an answer from, instead of a socket."""

    def __init__(self, stream):
        self.stream = stream

    def makefile(self, _mode):
        return Unclosed(self.stream)


class Unclosed(io.BufferedIOBase):
    """A view of a stream that several answers are read from in turn."""

    def __init__(self, stream):
        self.stream = stream

    def readable(self):
        return True

    def read(self, size=-1):
        return self.stream.read(size)

    def readinto(self, target):
        return self.stream.readinto(target)

    def readline(self, size=-1):
        return self.stream.readline(size)


def read_request(stream):
    line = stream.readline().decode("latin-1").strip()
    headers = http.client.parse_headers(stream)
    if "chunked" in headers.get("Transfer-Encoding", "").lower():
        body = unchunk(stream)
    else:
        body = stream.read(int(headers.get("Content-Length") or 0))
    coding = headers.get("Content-Encoding", "").lower()
    plain = zlib.decompress(body) if coding == "deflate" else body
    value = as_json(plain)
    action = value.get("next_action") if isinstance(value, dict) else None
    return {"line": line, "headers": headers.items(), "bytes": len(body), "action": action, "body": value}


def unchunk(stream):
    body = b""
    while True:
        size = int(stream.readline().split(b";")[0], 16)
        data = stream.read(size)
        stream.readline()
        if size == 0:
            return body
        body += data


def read_response(stream):
    response = http.client.HTTPResponse(Readable(stream))
    response.begin()
    body = response.read()
    if response.headers.get("Content-Encoding", "").lower() in ("gzip", "deflate"):
        body = zlib.decompress(body, 47)
    return {"status": response.status, "headers": response.headers.items(), "body": as_json(body)}


def as_json(body):
    try:
        return json.loads(body)
    except ValueError:
        return {"not json": body.decode("utf-8", "replace")}
