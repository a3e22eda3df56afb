use super::*;

fn parsed(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split(' '))
}

#[test]
fn the_command_line_is_consistent() {
    use clap::CommandFactory;
    Cli::command().debug_assert();
}

#[test]
fn the_documented_forms_are_understood() {
    for line in [
        "yizhan run --config g.toml",
        "yizhan check --config g.toml",
        "yizhan send --to 李雷 --precedence 特提 --order --wait 立即撤离",
        "yizhan send --to beidou:142020 收到",
        "yizhan send --to 李雷 --forecast-only 收到",
        "yizhan report forecast --json",
        "yizhan tail -n 5 --json",
        "yizhan --data d status",
        "yizhan roster import r.toml",
        "yizhan roster show",
        "yizhan outbox",
        "yizhan read 0701C",
        "yizhan confirm 0701C",
        "yizhan cancel 0701C",
        "yizhan answer 0701C li-lei 受领",
        "yizhan answer 0701C li-lei done",
        "yizhan verify",
        "yizhan explain --jsonl",
        "yizhan airtime form",
        "yizhan airtime text messages.txt --json",
        "yizhan pack 水位上涨",
        "yizhan unpack 0041",
        "yizhan unpack --sealed 4700c005 4700c006",
        "yizhan carry export --to sanhe --out carry.txt",
        "yizhan carry export --to sanhe --qr",
        "yizhan carry import carry.txt",
        "yizhan answer 0701C 受领",
        "yizhan answer 0701C 李雷 完成",
        "yizhan net new --id 5308417 --out net.key",
        "yizhan net issue --key net.key --station 7 --epoch 3 4 --out station-7.key",
        "yizhan airtime table",
        "yizhan airtime table --quick",
    ] {
        assert!(parsed(line).is_ok(), "{line}: {}", parsed(line).unwrap_err());
    }
}

#[test]
fn a_send_without_a_recipient_and_an_order_that_is_a_warning_are_wrong_usage() {
    assert!(parsed("yizhan send 收到").is_err());
    assert!(parsed("yizhan send --to a --order --warning b").is_err());
    assert!(parsed("yizhan send --to a --forecast-only --wait b").is_err());
    assert!(parsed("yizhan answer 0701C").is_err());
    assert!(parsed("yizhan net new --id 0 --out net.key").is_err());
}

#[test]
fn a_missing_config_is_wrong_usage_and_a_station_that_does_not_run_has_failed() {
    let folder = tempfile::tempdir().unwrap();
    let args = |words: &[&str]| {
        let words = std::iter::once("yizhan").chain(words.iter().copied());
        main(words.map(OsString::from).collect::<Vec<_>>(), |_| String::new())
    };
    let missing = folder.path().join("none.toml");
    assert_eq!(args(&["check", "--config", missing.to_str().unwrap()]), ExitCode::from(2));
    assert_eq!(args(&["status", "--data", folder.path().to_str().unwrap()]), ExitCode::FAILURE);
    assert_eq!(args(&["frobnicate"]), ExitCode::from(2));
    assert_eq!(args(&["--version"]), ExitCode::SUCCESS);
    assert_eq!(args(&["airtime", "table"]), ExitCode::SUCCESS);
    assert_eq!(args(&["airtime"]), ExitCode::from(2));
}

#[test]
fn a_config_whose_key_cannot_be_used_is_no_good_config() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.toml");
    let net = "[[net]]\nid = 5\ncentre = 1\nkey = \"net.key\"\n";
    let config = Config::parse(&path, &format!("[station]\nnumber = 1\n{net}")).unwrap();
    let check = || {
        let mut out = Vec::new();
        let code = offline::check(&path, &config, &mut out).unwrap();
        (code, String::from_utf8(out).unwrap())
    };
    let (code, words) = check();
    assert_eq!(code, ExitCode::from(2));
    assert!(words.contains("本站启动不了") && words.contains("找不到密钥文件"), "{words}");
    crate::config::KeyFile::new_net(5).unwrap().write(&folder.path().join("net.key")).unwrap();
    let (code, words) = check();
    assert_eq!(code, ExitCode::SUCCESS);
    assert!(words.contains("无误") && words.contains("密钥可用"), "{words}");
}

#[test]
fn a_report_is_packed_and_read_with_the_places_of_the_config() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.toml");
    let place = "[[place]]\nnumber = 12\nname = \"青龙村\"\n";
    std::fs::write(&path, format!("[station]\nnumber = 1\n{place}")).unwrap();
    let area = Place { config: path, data: None }.area().unwrap();
    let (mut hex, mut words) = (Vec::new(), Vec::new());
    airtime::pack("#1 首报 滑坡 地12 死1", &area, &mut hex).unwrap();
    airtime::unpack(std::str::from_utf8(&hex).unwrap(), &area, &mut words).unwrap();
    let words = String::from_utf8(words).unwrap();
    assert!(words.contains("青龙村"), "{words}");
    assert!(Place { config: folder.path().join("none.toml"), data: None }.area().unwrap().places.is_empty());
}
