"""What stations say to each other, read by another hand: written from docs/air-format.md alone, in plain Python.

    air_peer.py check CASES...        the golden vectors, or cases that our program made
    air_peer.py generate --seed 1 --count 1000
    air_peer.py decode < cases

A case of protocol `air-frame` names the net with its key, whether the bearer is open radio, and what was heard before
(`highest` of station `highest_of`); one of `air-message` has several frames. The other protocols are layouts alone.
"""

import argparse
import sys

import comparison
from air_cipher import Ccm, hmac_sm3, sm3
from air_layout import (
    BEACON,
    BUNDLE,
    EXTENDED,
    RECEIPTS,
    REPAIR,
    SINGLE,
    SOURCE,
    Refused,
    has_receipts,
    is_one_station,
    join_rows,
    make_row,
    read_beacon,
    read_bundle,
    read_content,
    read_extension,
    read_header,
    read_positions,
    read_receipts,
    want,
    write_extension,
)

FRAME_MAX = 1750
USES = {SINGLE: 0, SOURCE: 1, REPAIR: 1, RECEIPTS: 2, BUNDLE: 3, BEACON: 4}


# --- keys and counters ------------------------------------------------------------------------------


def derived(key, label, net, epoch, station):
    tail = net.to_bytes(4, "big") + epoch.to_bytes(2, "big") + station.to_bytes(2, "big")
    return hmac_sm3(key, label.encode("ascii") + b"\0" + tail)


class Net:
    def __init__(self, described):
        self.id, self.centre, self.epoch = described["id"], described["centre"], described["epoch"]
        self.key = bytes.fromhex(described["key"])

    def epoch_of(self, bit):
        """The epoch of now, or the one before."""
        return next((epoch for epoch in (self.epoch, self.epoch - 1) if epoch >= 0 and epoch & 1 == bit), None)

    def station_key(self, epoch, station):
        return derived(self.key, "yizhan air 1 station", self.id, epoch, station)

    def group_key(self, epoch):
        return derived(self.key, "yizhan air 1 group", self.id, epoch, 0)

    def source_key(self, epoch, source):
        return derived(self.group_key(epoch), "yizhan air 1 source", self.id, epoch, source)

    def key_for(self, src, dst, extended, epoch):
        """(what it proves, the key)."""
        to = extended if dst == 255 and extended <= 1023 else self.centre if dst == 1 else None
        if to is not None and to != src and self.centre in (src, to):
            return "pair", self.station_key(epoch, to if src == self.centre else src)
        return "group", self.source_key(epoch, src)

    def nonce(self, epoch, src, counter, use, tag):
        purpose = (0x80 if src == self.centre else 0) | (0x40 if tag == 8 else 0) | use
        numbers = self.id.to_bytes(4, "big") + epoch.to_bytes(2, "big") + src.to_bytes(2, "big")
        return numbers + counter.to_bytes(4, "big") + bytes([purpose])


def full_counter(highest, seq):
    ahead = (seq - highest) % 16384
    counter = highest + ahead if ahead <= 8191 else highest + ahead - 16384
    return counter if ahead != 8192 and 0 <= counter < 2**32 else None


def counter_of(case, src, epoch, seq):
    if case.get("highest_of") == src and case["net"]["epoch"] == epoch:
        counter = full_counter(case["highest"], seq)
        want(counter is not None, "the counter is out of reach")
        return counter
    return seq


# --- frames -----------------------------------------------------------------------------------------


class Frame:
    """A frame whose header was read, and what the receiver knows of its sender."""

    def __init__(self, case, frame):
        want(len(frame) <= FRAME_MAX, "too long")
        self.net, self.is_open = Net(case["net"]), case["open_radio"]
        self.header = read_header(frame)
        self.head, self.body = frame[: self.header["length"]], frame[self.header["length"] :]
        self.kind = self.header["kind"]
        if self.kind == EXTENDED:
            return
        self.src = self.header["src"] or case.get("sender")
        want(self.src is not None, "no source")
        self.epoch = self.net.epoch_of(self.header["epoch_bit"])
        want(self.epoch is not None, "another epoch")
        self.proof, self.key = self.net.key_for(self.src, self.header["dst"], self.header["extended"], self.epoch)
        if self.kind != BEACON:
            self.counter = counter_of(case, self.src, self.epoch, self.header["seq"])

    def nonce(self, tag):
        return self.net.nonce(self.epoch, self.src, self.counter, USES[self.kind], tag)

    def opened(self):
        """(bytes of the tag, what was protected)."""
        for tag in (8,) if self.is_open else (8, 4):
            plain = Ccm(self.key[:16], tag).open(self.nonce(tag), self.head, self.body)
            if plain is not None:
                return tag, plain
        raise Refused("the tag does not verify")

    def shown(self, kind, tag):
        header = self.header
        return {
            "kind": kind,
            "src": self.src,
            "epoch": self.epoch,
            "counter": self.counter,
            "dst": header["dst"],
            "extended": header["extended"],
            "precedence": header["precedence"],
            "proof": self.proof,
            "tag": tag,
        }

    def content(self, kind, tag, plain):
        """A content that cannot be read is authentic all the same; an order that is too weak is not taken."""
        try:
            content = read_content(plain)
        except Refused:
            content = None
        if content and content["type"] == 5 and not self.goes_to_many(content):
            want(tag == 8 and self.proof == "pair", "a weak order")
        return self.shown(kind, tag) | {"content": plain.hex()}

    def goes_to_many(self, content):
        return has_receipts(content) and not (self.header["dst"] == 1 or is_one_station(self.header))

    def row(self):
        """(extension, row), its mark verified where it bears one."""
        body = self.body
        if self.is_open and self.kind != EXTENDED:
            want(len(body) >= 2, "no mark")
            body, mark = body[:-2], body[-2:]
            expected = hmac_sm3(self.key[16:], self.nonce(8) + self.head + body)[:2]
            want(mark == expected, "the mark is wrong")
        extension, row = read_extension(body[:2]), body[2:]
        want(row, "no row")
        if self.kind != EXTENDED:
            want((extension["index"] < extension["n"]) == (self.kind == SOURCE), "a row in the wrong kind of frame")
        return extension, row


def read_frame(case):
    frame = Frame(case, bytes.fromhex(case["hex"]))
    readers = {
        SINGLE: read_single,
        SOURCE: read_row,
        REPAIR: read_row,
        RECEIPTS: read_receipt_frame,
        BUNDLE: read_bundle_frame,
        BEACON: read_beacon_frame,
        EXTENDED: read_clear,
    }
    return readers[frame.kind](frame)


def read_single(frame):
    return frame.content("single", *frame.opened())


def read_receipt_frame(frame):
    want(is_one_station(frame.header), "receipts are for one station")
    tag, plain = frame.opened()
    return frame.shown("receipts", tag) | {"receipts": read_receipts(plain)}


def read_bundle_frame(frame):
    tag, plain = frame.opened()
    return frame.shown("bundle", tag) | {"receipts": read_bundle(plain)}


def read_beacon_frame(frame):
    want(len(frame.body) == 17, "a beacon has 17 bytes after its header")
    said, tag = frame.body[:9], frame.body[9:]
    beacon = read_beacon(said)
    want(beacon["counter"] % 16384 == frame.header["seq"], "the counter does not end in the sequence")
    want(beacon["epoch"] == frame.epoch % 256, "another epoch than the header's")
    frame.counter = beacon["counter"]
    verified = Ccm(frame.key[:16], 8).open(frame.nonce(8), frame.head + said, tag)
    want(verified is not None, "the tag does not verify")
    return frame.shown("beacon", 8) | {"models": beacon["models"], "flags": beacon["flags"]}


def read_row(frame):
    extension, row = frame.row()
    number = {"kind": "row", "src": frame.src, "epoch": frame.epoch, "counter": frame.counter}
    return number | extension | {"row": row.hex()}


def read_clear(frame):
    want(frame.body, "no extended kind")
    which, frame.body = frame.body[0], frame.body[1:]
    want(which in (0, 1), "another extended kind")
    if which == 0:
        return clear_content(frame, frame.body)
    extension, row = frame.row()
    number = {"kind": "clear_row", "src": frame.header["src"], "seq": frame.header["seq"]}
    return number | extension | {"row": row.hex()}


def clear_content(frame, both):
    want(len(both) >= 2, "no check")
    plain, check = both[:-2], both[-2:]
    want(sm3(frame.head + plain)[:2] == check, "the check does not fit")
    try:
        content = read_content(plain)
    except Refused:
        content = None
    want(not content or content["type"] != 5 or frame.goes_to_many(content), "an order in clear")
    header = frame.header
    names = {name: header[name] for name in ("src", "seq", "dst", "extended")}
    return {"kind": "clear", **names, "content": plain.hex()}


def read_message(case):
    """A message out of its rows."""
    first, rows = None, {}
    for text in case["frames"]:
        frame = Frame(case, bytes.fromhex(text))
        if frame.kind == EXTENDED:
            want(frame.body[:1] == b"\1", "no row")
            frame.body = frame.body[1:]
        else:
            want(frame.kind in (SOURCE, REPAIR), "no row")
        extension, row = frame.row()
        same = {name: value for name, value in frame.header.items() if name != "kind"}
        same |= {"n": extension["n"], "pad": extension["pad"], "size": len(row), "clear": frame.kind == EXTENDED}
        first = first or (frame, same)
        want(same == first[1], "a row of another message")
        want(rows.setdefault(extension["index"], row) == row, "another row of the same index")
    want(first, "no frames")
    frame, same = first
    whole = join_rows(same["n"], same["pad"], rows)
    if same["clear"]:
        return clear_content(frame, whole)
    # The header with kind 1, whichever row came first.
    frame.kind = SOURCE
    head = bytes([frame.head[0] & 0b1100_0111 | SOURCE << 3]) + frame.head[1:]
    plain = Ccm(frame.key[:16], 8).open(frame.nonce(8), head + write_extension(same["n"], 0, same["pad"]), whole)
    want(plain is not None, "the tag does not verify")
    return frame.content("message", 8, plain)


# --- layouts ----------------------------------------------------------------------------------------


def read_erasure(case):
    want(case["index"] <= 63, "an index above 63")
    whole = bytes.fromhex(case["hex"])
    size = len(whole) // case["n"]
    sources = [whole[at : at + size] for at in range(0, len(whole), size)]
    return {"row": make_row(case["n"], sources, case["index"]).hex()}


def read_rows(case):
    rows = {int(index): bytes.fromhex(row) for index, row in case["rows"].items()}
    return {"object": join_rows(case["n"], case["pad"], rows).hex()}


def read_counter(case):
    counter = full_counter(case["highest"], case["seq"])
    want(counter is not None, "the counter is out of reach")
    return {"counter": counter}


def read_key(case):
    net = Net({"id": case["net"], "centre": 1, "epoch": case["epoch"], "key": case["net_key"]})
    return {
        "station_key": net.station_key(case["epoch"], case["station"]).hex(),
        "group_key": net.group_key(case["epoch"]).hex(),
        "source_key": net.source_key(case["epoch"], case["station"]).hex(),
    }


def read_seal(case):
    key, nonce, aad = (bytes.fromhex(case[name]) for name in ("key", "nonce", "aad"))
    sealed = bytes.fromhex(case["hex"])
    plain = Ccm(key[:16], case["tag"]).open(nonce, aad, sealed)
    want(plain is not None, "the tag does not verify")
    return {"plain": plain.hex(), "mark": hmac_sm3(key[16:], nonce + aad + sealed)[:2].hex()}


def of_bytes(read):
    return lambda case: read(bytes.fromhex(case["hex"]))


PROTOCOLS = {
    "air-header": of_bytes(read_header),
    "air-extension": of_bytes(read_extension),
    "air-erasure": read_erasure,
    "air-rows": read_rows,
    "air-receipts": of_bytes(lambda data: {"receipts": read_receipts(data)}),
    "air-bundle": of_bytes(lambda data: {"receipts": read_bundle(data)}),
    "air-beacon": of_bytes(read_beacon),
    "air-content": of_bytes(read_content),
    "air-positions": lambda case: {
        "units": read_positions(case["variant"], bytes.fromhex(case["hex"]), case.get("origin"))
    },
    "air-counter": read_counter,
    "air-key": read_key,
    "air-seal": read_seal,
    "air-frame": read_frame,
    "air-message": read_message,
}


def decode_case(case):
    return PROTOCOLS[case["protocol"]](case)


def generate(seed, count, protocols):
    # Imported here because the generator seals with this peer's keys.
    import air_frames

    return (case for case in air_frames.generate(seed, count) if not protocols or case["protocol"] in protocols)


def main():
    parser = argparse.ArgumentParser(description="independent reading of what stations say to each other")
    comparison.run_command_line(parser, generate, decode_case, Refused, (), tuple(PROTOCOLS))


if __name__ == "__main__":
    sys.exit(main())
