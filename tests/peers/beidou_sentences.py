"""Random text sentences: RDSS 2.1 (section 3), BDS-3 RSMC (section 4) and positions (section 9)."""

from beidou_frames import RARE, TALKERS, Frame, card, chinese, digits, mixed_payload, text, text_content
from beidou_peer import DWA, ICI, ICP


def sentence(rng, protocol, header, args, fields, expect="decode", **checks):
    direction = "to_terminal" if header[:2] == "CC" else "from_terminal"
    return Frame(protocol, direction, text(rng, header, args), {"sentence": header, **fields}, expect, **checks)


def hhmm(rng):
    return f"{rng.randint(0, 23):02d}{rng.randint(0, 59):02d}"


def hhmmss(rng):
    return hhmm(rng) + f"{rng.randint(0, 59):02d}"


def exact_time(rng):
    return f"{hhmmss(rng)}.{rng.randint(0, 99):02d}"


def coordinates(rng, decimals):
    """Two sentence fields each for latitude and longitude, and decimal degrees."""
    wire, shown = [], {}
    for name, most, width, sides in (("lat_deg", 89, 2, "NS"), ("lon_deg", 179, 3, "EW")):
        degree, minute = rng.randint(0, most), rng.randint(0, 60 * 10**decimals - 1)
        side = sides[rng.random() < 0.1]
        whole, part = divmod(minute, 10**decimals)
        wire += [f"{degree:0{width}d}{whole:02d}.{part:0{decimals}d}", side]
        value = degree + minute / 10**decimals / 60
        shown[name] = -value if side in "SW" else value
    return wire, shown


# --- RDSS 2.1 ---------------------------------------------------------------------------------------


def txa(rng):
    dest, urgent = card(rng), rng.random() < 0.2
    form, content, fields, checks = text_content(rng, 23 if urgent else 210)
    header = rng.choice(("CCTXA",) * 8 + ("BDTXA", "PJTXA"))
    fields.update({"dest_id": dest, "comm_class": "0" if urgent else "1", "form": form})
    frame = sentence(rng, "rdss21", header, [dest, fields["comm_class"], form, content], fields, **checks)
    frame.direction = "to_terminal"
    return frame


def txr(rng):
    sender, info = card(rng), rng.choice("12345")
    form, content, fields, checks = text_content(rng, 210)
    time = hhmm(rng) if info in "45" or rng.random() < 0.2 else ""
    header = rng.choice(("BDTXR",) * 9 + ("PJTXR",))
    fields.update({"info_class": info, "sender_id": sender, "form": form, "time": time})
    return sentence(rng, "rdss21", header, [info, sender, form, time, content], fields, **checks)


def not_mixed(rng):
    """Mixed form whose content is not A4 and whole bytes of hex: what to make of it is left open (3.2, 6)."""
    sender = card(rng)
    content = rng.choice(("BF0113EC", "A4BF0113ECHELLO", "A4B9E3D", chinese(rng, 20, pure=True) or "HELLO"))
    fields = {"info_class": "1", "sender_id": sender, "form": "2", "time": ""}
    return sentence(rng, "rdss21", "BDTXR", ["1", sender, "2", "", content], fields, "lenient")


def fki2(rng):
    executed, frequency, suppress = rng.choice("YN"), rng.choice("YN"), rng.randint(0, 3)
    command = rng.choice(("TXA", "DWA", "CXA", "WAA", "ICA"))
    minutes, seconds = rng.choice((0, 0, 1, 5, 59)), rng.randint(0, 59)
    wire, wait = f"{minutes:02d}{seconds:02d}", 60 * minutes + seconds
    if rng.random() < 0.2:
        wait = rng.choice((60, 75, 99, 160, 299, 9999))
        wire = f"{wait:04d}"
    fields = {"command": command, "executed": executed, "freq_ok": frequency, "wait_s": wait}
    if rng.random() < 0.15:
        # Some firmware leaves the suppression field out.
        return sentence(rng, "rdss21", "BDFKI", [command, executed, frequency, wire], fields)
    fields["suppress"] = suppress
    return sentence(rng, "rdss21", "BDFKI", [command, executed, frequency, suppress, wire], fields)


def ici(rng):
    frequency = rng.choice(("1", "40", "60", "9999.0", "0"))
    number, serial = rng.choice((card(rng), "0000000", "2097151")), f"{rng.randint(0, 2097151):08d}"
    count = rng.choice(("0", "000", "22", "500"))
    values = [number, serial, card(rng), rng.choice("01234567"), frequency, rng.choice("01234"), rng.choice("EN")]
    values.append(count)
    return sentence(rng, rng.choice(("rdss21", "rsmc3")), "BDICI", values, dict(zip(ICI, values)))


def bsi(rng):
    beams = f"{rng.randint(0, 10):02d}", f"{rng.randint(0, 10):02d}"
    power = [rng.randint(0, 4) for _ in range(10)]
    fields = {"response_beam": beams[0], "diff_beam": beams[1], "power": power}
    return sentence(rng, "rdss21", "BDBSI", [*beams, *power], fields)


def bss(rng):
    beams = [f"{rng.randint(0, 10):02d}" for _ in range(2)]
    return sentence(rng, "rdss21", "CCBSS", beams, dict(zip(("response_beam", "diff_beam"), beams)))


def rmo(rng):
    mode, rate = rng.choice("1234"), rng.choice(("", "0", "1", "10", "1.0"))
    target = "" if mode in "34" else rng.choice(("BSI", "GGA", "ICI", "PWI", "ZDA"))
    values = [target, mode, rate]
    fields = dict(zip(("target", "mode", "rate"), values))
    return sentence(rng, rng.choice(("rdss21", "rsmc3")), "CCRMO", values, fields)


def dwa(rng):
    values = [card(rng), rng.choice("AV"), rng.choice("0123"), rng.choice("HL"), rng.choice(("", "14", "-3.5"))]
    values += [rng.choice(("", "0", "2")), rng.choice(("", "1013.2")), rng.choice(("", "-5.0"))]
    values.append(rng.choice(("0", "60")))
    return sentence(rng, "rdss21", "CCDWA", values, dict(zip(DWA, values)))


def dwr(rng):
    wire, fields = coordinates(rng, 4)
    kind, user, time = rng.choice("123"), card(rng), exact_time(rng)
    height, anomaly = rng.choice((14, -6, 8848.5, 0)), rng.randint(-99, 99)
    last = [rng.choice("01"), rng.choice("AV"), rng.choice("AV"), rng.choice("HL")]
    fields.update({"info_type": kind, "user_id": user, "time": time, "height_m": height, "height_anomaly_m": anomaly})
    fields.update(zip(("precision", "emergency", "multi_value", "height_type"), last))
    return sentence(rng, "rdss21", "BDDWR", [kind, user, time, *wire, height, "M", anomaly, "M", *last], fields)


def waa(rng):
    wire, fields = coordinates(rng, 5)
    kind, frequency, user, time, height = rng.choice("01"), rng.choice(("", "60")), card(rng), exact_time(rng), 61
    fields.update({"info_type": kind, "freq": frequency, "user_id": user, "time": time, "height_m": height})
    header, values = rng.choice(("BDWAA", "CCWAA")), [kind, frequency, user, time, *wire, height, "M"]
    return sentence(rng, "rdss21", header, values, fields)


def in_order(protocol, header, make, named=True):
    """A sentence whose fields are shown in order; `named` when the recorded cases say so, else only if printed so."""

    def build(rng):
        values = make(rng)
        if named:
            return sentence(rng, protocol, header, values, {"args": values})
        return sentence(rng, protocol, header, values, {}, if_present={"args": values})

    return build


def receipts(rng):
    count = rng.randint(0, 5)
    return [card(rng), str(count), *(hhmm(rng) for _ in range(2 * count))]


def subordinates(rng):
    return [str(rng.randint(1, 500)), *(card(rng) for _ in range(rng.randint(1, 40)))]


def klt(rng):
    form, content, _fields, _checks = text_content(rng, 60)
    return sentence(rng, "rdss21", "BDKLT", [rng.choice("PZ"), card(rng), form, content], {})


def ttc(rng):
    wait = rng.randint(0, 300)
    return sentence(rng, "rsmc3", "BDTTC", [wait], {"remaining_s": wait})


def page(kinds):
    """A card query: what is asked, by one of `kinds`, and which page of it."""
    return lambda rng: [rng.choice(kinds), f"{rng.randint(0, 125):02d}"]


BDS2 = [txa] * 6 + [txr] * 6 + [fki2] * 4 + [ici, bsi, dwr, waa] * 2 + [not_mixed, bss, rmo, dwa, klt]
BDS2 += [
    in_order("rdss21", "CCICA", page("01")),
    in_order("rdss21", "CCICI", page("01")),
    in_order("rdss21", "BDZTI", lambda rng: [rng.choice(("0", "1", "")) for _ in range(6)]),
    in_order("rdss21", "BDICZ", subordinates, named=False),
    in_order("rdss21", "BDHZR", receipts, named=False),
    in_order("rdss21", "CCCXA", lambda rng: ["1", rng.choice("123"), rng.choice(("", card(rng)))], named=False),
    in_order("rdss21", "CCWBA", lambda rng: [card(rng), "L", "0", "60"], named=False),
    in_order("rdss21", "CCKLS", lambda rng: [card(rng), rng.choice("YN")], named=False),
    in_order("rdss21", "CCJMS", lambda rng: [rng.choice("EN")], named=False),
    in_order("rdss21", "CCLZM", lambda rng: ["1"], named=False),
    in_order("rdss21", "CCGXM", lambda rng: ["1", "A4B1"], named=False),
]


# --- BDS-3 RSMC -------------------------------------------------------------------------------------


def rsmc_content(rng, most_bytes, commas):
    """(encoding, content, fields, checks). Text in encoding 1 may hold the marks a careless splitter stops at."""
    encoding = rng.choice("12333")
    if encoding == "1":
        written = chinese(rng, most_bytes)
        if written and commas and rng.random() < 0.2:
            written += rng.choice((",药品", "*4F", "$BDTCI,1", ",,完"))
        return encoding, written.encode("gb18030"), {"content": written}, {}
    if encoding == "2":
        made = digits(rng, 2 * most_bytes, odd=False)
        return encoding, made.encode(), {"content": made}, {}
    payload, fields, absent = mixed_payload(rng, most_bytes)
    made = "A4" + payload.hex().upper()
    return encoding, made.encode(), {"content": made}, {"if_present": fields, "absent": list(absent)}


def tcq(rng):
    dest, point, confirm = card(rng), rng.choice("12345"), rng.choice("12")
    encoding, content, fields, checks = rsmc_content(rng, rng.choice((60, 124, 449, 1749)), commas=True)
    fields.update({"dest_id": dest, "freq_point": point, "confirm": confirm, "encoding": encoding, "freq_s": "0"})
    if not content:
        # `,,0` is also one module family's empty field before the content `0` (4.1): a setting decides.
        del fields["content"], fields["freq_s"]
    return sentence(rng, "rsmc3", "CCTCQ", [dest, point, confirm, encoding, content, 0], fields, **checks)


def tcq_bare(rng):
    """Without the trailing frequency: whether that is read as content is a setting (4.1, section 13)."""
    dest, made = card(rng), digits(rng, 200, odd=False)
    fields = {"dest_id": dest, "freq_point": "2", "confirm": "1", "encoding": "2"}
    return sentence(rng, "rsmc3", "CCTCQ", [dest, "2", "1", "2", made], fields, "lenient")


def tci(rng):
    sender, receiver, point, time = card(rng), card(rng), rng.choice("12345"), hhmmss(rng)
    encoding, content, fields, checks = rsmc_content(rng, rng.choice((60, 124, 449, 1749)), commas=True)
    fields.update({"sender_id": sender.lstrip("0"), "receiver_id": receiver, "freq_point": point, "time": time})
    fields.update({"encoding": encoding, "field6": "0"})
    return sentence(rng, "rsmc3", "BDTCI", [sender, receiver, point, time, encoding, 0, content], fields, **checks)


def tci_template(rng):
    """Order B of 4.2, known by its third field; its later names are not settled."""
    sender, receiver, time, made = card(rng), card(rng), hhmmss(rng), digits(rng, 100, odd=False)
    fields = {"sender_id": sender.lstrip("0"), "receiver_id": receiver, "time": time}
    values = [sender, receiver, time, "2", "0", str(len(made)), made]
    return sentence(rng, "rsmc3", "BDTCI", values, fields, if_present={"content": made, "encoding": "2"})


def fki3(rng):
    time = rng.choice((hhmmss(rng), exact_time(rng), "000000"))
    command, sent = rng.choice(("TCQ", "LOC", "MSG", "EPQ", "TXA")), rng.choice("YN")
    reason, wait = rng.choice((0, 1, 2, 3, 4, 5, 6, 11)), rng.choice((0, 1, 19, 60, 128))
    fields = {"time": time, "command": command, "sent": sent, "reason": reason, "remaining_s": wait}
    values = [time, command, sent, reason, f"{wait:0{rng.randint(1, 5)}d}"]
    # A BDS-3 module may answer a 2.1 command in this form: the content decides, not the setting.
    return sentence(rng, rng.choice(("rsmc3", "rsmc3", "rdss21")), "BDFKI", values, fields)


def icp(rng):
    values = [card(rng), str(rng.choice((0, 2032472))), *(rng.choice("0123") for _ in range(3)), rng.choice("YN")]
    values += [rng.choice("123"), rng.choice("YN"), *(rng.choice("0123") for _ in range(5))]
    values += [rng.choice(("1", "60", "9999")), rng.choice("012345"), *(rng.choice("012") for _ in range(4))]
    values += [rng.choice(("0", "21", "500")), rng.choice(("0", "100")), *(rng.choice(("0", "10")) for _ in range(2))]
    return sentence(rng, "rsmc3", "BDICP", values, dict(zip(ICP, values)))


def pwi(rng):
    older, newer = rng.choice((0, 0, 1, 5)), rng.randint(0, 6)
    values = [exact_time(rng), f"{older:02d}"]
    for number in range(older):
        values += [f"{number + 1:02d}", str(rng.randint(0, 50)), str(rng.randint(0, 50))]
    values.append(f"{newer:02d}")
    beams = [{"id": 51 + n, "cn0_d": rng.randint(0, 60), "cn0_p": rng.randint(0, 60)} for n in range(newer)]
    for beam in beams:
        values += [*beam.values(), 0]
    fields = {"time": values[0], "rdss2_beams": older, "rdss3_beams": newer}
    if older == 0:
        return sentence(rng, "rsmc3", "BDPWI", values, {**fields, "beams": beams})
    return sentence(rng, "rsmc3", "BDPWI", values, fields, tail={"beams": beams})


def snr(rng):
    values = [rng.choice((0, rng.randint(20, 60))) for _ in range(21)]
    return sentence(rng, "rsmc3", "BDSNR", values, {"snr": values})


def vendor(header, first):
    """CCMSG and BDMXX: named leading fields, then content."""

    def build(rng):
        leading = {"dest_id": card(rng), "freq_point": rng.choice("12345")} if first else None
        leading = leading or {"sender_id": card(rng), "time": hhmmss(rng)}
        encoding, content, fields, checks = rsmc_content(rng, 124, commas=True)
        fields.update({**leading, "encoding": encoding})
        return sentence(rng, "rsmc3", header, [*leading.values(), encoding, content], fields, **checks)

    return build


BDS3 = [tcq] * 6 + [tci] * 6 + [fki3] * 4 + [icp, pwi] * 2 + [snr, ttc, tcq_bare, tci_template]
BDS3 += [
    vendor("CCMSG", True),
    vendor("BDMXX", False),
    in_order("rsmc3", "CCICR", page("0123")),
    in_order("rsmc3", "BDRNX", lambda rng: [str(rng.randint(0, 9)) for _ in range(7)]),
    in_order("rsmc3", "BDDEF", lambda rng: ["OK"]),
    in_order("rsmc3", "BDZTX", lambda rng: [""]),
    in_order("rsmc3", "BDOKX", lambda rng: [card(rng), "我已安全，请放心" + rng.choice(RARE), ""], named=False),
    in_order("rsmc3", "CCPRS", lambda rng: [card(rng), "1", "60", "10", "2"], named=False),
    in_order("rsmc3", "CCZDC", lambda rng: ["10"], named=False),
    in_order("rsmc3", "CCNPS", lambda rng: ["345600", "11400.5", "E", "2230.1", "N", "20", "M"], named=False),
]


# --- positions --------------------------------------------------------------------------------------


def position(rng, kind, values, fields, **checks):
    return sentence(rng, "nmea", rng.choice(TALKERS) + kind, values, fields, **checks)


def gga(rng):
    time, sats, hdop = exact_time(rng), f"{rng.randint(0, 24):02d}", rng.choice(("0.7", "1.2", ""))
    extra = [""] if rng.random() < 0.1 else []  # BD 410004 writes one more field
    if rng.random() < 0.2:
        values = [time, "", "", "", "", "0", "00", hdop, "", "M", "", "M", "", "", *extra]
        fields = {"time": time, "quality": "0", "sats": "00", "hdop": hdop}
        return position(rng, "GGA", values, fields, absent=["lat_deg", "lon_deg", "alt_m", "geoid_sep_m"])
    wire, fields = coordinates(rng, 5)
    altitude, separation, quality = round(rng.uniform(-90, 8848), 2), round(rng.uniform(-99, 99), 2), rng.choice("1245")
    fields.update({"time": time, "quality": quality, "sats": sats, "hdop": hdop})
    fields.update({"alt_m": altitude, "geoid_sep_m": separation})
    values = [time, *wire, quality, sats, hdop, altitude, "M", separation, "M", "", "", *extra]
    return position(rng, "GGA", values, fields)


def gll(rng):
    time = exact_time(rng)
    if rng.random() < 0.2:
        values, fields = ["", "", "", "", time, "V", "N"], {"time": time, "status": "V"}
        return position(rng, "GLL", values, fields, absent=["lat_deg", "lon_deg"])
    wire, fields = coordinates(rng, rng.choice((4, 5)))
    return position(rng, "GLL", [*wire, time, "A", "A"], {**fields, "time": time, "status": "A"})


def rmc(rng):
    time, date = exact_time(rng), f"{rng.randint(1, 28):02d}{rng.randint(1, 12):02d}{rng.randint(0, 50):02d}"
    tail = rng.choice((["A"], ["A", "V"]))
    if rng.random() < 0.2:
        values = [time, "V", "", "", "", "", "", "", "", "", "", *tail]
        fields = {"time": time, "status": "V", "speed_kn": "", "course": "", "date": ""}
        return position(rng, "RMC", values, fields, absent=["lat_deg", "lon_deg"])
    wire, fields = coordinates(rng, rng.choice((4, 5)))
    speed, course = rng.choice(("", "0.08", "12.5")), rng.choice(("", "0", "359.9"))
    fields.update({"time": time, "status": "A", "speed_kn": speed, "course": course, "date": date})
    return position(rng, "RMC", [time, "A", *wire, speed, course, date, "", "", *tail], fields)


def zda(rng):
    values = [exact_time(rng), "07", "03", "2024", "00", "00"]
    return position(rng, "ZDA", values, {"args": values})


def long_zda(rng):
    values = [str(rng.randint(0, 5)), exact_time(rng), "01", "01", "2006", "-08", "00", "00", "00", "00", "N"]
    return sentence(rng, "nmea", "BDZDA", values, {"args": values})


def satellites(rng):
    kind = rng.choice(("GSA", "GSV"))
    values = ["1", "1", "01", "05", "40", "083", "46"]
    if kind == "GSA":
        values = ["A", "3", *("" for _ in range(12)), "1.5", "0.8", "1.2"]
    return position(rng, kind, values, {}, if_present={"args": values})


POSITIONS = [gga, rmc, gll] * 2 + [zda, long_zda, satellites]
