//! `yizhan`: the station and its command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    yizhan_daemon::cli::main(std::env::args_os(), yizhan_simulators::airtime::table)
}
