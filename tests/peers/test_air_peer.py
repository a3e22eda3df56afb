"""The air peer itself, before anything is compared with it: python3 -m unittest discover tests/peers"""

import hashlib
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import air_cipher  # noqa: E402
import air_frames  # noqa: E402
import air_peer  # noqa: E402
import comparison  # noqa: E402
from air_layout import Refused, join_rows, make_row  # noqa: E402

KEY = bytes.fromhex("0123456789abcdeffedcba9876543210")


class Ciphers(unittest.TestCase):
    def test_sm4_is_the_standard_one(self):
        """GB/T 32907-2016 A.1."""
        block = air_cipher.sm4_block(air_cipher.sm4_keys(KEY), KEY)
        self.assertEqual(block.hex(), "681edf34d206965e86b3e94f536e4246")

    def test_sm4_ccm_is_that_of_rfc_8998(self):
        plain = b"".join(bytes([byte]) * 8 for byte in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))
        aad = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
        sealed = air_cipher.Ccm(KEY, 16).seal(bytes.fromhex("00001234567800000000abcd"), aad, plain)
        self.assertTrue(sealed.hex().startswith("48af93501fa62adbcd414cce6034d895"))
        self.assertTrue(sealed.hex().endswith("16842d4fa186f56ab33256971fa110f4"))

    def test_sm3_is_the_standard_one(self):
        """GB/T 32905-2016 A.1, and OpenSSL's where this Python has it."""
        self.assertTrue(air_cipher.sm3(b"abc").hex().startswith("66c7f0f462eeedd9d1f2d46bdc10e4e2"))
        if "sm3" in hashlib.algorithms_available:
            for length in range(0, 200, 7):
                data = bytes(range(length))
                self.assertEqual(air_cipher.sm3(data), hashlib.new("sm3", data).digest())


class Rows(unittest.TestCase):
    def test_any_n_rows_give_the_message_back(self):
        sources = [bytes([7 * n, 255 - n, n]) for n in range(5)]
        rows = {index: make_row(5, sources, index) for index in range(64)}
        for first in range(59):
            chosen = {index: rows[index] for index in range(first, first + 5)}
            self.assertEqual(join_rows(5, 0, chosen), b"".join(sources))


class GeneratedFrames(unittest.TestCase):
    def test_frames_are_read_as_what_they_were_built_of(self):
        for case in air_frames.generate(7, 400):
            answer = comparison.answer_of(case, air_peer.decode_case, Refused)
            self.assertEqual(comparison.judge(case, answer), [], case)

    def test_one_seed_makes_the_same_frames_and_another_makes_others(self):
        made = [list(air_frames.generate(seed, 50)) for seed in (1, 1, 2)]
        self.assertEqual(made[0], made[1])
        self.assertNotEqual(made[0], made[2])


if __name__ == "__main__":
    unittest.main()
