//! The bare grammar under the messages: which fields stand in them, known or not.

/// The field numbers of a message in their order; `None` when the bytes are none.
#[must_use]
pub fn top_fields(bytes: &[u8]) -> Option<Vec<u64>> {
    let mut rest = bytes;
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let (key, after) = varint(rest)?;
        rest = match key & 7 {
            0 => varint(after)?.1,
            1 => after.split_at_checked(8)?.1,
            2 => {
                let (length, after) = varint(after)?;
                after.split_at_checked(usize::try_from(length).ok()?)?.1
            }
            5 => after.split_at_checked(4)?.1,
            _ => return None,
        };
        fields.push(key >> 3);
    }
    Some(fields)
}

/// The number of the first field: which section or variant it is.
#[must_use]
pub fn first_field(bytes: &[u8]) -> Option<u64> {
    varint(bytes).map(|(key, _)| key >> 3)
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    let mut rest = bytes;
    for shift in (0..70).step_by(7) {
        let (byte, after) = rest.split_first()?;
        rest = after;
        value |= u64::from(byte & 0x7F).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some((value, rest));
        }
    }
    None
}
