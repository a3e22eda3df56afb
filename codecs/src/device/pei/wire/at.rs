use crate::codec::DecodeError;

/// What begins a short data indication, wherever it stands in a line.
pub const MARK: &str = "+CTSDSR";
/// What ends the user data of a send.
pub const END_OF_DATA: char = '\u{1a}';

/// `+CTSDSR`: a header line and, on the next line, user data in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indication {
    pub service: u16,
    pub calling: Option<String>,
    pub calling_type: Option<u8>,
    pub called: String,
    pub called_type: Option<u8>,
    pub bits: u32,
    pub e2ee: Option<u8>,
    /// The digits as written, empty where the line stands alone. An odd count is lawful: half a byte at the end.
    pub hex: String,
}

/// A whole frame from the radio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RadioLine {
    Blank,
    Ok,
    Error,
    /// The channel or the radio is taken (`BUSY`, `NO CARRIER`, `NO ANSWER`).
    Busy,
    CmeError(u16),
    /// The radio waits for user data.
    Prompt,
    Indication(Indication),
    /// The result of a send: instance, and where the radio says more, status (4 taken, 5 failed) and reference.
    Sent {
        instance: u32,
        status: Option<u8>,
        reference: Option<u32>,
    },
    /// What the radio can send, in bits.
    SendRange {
        min: u32,
        max: u32,
    },
    /// The radio's own receiver: time, latitude and longitude in millionths of a degree, satellites.
    Gps {
        time: String,
        lat_e6: i32,
        lon_e6: i32,
        satellites: u16,
    },
    /// Our own line, given back.
    Echo(String),
    /// Another result or indication, by its name.
    Other {
        name: String,
        rest: String,
    },
}

/// A line to the radio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostLine {
    Send { to: String, bits: u32, hex: String },
    Service { service: u16, called_type: u8, rest: Vec<u16> },
    Plain(Command),
}

/// Commands without user data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Attention,
    EchoOff,
    /// `AT+CTOM=`: the mode of operation.
    Mode(u8),
    /// `AT+CTSP=`: a service that comes to this port.
    Profile(String),
    AskSendRange,
}

const fn field(field: &'static str, at: usize, expected: &'static str) -> DecodeError {
    DecodeError::Field { field, at, expected }
}

fn number<T: std::str::FromStr>(text: &str, name: &'static str) -> Result<T, DecodeError> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(field(name, 0, "a decimal number"));
    }
    text.parse().map_err(|_| field(name, 0, "a decimal number"))
}

fn party(text: &str, name: &'static str) -> Result<String, DecodeError> {
    let text = text.trim();
    let is_sound = (1..=24).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit() || b"+*#".contains(&b));
    if is_sound { Ok(text.into()) } else { Err(field(name, 0, "1 to 24 digits")) }
}

fn kind(text: &str, name: &'static str) -> Result<Option<u8>, DecodeError> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let found = number(text, name)?;
    if found <= 3 { Ok(Some(found)) } else { Err(field(name, 0, "0 to 3")) }
}

fn ascii(bytes: &[u8]) -> Result<&str, DecodeError> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => Ok(text),
        _ => Err(field("line", 0, "ASCII")),
    }
}

/// Whether so many digits can be so many bits: all of them, and at most the filling of the last byte beyond.
#[must_use]
pub fn digits_fit(bits: u32, digits: usize) -> bool {
    let (Ok(least), Ok(most)) = (usize::try_from(bits.div_ceil(4)), usize::try_from(bits.div_ceil(8))) else {
        return false;
    };
    digits >= least && digits <= most.saturating_mul(2)
}

/// Refuses digits that are not hexadecimal or not as many as declared.
fn user_data(bits: u32, hex: &str) -> Result<(), DecodeError> {
    if !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(field("pdu_hex", 0, "hexadecimal digits"));
    }
    let declared = usize::try_from(bits).unwrap_or(usize::MAX);
    if digits_fit(bits, hex.len()) { Ok(()) } else { Err(DecodeError::Content { declared, present: hex.len() / 2 }) }
}

impl Indication {
    /// Reads a header line alone.
    ///
    /// # Errors
    /// When it is no header of 3, 4, 6 or 7 fields.
    pub fn header(line: &str) -> Result<Self, DecodeError> {
        let rest = line.trim().strip_prefix(MARK).and_then(|rest| rest.trim_start().strip_prefix(':'));
        let rest = rest.ok_or_else(|| DecodeError::Unknown(line.trim().into()))?;
        let fields: Vec<&str> = rest.split(',').collect();
        let (service, calling, calling_type, called, called_type, bits, e2ee) = match *fields.as_slice() {
            [service, called, bits] => (service, "", "", called, "", bits, None),
            [service, called, called_type, bits] => (service, "", "", called, called_type, bits, None),
            [service, calling, calling_type, called, called_type, bits] => {
                (service, calling, calling_type, called, called_type, bits, None)
            }
            [service, calling, calling_type, called, called_type, bits, e2ee] => {
                (service, calling, calling_type, called, called_type, bits, Some(e2ee))
            }
            _ => return Err(DecodeError::FieldCount { expected: 6, found: fields.len() }),
        };
        let calling = if calling.trim().is_empty() { None } else { Some(party(calling, "calling")?) };
        let bits: u32 = number(bits, "bits")?;
        if bits == 0 || bits > 2_048 {
            return Err(field("bits", 0, "1 to 2048"));
        }
        Ok(Self {
            service: number(service, "ai_service")?,
            calling,
            calling_type: kind(calling_type, "calling_type")?,
            called: party(called, "called")?,
            called_type: kind(called_type, "called_type")?,
            bits,
            e2ee: e2ee.map(|e2ee| kind(e2ee, "e2ee")).transpose()?.flatten(),
            hex: String::new(),
        })
    }

    fn parse(text: &str) -> Result<Self, DecodeError> {
        let mut lines = text.split(['\r', '\n']).map(str::trim).filter(|line| !line.is_empty());
        let mut found = Self::header(lines.next().unwrap_or_default())?;
        if let Some(hex) = lines.next() {
            user_data(found.bits, hex)?;
            hex.clone_into(&mut found.hex);
        }
        match lines.next() {
            None => Ok(found),
            Some(more) => Err(DecodeError::Trailing(more.len())),
        }
    }

    /// The bytes of the user data; an odd last digit is the upper half of its byte.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        unhex(&self.hex)
    }

    /// The two lines as a radio writes them.
    #[must_use]
    pub fn emit(&self) -> String {
        let shown = |kind: Option<u8>| kind.map(|kind| kind.to_string()).unwrap_or_default();
        let calling = self.calling.as_deref().unwrap_or_default();
        let e2ee = self.e2ee.map(|e2ee| format!(",{e2ee}")).unwrap_or_default();
        let (from, to) = (shown(self.calling_type), shown(self.called_type));
        format!(
            "{MARK}: {},{calling},{from},{},{to},{}{e2ee}\r\n{}\r\n",
            self.service, self.called, self.bits, self.hex
        )
    }
}

/// Bytes of hexadecimal digits, from the left; an odd last digit is the upper half of its byte.
#[must_use]
pub fn unhex(digits: &str) -> Vec<u8> {
    let even = if digits.len().is_multiple_of(2) { digits.to_owned() } else { format!("{digits}0") };
    hex::decode(even).unwrap_or_default()
}

impl RadioLine {
    /// Reads one whole frame from the radio.
    ///
    /// # Errors
    /// When it is none, or when its user data does not fit its header.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let text = ascii(bytes)?;
        if let Some((before, _)) = text.split_once(MARK) {
            // A line that the radio did not end runs into the indication.
            if !(before.is_empty() || before.starts_with('+') || before.trim() == "OK") || before.contains(['\r', '\n'])
            {
                return Err(field("line", 0, "nothing before the indication"));
            }
            let start = before.len();
            return Indication::parse(text.get(start..).unwrap_or_default()).map(Self::Indication);
        }
        let line = text.trim_matches(['\r', '\n', ' ']);
        if line.contains(['\r', '\n']) && !line.starts_with("AT") {
            return Err(DecodeError::Trailing(line.len()));
        }
        match line {
            "" => return Ok(Self::Blank),
            "OK" => return Ok(Self::Ok),
            "ERROR" => return Ok(Self::Error),
            "BUSY" | "NO CARRIER" | "NO ANSWER" | "NO DIALTONE" => return Ok(Self::Busy),
            ">" => return Ok(Self::Prompt),
            _ => {}
        }
        if line.starts_with("AT") || line.ends_with(END_OF_DATA) {
            return Ok(Self::Echo(line.into()));
        }
        let (name, rest) = line.split_once(':').unwrap_or((line, ""));
        let rest = rest.trim();
        match name {
            "+CME ERROR" | "+CMS ERROR" => number(rest, "error").map(Self::CmeError),
            "+CMGS" => sent(rest),
            "+GPSPOS" => gps(rest),
            _ if name.len() > 1 && name.starts_with('+') && name.bytes().skip(1).all(|b| b.is_ascii_alphanumeric()) => {
                Ok(Self::Other { name: name.into(), rest: rest.into() })
            }
            _ => Err(DecodeError::Unknown(line.chars().take(40).collect())),
        }
    }
}

fn sent(rest: &str) -> Result<RadioLine, DecodeError> {
    if let Some(ranges) = rest.strip_prefix('(') {
        let (_, last) = ranges.rsplit_once('(').ok_or_else(|| field("bits", 0, "a range"))?;
        let (min, max) =
            last.strip_suffix(')').and_then(|last| last.split_once('-')).ok_or_else(|| field("bits", 0, "a range"))?;
        return Ok(RadioLine::SendRange { min: number(min, "min_bits")?, max: number(max, "max_bits")? });
    }
    let fields: Vec<&str> = rest.split(',').collect();
    let (instance, status, reference) = match *fields.as_slice() {
        [instance] => (instance, None, None),
        [instance, status] => (instance, Some(status), None),
        [instance, status, reference] => (instance, Some(status), Some(reference)),
        _ => return Err(DecodeError::FieldCount { expected: 3, found: fields.len() }),
    };
    Ok(RadioLine::Sent {
        instance: number(instance, "instance")?,
        status: status.map(|status| number(status, "status")).transpose()?,
        reference: reference.map(|reference| number(reference, "reference")).transpose()?,
    })
}

/// `12:34:56,N: 49_01.2345,E: 010_12.3456,5`
fn gps(rest: &str) -> Result<RadioLine, DecodeError> {
    let fields: Vec<&str> = rest.split(',').map(str::trim).collect();
    let [time, lat, lon, satellites] = *fields.as_slice() else {
        return Err(DecodeError::FieldCount { expected: 4, found: fields.len() });
    };
    if time.len() != 8 || !time.bytes().all(|b| b.is_ascii_digit() || b == b':') {
        return Err(field("time", 0, "hh:mm:ss"));
    }
    Ok(RadioLine::Gps {
        time: time.into(),
        lat_e6: degrees(lat, "NS", 90, "lat")?,
        lon_e6: degrees(lon, "EW", 180, "lon")?,
        satellites: number(satellites, "satellites")?,
    })
}

fn degrees(text: &str, sides: &str, most: i64, name: &'static str) -> Result<i32, DecodeError> {
    let wrong = || field(name, 0, "side, degrees, minutes with four decimals");
    let (side, angle) = text.split_once(':').ok_or_else(wrong)?;
    let (whole, minutes) = angle.trim().split_once('_').ok_or_else(wrong)?;
    let (minutes, parts) = minutes.split_once('.').ok_or_else(wrong)?;
    if side.len() != 1 || !sides.contains(side) || parts.len() != 4 {
        return Err(wrong());
    }
    let (whole, minutes, parts): (u16, u16, u16) = (number(whole, name)?, number(minutes, name)?, number(parts, name)?);
    let minutes_e4 = i64::from(whole) * 600_000 + i64::from(minutes) * 10_000 + i64::from(parts);
    if minutes >= 60 || minutes_e4 > most * 600_000 {
        return Err(wrong());
    }
    // 1e-4 minutes are 5/3 millionths of a degree.
    let millionths = i32::try_from((minutes_e4 * 5 + 1) / 3).map_err(|_| wrong())?;
    Ok(if sides.ends_with(side) { millionths.saturating_neg() } else { millionths })
}

impl HostLine {
    /// Reads one line that a host writes.
    ///
    /// # Errors
    /// When it is none that we write.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let text = ascii(bytes)?;
        if let Some(rest) = text.strip_prefix("AT+CMGS=").filter(|rest| !rest.starts_with('?')) {
            let (head, data) = rest.split_once(['\r', '\n']).ok_or_else(|| field("pdu_hex", 0, "user data"))?;
            let (to, bits) = head.split_once(',').ok_or(DecodeError::FieldCount { expected: 2, found: 1 })?;
            let (data, tail) = data.split_once(END_OF_DATA).ok_or_else(|| field("terminator", bytes.len(), "1A"))?;
            if !tail.trim().is_empty() {
                return Err(DecodeError::Trailing(tail.len()));
            }
            let (bits, hex) = (number(bits, "bits")?, data.trim().to_owned());
            user_data(bits, &hex)?;
            return Ok(Self::Send { to: party(to, "dest")?, bits, hex });
        }
        let line = text.trim_end_matches(['\r', '\n']);
        if let Some(rest) = line.strip_prefix("AT+CTSDS=") {
            let mut numbers = rest.split(',').map(|one| number::<u16>(one, "ai_service"));
            let (Some(service), Some(called)) = (numbers.next(), numbers.next()) else {
                return Err(DecodeError::FieldCount { expected: 2, found: 1 });
            };
            let called_type = u8::try_from(called?).map_err(|_| field("called_type", 0, "0 to 3"))?;
            return Ok(Self::Service { service: service?, called_type, rest: numbers.collect::<Result<_, _>>()? });
        }
        Ok(Self::Plain(match line {
            "AT" => Command::Attention,
            "ATE0" => Command::EchoOff,
            "AT+CMGS=?" => Command::AskSendRange,
            _ => match (line.strip_prefix("AT+CTOM="), line.strip_prefix("AT+CTSP=")) {
                (Some(mode), _) => Command::Mode(number(mode, "mode")?),
                (_, Some(profile)) if profile.bytes().all(|b| b.is_ascii_digit() || b == b',') => {
                    Command::Profile(profile.into())
                }
                _ => return Err(DecodeError::Unknown(line.chars().take(40).collect())),
            },
        }))
    }

    /// The line with its end.
    #[must_use]
    pub fn emit(&self) -> String {
        match self {
            Self::Send { to, bits, hex } => format!("AT+CMGS={to},{bits}\r\n{hex}{END_OF_DATA}"),
            Self::Service { service, called_type, rest } => {
                let rest: String = rest.iter().map(|one| format!(",{one}")).collect();
                format!("AT+CTSDS={service},{called_type}{rest}\r")
            }
            Self::Plain(Command::Attention) => "AT\r".into(),
            Self::Plain(Command::EchoOff) => "ATE0\r".into(),
            Self::Plain(Command::Mode(mode)) => format!("AT+CTOM={mode}\r"),
            Self::Plain(Command::Profile(profile)) => format!("AT+CTSP={profile}\r"),
            Self::Plain(Command::AskSendRange) => "AT+CMGS=?\r".into(),
        }
    }
}

/// What an error number means, where that is publicly known (3GPP 27.007; TETRA radios number alike in part).
#[must_use]
pub const fn error_word(code: u16) -> Option<&'static str> {
    Some(match code {
        0 => "电台故障",
        1 => "未连接电台",
        2 => "适配口被占用",
        3 => "不允许此操作",
        4 => "不支持此操作",
        5 => "需要电台 PIN",
        6 => "需要首卡 PIN",
        7 => "需要首卡 PUK",
        10 => "未插卡",
        11 => "需要卡 PIN",
        12 => "需要卡 PUK",
        13 => "卡故障",
        14 => "卡忙",
        15 => "卡不对",
        16 => "口令错",
        17 => "需要 PIN2",
        18 => "需要 PUK2",
        20 => "存储已满",
        21 => "序号无效",
        22 => "未找到",
        23 => "存储故障",
        24 => "文字过长",
        25 => "文字有无效字符",
        26 => "号码过长",
        27 => "号码有无效字符",
        30 => "无网络服务",
        31 => "网络超时",
        32 => "网络不允许，仅限紧急呼叫",
        40 | 41 => "需要网络解锁码",
        42 | 43 => "需要子网解锁码",
        44 => "需要服务商解锁码",
        _ => return None,
    })
}
