//! What goes into one slot of 77 bytes, sealed: texts of a set that no model was trained with, a full situation report,
//! positions.

use super::table::{Bound, Grid, Part, Scale, figure, percent};
use yizhan_codecs::air::content::Content;
use yizhan_codecs::air::form::{Area, Form, read_line};
use yizhan_codecs::air::header::Destination;
use yizhan_codecs::air::limits::Bearing;
use yizhan_codecs::air::position::{Offset, Origin, OriginId, Positions, Status, Unit};
use yizhan_codecs::air::text;

/// The set by which texts are judged; the same file as in the tests of the codec.
const MESSAGES: &str = include_str!("../../../codecs/src/air/text/vectors/messages-zh.txt");

const SLOT: Bearing = Bearing::closed(77);

/// A situation report with eight counts.
const REPORT: &str = "#1 首报 滑坡 地12 原3 北1200 西300 截至14:05 死3 失2 伤14 困0 危260 转1437 倒26 损113";
/// Forty characters of text beside it.
const NOTE: &str = "老街后山还在掉石头，通往三组的便桥已冲断，急需照明灯、雨衣和一台挖掘机，联系人罗勇";

/// Slots of a content of so many protected bytes.
fn slots(bytes: usize) -> u8 {
    SLOT.frames(Destination::Everyone, bytes, false).unwrap_or(u8::MAX)
}

struct Set {
    chars: usize,
    bytes: usize,
    slots: u64,
    in_one: usize,
    messages: usize,
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
impl Set {
    fn of(write: impl Fn(&str) -> Option<usize>) -> Self {
        let mut set = Self { chars: 0, bytes: 0, slots: 0, in_one: 0, messages: 0 };
        for line in MESSAGES.lines() {
            // What a codec cannot carry goes as UTF-8.
            let bytes = 1 + write(line).unwrap_or(line.len());
            set.chars += line.chars().count();
            set.bytes += bytes;
            set.slots += u64::from(slots(bytes));
            set.in_one += usize::from(slots(bytes) == 1);
            set.messages += 1;
        }
        set
    }

    fn bits(&self) -> f64 {
        (self.bytes * 8) as f64 / self.chars as f64
    }

    fn share(&self) -> f64 {
        self.in_one as f64 / self.messages as f64
    }

    fn row(&self, name: &str) -> [String; 5] {
        let mean = self.bytes as f64 / self.messages as f64;
        [name.into(), figure(self.bits(), 2), figure(mean, 1), percent(self.share(), 1), self.slots.to_string()]
    }
}

/// Texts beside plain codecs, then a report and positions.
#[must_use]
pub fn part(_: Scale) -> Part {
    let mut grid = Grid::new(&["文字", "每字比特", "平均字节", "一个时隙装下", "时隙"]);
    for (codec, name) in [(0, "UTF-8"), (1, "GB18030"), (2, "14 位一字")] {
        grid.row(Set::of(|line| text::write_as(codec, line).map(|body| body.len())).row(name));
    }
    let ours = Set::of(|line| text::write(line, text::own_models()).ok().map(|packed| packed.body.len()));
    grid.row(ours.row("模型（本站）"));
    let mut part = Part { text: grid.print(), bounds: Vec::new() };
    part.text.push_str("  别处量得（facts 同类报文）：zstd 加词典 13.30，PPMd 8.75，n 元模型混合 6.43–6.56\n");
    part.bounds.push(Bound::at_most("文字每字比特", ours.bits(), 6.5));
    part.bounds.push(Bound::between("文字一个时隙装下的份额", ours.share(), (0.93, 1.0)));
    let report = report_bytes();
    part.text.push_str(&format!(
        "  险情首报八个数加 {} 字说明：{report} 字节，{} 个时隙\n",
        NOTE.chars().count(),
        slots(report)
    ));
    part.bounds.push(Bound::at_most("险情首报加说明的时隙", f64::from(slots(report)), 1.0));
    let positions = positions_bytes();
    part.text.push_str(&format!("  九个位置：{positions} 字节，{} 个时隙\n", slots(positions)));
    part.bounds.push(Bound::at_most("九个位置的时隙", f64::from(slots(positions)), 1.0));
    part
}

/// Content byte, the form, its note.
fn report_bytes() -> usize {
    let packed = read_line(REPORT, &Area::default()).ok().and_then(|form: Form| form.pack().ok());
    let note = text::write(NOTE, text::own_models()).map(|packed| packed.body.len());
    1 + packed.map_or(usize::MAX / 4, |packed| packed.bytes.len()) + note.unwrap_or(usize::MAX / 4)
}

/// Content byte and nine units about one origin.
fn positions_bytes() -> usize {
    let bytes = || {
        let origin = Origin::new(OriginId::new(3)?, 282_000_000, 1_129_000_000)?;
        let place = Offset::of(&origin, 282_000_900, 1_129_000_900)?;
        let units = (0..9).map(|unit| Unit { unit, place, status: Status::default() }).collect();
        Content::Positions(Positions::Relative { origin: origin.id(), units }).emit().ok()
    };
    bytes().map_or(usize::MAX / 4, |bytes| bytes.len())
}
