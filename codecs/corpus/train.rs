//! Makes a text model out of `codecs/corpus`: `cargo run --release -p yizhan-codecs --features training --example
//! train-text -- OUT [DEV FILE...]`. The same corpus gives the same bytes on every machine.

use std::path::{Path, PathBuf};
use yizhan_codecs::air::text::training::{Group, Word, measure, train};

/// A failure in words, with the file that it is about.
type Failure = Box<dyn std::error::Error>;

fn lines(path: &Path) -> Result<Vec<String>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

fn groups(folder: &Path) -> Result<Vec<Group>, Failure> {
    let mut files =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>, Failure>>()?;
    files.sort();
    files.iter().map(|file| lines(file)).collect()
}

fn words(path: &Path) -> Result<Vec<Word>, Failure> {
    let word = |line: &String| -> Result<Word, Failure> {
        let (word, count) = line.split_once(' ').ok_or_else(|| format!("{line:?} is not a word and a count"))?;
        Ok((word.to_owned(), count.parse()?))
    };
    lines(path)?.iter().map(word).collect()
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args_os().skip(1);
    let out = arguments.next().ok_or("say where the model goes: train-text OUT [DEV FILE...]")?;
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let file =
        train(&groups(&corpus.join("messages"))?, &words(&corpus.join("words.txt"))?, |said| eprintln!("{said}"));
    std::fs::write(&out, &file)?;
    eprintln!("{} bytes", file.len());
    for dev in arguments {
        let (cost, symbols) = measure(&file, &lines(Path::new(&dev))?)?;
        eprintln!("{}: {} thousandths of a bit a character", Path::new(&dev).display(), cost * 1_000 / 256 / symbols);
    }
    Ok(())
}
