//! The AT side: lines in, answers out (V.250, TS 27.005, TS 27.007).

use super::{CMS_BAD_INDEX, CMS_NO_CARD, TiantongPhone};
use std::time::Duration;
use yizhan_codecs::device::tiantong::wire::at::{CTRL_Z, ESC};
use yizhan_codecs::device::tiantong::wire::{cme_words, cms_words};

/// Bytes of a line or PDU that the phone takes, at most; what is longer is dropped.
const LINE_MAX: usize = 1_024;
const CME_NO_CARD: u16 = 10;
const CME_NOT_SUPPORTED: u16 = 4;

/// Settings of the modem; a restart forgets them.
#[derive(Clone, Debug)]
pub(super) struct Modem {
    input: Vec<u8>,
    echo: bool,
    errors: u8,
    notices: [u8; 4],
    pub(super) tells_registration: bool,
    registration_mode: u8,
    charset: String,
    service: u8,
    /// The length that AT+CMGS declared: what comes now is the PDU.
    prompt: Option<usize>,
}

impl Default for Modem {
    fn default() -> Self {
        Self {
            input: Vec::new(),
            echo: true,
            errors: 0,
            notices: [0; 4],
            tells_registration: false,
            registration_mode: 0,
            charset: "GSM".into(),
            service: 0,
            prompt: None,
        }
    }
}

impl Modem {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.input.len() < LINE_MAX * 4 {
            self.input.extend_from_slice(bytes);
        }
    }

    /// A refusal as +CMEE wants it.
    pub(super) fn error(&self, kind: &str, code: u16) -> String {
        match self.errors {
            0 => "ERROR".into(),
            1 => format!("+{kind} ERROR: {code}"),
            _ => format!("+{kind} ERROR: {}", if kind == "CMS" { cms_words(code) } else { cme_words(code) }),
        }
    }

    pub(super) const fn tells(&self) -> bool {
        self.notices[1] == 1
    }

    pub(super) const fn gives_directly(&self) -> bool {
        self.notices[1] == 2
    }

    pub(super) const fn reports(&self) -> bool {
        self.notices[3] == 1
    }

    /// The next whole line, or the PDU with what ended it.
    fn cut(&mut self) -> Option<(Vec<u8>, u8)> {
        let is_prompt = self.prompt.is_some();
        let ends = |b: &u8| if is_prompt { matches!(*b, CTRL_Z | ESC) } else { *b == b'\r' };
        let at = self.input.iter().position(ends)?;
        let rest = self.input.split_off(at + 1);
        let mut line = std::mem::replace(&mut self.input, rest);
        let end = line.pop()?;
        Some((line, end))
    }
}

type Answer = Result<Vec<String>, String>;

impl TiantongPhone {
    /// Everything that stands in the input, one line at a time, until the phone is busy.
    pub(super) fn obey(&mut self, now: Duration) {
        while !self.is_sending
            && let Some((line, end)) = self.modem.cut()
        {
            if let Some(declared) = self.modem.prompt.take() {
                if self.modem.echo {
                    self.tell(String::from_utf8_lossy(&line).into_owned());
                }
                if end == CTRL_Z {
                    let digits: Vec<u8> = line.into_iter().filter(u8::is_ascii_hexdigit).collect();
                    self.send(now, declared, &digits);
                } else {
                    self.line("OK");
                }
                continue;
            }
            if self.modem.echo {
                self.tell(format!("{}\r", String::from_utf8_lossy(&line)));
            }
            // Control characters stand for nothing in a command line.
            let text: String = line.iter().filter(|b| (0x20..0x7F).contains(*b)).map(|b| char::from(*b)).collect();
            self.command_line(now, text.trim());
        }
    }

    fn command_line(&mut self, now: Duration, text: &str) {
        if text.is_empty() {
            return;
        }
        let Some(body) = text.get(..2).filter(|at| at.eq_ignore_ascii_case("AT")).and_then(|_| text.get(2..)) else {
            self.tally.unreadable += 1;
            return;
        };
        if let Some(length) = body.strip_prefix("+CMGS=") {
            match length.trim().parse() {
                Ok(length) => {
                    self.modem.prompt = Some(length);
                    self.tell("\r\n> ".into());
                }
                Err(_) => self.refuse(super::CMS_BAD_PDU),
            }
            return;
        }
        let mut outcome = Ok(());
        for command in body.split(';') {
            match self.command(now, command.trim()) {
                Ok(lines) => lines.iter().for_each(|line| self.line(line)),
                Err(line) => {
                    outcome = Err(line);
                    break;
                }
            }
        }
        let last = outcome.err().unwrap_or_else(|| "OK".into());
        self.line(&last);
        // What was deleted makes room for what waits in the network.
        self.take_waiting(now);
    }

    fn command(&mut self, now: Duration, command: &str) -> Answer {
        if let Some((name, value)) = command.split_once('=') {
            return if value == "?" { self.range(name) } else { self.set(name, value) };
        }
        match command.strip_suffix('?') {
            Some(name) => self.read(now, name),
            None => self.act_on(command),
        }
    }

    fn no(&self, code: u16) -> Answer {
        Err(self.modem.error("CME", code))
    }

    fn no_message(&self, code: u16) -> Answer {
        Err(self.modem.error("CMS", code))
    }

    /// Commands without `=` and `?`.
    fn act_on(&mut self, command: &str) -> Answer {
        let one = |line: &str| Ok(vec![line.to_owned()]);
        match command.to_ascii_uppercase().as_str() {
            "" | "Z" | "&F" | "H" | "+CMMS" | "V1" | "Q0" | "X4" => Ok(Vec::new()),
            "E0" | "E" => self.echo(false),
            "E1" => self.echo(true),
            "I" => Ok(["Yizhan", "simulated satellite phone", "1.0"].map(str::to_owned).to_vec()),
            "+CGMI" | "+GMI" => one("Yizhan"),
            "+CGMM" | "+GMM" => one("TT-1 simulated"),
            "+CGMR" | "+GMR" => one("1.0"),
            // No maker has this type code: it is nobody's serial number.
            "+CGSN" | "+GSN" => one("990000000000001"),
            "+CIMI" if self.card_present => one("460000000000001"),
            "+CIMI" => self.no(CME_NO_CARD),
            "+CNUM" if self.card_present => Ok(vec![format!("+CNUM: \"\",\"+{}\",145", self.own.number())]),
            "+CSQ" => {
                let rssi = if self.is_registered() { 3 + u32::from(self.beams) * 6 } else { 99 };
                Ok(vec![format!("+CSQ: {rssi},99")])
            }
            "+CBC" => one(if self.battery_low { "+CBC: 0,4" } else { "+CBC: 0,80" }),
            "+CMGL" => self.list("0"),
            "+CNMA" => Ok(Vec::new()),
            _ => self.no(CME_NOT_SUPPORTED),
        }
    }

    fn echo(&mut self, on: bool) -> Answer {
        self.modem.echo = on;
        Ok(Vec::new())
    }

    fn range(&mut self, name: &str) -> Answer {
        let size = self.store.size();
        Ok(vec![match name {
            "+CMGF" => "+CMGF: (0)".into(),
            "+CPMS" => "+CPMS: (\"ME\",\"SM\"),(\"ME\",\"SM\"),(\"ME\",\"SM\")".into(),
            "+CNMI" => "+CNMI: (0-2),(0-2),(0),(0,1),(0)".into(),
            "+CMGL" => "+CMGL: (0-4)".into(),
            "+CMGD" => format!("+CMGD: (1-{size}),(0-4)"),
            "+CSCS" => "+CSCS: (\"GSM\",\"UCS2\")".into(),
            "+CSMS" => "+CSMS: (0,1)".into(),
            "+CREG" => "+CREG: (0,1)".into(),
            "+CMEE" => "+CMEE: (0-2)".into(),
            "+CMGS" | "+CMGR" => return Ok(Vec::new()),
            _ => return self.no(CME_NOT_SUPPORTED),
        }])
    }

    fn read(&mut self, now: Duration, name: &str) -> Answer {
        let registered = u8::from(self.is_registered());
        Ok(vec![match name {
            "+CPIN" if self.card_present => "+CPIN: READY".into(),
            "+CPIN" => return self.no(CME_NO_CARD),
            "+CMGF" => "+CMGF: 0".into(),
            "+CSMS" => format!("+CSMS: {},1,1,0", self.modem.service),
            "+CSCS" => format!("+CSCS: \"{}\"", self.modem.charset),
            "+CSCA" => format!("+CSCA: \"+{}\",145", super::CENTRE),
            "+CPMS" => {
                let (name, fill) = (self.store.name(), self.store.fill());
                format!("+CPMS: \"{name}\",{fill},\"{name}\",{fill},\"{name}\",{fill}")
            }
            "+CNMI" => {
                let [mode, delivers, broadcasts, reports] = self.modem.notices;
                format!("+CNMI: {mode},{delivers},{broadcasts},{reports},0")
            }
            "+CREG" => format!("+CREG: {},{registered}", self.modem.registration_mode),
            "+COPS" if registered == 1 => "+COPS: 0,2,\"46000\"".into(),
            "+COPS" => "+COPS: 0".into(),
            "+CMEE" => format!("+CMEE: {}", self.modem.errors),
            "+CFUN" => "+CFUN: 1".into(),
            "+CCLK" => {
                let seconds = now.as_secs();
                let (hour, minute) = (14 + seconds / 3_600 % 10, seconds / 60 % 60);
                format!("+CCLK: \"26/11/24,{hour:02}:{minute:02}:{:02}+32\"", seconds % 60)
            }
            _ => return self.no(CME_NOT_SUPPORTED),
        }])
    }

    fn set(&mut self, name: &str, value: &str) -> Answer {
        let number: Option<u8> = value.split(',').next().and_then(|first| first.trim().parse().ok());
        match (name, number) {
            ("+CMEE", Some(mode @ 0..=2)) => self.modem.errors = mode,
            ("+CMGF", Some(0)) => {}
            ("+CSMS", Some(service @ 0..=1)) => {
                self.modem.service = service;
                return Ok(vec!["+CSMS: 1,1,0".into()]);
            }
            ("+CREG", Some(mode @ 0..=1)) => {
                self.modem.registration_mode = mode;
                self.modem.tells_registration = mode == 1;
            }
            ("+CSCS", _) if ["\"GSM\"", "\"UCS2\""].contains(&value) => {
                value.trim_matches('"').clone_into(&mut self.modem.charset);
            }
            ("+CNMI", Some(_)) => {
                let wanted: Vec<u8> = value.split(',').map(|field| field.trim().parse().unwrap_or(9)).collect();
                if wanted.iter().zip([2, 2, 0, 1, 0]).any(|(wanted, most)| *wanted > most) || wanted.len() > 5 {
                    return self.no_message(303);
                }
                self.modem.notices.iter_mut().zip(wanted).for_each(|(notice, wanted)| *notice = wanted);
            }
            ("+CPMS", _) => {
                let first = value.split(',').next().unwrap_or_default().trim_matches('"');
                if !self.card_present {
                    return self.no_message(CMS_NO_CARD);
                }
                if !self.store.select(first) {
                    return self.no_message(302);
                }
                let fill = self.store.fill();
                return Ok(vec![format!("+CPMS: {fill},{fill},{fill}")]);
            }
            ("+CSCA" | "+COPS" | "+CFUN" | "+CMMS" | "+CLIP", _) => {}
            ("+CMGL", _) => return self.list(value),
            ("+CMGR", _) => return self.read_message(value),
            ("+CMGD", _) => return self.delete(value),
            _ => return self.no(CME_NOT_SUPPORTED),
        }
        Ok(Vec::new())
    }

    fn list(&mut self, state: &str) -> Answer {
        let wanted: u8 = state.trim().parse().unwrap_or(9);
        let mut lines = Vec::new();
        for (index, kept) in self.store.kept() {
            let is = u8::from(kept.is_read);
            if wanted == 4 || wanted == is {
                kept.is_read = true;
                let (octets, length) = kept.pdu.emit().unwrap_or_default();
                lines.push(format!("+CMGL: {index},{is},,{length}\r\n{}", hex::encode_upper(octets)));
            }
        }
        if wanted > 4 { self.no_message(302) } else { Ok(lines) }
    }

    fn read_message(&mut self, index: &str) -> Answer {
        let index: u16 = index.trim().parse().unwrap_or(0);
        if let Some(kept) = self.store.kept().get_mut(&index) {
            let (octets, length) = kept.pdu.emit().unwrap_or_default();
            let is = u8::from(std::mem::replace(&mut kept.is_read, true));
            return Ok(vec![format!("+CMGR: {is},,{length}\r\n{}", hex::encode_upper(octets))]);
        }
        self.no_message(CMS_BAD_INDEX)
    }

    fn delete(&mut self, value: &str) -> Answer {
        let mut fields = value.split(',').map(|field| field.trim().parse::<u16>().unwrap_or(0));
        let (index, flag) = (fields.next().unwrap_or(0), fields.next().unwrap_or(0));
        match flag {
            0 => {
                if self.store.kept().remove(&index).is_none() {
                    return self.no_message(CMS_BAD_INDEX);
                }
            }
            1..=3 => self.store.kept().retain(|_, kept| !kept.is_read),
            _ => self.store.kept().clear(),
        }
        Ok(Vec::new())
    }
}
