//! What a quiet station costs: memory, processor and syncs, beside the limits that the design sets.
//!
//! Two links are open and their terminals are there, as at night: the Beidou terminal reports its beams, the radios are
//! registered, nobody says anything.

use super::DemoError;
use super::scene::Scene;
use crate::live::{Station, Stopwatch};
use crate::seed::Seed;
use nix::unistd::{SysconfVar, sysconf};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Cards are read and radios registered by then.
const SETTLED: Duration = Duration::from_secs(45);

/// The design's limits.
const MEMORY_KB_MAX: u64 = 60 * 1_024;
const CPU_PERCENT_MAX: f64 = 0.5;

/// What the station has used since it began.
#[derive(Clone, Copy, Debug)]
struct Used {
    cpu: Duration,
    memory_kb: u64,
    syncs: usize,
}

/// Lets the daemon idle and says on `out` what it used. Gives whether it kept within the limits.
///
/// # Errors
/// When it could not be set up or looked at.
pub fn measure(time: Duration, daemon: &dyn Fn() -> Command, out: &mut dyn Write) -> Result<bool, DemoError> {
    let folder = tempfile::tempdir().map_err(DemoError::Setting)?;
    let (scene, told) = Scene::set(folder.path(), &Seed::new(1))?;
    let trace = folder.path().join("trace");
    let counts_syncs = Command::new("strace").arg("-V").output().is_ok();
    let mut program = if counts_syncs { counted(daemon(), &trace) } else { daemon() };
    program.arg("run").arg("--config").arg(&scene.config);
    let mut station = Station::start(program, folder.path(), &scene.journal)?;
    let _api = station.ready()?;
    writeln!(out, "驿站（进程 {}）空闲：先等 {} 秒，再量 {} 秒", station.id(), SETTLED.as_secs(), time.as_secs())?;
    let watch = Stopwatch::start();
    let wait = |until: Duration| {
        // What the terminals do meanwhile is not wanted here.
        while let Some(left) = until.checked_sub(watch.elapsed()).filter(|left| !left.is_zero()) {
            let _unwatched = told.recv_timeout(left);
        }
    };
    wait(SETTLED);
    let (began, from) = (watch.elapsed(), used(station.id(), &trace).map_err(DemoError::Setting)?);
    wait(SETTLED + time);
    let (ended, to) = (watch.elapsed(), used(station.id(), &trace).map_err(DemoError::Setting)?);
    station.stop()?;
    let minutes = (ended - began).as_secs_f64() / 60.0;
    let cpu_percent = (to.cpu - from.cpu).as_secs_f64() / (ended - began).as_secs_f64() * 100.0;
    let syncs = to.syncs - from.syncs;
    let verdict = |kept: bool| if kept { "达标" } else { "超限" };
    let memory_mb = |kb: u64| f64::from(u32::try_from(kb).unwrap_or(u32::MAX)) / 1_024.0;
    let memory_kept = to.memory_kb <= MEMORY_KB_MAX;
    let (memory, limit) = (memory_mb(to.memory_kb), memory_mb(MEMORY_KB_MAX));
    writeln!(out, "  内存    {memory:>7.1} MB      上限 {limit:.0} MB    {}", verdict(memory_kept))?;
    let cpu_kept = cpu_percent <= CPU_PERCENT_MAX;
    writeln!(out, "  处理器  {cpu_percent:>7.3} %       上限 {CPU_PERCENT_MAX} %      {}", verdict(cpu_kept))?;
    // An idle station writes nothing.
    let syncs_kept = syncs == 0;
    if counts_syncs {
        let syncs = f64::from(u32::try_from(syncs).unwrap_or(u32::MAX)) / minutes;
        writeln!(out, "  落盘    {syncs:>7.1} 次/分    上限 0        {}", verdict(syncs_kept))?;
    } else {
        writeln!(out, "  落盘    没有数：装上 Debian 软件包 strace 再量")?;
    }
    Ok(memory_kept && cpu_kept && syncs_kept && counts_syncs)
}

/// The daemon under a tracer that stops it at syncs only, and writes one line for each.
fn counted(daemon: Command, trace: &Path) -> Command {
    let mut program = Command::new("strace");
    program.args(["-D", "-f", "--seccomp-bpf", "-e", "trace=fsync,fdatasync,sync_file_range", "-o"]).arg(trace);
    program.arg(daemon.get_program()).args(daemon.get_args());
    program
}

fn used(id: u32, trace: &Path) -> std::io::Result<Used> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let memory_kb = memory.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(u64::MAX);
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The name in brackets may hold spaces; after it the fields count from the third.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks: u64 = fields.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    let per_second = sysconf(SysconfVar::CLK_TCK)?.and_then(|ticks| u64::try_from(ticks).ok()).unwrap_or(100);
    let cpu = Duration::from_micros(ticks.saturating_mul(1_000_000) / per_second.max(1));
    let calls = fs::read_to_string(trace).unwrap_or_default();
    let syncs =
        calls.lines().filter(|line| line.contains("sync") && line.contains("(") && !line.contains("resumed")).count();
    Ok(Used { cpu, memory_kb, syncs })
}
