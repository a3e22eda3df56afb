"""Frames between stations, sealed by the peer from random contents, with the fields they mean; some are broken."""

import random

from air_cipher import Ccm, hmac_sm3, sm3
from air_layout import BEACON, BUNDLE, EXTENDED, RECEIPTS, REPAIR, SINGLE, SOURCE, make_row, write_extension
from air_peer import USES, Net

# Of 100 cases, how many are altered and must be refused.
BROKEN = 15


def join(*fields):
    """Fields of (value, width), padded with zero bits."""
    value, width = 0, 0
    for number, bits in fields:
        value, width = value << bits | number, width + bits
    spare = -width % 8
    return (value << spare).to_bytes((width + spare) // 8, "big")


class Maker:
    """One frame or message: who sends what to whom, over which bearer."""

    def __init__(self, rng, number):
        self.rng, self.number = rng, number
        self.net = {
            "id": rng.getrandbits(32),
            "key": rng.randbytes(32).hex(),
            "centre": rng.choice((1, 7, 1023)),
            "epoch": rng.choice((0, 1, 5, 65535)),
        }
        self.keys = Net(self.net)
        self.epoch = max(0, self.net["epoch"] - (rng.random() < 0.2))
        self.src = rng.choice((self.net["centre"], rng.randrange(2, 1000)))
        self.open_radio = rng.random() < 0.5
        self.mtu = rng.randrange(60, 240)
        self.precedence = rng.randrange(4)
        self.counter, self.highest = rng.randrange(16384), None
        # What was heard is known for the epoch of now only.
        if rng.random() < 0.5 and self.epoch == self.net["epoch"]:
            self.highest = rng.getrandbits(32)
            self.counter = min(2**32 - 1, max(0, self.highest + rng.randrange(-8191, 8192)))
        self.address(rng.choice(("all", "post", "role", "station", "group")))

    def address(self, kind):
        station = self.rng.choice((self.net["centre"], self.rng.randrange(1, 1000)))
        self.dst, self.extended = {
            "all": (0, None),
            "post": (1, None),
            "role": (self.rng.randrange(2, 255), None),
            "station": (255, station),
            "group": (255, 0x8000 | self.rng.getrandbits(15)),
        }[kind]
        self.proof, self.key = self.keys.key_for(self.src, self.dst, self.extended, self.epoch)

    def header(self, kind):
        first = ((1, 2), (kind, 3), (self.precedence, 2), (self.epoch & 1, 1))
        rest = ((self.src, 10), (self.counter % 16384, 14), (self.dst, 8))
        return join(*first, *rest) + (b"" if self.extended is None else self.extended.to_bytes(2, "big"))

    def nonce(self, kind, tag):
        return self.keys.nonce(self.epoch, self.src, self.counter, USES[kind], tag)

    def shown(self, kind, tag):
        names = ("src", "epoch", "counter", "dst", "extended", "precedence", "proof")
        return {"kind": kind, "tag": tag} | {name: getattr(self, name) for name in names}

    def case(self, protocol, fields, **more):
        case = {"id": f"{protocol}-{self.number}", "protocol": protocol, "expect": "decode", "net": self.net}
        case |= {"mtu": self.mtu, "open_radio": self.open_radio}
        if self.highest is not None:
            case |= {"highest": self.highest, "highest_of": self.src}
        return case | more | {"fields": fields}

    def sealed(self, kind, plain):
        tag = 8 if self.open_radio or self.rng.random() < 0.3 else 4
        head = self.header(kind)
        return tag, head + Ccm(self.key[:16], tag).seal(self.nonce(kind, tag), head, plain)

    # --- one frame ---

    def receipts(self, count):
        states = ((0, self.rng.randrange(1, 33)), (1, 0), (2, self.rng.randrange(5)), (3, self.rng.randrange(13)))
        return [[self.rng.getrandbits(14), *self.rng.choice(states)] for _ in range(count)]

    def content(self, length):
        return bytes([self.rng.randrange(32)]) + self.rng.randbytes(length)

    def single(self):
        plain = self.content(self.rng.randrange(40))
        tag, frame = self.sealed(SINGLE, plain)
        return self.case("air-frame", self.shown("single", tag) | {"content": plain.hex()}, hex=frame.hex())

    def receipt_frame(self):
        self.address("station")
        receipts = self.receipts(self.rng.randrange(1, 20))
        plain = join(*(pair for seq, state, arg in receipts for pair in ((seq, 14), (state, 2), (arg, 6))))
        tag, frame = self.sealed(RECEIPTS, plain)
        return self.case("air-frame", self.shown("receipts", tag) | {"receipts": receipts}, hex=frame.hex())

    def bundle_frame(self):
        receipts = [[self.rng.randrange(1, 1024), *receipt] for receipt in self.receipts(self.rng.randrange(1, 12))]
        fields = (pair for src, seq, state, arg in receipts for pair in ((src, 10), (seq, 14), (state, 2), (arg, 6)))
        tag, frame = self.sealed(BUNDLE, join(*fields))
        return self.case("air-frame", self.shown("bundle", tag) | {"receipts": receipts}, hex=frame.hex())

    def beacon(self):
        self.address("all")
        self.counter = self.rng.getrandbits(32)
        models, flags = self.rng.getrandbits(24), self.rng.getrandbits(8)
        head = self.header(BEACON) + join((self.epoch & 255, 8), (self.counter, 32), (models, 24), (flags, 8))
        frame = head + Ccm(self.key[:16], 8).seal(self.nonce(BEACON, 8), head, b"")
        return self.case("air-frame", self.shown("beacon", 8) | {"models": models, "flags": flags}, hex=frame.hex())

    # --- rows ---

    def rows(self, whole, around, frame):
        """n, pad, and any n of the frames that `frame(extension, row, index)` makes."""
        n = -(-len(whole) // (self.mtu - around))
        size = -(-len(whole) // n)
        pad = n * size - len(whole)
        return n, size, pad, lambda sealed: [
            frame(n, index, pad, make_row(n, cut(sealed + bytes(pad), size), index))
            for index in self.rng.sample(range(64), n)
        ]

    def message(self):
        plain = self.content(self.rng.randrange(60, 500))
        nonce = self.nonce(SOURCE, 8)

        def frame(n, index, pad, row):
            whole = self.header(SOURCE if index < n else REPAIR) + write_extension(n, index, pad) + row
            return whole + (hmac_sm3(self.key[16:], nonce + whole)[:2] if self.open_radio else b"")

        around = len(self.header(SOURCE)) + 2 + (2 if self.open_radio else 0)
        n, _size, pad, frames = self.rows(plain + bytes(8), around, frame)
        aad = self.header(SOURCE) + write_extension(n, 0, pad)
        made = frames(Ccm(self.key[:16], 8).seal(nonce, aad, plain))
        return self.case("air-message", self.shown("message", 8) | {"content": plain.hex()}, frames=[f.hex() for f in made])

    def clear(self):
        plain, head = self.content(self.rng.randrange(200)), self.header(EXTENDED)
        names = {"src": self.src, "seq": self.counter % 16384, "dst": self.dst, "extended": self.extended}
        fields = {"kind": "clear", **names, "content": plain.hex()}
        whole = plain + sm3(head + plain)[:2]
        if len(head) + 1 + len(whole) <= self.mtu:
            return self.case("air-frame", fields, hex=(head + b"\0" + whole).hex())
        frame = lambda n, index, pad, row: head + b"\1" + write_extension(n, index, pad) + row  # noqa: E731
        _n, _size, _pad, frames = self.rows(whole, len(head) + 3, frame)
        return self.case("air-message", fields, frames=[f.hex() for f in frames(whole)])


def cut(whole, size):
    return [whole[at : at + size] for at in range(0, len(whole), size)]


def turned(rng, hexadecimal, first=0):
    """The same bytes with one bit turned, at byte `first` or after it."""
    data = bytearray.fromhex(hexadecimal)
    data[rng.randrange(first, len(data))] ^= 1 << rng.randrange(8)
    return data.hex()


def broken(rng, case):
    """One altered bit. In clear text and in rows without a mark only where a check sees it."""
    case = case | {"expect": "refuse"}
    if "frames" in case:
        at = rng.randrange(len(case["frames"]))
        case["frames"] = [turned(rng, frame, 9) if i == at else frame for i, frame in enumerate(case["frames"])]
    else:
        case["hex"] = turned(rng, case["hex"], 8 if case["fields"]["kind"] == "clear" else 1)
    return case


def generate(seed, count):
    rng = random.Random(seed)
    for number in range(count):
        maker = Maker(rng, number)
        kinds = (maker.single, maker.receipt_frame, maker.bundle_frame, maker.beacon, maker.message, maker.clear)
        case = rng.choice(kinds)()
        yield broken(rng, case) if rng.randrange(100) < BROKEN else case
