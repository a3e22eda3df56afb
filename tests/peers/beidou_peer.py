"""A second reading of the Beidou terminal protocols, to be compared with the product's own.

Standard library only. It decodes one frame or sentence at a time (RDSS 4.0 binary, RDSS 2.1 text,
BDS-3 RSMC text, NMEA positions) into the field names that `yizhan explain` prints. Section numbers
in comments are those of the protocol facts both sides were written from.

    beidou_peer.py generate --seed 1 --count 1000       cases, one JSON object a line
    beidou_peer.py decode < cases                       answers, one a line
    beidou_peer.py check recorded.jsonl                 this peer against recorded cases
    beidou_peer.py compare [--seed N] [--count N] PROGRAM ARGS...
"""

import argparse
import re
import sys

import comparison
from beidou_binary import Refused, decode_binary, readable, xor

HEADER = re.compile(rb"\$([A-Z]{2}[A-Z0-9]{3}),")
CHECKSUM = re.compile(rb"\*([0-9A-Fa-f]{2})(\r?\n)?\Z")
HEX = re.compile(r"\A(?:[0-9A-Fa-f]{2})*\Z")
LONGEST_SENTENCE = 4096


def decode(protocol, direction, raw, charset="gb18030"):
    """The fields of one frame, or Refused. `direction` does not change the layout: every header has one."""
    if protocol == "rdss40":
        return decode_binary(raw)
    if protocol in ("rdss21", "rsmc3", "nmea"):
        return decode_sentence(raw, charset)
    raise Refused(f"unknown protocol {protocol!r}")


# --- text sentences (sections 3, 4, 9) --------------------------------------------------------------


def decode_sentence(raw, charset):
    if len(raw) > LONGEST_SENTENCE:
        raise Refused(f"{len(raw)} bytes, the longest sentence has {LONGEST_SENTENCE}")
    header, end = HEADER.match(raw), CHECKSUM.search(raw)
    if header is None:
        raise Refused("no $, two letters and three letters or digits, comma")
    if end is None or end.start() < header.end():
        raise Refused("no checksum at the end")
    if b"\r" in raw[: end.start()] or b"\n" in raw[: end.start()]:
        raise Refused("line break inside the sentence")
    stated, computed = int(end.group(1), 16), xor(raw[1 : end.start()])
    if stated != computed:
        raise Refused(f"checksum {stated:02X}, computed {computed:02X}")
    sentence = header.group(1).decode("ascii")
    # Splitting is done on bytes: no byte of a Chinese character can be a comma.
    args = [part.decode(charset, "replace") for part in raw[header.end() : end.start()].split(b",")]
    reader = SENTENCES.get(sentence[2:])
    return {"sentence": sentence, **(reader(args) if reader else {"args": args})}


def need(args, least, most=None):
    if len(args) < least or (most is not None and len(args) > most):
        raise Refused(f"unexpected field count {len(args)}, expected {least} to {most or 'any'}")


def named(names, most=None):
    """A reader that only names its fields; `most` allows unnamed ones behind them."""

    def read(args):
        need(args, len(names), most or len(names))
        return dict(zip(names, args))

    return read


def whole(text):
    if not text.isascii() or not text.isdigit():
        raise Refused(f"{text!r} is not a number")
    return int(text)


def number(text):
    """A decimal number, or None for an empty field."""
    if text == "":
        return None
    if not re.fullmatch(r"[+-]?\d+(\.\d*)?", text, re.ASCII):
        raise Refused(f"{text!r} is not a number")
    return float(text)


def coordinate(text, side):
    """ddmm.mmmm or dddmm.mmmm and its hemisphere; empty means no fix."""
    if text == "":
        return None
    found = re.fullmatch(r"(\d{2,3})(\d\d(?:\.\d*)?)", text, re.ASCII)
    if found is None or side not in ("N", "S", "E", "W"):
        raise Refused(f"{text!r} {side!r} is not a coordinate")
    value = round(int(found.group(1)) + float(found.group(2)) / 60, 7)
    return -value if side in ("S", "W") else value


def present(fields):
    return {name: value for name, value in fields.items() if value is not None}


def read_form_content(form, content):
    """3.1: what forms 0, 1 and 2 add to the content as it stands."""
    fields = {"form": form, "content": content}
    if form == "1":
        if not re.fullmatch(r"[0-9A-Fa-f]*", content):
            raise Refused("code form with something that is not a digit")
        fields.update({"nibbles": len(content), "bits": 4 * len(content)})
    elif form == "2":
        fields.update(mixed(content))
    elif form != "0":
        raise Refused(f"unknown form {form!r}")
    return fields


def mixed(content):
    if content[:2].upper() != "A4":
        raise Refused("mixed form without A4 prefix")
    if not HEX.match(content):
        raise Refused("payload not even-length hex")
    return readable(bytes.fromhex(content[2:]))


def read_txa(args):
    need(args, 4)
    fields = {"dest_id": args[0], "comm_class": args[1]}
    return {**fields, **read_form_content(args[2], ",".join(args[3:]))}


def read_txr(args):
    need(args, 5)
    fields = {"info_class": args[0], "sender_id": args[1], "time": args[3]}
    return {**fields, **read_form_content(args[2], ",".join(args[4:]))}


def read_fki(args):
    """3.3 and 4.3: digits first is the 3.0 form, letters first the 2.1 form."""
    need(args, 4, 6)
    if args[0][:1].isdigit():
        need(args, 5)
        names = dict(zip(("time", "command", "sent"), args))
        return {**names, "reason": whole(args[3]), "remaining_s": whole(args[4])}
    fields = dict(zip(("command", "executed", "freq_ok"), args))
    if len(args) == 4 and len(args[3]) == 4:
        # Some firmware leaves the suppression field out.
        return {**fields, "wait_s": minutes_and_seconds(args[3])}
    need(args, 5)
    return {**fields, "suppress": whole(args[3]), "wait_s": minutes_and_seconds(args[4])}


def minutes_and_seconds(text):
    """Section 13: MMSS if both halves are below 60, else seconds."""
    value = whole(text)
    minutes, seconds = divmod(value, 100)
    return minutes * 60 + seconds if minutes < 60 and seconds < 60 else value


def read_bsi(args):
    need(args, 12, 12)
    return {"response_beam": args[0], "diff_beam": args[1], "power": [whole(arg) for arg in args[2:]]}


def read_waa(args):
    need(args, 10, 10)
    return present(
        {
            "info_type": args[0],
            "freq": args[1],
            "user_id": args[2],
            "time": args[3],
            "lat_deg": coordinate(args[4], args[5]),
            "lon_deg": coordinate(args[6], args[7]),
            "height_m": number(args[8]),
        }
    )


def read_dwr(args):
    need(args, 15, 15)
    return present(
        {
            "info_type": args[0],
            "user_id": args[1],
            "time": args[2],
            "lat_deg": coordinate(args[3], args[4]),
            "lon_deg": coordinate(args[5], args[6]),
            "height_m": number(args[7]),
            "height_anomaly_m": number(args[9]),
            "precision": args[11],
            "emergency": args[12],
            "multi_value": args[13],
            "height_type": args[14],
        }
    )


def read_tcq(args):
    """4.1: the frequency stands behind the content, or is left out."""
    need(args, 5)
    fields = dict(zip(("dest_id", "freq_point", "confirm", "encoding"), args))
    if len(args) == 5:
        return {**fields, "content": args[4]}
    return {**fields, **encoded(args[3], ",".join(args[4:-1])), "freq_s": args[-1]}


def encoded(encoding, content):
    fields = {"content": content}
    if encoding == "3" and content[:2].upper() == "A4" and HEX.match(content):
        fields.update(readable(bytes.fromhex(content[2:])))
    return fields


def read_tci(args):
    """4.2: one digit in field 3 is order A, six digits are order B. The sender is shown without padding."""
    need(args, 7)
    fields = {"sender_id": args[0].lstrip("0") or "0", "receiver_id": args[1]}
    content = ",".join(args[6:])
    if len(args[2]) == 6:
        return {**fields, "time": args[2], "encoding": args[3], "content": content}
    fields.update({"freq_point": args[2], "time": args[3], "encoding": args[4], "field6": args[5]})
    return {**fields, **encoded(args[4], content)}


def read_pwi(args):
    """4.5: the counts decide the width."""
    need(args, 3)
    older = whole(args[1])
    at = 2 + 3 * older
    need(args, at + 1)
    newer = whole(args[at])
    need(args, at + 1 + 4 * newer, at + 1 + 4 * newer)
    beams = []
    for start in range(at + 1, at + 1 + 4 * newer, 4):
        beam, data, pilot = (whole(arg) for arg in args[start : start + 3])
        beams.append({"id": beam, "cn0_d": data, "cn0_p": pilot})
    return {"time": args[0], "rdss2_beams": older, "rdss3_beams": newer, "beams": beams}


def read_snr(args):
    need(args, 21, 21)
    return {"snr": [whole(arg) for arg in args]}


def read_ttc(args):
    need(args, 1, 1)
    return {"remaining_s": whole(args[0])}


def read_tail(names):
    """Leading fields by name, the rest verbatim as content."""

    def read(args):
        need(args, len(names) + 1)
        return {**dict(zip(names, args)), "content": ",".join(args[len(names) :])}

    return read


def read_gga(args):
    need(args, 14)
    return present(
        {
            "time": args[0],
            "lat_deg": coordinate(args[1], args[2]),
            "lon_deg": coordinate(args[3], args[4]),
            "quality": args[5],
            "sats": args[6],
            "hdop": args[7],
            "alt_m": number(args[8]),
            "geoid_sep_m": number(args[10]),
        }
    )


def read_gll(args):
    need(args, 6)
    lat, lon = coordinate(args[0], args[1]), coordinate(args[2], args[3])
    return present({"lat_deg": lat, "lon_deg": lon, "time": args[4], "status": args[5]})


def read_rmc(args):
    need(args, 9)
    fields = {"time": args[0], "status": args[1]}
    fields.update({"lat_deg": coordinate(args[2], args[3]), "lon_deg": coordinate(args[4], args[5])})
    fields.update({"speed_kn": args[6], "course": args[7], "date": args[8]})
    return present(fields)


ICI = ("user_id", "serial", "broadcast_id", "user_feature", "service_freq_s", "comm_level", "encrypted", "subordinates")
ICP = (
    "user_id broadcast_id authorisation user_identity service_mark secrecy terminal_type rescue_mark military_mark "
    "civil_military own_friend priority regional_service regional_freq_s regional_level global_mark gsmc_permission "
    "gsmc_freq gsmc_level subordinates group_permission groups_owned groups_joined"
).split()
DWA = ("user_id", "emergency", "height_mode", "height_type", "height", "antenna", "pressure", "temperature", "freq_s")

# Sentence id -> reader; any talker. A sentence that is not here is shown as its fields in order.
SENTENCES = {
    "TXA": read_txa,
    "TXR": read_txr,
    "FKI": read_fki,
    "BSI": read_bsi,
    "WAA": read_waa,
    "DWR": read_dwr,
    "TCQ": read_tcq,
    "TCI": read_tci,
    "PWI": read_pwi,
    "SNR": read_snr,
    "TTC": read_ttc,
    "GGA": read_gga,
    "GLL": read_gll,
    "RMC": read_rmc,
    "ICP": named(ICP),
    "DWA": named(DWA),
    "RMO": named(("target", "mode", "rate")),
    "BSS": named(("response_beam", "diff_beam")),
    "MSG": read_tail(("dest_id", "freq_point", "encoding")),
    "MXX": read_tail(("sender_id", "time", "encoding")),
}


def read_ici(args):
    """BDICI is the card; the same id from the command side is a query with two fields."""
    return dict(zip(ICI, args)) if len(args) == len(ICI) else {"args": args}


SENTENCES["ICI"] = read_ici


# --- command line -----------------------------------------------------------------------------------


def generate(seed, count, protocols):
    # Imported here because the generator breaks frames with this decoder's help.
    import beidou_frames

    cases = beidou_frames.generate(seed, count)
    return (case for case in cases if not protocols or case["protocol"] in protocols)


def decode_case(case):
    charset = case.get("charset") or "gb18030"
    raw = bytes.fromhex(case["hex"]) if "hex" in case else case["text"].encode(charset)
    return decode(case["protocol"], case.get("direction"), raw, charset)


def main():
    parser = argparse.ArgumentParser(description="independent reading of the Beidou terminal protocols")
    comparison.run_command_line(parser, generate, decode_case, Refused, (), ("rdss40", "rdss21", "rsmc3", "nmea"))


if __name__ == "__main__":
    sys.exit(main())
