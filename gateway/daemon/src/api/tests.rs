use crate::config::Config;
use crate::run::{Running, start};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use yizhan_engine::io::Offset;

/// A running station with one Beidou port that is not there.
struct Rig {
    running: Running,
    token: String,
    folder: tempfile::TempDir,
}

impl Rig {
    async fn start() -> Self {
        Self::start_with("").await
    }

    async fn start_with(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = folder.path().join("no-port");
        let source = format!(
            "[station]\nnumber = 7\nclock = \"trust\"\n[[link]]\nname = \"bd-1\"\ndevice = \"beidou\"\n\
             serial = {{ port = {port:?} }}\nperiod = \"60s\"\ncapacity_bits = 1680\n[api]\nlisten = \"127.0.0.1:0\"\n{more}"
        );
        let config = Config::parse(&folder.path().join("gateway.toml"), &source).unwrap();
        let token = config.token_path();
        let running = start(config, CancellationToken::new()).await.unwrap();
        Self { running, token: std::fs::read_to_string(token).unwrap().trim().into(), folder }
    }

    fn journal(&self) -> std::path::PathBuf {
        self.folder.path().join("yizhan-data/journal.db")
    }

    /// Sends a request with these header lines; gives status and body.
    async fn raw(&self, request: &str, headers: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.running.address).await.unwrap();
        let length = body.len();
        let text = format!("{request} HTTP/1.0\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        within(stream.read_to_string(&mut answer)).await.unwrap();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
    }

    fn headers(&self) -> String {
        format!("Host: {}\r\nAuthorization: Bearer {}\r\n", self.running.address, self.token)
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let (status, body) = self.raw(&format!("GET {path}"), &self.headers(), "").await;
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let headers = format!("{}Content-Type: application/json\r\n", self.headers());
        let (status, body) = self.raw(&format!("POST {path}"), &headers, &body.to_string()).await;
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    async fn send(&self, text: &str) -> (u16, Value) {
        self.post("/api/v1/messages", &json!({ "to": "beidou:142020", "text": text })).await
    }

    /// Offsets of the next `count` events of a stream.
    async fn stream(&self, path: &str, more: &str, count: usize) -> Vec<u64> {
        let mut stream = TcpStream::connect(self.running.address).await.unwrap();
        let text = format!("GET {path} HTTP/1.0\r\n{}{more}\r\n", self.headers());
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut lines = BufReader::new(stream).lines();
        let mut offsets = Vec::new();
        while offsets.len() < count {
            let line = within(lines.next_line()).await.unwrap().expect("the stream goes on");
            offsets.extend(line.strip_prefix("id: ").map(|id| id.parse::<u64>().unwrap()));
        }
        offsets
    }

    async fn stop(self) {
        self.running.stop.cancel();
        within(self.running.ended()).await.unwrap();
    }
}

async fn within<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), what).await.expect("in time")
}

#[tokio::test]
async fn without_the_token_nothing_is_told_but_health() {
    let rig = Rig::start().await;
    let host = format!("Host: {}\r\n", rig.running.address);
    let (status, body) = rig.raw("GET /api/v1/status", &host, "").await;
    assert_eq!(status, 401);
    let problem: Value = serde_json::from_str(&body).unwrap();
    assert!(problem["title_zh"].as_str().unwrap().contains("令牌"), "{problem}");
    let wrong = format!("{host}Authorization: Bearer {}0\r\n", rig.token);
    assert_eq!(rig.raw("GET /metrics", &wrong, "").await.0, 401);
    assert_eq!(rig.raw("POST /api/v1/messages", &host, "{}").await.0, 401);
    assert_eq!(rig.raw("GET /healthz", &host, "").await, (200, "ok\n".into()));
    assert_eq!(rig.get("/api/v1/status").await.0, 200);
    rig.stop().await;
}

#[tokio::test]
async fn a_page_from_elsewhere_cannot_make_the_station_send() {
    let rig = Rig::start().await;
    let body = json!({ "to": "beidou:142020", "text": "假命令" }).to_string();
    let with = |more: &str| format!("{}{more}", rig.headers());
    let json_type = "Content-Type: application/json\r\n";
    let post = "POST /api/v1/messages";
    assert_eq!(rig.raw(post, &with(&format!("{json_type}Origin: http://evil.example\r\n")), &body).await.0, 403);
    assert_eq!(rig.raw(post, &with(&format!("{json_type}Origin: null\r\n")), &body).await.0, 403);
    // A form or a bare script can only send other types without asking first.
    assert_eq!(rig.raw(post, &with("Content-Type: text/plain\r\n"), &body).await.0, 415);
    // A name that somebody's DNS points at us.
    let rebound = format!("Host: evil.example\r\nAuthorization: Bearer {}\r\n{json_type}", rig.token);
    assert_eq!(rig.raw(post, &rebound, &body).await.0, 403);
    let (_, listed) = rig.get("/api/v1/messages").await;
    assert_eq!(listed["messages"], json!([]));
    let own = with(&format!("{json_type}Origin: http://{}\r\n", rig.running.address));
    assert_eq!(rig.raw(post, &own, &body).await.0, 201);
    rig.stop().await;
}

#[tokio::test]
async fn a_send_is_answered_only_after_its_record_is_synced() {
    let rig = Rig::start().await;
    let blocker = rusqlite::Connection::open(rig.journal()).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut sending = Box::pin(rig.send("三号桥断了"));
    loop {
        tokio::select! {
            biased;
            early = &mut sending => panic!("answered before it was on disk: {early:?}"),
            (_, listed) = rig.get("/api/v1/messages") => {
                // Decided, and waiting for the disk: not a word until then.
                if listed["messages"].as_array().is_some_and(|messages| !messages.is_empty()) {
                    break;
                }
            }
        }
    }
    blocker.execute_batch("ROLLBACK").unwrap();
    let (status, reply) = within(sending).await;
    assert_eq!(status, 201, "{reply}");
    let offset = reply["offset"].as_u64().unwrap();
    let on_disk = crate::storage::Reader::open(&rig.journal()).unwrap().read_after(Offset(offset - 1), 1).unwrap();
    assert_eq!(on_disk.len(), 1);
    let (status, message) = rig.get(&format!("/api/v1/messages/{}", reply["id"].as_str().unwrap())).await;
    assert_eq!((status, message["text"].as_str()), (200, Some("三号桥断了")));
    rig.stop().await;
}

#[tokio::test]
async fn a_stream_resumes_at_the_last_event_id_without_a_gap_or_a_repeat() {
    let rig = Rig::start().await;
    rig.send("一").await;
    let first = rig.stream("/api/v1/stream?after=0", "", 3).await;
    assert_eq!(first, [1, 2, 3]);
    let mut resumed = Box::pin(rig.stream("/api/v1/stream", "Last-Event-ID: 3\r\n", 5));
    // What is sent while it waits arrives too.
    let (seen, ()) = tokio::join!(&mut resumed, async {
        for text in ["二", "三"] {
            assert_eq!(rig.send(text).await.0, 201);
        }
    });
    assert_eq!(seen, [4, 5, 6, 7, 8]);
    drop(resumed);
    let (status, problem) = rig.get("/api/v1/stream?after=x").await;
    assert_eq!((status, problem["type"].as_str()), (400, Some("urn:yizhan:problem:bad_query")));
    rig.stop().await;
}

#[tokio::test]
async fn one_follower_more_than_configured_is_refused_and_a_place_is_freed_again() {
    let rig = Rig::start_with("followers_max = 1\n").await;
    let mut held = TcpStream::connect(rig.running.address).await.unwrap();
    let request = format!("GET /api/v1/stream?after=0 HTTP/1.0\r\n{}\r\n", rig.headers());
    held.write_all(request.as_bytes()).await.unwrap();
    held.read_u8().await.unwrap();
    let (status, problem) = rig.get("/api/v1/stream").await;
    assert_eq!((status, problem["type"].as_str()), (503, Some("urn:yizhan:problem:too_many_followers")));
    drop(held);
    // The place is free once the server has noticed.
    let freed = async {
        loop {
            let mut next = TcpStream::connect(rig.running.address).await.unwrap();
            next.write_all(request.as_bytes()).await.unwrap();
            let mut status = [0; 12];
            next.read_exact(&mut status).await.unwrap();
            if status.ends_with(b" 200") {
                break;
            }
        }
    };
    within(freed).await;
    rig.stop().await;
}

#[tokio::test]
async fn refusals_are_problems_in_both_languages() {
    let rig = Rig::start().await;
    let (status, problem) = rig.post("/api/v1/messages", &json!({ "to": "王五", "text": "在吗" })).await;
    assert_eq!((status, problem["type"].as_str()), (422, Some("urn:yizhan:problem:unknown_recipient")));
    assert!(problem["detail_zh"].as_str().unwrap().contains("王五"));
    assert!(problem["detail"].as_str().unwrap().contains("no person"));
    let unclear = json!({ "to": "beidou:1", "text": "#1 2 99", "kind": "form" });
    let (status, problem) = rig.post("/api/v1/messages", &unclear).await;
    assert_eq!((status, problem["type"].as_str()), (422, Some("urn:yizhan:problem:form_unclear")));
    assert!(problem["detail_zh"].as_str().unwrap().contains("灾种“99”不清"), "{problem}");
    let (status, problem) = rig.send("").await;
    assert_eq!((status, problem["type"].as_str()), (422, Some("urn:yizhan:problem:empty")));
    let unknown = json!({ "to": "beidou:1", "text": "x", "zz": 1 });
    assert_eq!(rig.post("/api/v1/messages", &unknown).await.0, 422);
    let urgent = json!({ "to": "beidou:1", "text": "x", "precedence": "急" });
    let (status, problem) = rig.post("/api/v1/messages", &urgent).await;
    assert_eq!((status, problem["type"].as_str()), (422, Some("urn:yizhan:problem:invalid")));
    let said = |key: &str| problem[key].as_str().unwrap().to_owned();
    assert!(["特提", "特急", "加急", "平急"].iter().all(|word| said("detail_zh").contains(word)), "{problem}");
    assert!(said("detail").contains("flash, immediate, priority, routine"), "{problem}");
    assert_eq!(rig.get("/api/v1/messages/0701C").await.0, 404);
    assert_eq!(rig.get("/api/v1/messages/0701D").await.0, 422, "the check character is wrong");
    assert_eq!(rig.get("/nowhere").await.0, 404);
    assert_eq!(rig.post("/api/v1/status", &json!({})).await.0, 405);
    rig.stop().await;
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_before_it_is_read() {
    let rig = Rig::start().await;
    let (status, _) = rig.send(&"长".repeat(40_000)).await;
    assert_eq!(status, 413);
    rig.stop().await;
}

#[tokio::test]
async fn a_roster_goes_in_whole_or_not_at_all() {
    let rig = Rig::start().await;
    let put = async |roster: Value| {
        let headers = format!("{}Content-Type: application/json\r\n", rig.headers());
        let body = json!({ "roster": roster }).to_string();
        rig.raw("PUT /api/v1/roster", &headers, &body).await
    };
    let person = json!({ "id": "li-lei", "name": "李雷", "unit": "", "number": null, "terminals": ["beidou:142020"] });
    assert_eq!(put(json!({ "person": [person] })).await.0, 200);
    assert_eq!(rig.get("/api/v1/roster").await.1["person"], json!([person]));
    let (status, body) = put(json!({ "person": [person, person] })).await;
    assert_eq!(status, 422, "{body}");
    assert_eq!(rig.get("/api/v1/roster").await.1["person"], json!([person]));
    let (status, reply) = rig.post("/api/v1/messages", &json!({ "to": "李雷", "text": "请回话" })).await;
    assert_eq!((status, &reply["recipients"]), (201, &json!(1)), "{reply}");
    rig.stop().await;
}

#[tokio::test]
async fn after_a_failed_journal_nothing_is_promised_and_health_says_so() {
    let rig = Rig::start().await;
    assert_eq!(rig.send("一").await.0, 201);
    rusqlite::Connection::open(rig.journal()).unwrap().execute_batch("DROP TABLE journal").unwrap();
    let (status, problem) = rig.send("二").await;
    assert_eq!((status, problem["type"].as_str()), (503, Some("urn:yizhan:problem:journal_failed")));
    let host = format!("Host: {}\r\n", rig.running.address);
    assert_eq!(rig.raw("GET /healthz", &host, "").await.0, 503);
    assert!(!rig.get("/api/v1/status").await.1["journal_failed"].is_null());
    rig.stop().await;
}

#[tokio::test]
async fn links_tell_why_a_port_is_closed_and_metrics_count() {
    let rig = Rig::start().await;
    let told = async {
        loop {
            let (_, links) = rig.get("/api/v1/links").await;
            if links["links"][0]["trouble"] == "unplugged" {
                break links;
            }
        }
    };
    let links = within(told).await;
    assert_eq!(links["links"][0]["device"], "beidou");
    assert!(links["links"][0]["trouble_label"].as_str().unwrap().contains("线缆"));
    rig.send("一").await;
    let (_, metrics) = rig.raw("GET /metrics", &rig.headers(), "").await;
    assert!(metrics.contains("yizhan_messages_accepted_total{precedence=\"routine\"} 1"), "{metrics}");
    assert!(metrics.contains("yizhan_link_up{link=\"bd-1\"} 0"), "{metrics}");
    rig.stop().await;
}

#[tokio::test]
async fn what_was_accepted_is_there_after_a_restart_and_the_address_file_goes_with_the_station() {
    let rig = Rig::start().await;
    let (_, reply) = rig.send("重启后还在").await;
    let address = rig.journal().with_file_name("api.addr");
    let folder = rig.folder;
    rig.running.stop.cancel();
    within(rig.running.ended()).await.unwrap();
    assert!(!address.exists());
    let source = "[station]\nnumber = 7\nclock = \"trust\"\n[api]\nlisten = \"127.0.0.1:0\"\n";
    let config = Config::parse(&folder.path().join("gateway.toml"), source).unwrap();
    let again = start(config, CancellationToken::new()).await.unwrap();
    let id = reply["id"].as_str().unwrap().parse().unwrap();
    let text = again.station.look(move |engine, _| engine.state().message(id).map(|m| m.text.clone())).await.unwrap();
    assert_eq!(text.as_deref(), Some("重启后还在"));
    again.stop.cancel();
    within(again.ended()).await.unwrap();
}

#[tokio::test]
async fn a_forecast_is_told_and_nothing_is_stored_or_shown() {
    let rig = Rig::start().await;
    let (_, before) = rig.get("/api/v1/status").await;
    let ask = json!({ "to": "beidou:142020", "text": "三号桥断了", "precedence": "特急" });
    let (status, told) = rig.post("/api/v1/forecast", &ask).await;
    assert_eq!((status, keys(&told["forecast"][0])), (200, properties("Outlook")), "{told}");
    assert_eq!(told["forecast"][0]["unknown"], "no_card", "no terminal has told of a card yet");
    assert_eq!(told["forecast"][0]["bearer_label"], "北斗");
    assert_eq!(rig.get("/api/v1/messages").await.1["messages"], json!([]));
    let (_, after) = rig.get("/api/v1/status").await;
    assert_eq!(after["outbox"], before["outbox"]);
    let (status, problem) = rig.post("/api/v1/forecast", &json!({ "to": "王五", "text": "在吗" })).await;
    assert_eq!((status, problem["type"].as_str()), (422, Some("urn:yizhan:problem:unknown_recipient")));
    let (_, report) = rig.get("/api/v1/report/forecast").await;
    assert_eq!((&report["classes"], &report["unknown"]["flash"]), (&json!([]), &json!(0)));
    rig.stop().await;
}

/// What a journal of one message that arrived has taught.
fn experience() -> yizhan_engine::bus::Experience {
    use yizhan_engine::bus::journal::{ForecastMade, MessageKept, Record, Routed, RungRaised, record::What, routed};
    let id = 7 << 32 | 1;
    let (topic, precedence) = ("text".to_owned(), "priority".to_owned());
    let kept = MessageKept { id, topic, precedence: precedence.clone(), ..MessageKept::default() };
    let routed = Routed { id, deliveries: vec![routed::Delivery { station: 2, ..routed::Delivery::default() }] };
    let (parts, early_ms, late_ms) = (1, 1_000, 3_000);
    let told = ForecastMade { id, parts, early_ms, late_ms, precedence, first: true, ..ForecastMade::default() };
    let rung = RungRaised { id, rung: "delivered".into(), ..RungRaised::default() };
    let whats = [What::MessageKept(kept), What::Routed(routed), What::ForecastMade(told), What::RungRaised(rung)];
    let mut state = yizhan_engine::bus::State::default();
    for (offset, what) in (1..).zip(whats) {
        let at_ms = 1_790_000_000_000 + i64::try_from(offset).unwrap() * 1_000;
        state.apply(Offset(offset), &Record { at_ms, what: Some(what) }).unwrap();
    }
    state.experience().clone()
}

#[test]
fn a_report_tells_of_each_class_how_often_it_was_right() {
    let report = super::view::experience(&experience());
    assert_eq!(keys(&report["classes"][0]), properties("ForecastScore"));
    assert_eq!(
        (&report["classes"][0]["inside_permille"], &report["classes"][0]["early_permille"]),
        (&json!(1_000), &json!(1_000))
    );
    assert_eq!(
        (&report["classes"][0]["queue_label"], &report["classes"][0]["mean_width_ms"]),
        (&json!("不排队"), &json!(2_000))
    );
}

/// The properties of a schema, by its name.
fn properties(name: &str) -> BTreeSet<String> {
    let document: Value = serde_json::from_str(super::openapi::OPENAPI).unwrap();
    let properties = document["components"]["schemas"][name]["properties"].as_object().expect(name);
    properties.keys().cloned().collect()
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().expect("an object").keys().cloned().collect()
}

#[test]
fn the_description_names_every_route_and_no_other() {
    let document: Value = serde_json::from_str(super::openapi::OPENAPI).unwrap();
    let routes = include_str!("mod.rs").split(".route(\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let routes: BTreeSet<String> = routes
        .map(|path| if ["/metrics", "/healthz"].contains(&path) { path.into() } else { format!("/api/v1{path}") })
        .collect();
    assert_eq!(keys(&document["paths"]), routes);
}

#[tokio::test]
async fn every_described_method_is_routed() {
    let rig = Rig::start().await;
    let document: Value = serde_json::from_str(super::openapi::OPENAPI).unwrap();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in keys(methods) {
            if path == "/api/v1/stream" {
                continue;
            }
            let request = format!("{} {}", method.to_uppercase(), path.replace("{id}", "0702S"));
            let (status, body) = rig.raw(&request, &rig.headers(), "").await;
            assert!(status != 405 && !body.contains("no_such_page"), "{request}: {status} {body}");
        }
    }
    rig.stop().await;
}

#[tokio::test]
async fn answers_have_the_properties_that_the_description_promises() {
    let rig = Rig::start().await;
    let (_, accepted) = rig.send("三号桥断了").await;
    assert_eq!(keys(&accepted), properties("Accepted"));
    let (_, message) = rig.get(&format!("/api/v1/messages/{}", accepted["id"].as_str().unwrap())).await;
    assert_eq!(keys(&message), properties("Message"));
    assert_eq!(keys(&message["deliveries"][0]), properties("Delivery"));
    let (_, status) = rig.get("/api/v1/status").await;
    assert_eq!(keys(&status), properties("Status"));
    assert_eq!(keys(&status["links"][0]), properties("Link"));
    assert_eq!(keys(&status["links"][0]["cards"][0]), properties("Card"));
    assert_eq!(keys(&rig.get("/api/v1/outbox").await.1["outbox"][0]), properties("OutboxLine"));
    assert_eq!(keys(&rig.get("/api/v1/outbox").await.1["outbox"][0]["forecast"]), properties("Outlook"));
    assert_eq!(keys(&accepted["forecast"][0]), properties("Outlook"));
    assert_eq!(keys(&rig.get("/api/v1/report/forecast").await.1), properties("ForecastReport"));
    assert_eq!(keys(&rig.get("/api/v1/roster").await.1), properties("Roster"));
    assert_eq!(keys(&rig.get("/nowhere").await.1), properties("Problem"));
    let id = accepted["id"].as_str().unwrap();
    let (cancelled, done) = rig.post(&format!("/api/v1/messages/{id}/cancel"), &json!({ "by": "值班员" })).await;
    assert_eq!((cancelled, keys(&done)), (200, properties("Done")));
    rig.stop().await;
}
