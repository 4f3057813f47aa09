# ctest: timeout 240
"""A thousand encodes send their progress at once, and are scraped meanwhile."""

import asyncio
import resource
import threading
import time
import unittest

import harness

ENCODES = 1000
BLOCKS = 8
PACE_S = 0.5    # as ffmpeg's
FATES = ("ended", "aborted", "aborted")    # by number: told its end, said no more, was cut off


def number(i, n):
    """The frames that encode i tells in its n-th block: nobody else's, and rising."""
    return i + n * ENCODES


def block(i, n, end):
    return (f"frame={number(i, n)}\nfps=30.0\nstream_0_0_q=23.0\nbitrate=2500.0kbits/s\n"
            f"total_size={number(i, n) * 100}\nout_time_us={n * 500000}\ndup_frames=0\n"
            f"drop_frames=0\nspeed=1x\nprogress={'end' if end else 'continue'}\n").encode()


async def encode(address, i, told):
    """One request, as ffmpeg sends it; what came back for it."""
    fate = i % len(FATES)
    reader, writer = await asyncio.open_connection(*address)
    writer.write(f"POST /progress/encode%20{i:04d}?duration=10 HTTP/1.1\r\nHost: localhost\r\n"
                 "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode())
    for n in range(BLOCKS):
        text = block(i, n, fate == 0 and n == BLOCKS - 1)
        told[i] = n
        piece = b"%x\r\n%s\r\n" % (len(text), text)
        cut = (i * 7 + n * 13) % len(piece) # TCP's pieces are no chunks
        writer.write(piece[:cut])
        await writer.drain()
        await asyncio.sleep(PACE_S / 2)
        writer.write(piece[cut:])
        await writer.drain()
        await asyncio.sleep(PACE_S / 2)
    if fate == 2:
        writer.transport.abort()
        return None
    writer.write(b"0\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    return answer


class Scraper(threading.Thread):
    """Scrapes one after the other until it is told to end; what it saw."""

    def __init__(self, e, told):
        super().__init__()
        self.e = e
        self.told = told
        self.over = threading.Event()
        self.faults = []
        self.took = []
        self.last = {}

    def run(self):
        while not self.over.is_set():
            try:
                self.look()
            except (AssertionError, OSError) as fault:
                self.faults.append(repr(fault))
            time.sleep(0.2)

    def look(self):
        began = time.monotonic()
        self.e.get("cost")
        reply = self.e.get("results")
        self.took.append(time.monotonic() - began)
        if reply.status != 200:
            raise AssertionError(reply.status)
        for line in reply.text.splitlines():
            if not line.startswith("encode_frames_total{"):
                continue
            i = int(line.split('"')[1].split()[1])
            frames = int(line.split()[-1])
            n = frames // ENCODES
            if frames != number(i, n) or not self.last.get(i, 0) <= n <= self.told[i]:
                raise AssertionError(f"{line}: told {self.told[i]}, seen {self.last.get(i)}")
            self.last[i] = n


class Many(unittest.TestCase):
    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < 2 * ENCODES:
            self.skipTest(f"no more than {hard} open files")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * ENCODES), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

    def test_all_are_heard_while_scrapes_go_on(self):
        with harness.Exporter("--web.max-connections", str(2 * ENCODES)) as e:
            told = [-1] * ENCODES
            scraper = Scraper(e, told)
            scraper.start()
            try:
                answers = asyncio.run(self.all(e, told))
            finally:
                scraper.over.set()
                scraper.join()
            self.assertEqual(scraper.faults, [])
            self.assertGreater(len(scraper.took), 5)
            for i, answer in enumerate(answers):
                if FATES[i % 3] == "ended" or i % 3 == 1:
                    self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer)
            self.check(e)
            print(f"{len(scraper.took)} scrapes of two endpoints, the slowest "
                  f"{max(scraper.took) * 1e3:.0f} ms", flush=True)

    async def all(self, e, told):
        address = e.address("results")
        return await asyncio.gather(*(encode(address, i, told) for i in range(ENCODES)))

    def check(self, e):
        def states():
            return {s.labels["scenario"]: s.labels["state"]
                    for s in e.metrics("results").samples("encode_state") if s.value == 1}
        want = {f"encode {i:04d}": FATES[i % 3] for i in range(ENCODES)}
        harness.wait_until(lambda: states() == want, 30, "what became of all")
        x = e.metrics("results")
        frames = {s.labels["scenario"]: s.value for s in x.samples("encode_frames_total")}
        self.assertEqual(frames, {f"encode {i:04d}": number(i, BLOCKS - 1)
                                  for i in range(ENCODES)})
        self.assertEqual(x.value("encode_exporter_progress_blocks_total", source="request"),
                         ENCODES * BLOCKS)
        self.assertEqual(x.value("encode_exporter_progress_faults_total"), 0)
        self.assertEqual(e.log_count("level=(warn|error)"), 0, e.log)
        # nothing is left of them but their last values
        harness.wait_until(lambda: e.metrics("results").value(
            "encode_exporter_http_connections") <= 3, what="their connections to go")


if __name__ == "__main__":
    harness.main()
