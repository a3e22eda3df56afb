"""SM3, SM4, HMAC-SM3 and CCM in plain Python, from the standards: GB/T 32905-2016, GB/T 32907-2016, RFC 2104, RFC 3610.

Slow and simple: it is here to disagree.
"""

MASK = 0xFFFFFFFF


def rotate(word, by):
    by %= 32
    return ((word << by) | (word >> (32 - by))) & MASK


# --- SM3 --------------------------------------------------------------------------------------------

SM3_START = (0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E)
SM3_BLOCK = 64


def sm3(data):
    padded = data + b"\x80" + bytes(-(len(data) + 9) % SM3_BLOCK) + (8 * len(data)).to_bytes(8, "big")
    state = SM3_START
    for at in range(0, len(padded), SM3_BLOCK):
        state = sm3_compress(state, padded[at : at + SM3_BLOCK])
    return b"".join(word.to_bytes(4, "big") for word in state)


def sm3_compress(state, block):
    words = [int.from_bytes(block[4 * i : 4 * i + 4], "big") for i in range(16)]
    for j in range(16, 68):
        x = words[j - 16] ^ words[j - 9] ^ rotate(words[j - 3], 15)
        words.append(x ^ rotate(x, 15) ^ rotate(x, 23) ^ rotate(words[j - 13], 7) ^ words[j - 6])
    a, b, c, d, e, f, g, h = state
    for j in range(64):
        constant = 0x79CC4519 if j < 16 else 0x7A879D8A
        ss1 = rotate((rotate(a, 12) + e + rotate(constant, j)) & MASK, 7)
        ss2 = ss1 ^ rotate(a, 12)
        ff = a ^ b ^ c if j < 16 else (a & b) | (a & c) | (b & c)
        gg = e ^ f ^ g if j < 16 else (e & f) | (~e & MASK & g)
        tt1 = (ff + d + ss2 + (words[j] ^ words[j + 4])) & MASK
        tt2 = (gg + h + ss1 + words[j]) & MASK
        a, b, c, d = tt1, a, rotate(b, 9), c
        e, f, g, h = tt2 ^ rotate(tt2, 9) ^ rotate(tt2, 17), e, rotate(f, 19), g
    return tuple(old ^ new for old, new in zip(state, (a, b, c, d, e, f, g, h)))


def hmac_sm3(key, message):
    if len(key) > SM3_BLOCK:
        key = sm3(key)
    key = key + bytes(SM3_BLOCK - len(key))
    inner = sm3(bytes(byte ^ 0x36 for byte in key) + message)
    return sm3(bytes(byte ^ 0x5C for byte in key) + inner)


# --- SM4 --------------------------------------------------------------------------------------------

# The S-box is affine, inverse in GF(2^8) with x^8+x^7+x^6+x^5+x^4+x^2+1 (0x1F5), affine; made here rather than typed.
AFFINE_ROW, AFFINE_ADD = 0xA7, 0xD3


def sm4_multiply(a, b):
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = (a << 1) ^ (0x1F5 if a & 0x80 else 0)
        b >>= 1
    return product


def sm4_inverse(a):
    return next((b for b in range(256) if sm4_multiply(a, b) == 1), 0)


def sm4_affine(value):
    out = AFFINE_ADD
    for bit in range(8):
        # The matrix is circulant: row 7 - i is the first row, turned.
        row = ((AFFINE_ROW << bit) | (AFFINE_ROW >> (8 - bit))) & 0xFF
        if bin(row & value).count("1") & 1:
            out ^= 1 << bit
    return out


SM4_BOX = [sm4_affine(sm4_inverse(sm4_affine(value))) for value in range(256)]
SM4_FK = (0xA3B1BAC6, 0x56AA3350, 0x677D9197, 0xB27022DC)
SM4_CK = [int.from_bytes(bytes((4 * i + j) * 7 % 256 for j in range(4)), "big") for i in range(32)]


def sm4_substitute(word):
    return int.from_bytes(bytes(SM4_BOX[byte] for byte in word.to_bytes(4, "big")), "big")


def sm4_keys(key):
    words = [int.from_bytes(key[4 * i : 4 * i + 4], "big") ^ SM4_FK[i] for i in range(4)]
    for constant in SM4_CK:
        mixed = sm4_substitute(words[-3] ^ words[-2] ^ words[-1] ^ constant)
        words.append(words[-4] ^ mixed ^ rotate(mixed, 13) ^ rotate(mixed, 23))
    return words[4:]


def sm4_block(keys, block):
    words = [int.from_bytes(block[4 * i : 4 * i + 4], "big") for i in range(4)]
    for key in keys:
        mixed = sm4_substitute(words[-3] ^ words[-2] ^ words[-1] ^ key)
        turned = mixed ^ rotate(mixed, 2) ^ rotate(mixed, 10) ^ rotate(mixed, 18) ^ rotate(mixed, 24)
        words.append(words[-4] ^ turned)
    return b"".join(word.to_bytes(4, "big") for word in reversed(words[-4:]))


# --- CCM with a nonce of 13 bytes or fewer ------------------------------------------------------------


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def blocks(data):
    return [data[at : at + 16].ljust(16, b"\0") for at in range(0, len(data), 16)]


class Ccm:
    def __init__(self, key, tag_bytes):
        self.keys = sm4_keys(key)
        self.tag_bytes = tag_bytes

    def mac(self, nonce, aad, plain):
        length = 15 - len(nonce)
        flags = (0x40 if aad else 0) | (self.tag_bytes - 2) // 2 << 3 | (length - 1)
        state = sm4_block(self.keys, bytes([flags]) + nonce + len(plain).to_bytes(length, "big"))
        counted = len(aad).to_bytes(2, "big") + aad if aad else b""
        for block in blocks(counted) + blocks(plain):
            state = sm4_block(self.keys, xor(state, block))
        return state[: self.tag_bytes]

    def stream(self, nonce, count):
        length = 15 - len(nonce)
        return sm4_block(self.keys, bytes([length - 1]) + nonce + count.to_bytes(length, "big"))

    def crypt(self, nonce, data):
        return b"".join(xor(data[16 * i : 16 * i + 16], self.stream(nonce, i + 1)) for i in range(-(-len(data) // 16)))

    def seal(self, nonce, aad, plain):
        return self.crypt(nonce, plain) + xor(self.mac(nonce, aad, plain), self.stream(nonce, 0))

    def open(self, nonce, aad, sealed):
        """The content, or None where the tag does not verify."""
        if len(sealed) < self.tag_bytes:
            return None
        at = len(sealed) - self.tag_bytes
        plain, tag = self.crypt(nonce, sealed[:at]), sealed[at:]
        return plain if xor(self.mac(nonce, aad, plain), self.stream(nonce, 0)) == tag else None
