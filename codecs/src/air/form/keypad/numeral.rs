//! Numbers written in Chinese. What is said in two ways (一百二: 120 or 102?) is no number here.

/// Whether a character may stand in a Chinese number.
pub(super) fn is_numeral(c: char) -> bool {
    digit(c).is_some() || unit(c).is_some() || c == '万'
}

fn digit(c: char) -> Option<u32> {
    let digits = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
    let at = match c {
        '〇' => 0,
        '两' | '俩' => 2,
        _ => digits.iter().position(|digit| *digit == c)?,
    };
    u32::try_from(at).ok()
}

fn unit(c: char) -> Option<u32> {
    match c {
        '十' => Some(10),
        '百' => Some(100),
        '千' => Some(1_000),
        _ => None,
    }
}

/// The value of a whole Chinese number, 0..=99,999,999; `None` for what is none, or not clear.
pub(super) fn value(chars: &[char]) -> Option<u32> {
    let Some(split) = chars.iter().position(|c| *c == '万') else { return section(chars) };
    let (high, low) = (chars.get(..split)?, chars.get(split + 1..)?);
    let high = section(high).filter(|high| *high > 0)?.checked_mul(10_000)?;
    if low.is_empty() {
        return Some(high);
    }
    let (low_value, begins_zero) = (section(low)?, low.first() == Some(&'零') || low.first() == Some(&'〇'));
    // 一万二 is not clear: 12,000 or 10,002?
    ((low_value >= 1_000) != begins_zero).then_some(high.checked_add(low_value)?)
}

/// A number below 10,000.
fn section(chars: &[char]) -> Option<u32> {
    let (mut sum, mut pending, mut last_unit, mut zero) = (0_u32, None, 10_000, false);
    match chars {
        [] => return None,
        [only] => return digit(*only).or_else(|| unit(*only).filter(|unit| *unit == 10)),
        _ => {}
    }
    for (at, c) in chars.iter().enumerate() {
        if let Some(digit) = digit(*c) {
            if pending.is_some() || (digit == 0 && zero) {
                return None;
            }
            if digit == 0 {
                zero = true;
            } else {
                pending = Some(digit);
            }
            continue;
        }
        let unit = unit(*c)?;
        // 十二 is twelve; no other unit stands without its digit.
        let times = pending.take().or_else(|| (unit == 10 && at == 0).then_some(1))?;
        let skipped = last_unit != 10_000 && last_unit > unit * 10;
        if unit >= last_unit || (skipped && !zero) {
            return None;
        }
        sum = sum.checked_add(times.checked_mul(unit)?)?;
        (last_unit, zero) = (unit, false);
    }
    match pending {
        // 一百二 is not clear; 一百零二 and 一百二十 are.
        Some(_) if last_unit == 10_000 && !zero => None,
        Some(_) if last_unit > 10 && !zero => None,
        Some(ones) => sum.checked_add(ones),
        None if zero => None,
        None => Some(sum),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<u32> {
        value(&text.chars().collect::<Vec<_>>())
    }

    #[test]
    fn chinese_numbers_are_read() {
        for (text, expected) in [
            ("零", 0),
            ("两", 2),
            ("十", 10),
            ("十二", 12),
            ("二十", 20),
            ("三十五", 35),
            ("一百", 100),
            ("一百零二", 102),
            ("一百二十", 120),
            ("一百一十二", 112),
            ("两千零五", 2_005),
            ("两千零五十", 2_050),
            ("三千五百", 3_500),
            ("一万", 10_000),
            ("一万零三十", 10_030),
            ("一万六千五百二十", 16_520),
        ] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_can_be_two_numbers_is_none() {
        for text in
            ["一百二", "三千五", "一万二", "一二", "二三十", "百", "二十百", "一百零", "零零", "万", "一千二十", ""]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
