use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use subtle::ConstantTimeEq;

/// The API's secret.
#[derive(Clone)]
pub struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// The secret itself, for whoever has to present it.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// Takes the same time wherever the first difference is.
    pub(super) fn is(&self, offered: &str) -> bool {
        self.0.as_bytes().ct_eq(offered.as_bytes()).into()
    }
}

/// Reads the token, or makes one at the first start.
///
/// # Errors
/// When the file can be neither read nor written.
pub fn token(path: &Path) -> io::Result<Token> {
    match std::fs::read_to_string(path) {
        Ok(text) if text.trim().len() >= 32 => Ok(Token(text.trim().to_owned())),
        Ok(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "the token file is too short: remove it")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut random = [0; 32];
            getrandom::fill(&mut random).map_err(io::Error::other)?;
            let token = Token(hex::encode(random));
            write_private(path, token.secret())?;
            Ok(token)
        }
        Err(error) => Err(error),
    }
}

/// Writes a file that only its owner can read, whole or not at all.
///
/// # Errors
/// When the folder cannot be written.
pub fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&name)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    std::fs::rename(name, path)
}
