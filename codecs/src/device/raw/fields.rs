use super::wire::Layout;
use crate::codec::{DecodeError, Profile};
use crate::device::{Direction, Fields, Label, Protocol};

/// `raw` reads the default layout: whoever asks has no profile.
pub(super) const PROTOCOLS: &[Protocol] = &[Protocol { name: "raw", explain }];

pub(super) const LABELS: &[Label] = &[("id", "终端号", ""), ("to", "收方号", "")];

fn explain(_: Direction, bytes: &[u8]) -> Result<Fields, DecodeError> {
    let layout = Layout::read(&Profile::default()).map_err(|error| DecodeError::Unknown(error.to_string()))?;
    let said = layout.parse(bytes)?;
    let mut fields = Fields::new();
    fields.insert("length".into(), bytes.len().into());
    fields.extend(said.id.map(|id| ("id".to_owned(), id.into())));
    fields.extend(said.to.map(|to| ("to".to_owned(), to.into())));
    if let Some((text, lossy)) = said.text {
        fields.insert("text".into(), text.into());
        fields.extend(lossy.then(|| ("lossy".to_owned(), true.into())));
    }
    Ok(fields)
}
