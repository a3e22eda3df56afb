//! `yizhan-drill`: the drill library's command line. Called with `daemon` first it is the daemon itself, so that a demo
//! starts a real process that can be killed.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

const DAEMON: &str = "daemon";

fn main() -> ExitCode {
    let mut words: Vec<OsString> = std::env::args_os().collect();
    if words.get(1).is_some_and(|word| word == DAEMON) {
        words.remove(1);
        return yizhan_daemon::cli::main(words, yizhan_simulators::airtime::table);
    }
    yizhan_simulators::cli::main(|line| yizhan_daemon::cli::usage::read(line, words), &|| {
        // The image that runs now, also after its file was built anew or removed.
        let mut daemon = Command::new(format!("/proc/{}/exe", std::process::id()));
        daemon.arg(DAEMON);
        daemon
    })
}
