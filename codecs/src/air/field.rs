//! The field GF(2^8) with polynomial x^8 + x^4 + x^3 + x^2 + 1 (0x11D): a byte is a polynomial, addition is XOR.

/// The polynomial without its highest term.
const REDUCTION: u8 = 0x1D;

/// Product of two elements. Without tables: nothing depends on the values but the result.
#[must_use]
pub const fn multiply(a: u8, b: u8) -> u8 {
    let (mut product, mut multiple, mut rest) = (0, a, b);
    while rest != 0 {
        if rest & 1 == 1 {
            product ^= multiple;
        }
        multiple = (multiple << 1) ^ if multiple & 0x80 == 0 { 0 } else { REDUCTION };
        rest >>= 1;
    }
    product
}

/// `1 / a`; `None` for 0.
#[must_use]
pub const fn inverse(a: u8) -> Option<u8> {
    if a == 0 {
        return None;
    }
    // a^254, because a^255 = 1: the square and multiply of 1111_1110.
    let (mut power, mut square, mut bit) = (1, multiply(a, a), 1);
    while bit < 8 {
        power = multiply(power, square);
        square = multiply(square, square);
        bit += 1;
    }
    Some(power)
}

/// Adds `factor · from` to `into`, byte by byte, as far as both go.
pub fn add_multiple(into: &mut [u8], factor: u8, from: &[u8]) {
    for (sum, byte) in into.iter_mut().zip(from) {
        *sum ^= multiply(factor, *byte);
    }
}

/// Multiplies every byte by `factor`.
pub fn scale(bytes: &mut [u8], factor: u8) {
    for byte in bytes {
        *byte = multiply(factor, *byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_reduce_by_0x11d() {
        // x^7 · x = x^8 = x^4 + x^3 + x^2 + 1; x^8 · x = x^5 + x^4 + x^3 + x.
        assert_eq!(multiply(0x80, 2), 0x1D);
        assert_eq!(multiply(0x1D, 2), 0x3A);
        // (x + 1)(x^2 + 1) = x^3 + x^2 + x + 1.
        assert_eq!(multiply(3, 5), 0x0F);
        // (x^7+x^6+...+1)^2 by long division: x^14+x^12+...+1 mod 0x11D.
        assert_eq!(multiply(0xFF, 0xFF), long_division(0x5555));
    }

    /// Independent of `multiply`: the remainder of an already spread-out product.
    fn long_division(mut product: u32) -> u8 {
        for place in (8..15).rev() {
            if product >> place & 1 == 1 {
                product ^= 0x11D << (place - 8);
            }
        }
        u8::try_from(product).unwrap()
    }

    #[test]
    fn products_are_remainders_of_polynomials() {
        for a in 0..=255_u8 {
            for b in 0..=255_u8 {
                let spread = (0..8).filter(|i| b >> i & 1 == 1).fold(0, |sum, i| sum ^ u32::from(a) << i);
                assert_eq!(multiply(a, b), long_division(spread), "{a} {b}");
            }
        }
    }

    #[test]
    fn every_element_but_zero_has_one_inverse() {
        assert_eq!(inverse(0), None);
        for a in 1..=255 {
            assert_eq!(multiply(a, inverse(a).unwrap()), 1, "{a}");
        }
    }

    #[test]
    fn two_generates_the_whole_field() {
        let mut seen = std::collections::BTreeSet::new();
        let mut power = 1;
        for _ in 0..255 {
            seen.insert(power);
            power = multiply(power, 2);
        }
        assert_eq!((seen.len(), power), (255, 1));
    }
}
