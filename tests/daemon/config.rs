//! What an operator reads when the config is wrong.

use crate::rig::{daemon_in, folder, ordinary};
use std::process::Command;

/// The exit code and what stands on standard error for a config.
fn refused(text: &str) -> (Option<i32>, String) {
    let folder = folder();
    let config = folder.path().join("gateway.toml");
    std::fs::write(&config, text).unwrap();
    let mut daemon = Command::new(daemon_in(folder.path()));
    daemon.arg("run").arg("--config").arg(&config);
    let output = ordinary(daemon).output().unwrap();
    assert!(!folder.path().join("yizhan-data").exists(), "a refused config leaves no journal behind");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_config_error_names_file_line_key_and_choices_and_exits_2() {
    let link = "[station]\nnumber = 1\n\n[[link]]\nname = \"bd\"\n";
    let cases = [
        ("[station]\nnumber = 4000\n".to_owned(), ["第 2 行", "number", "1..=1023"]),
        (format!("{link}devise = \"beidou\"\n"), ["第 6 行", "devise", "device"]),
        (format!("{link}device = \"nosuch\"\nserial = {{ port = \"x\" }}\n"), ["第 6 行", "nosuch", "beidou"]),
        ("[station]\nnumber = 1\nclock = \"maybe\"\n".to_owned(), ["第 3 行", "maybe", "never"]),
    ];
    for (text, wanted) in cases {
        let (code, said) = refused(&text);
        assert_eq!(code, Some(2), "{said}");
        for word in wanted.into_iter().chain(["gateway.toml"]) {
            assert!(said.contains(word), "{word:?} is not in: {said}");
        }
    }
}
