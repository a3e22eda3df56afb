//! A command line's own words in Chinese: headings, placeholders, what went wrong. clap has them in English only, so
//! that each is given here in one place; the English stands behind an error's Chinese, as with every other error.
//!
//! **Invariants**
//! - Every argument has a Chinese help and every value a Chinese name: a test looks.

use clap::builder::{PossibleValue, StyledStr};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command, Error};
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::process::ExitCode;

/// Reads a command line with every word about it in Chinese.
///
/// # Errors
/// What was wrong, or the help or version asked for, has been printed; the program ends with this code.
pub fn read(command: Command, args: impl IntoIterator<Item = OsString>) -> Result<ArgMatches, ExitCode> {
    let name = command.get_name().to_owned();
    parse(command, args).map_err(|error| tell(&name, &error))
}

fn parse(command: Command, args: impl IntoIterator<Item = OsString>) -> Result<ArgMatches, Error> {
    spoken(command).try_get_matches_from(args)
}

/// Says what was wrong with a command line, or gives the help or version that it asked for.
fn tell(name: &str, error: &Error) -> ExitCode {
    let code = ExitCode::from(u8::from(error.use_stderr()).saturating_mul(2));
    if matches!(error.kind(), ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand) || !error.use_stderr() {
        // clap knows where each belongs.
        let _ = error.print();
        return code;
    }
    let mut err = std::io::stderr();
    let _ = writeln!(err, "{name}: {}\n        {}", label(error), english(error));
    if let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) {
        let _ = writeln!(err, "用法：{}\n加 --help 看说明", usage_line(usage));
    }
    code
}

fn spoken(command: Command) -> Command {
    let help = Arg::new("help").short('h').long("help").action(ArgAction::Help).global(true).help("显示说明");
    let version = Arg::new("version").short('V').long("version").action(ArgAction::Version).help("显示版本");
    let root = command.disable_help_flag(true).disable_version_flag(true).arg(help).arg(version);
    let mut root = in_chinese(root);
    // Global arguments reach their commands, and usage lines know their whole command, only when all is built.
    root.build();
    with_usage(root)
}

/// The parts that are set before clap builds the command.
fn in_chinese(command: Command) -> Command {
    let command = command.subcommand_value_name("命令").mut_args(|arg| {
        if !arg.get_action().takes_values() {
            return arg;
        }
        let mut words = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let values: Vec<String> = arg.get_possible_values().iter().map(valid_word).collect();
        if !values.is_empty() {
            words.push_str(&format!("（可用 {}）", values.join("；")));
        }
        let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        if !defaults.is_empty() {
            words.push_str(&format!("（默认 {}）", defaults.join(" ")));
        }
        if let Some(name) = arg.get_env().and_then(OsStr::to_str) {
            words.push_str(&format!("（环境变量 {name}）"));
        }
        arg.help(words).hide_default_value(true).hide_env(true).hide_possible_values(true)
    });
    command.mut_subcommands(in_chinese)
}

/// A value that an argument takes, and what it means where that is said.
fn valid_word(value: &PossibleValue) -> String {
    let help = value.get_help().map(|help| format!(" {help}")).unwrap_or_default();
    format!("{}{help}", value.get_name())
}

/// The parts that need the built command: its usage line, and the headings of what it really has.
fn with_usage(mut command: Command) -> Command {
    let usage = usage_line(&command.render_usage());
    let mut template = "{about-with-newline}\n用法：{usage}\n".to_owned();
    if command.has_subcommands() {
        template.push_str("\n命令：\n{subcommands}\n");
    }
    if command.get_positionals().next().is_some() {
        template.push_str("\n参数：\n{positionals}\n");
    }
    template.push_str("\n选项：\n{options}\n");
    let command = command.override_usage(usage).help_template(template).mut_subcommands(with_usage);
    if command.find_subcommand("help").is_some() {
        return command.mut_subcommand("help", |help| help.about("显示某个命令的说明"));
    }
    command
}

fn usage_line(usage: &StyledStr) -> String {
    let line = usage.to_string();
    line.trim().trim_start_matches("Usage:").trim().replace("[OPTIONS]", "[选项]").replace("[COMMAND]", "[命令]")
}

/// clap's own sentence, on one line.
fn english(error: &Error) -> String {
    let text = error.to_string();
    let first: Vec<&str> = text.lines().take_while(|line| !line.trim().is_empty()).map(str::trim).collect();
    first.join(" ").trim_start_matches("error:").trim().to_owned()
}

fn label(error: &Error) -> String {
    let said = |kind| error.get(kind).map(said).unwrap_or_default();
    let (arg, value) = (said(ContextKind::InvalidArg), said(ContextKind::InvalidValue));
    let maybe = |kind| Some(said(kind)).filter(|word| !word.is_empty()).map(|word| format!("，是不是 {word}？"));
    match error.kind() {
        ErrorKind::UnknownArgument => {
            format!("不认识 {arg}{}", maybe(ContextKind::SuggestedArg).unwrap_or_default())
        }
        ErrorKind::InvalidSubcommand => {
            let suggested = maybe(ContextKind::SuggestedSubcommand).unwrap_or_default();
            format!("没有“{}”这个命令{suggested}", said(ContextKind::InvalidSubcommand))
        }
        ErrorKind::MissingRequiredArgument => format!("还缺 {arg}"),
        ErrorKind::MissingSubcommand => "还缺一个命令".into(),
        ErrorKind::InvalidValue if value.is_empty() => format!("{arg} 后面还缺一个值"),
        ErrorKind::InvalidValue => match said(ContextKind::ValidValue).as_str() {
            "" => format!("{arg} 不能是“{value}”"),
            valid => format!("{arg} 不能是“{value}”：可用 {valid}"),
        },
        ErrorKind::ValueValidation => format!("{arg} 不能是“{value}”"),
        ErrorKind::TooManyValues => format!("{arg} 多给了“{value}”"),
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => format!("{arg} 的值个数不对"),
        ErrorKind::ArgumentConflict => match said(ContextKind::PriorArg) {
            prior if prior.is_empty() || prior == arg => format!("{arg} 只能给一次"),
            prior => format!("{arg} 不能与 {prior} 同用"),
        },
        ErrorKind::InvalidUtf8 => "命令行里有不是 UTF-8 的字".into(),
        _ => "命令行不对".into(),
    }
}

fn said(value: &ContextValue) -> String {
    match value {
        ContextValue::String(word) => word.clone(),
        ContextValue::Strings(words) => words.join("、"),
        ContextValue::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Cli;
    use super::*;
    use clap::CommandFactory;

    fn command() -> Command {
        spoken(Cli::command())
    }

    fn every(command: &Command, look: &mut impl FnMut(&Command)) {
        look(command);
        // The copies that clap's help command has of all others say nothing of their own.
        command.get_subcommands().filter(|sub| sub.get_name() != "help").for_each(|sub| every(sub, look));
    }

    fn is_chinese(words: &str) -> bool {
        words.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
    }

    #[test]
    fn every_command_argument_and_value_has_chinese_words() {
        every(&command(), &mut |command| {
            let name = command.get_bin_name().unwrap_or(command.get_name());
            assert!(command.get_about().is_some_and(|about| is_chinese(&about.to_string())), "{name}");
            for arg in command.get_arguments() {
                assert!(arg.get_help().is_some_and(|help| is_chinese(&help.to_string())), "{name} {}", arg.get_id());
                let values = arg.get_value_names().filter(|_| arg.get_action().takes_values()).unwrap_or_default();
                assert!(values.iter().all(|value| is_chinese(value)), "{name} {} {values:?}", arg.get_id());
            }
        });
    }

    #[test]
    fn no_help_has_a_word_of_claps_own() {
        every(&command(), &mut |command| {
            let help = command.clone().render_help().to_string();
            for word in ["Usage", "Options", "OPTIONS", "Arguments", "Commands", "COMMAND", "Print", "default", "env:"]
            {
                assert!(!help.contains(word), "{word} in\n{help}");
            }
            assert!(help.contains("用法：yizhan") && help.contains("选项：") && help.contains("显示说明"), "{help}");
        });
    }

    #[test]
    fn an_error_says_in_chinese_what_is_wrong_and_english_stands_behind_it() {
        for (line, words) in [
            ("yizhan send 收到", "还缺 --to <谁>"),
            ("yizhan sendd --to a 收到", "没有“sendd”这个命令，是不是 send？"),
            ("yizhan status --jsn", "不认识 --jsn，是不是 --json？"),
            ("yizhan send --to a --order --warning b", "--order 不能与 --warning 同用"),
            ("yizhan net new --id 0 --out net.key", "--id <网号> 不能是“0”"),
            ("yizhan send --to a --to b c", "--to <谁> 只能给一次"),
            ("yizhan send b --to", "--to <谁> 后面还缺一个值"),
        ] {
            let error = parse(Cli::command(), line.split(' ').map(OsString::from)).unwrap_err();
            assert_eq!(label(&error), words, "{line}");
            assert!(!english(&error).is_empty() && !english(&error).contains('\n'), "{}", english(&error));
        }
    }
}
