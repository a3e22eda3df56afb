//! A client for our own API on this very machine.
//!
//! It speaks HTTP/1.0 by hand: the server then ends every answer, a stream too, by closing, so there is no chunking to
//! read and nothing to reuse. A client crate would cost build time and bring TLS, proxies and redirects, none of which
//! a loopback call to ourselves may ever need.

use serde_json::Value;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

const CONNECT_WITHIN: Duration = Duration::from_secs(3);

/// The server says something on a stream at least every 20 seconds, and answers within the time of a slow disk.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Bytes of an answer, headers not counted.
const ANSWER_MAX: u64 = 64 << 20;

/// Why the station did not do it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(super) enum CallError {
    #[error("no running station: {path} is missing")]
    NotRunning { path: PathBuf },
    #[error("no answer from the station at {address}: {source}")]
    NoAnswer { address: SocketAddr, source: io::Error },
    #[error("{path}: {source}")]
    Token { path: PathBuf, source: io::Error },
    #[error("{detail}")]
    Refused { status: u16, detail: String, detail_zh: String },
    #[error("the station's answer cannot be read")]
    Garbled,
    #[error("the connection to the station was lost")]
    Lost(#[source] io::Error),
}

impl CallError {
    pub(super) fn label(&self) -> String {
        match self {
            Self::NotRunning { .. } => {
                "本站没有运行：请先 yizhan run --config 配置文件；已在运行则用 --config 或 --data 指到它".into()
            }
            Self::NoAnswer { address, .. } => {
                format!("本站（{address}）没有回应：可能已停止，请查看 yizhan run 的输出后重试")
            }
            Self::Token { path, .. } => format!("读不到令牌 {}：请用运行本站的用户执行", path.display()),
            Self::Refused { detail_zh, .. } => detail_zh.clone(),
            Self::Garbled => "本站的回答看不懂：请核对 yizhan 版本是否一致".into(),
            Self::Lost(_) => "与本站的连接中断：请确认本站仍在运行".into(),
        }
    }
}

/// Knows where the station listens and its token.
#[derive(Debug)]
pub(super) struct Client {
    address: SocketAddr,
    token: String,
}

/// One event of a stream: its id and data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub offset: u64,
    pub data: String,
}

impl Client {
    /// From the files that a running station keeps beside its journal.
    pub(super) fn beside(journal: &Path) -> Result<Self, CallError> {
        let (addr, token) = (journal.with_file_name("api.addr"), journal.with_file_name("api.token"));
        let address = std::fs::read_to_string(&addr)
            .ok()
            .and_then(|text| text.trim().parse::<SocketAddr>().ok())
            .ok_or(CallError::NotRunning { path: addr })?;
        let token = std::fs::read_to_string(&token).map_err(|source| CallError::Token { path: token, source })?;
        Ok(Self::new(address, token.trim()))
    }

    /// A wildcard address is reached through loopback.
    pub(super) fn new(mut address: SocketAddr, token: &str) -> Self {
        if address.ip().is_unspecified() {
            let loopback: std::net::IpAddr =
                if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() };
            address.set_ip(loopback);
        }
        Self { address, token: token.into() }
    }

    pub(super) fn get(&self, path: &str) -> Result<Value, CallError> {
        self.call("GET", path, None)
    }

    /// Asks and waits for the whole answer.
    pub(super) fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, CallError> {
        let mut answer = self.open(method, path, body)?;
        let mut text = String::new();
        answer.by_ref().take(ANSWER_MAX).read_to_string(&mut text).map_err(CallError::Lost)?;
        serde_json::from_str(&text).map_err(|_| CallError::Garbled)
    }

    /// Follows the journal after an offset, for ever.
    pub(super) fn follow(&self, after: u64) -> Result<impl Iterator<Item = Result<Told, CallError>>, CallError> {
        let stream = self.open("GET", &format!("/api/v1/stream?after={after}"), None)?;
        Ok(events(stream))
    }

    /// Sends a request and reads the head of its answer; a refusal becomes an error here.
    fn open(&self, method: &str, path: &str, body: Option<&Value>) -> Result<BufReader<TcpStream>, CallError> {
        let no_answer = |source| CallError::NoAnswer { address: self.address, source };
        let mut stream = TcpStream::connect_timeout(&self.address, CONNECT_WITHIN).map_err(no_answer)?;
        stream.set_read_timeout(Some(SILENCE_MAX)).map_err(no_answer)?;
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut request =
            format!("{method} {path} HTTP/1.0\r\nHost: {}\r\nAuthorization: Bearer {}\r\n", self.address, self.token);
        if !body.is_empty() {
            request.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        request.push_str(&body);
        stream.write_all(request.as_bytes()).map_err(no_answer)?;
        let mut reader = BufReader::new(stream);
        let status = head(&mut reader).map_err(no_answer)?.ok_or(CallError::Garbled)?;
        if (200..300).contains(&status) {
            return Ok(reader);
        }
        let mut text = String::new();
        reader.take(ANSWER_MAX).read_to_string(&mut text).map_err(CallError::Lost)?;
        let problem: Value = serde_json::from_str(&text).map_err(|_| CallError::Garbled)?;
        let part = |key: &str| problem.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        Err(CallError::Refused { status, detail: part("detail"), detail_zh: part("detail_zh") })
    }
}

/// The status of an answer; `None` when it is no HTTP.
fn head(reader: &mut impl BufRead) -> io::Result<Option<u16>> {
    let mut status = None;
    loop {
        let mut line = String::new();
        if reader.by_ref().take(16 << 10).read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_end();
        if status.is_none() {
            status = line.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)?.parse().ok());
            if status.is_none() {
                return Ok(None);
            }
        }
        if line.is_empty() {
            return Ok(status);
        }
    }
}

/// Reads server-sent events until the stream ends.
fn events(mut stream: impl BufRead) -> impl Iterator<Item = Result<Told, CallError>> {
    std::iter::from_fn(move || {
        let (mut offset, mut data) = (0, String::new());
        loop {
            let mut line = String::new();
            match stream.read_line(&mut line) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => return Some(Err(CallError::Lost(error))),
            }
            let line = line.trim_end_matches(['\r', '\n']);
            if let Some(id) = line.strip_prefix("id:") {
                offset = id.trim().parse().unwrap_or(0);
            } else if let Some(text) = line.strip_prefix("data:") {
                data.push_str(text.trim_start());
            } else if line.is_empty() && !data.is_empty() {
                return Some(Ok(Told { offset, data: std::mem::take(&mut data) }));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_past_comments_and_the_end_ends_them() {
        let text = ": ping\n\nid: 7\nevent: record\ndata: {\"a\":1}\n\n:\n\nid: 8\ndata: {}\n\nid: 9\n";
        let read: Vec<_> = events(text.as_bytes()).map(Result::unwrap).collect();
        assert_eq!(read.iter().map(|told| told.offset).collect::<Vec<_>>(), [7, 8]);
        assert_eq!(read[0].data, "{\"a\":1}");
    }

    #[test]
    fn an_answer_that_is_no_http_is_garbled_and_one_that_is_gives_its_status() {
        assert_eq!(head(&mut "HTTP/1.1 201 Created\r\nX: y\r\n\r\nbody".as_bytes()).unwrap(), Some(201));
        assert_eq!(head(&mut "SSH-2.0-x\r\n".as_bytes()).unwrap(), None);
        assert_eq!(head(&mut "".as_bytes()).unwrap(), None);
    }
}
