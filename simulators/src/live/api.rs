//! A caller of the station's API: just enough HTTP to ask, to submit and to follow the journal.
//!
//! It speaks HTTP/1.0, so that every answer ends when the station closes, the endless one of a follower too.

use serde_json::Value;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;
use thiserror::Error;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Where the station's API is, and the right to use it.
#[derive(Clone)]
pub struct Api {
    pub address: SocketAddr,
    pub token: String,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The token is a secret.
        f.debug_struct("Api").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Why the station did not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ApiError {
    /// No answer: it may have been done all the same.
    #[error("the station did not answer: {0}")]
    Silent(#[from] io::Error),
    #[error("the station answered {status}: {body}")]
    Refused { status: u16, body: Value },
    #[error("the answer is no JSON: {0}")]
    Unreadable(#[from] serde_json::Error),
}

/// One record that the station's journal shows, as its follower gets it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    pub offset: u64,
    pub record: Value,
}

/// Records as they are stored, until the station or the follower goes away.
#[derive(Debug)]
pub struct Follower {
    stream: TcpStream,
    shown: Receiver<Shown>,
}

impl Api {
    /// Asks.
    ///
    /// # Errors
    /// [`ApiError`]
    pub fn get(&self, path: &str) -> Result<Value, ApiError> {
        self.ask("GET", path, None)
    }

    /// Submits. An answer without error means that what was asked for is stored.
    ///
    /// # Errors
    /// [`ApiError`]
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        self.ask("POST", path, Some(body))
    }

    /// Replaces something as a whole.
    ///
    /// # Errors
    /// [`ApiError`]
    pub fn put(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        self.ask("PUT", path, Some(body))
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, ApiError> {
        let mut reader = BufReader::new(self.request(method, path, "", body)?);
        let status = read_head(&mut reader)?;
        let mut answer = String::new();
        reader.read_to_string(&mut answer)?;
        let value = if answer.trim().is_empty() { Value::Null } else { serde_json::from_str(&answer)? };
        if (200..300).contains(&status) { Ok(value) } else { Err(ApiError::Refused { status, body: value }) }
    }

    /// Follows the journal from after this offset.
    ///
    /// # Errors
    /// [`ApiError`] when the station refuses.
    pub fn follow(&self, path: &str, after: u64) -> Result<Follower, ApiError> {
        let stream = self.request("GET", path, &format!("Last-Event-ID: {after}\r\n"), None)?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let status = read_head(&mut reader)?;
        if status != 200 {
            let mut body = String::new();
            reader.read_to_string(&mut body)?;
            return Err(ApiError::Refused { status, body: serde_json::from_str(&body).unwrap_or(Value::Null) });
        }
        // A quiet station says nothing for a long time; the follower's end closes the stream.
        stream.set_read_timeout(None)?;
        let (told, shown) = mpsc::channel();
        std::thread::Builder::new().name("follower".into()).spawn(move || {
            for record in events(reader) {
                if told.send(record).is_err() {
                    return;
                }
            }
        })?;
        Ok(Follower { stream, shown })
    }

    /// The journal as somebody sees it who comes now: from its first record to the last that is stored. Shorter when the
    /// station goes away or says nothing any more.
    ///
    /// # Errors
    /// [`ApiError`]
    pub fn journal(&self) -> Result<Vec<Shown>, ApiError> {
        let stored = self.get("/api/v1/status")?["stored"].as_u64().unwrap_or(0);
        let follower = self.follow("/api/v1/stream", 0)?;
        let mut records: Vec<Shown> = Vec::new();
        while records.last().map_or(0, |last| last.offset) < stored {
            let Some(shown) = follower.next(PATIENCE) else { break };
            records.push(shown);
        }
        Ok(records)
    }

    fn request(&self, method: &str, path: &str, more: &str, body: Option<&Value>) -> Result<TcpStream, ApiError> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let head = format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n{more}\r\n",
            self.address,
            self.token,
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())?;
        Ok(stream)
    }
}

impl Follower {
    /// The next record; `None` when none came in time or the station went away.
    #[must_use]
    pub fn next(&self, within: Duration) -> Option<Shown> {
        self.shown.recv_timeout(within).ok()
    }

    /// The next record, however long it takes; `None` when the station went away.
    #[must_use]
    pub fn wait(&self) -> Option<Shown> {
        self.shown.recv().ok()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        // Ends the reading thread; a stream that is closed already needs nothing.
        let _closed_already = self.stream.shutdown(Shutdown::Both);
    }
}

/// Reads the status line and the header fields; gives the status.
fn read_head(reader: &mut impl BufRead) -> io::Result<u16> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|status| status.trim().parse().ok());
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
    }
    status.ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "no status line"))
}

/// Server-sent events: `id:` and `data:` lines, a blank line after each event.
fn events(reader: impl BufRead) -> impl Iterator<Item = Shown> {
    let (mut offset, mut data) = (0, String::new());
    reader.lines().map_while(Result::ok).filter_map(move |line| {
        if let Some(id) = line.strip_prefix("id:") {
            offset = id.trim().parse().unwrap_or(0);
        } else if let Some(more) = line.strip_prefix("data:") {
            data.push_str(more.strip_prefix(' ').unwrap_or(more));
        } else if line.is_empty() {
            let record = serde_json::from_str(&std::mem::take(&mut data)).ok()?;
            return Some(Shown { offset, record });
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::net::TcpListener;

    /// Answers one request with `answer` and gives what was asked.
    fn station(answer: &'static str) -> (Api, Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (told, asked) = mpsc::channel();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut request, mut line, mut length) = (String::new(), String::new(), 0);
            while line != "\r\n" {
                line.clear();
                reader.read_line(&mut line).unwrap();
                length = line.strip_prefix("Content-Length: ").map_or(length, |text| text.trim().parse().unwrap());
                request.push_str(&line);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            told.send(request + &String::from_utf8(body).unwrap()).unwrap();
        });
        (Api { address, token: "secret".into() }, asked)
    }

    #[test]
    fn a_request_carries_the_token_and_its_answer_is_read() {
        let (api, asked) = station("HTTP/1.0 201 Created\r\ncontent-type: application/json\r\n\r\n{\"id\":\"0102X\"}");
        assert_eq!(api.post("/x", &json!({"to": "三组"})).unwrap(), json!({"id": "0102X"}));
        let asked = asked.recv().unwrap();
        assert!(asked.starts_with("POST /x HTTP/1.0\r\n") && asked.ends_with("\r\n\r\n{\"to\":\"三组\"}"), "{asked}");
        assert!(asked.contains("\r\nAuthorization: Bearer secret\r\n"), "{asked}");
        assert!(!format!("{api:?}").contains("secret"));
    }

    #[test]
    fn a_refusal_keeps_its_status_and_reason() {
        let (api, _asked) = station("HTTP/1.0 409 Conflict\r\n\r\n{\"type\":\"outbox_full\"}");
        let refused = api.get("/x").unwrap_err();
        assert!(matches!(refused, ApiError::Refused { status: 409, body } if body["type"] == "outbox_full"));
    }

    #[test]
    fn a_follower_gets_each_record_with_its_offset() {
        let (api, asked) = station(
            "HTTP/1.0 200 OK\r\n\r\n: hello\n\nid: 8\nevent: record\ndata: {\"a\":1}\n\nid: 9\ndata: {\"a\":2}\n\n",
        );
        let follower = api.follow("/x", 7).unwrap();
        let next = || follower.next(PATIENCE);
        assert_eq!(next(), Some(Shown { offset: 8, record: json!({"a": 1}) }));
        assert_eq!(next(), Some(Shown { offset: 9, record: json!({"a": 2}) }));
        assert_eq!(follower.wait(), None, "the station closed");
        assert!(asked.recv().unwrap().contains("\r\nLast-Event-ID: 7\r\n"));
    }
}
