"""The peer itself, before anything is compared with it: python3 -m unittest discover tests/peers"""

import contextlib
import io
import os
import random
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import beidou_frames  # noqa: E402
import beidou_peer  # noqa: E402
import comparison  # noqa: E402
from beidou_binary import Refused, xor  # noqa: E402

PROTOCOLS = ("rdss40", "rdss21", "rsmc3", "nmea")
# Answers every question with what this peer reads, or always the same, or not at all.
HONEST = [sys.executable, os.path.join(HERE, "beidou_peer.py"), "decode"]
FLATTERER = [sys.executable, "-c", "import sys\nfor _ in sys.stdin: print('{\"ok\":true,\"fields\":{}}', flush=True)"]
SILENT = [sys.executable, "-c", "pass"]


def agreement(program, cases):
    """(agrees, what was printed)."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        answers, _status = comparison.ask(program, cases)
        agrees = comparison.report(cases, answers)
    return agrees, printed.getvalue()


def damaged(rng, protocol, raw):
    """One byte of the body replaced, and the checksum put right again."""
    if protocol == "rdss40":
        body = bytearray(raw[:-1])
        body[rng.randrange(5, len(body))] = rng.randrange(256)
        return bytes(body) + bytes([xor(body)])
    body = bytearray(raw.rstrip(b"\r\n")[1:-3])
    body[rng.randrange(len(body))] = rng.randrange(256)
    return b"$" + bytes(body) + b"*" + f"{xor(body):02X}".encode()


class RecordedCases(unittest.TestCase):
    def test_every_recorded_case_is_read_as_recorded(self):
        cases = comparison.read_cases(os.path.join(HERE, "beidou_cases.jsonl"), PROTOCOLS)
        self.assertGreaterEqual(len(cases), 12)
        for case in cases:
            with self.subTest(case["id"]):
                answer = comparison.answer_of(case, beidou_peer.decode_case, Refused)
                self.assertEqual(answer["ok"], case["expect"] == "decode", answer)
                self.assertEqual(comparison.judge(case, answer), [])


class GeneratedFrames(unittest.TestCase):
    def test_frames_are_read_as_what_they_were_built_of(self):
        for case in beidou_frames.generate(7, 3000):
            answer = comparison.answer_of(case, beidou_peer.decode_case, Refused)
            self.assertEqual(comparison.judge(case, answer), [], case)

    def test_one_seed_makes_the_same_frames_and_another_makes_others(self):
        frames = [[case["hex"] for case in beidou_frames.generate(seed, 200)] for seed in (1, 1, 2)]
        self.assertEqual(frames[0], frames[1])
        self.assertNotEqual(frames[0], frames[2])

    def test_about_fifteen_in_a_hundred_must_be_refused(self):
        refused = sum(case["expect"] == "refuse" for case in beidou_frames.generate(3, 4000))
        self.assertTrue(400 < refused < 800, refused)

    def test_damage_under_a_right_checksum_is_read_or_refused_but_never_crashes(self):
        rng = random.Random(11)
        outcomes = set()
        for case in beidou_frames.generate(5, 3000):
            if case["expect"] != "decode":
                continue
            raw = damaged(rng, case["protocol"], bytes.fromhex(case["hex"]))
            outcomes.add(comparison.answer_of({**case, "hex": raw.hex()}, beidou_peer.decode_case, Refused)["ok"])
        self.assertEqual(outcomes, {True, False})


class Comparison(unittest.TestCase):
    def test_a_program_that_reads_alike_agrees(self):
        agrees, printed = agreement(HONEST, list(beidou_frames.generate(1, 500)))
        self.assertTrue(agrees, printed)
        self.assertIn("500 agreed, 0 differed", printed)

    def test_a_program_that_accepts_everything_differs(self):
        agrees, printed = agreement(FLATTERER, list(beidou_frames.generate(1, 500)))
        self.assertFalse(agrees)
        self.assertIn("accepted what must be refused", printed)
        self.assertIn("is missing", printed)

    def test_missing_answers_are_differences(self):
        agrees, printed = agreement(SILENT, list(beidou_frames.generate(1, 20)))
        self.assertFalse(agrees)
        self.assertIn("no answer", printed)

    def test_text_never_equals_a_number(self):
        self.assertTrue(comparison.same("height_m", 14, 14.0))
        self.assertTrue(comparison.same("lat_deg", 23.0373900, 23.0373904))
        self.assertFalse(comparison.same("lat_deg", 23.03739, 23.03740))
        self.assertFalse(comparison.same("wait_s", 0, "0"))
        self.assertFalse(comparison.same("reliable", True, 1))


if __name__ == "__main__":
    unittest.main()
